<?php

declare(strict_types=1);

namespace App\Command;

final class Runner
{
    /** @return int the exit code: 0, or 1 when something failed, as CakePHP's commands have it */
    public function run(array $arguments): int
    {
        $migrations = new MigrationsCommand();
        $commands = [
            'migrations migrate' => $migrations->migrate(...),
            'migrations status' => $migrations->status(...),
            'migrations seed' => $migrations->seed(...),
            'migrations dump' => $migrations->dump(...),
            'queue worker' => (new QueueCommand())->worker(...),
            'recurring_task' => (new RecurringTaskCommand())->execute(...),
            'cache clear_all' => (new CacheCommand())->clear(...),
            'schema_cache clear' => (new CacheCommand())->clear(...),
            'version' => static function (): int {
                echo trim(file_get_contents(ROOT . '/VERSION.txt')), "\n";

                return 0;
            },
        ];
        foreach ([2, 1] as $words) {
            $name = implode(' ', array_slice($arguments, 0, $words));
            if (isset($commands[$name])) {
                try {
                    return $commands[$name](array_slice($arguments, $words));
                } catch (\Throwable $failure) {
                    fwrite(STDERR, 'Exception: ' . $failure->getMessage() . "\n");

                    return 1;
                }
            }
        }
        if ($arguments === [] || $arguments === ['--help']) {
            echo "Available Commands:\n - ", implode("\n - ", array_keys($commands)), "\n";

            return 0;
        }
        fwrite(STDERR, 'Unknown command `cake ' . implode(' ', $arguments) . "`\n");

        return 1;
    }
}
