<?php

declare(strict_types=1);

namespace Osv4;

/** Migrations and seeders, as the files of the unpacked application tell. */
final class Sources
{
    public function __construct(private string $app)
    {
    }

    /** @return list<string|null> the application (null), then its plugins, that have migrations */
    public function migrating(): array
    {
        return array_values(array_filter($this->parts(), fn (?string $plugin): bool => $this->files($plugin, 'Migrations') !== []));
    }

    /**
     * Seeders in the order in which they may run: by name, but those that another one needs first.
     *
     * @return array<string, array{plugin: ?string, seeder: string, tables: list<string>}> by a name for each
     */
    public function seeders(): array
    {
        $all = [];
        foreach ($this->parts() as $plugin) {
            $found = [];
            foreach ($this->files($plugin, 'Seeds') as $file) {
                $text = (string)file_get_contents($file);
                // Without comments, in which tables are mentioned too.
                $code = implode('', array_map(
                    static fn (array|string $token): string => is_string($token) ? $token : (in_array($token[0], [T_COMMENT, T_DOC_COMMENT], true) ? ' ' : $token[1]),
                    token_get_all($text),
                ));
                preg_match_all('/(?:->table\(|INSERT\s+INTO\s+|->insert\()\s*[\'"]?(?:\w+\.)?(\w+)/i', $code, $tables);
                $needs = preg_match('/function\s+getDependencies\s*\([^{]*\{(.*?)\}/s', $code, $body)
                    && preg_match_all('/[\'"](\w+)[\'"]|(\w+)::class/', $body[1], $names)
                    ? array_map(static fn (string $a, string $b): string => $a . $b, $names[1], $names[2])
                    : [];
                $found[basename($file, '.php')] = ['tables' => array_values(array_unique($tables[1])), 'needs' => $needs];
            }
            foreach (self::ordered($found) as $seeder) {
                $all[($plugin === null ? '' : "$plugin.") . $seeder] = [
                    'plugin' => $plugin,
                    'seeder' => $seeder,
                    'tables' => $found[$seeder]['tables'],
                ];
            }
        }

        return $all;
    }

    public function script(string $name): ?string
    {
        $file = "$this->app/config/schema/$name";

        return is_file($file) && trim((string)file_get_contents($file)) !== '' ? $file : null;
    }

    /** @return list<string|null> */
    private function parts(): array
    {
        $plugins = array_map(basename(...), array_filter(glob("$this->app/plugins/*") ?: [], is_dir(...)));
        sort($plugins);

        return [null, ...$plugins];
    }

    /** @return list<string> */
    private function files(?string $plugin, string $folder): array
    {
        $root = $plugin === null ? $this->app : "$this->app/plugins/$plugin";
        $files = glob("$root/config/$folder/*.php") ?: [];
        sort($files);

        return $files;
    }

    /**
     * @param array<string, array{tables: list<string>, needs: list<string>}> $seeders
     * @return list<string>
     */
    private static function ordered(array $seeders): array
    {
        $order = [];
        $visit = static function (string $name) use (&$visit, &$order, $seeders): void {
            if (isset($order[$name]) || !isset($seeders[$name])) {
                return;
            }
            // Set before its needs, so that a circle ends; the value says when it was done.
            $order[$name] = null;
            array_map($visit, $seeders[$name]['needs']);
            $order[$name] = count(array_filter($order, is_int(...)));
        };
        array_map($visit, array_keys($seeders));
        asort($order);

        return array_keys($order);
    }
}
