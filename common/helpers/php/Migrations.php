<?php

declare(strict_types=1);

namespace Osv4;

/** Migrations of the application, then of each plugin. The first that fails ends the start. */
final class Migrations
{
    public function __construct(private Database $database, private Sources $sources, private Cake $cake, private Say $say)
    {
    }

    /** @return bool whether there was anything to do */
    public function run(): bool
    {
        $before = $this->done();
        foreach ($this->sources->migrating() as $plugin) {
            $arguments = ['migrations', 'migrate', '--no-lock', ...($plugin === null ? [] : ['-p', $plugin])];
            $this->say->log('migrations of ' . ($plugin === null ? 'the application' : "plugin $plugin"));
            if ($this->cake->run($arguments) === null) {
                throw Failure::step(
                    'a migration of ' . ($plugin === null ? 'the application' : "plugin `$plugin`") . ' failed; its words stand above.'
                    . ' The server is not started on a database that is half changed. Mend the cause and start again: what was'
                    . ' done is not done twice. To go back, restore the backup (helpers/restore.sh) and start the former version',
                );
            }
        }
        $count = $this->done() - $before;
        $this->say->log('Database migrations: ' . match ($count) {
            0 => 'nothing to do',
            1 => 'done, 1 migration',
            default => "done, $count migrations",
        });

        return $count !== 0;
    }

    private function done(): int
    {
        $count = 0;
        foreach ($this->database->rows("SELECT tablename FROM pg_tables WHERE schemaname = ? AND tablename LIKE '%phinxlog'", [$this->database->schema]) as $row) {
            $count += (int)$this->database->value('SELECT count(*) FROM ' . $this->database->table($row['tablename']));
        }

        return $count;
    }
}
