<?php

declare(strict_types=1);

namespace App\Database;

use RuntimeException;

/** Where the migrations and seeds of the application, or of one plugin, lie and are noted. */
final class Place
{
    private function __construct(public readonly string $config, public readonly string $log)
    {
    }

    public static function of(?string $plugin): self
    {
        if ($plugin === null) {
            return new self(CONFIG, 'phinxlog');
        }
        $config = ROOT . DS . 'plugins' . DS . $plugin . DS . 'config' . DS;
        if (!preg_match('/^[A-Za-z][A-Za-z0-9]*$/', $plugin) || !is_dir($config)) {
            throw new RuntimeException("Plugin `$plugin` could not be found.");
        }
        $name = strtolower(preg_replace('/(?<!^)[A-Z]/', '_$0', $plugin));

        return new self($config, $name . '_phinxlog');
    }

    /** version => name of each migration, oldest first. */
    public function migrations(): array
    {
        $found = [];
        foreach (glob($this->config . 'Migrations/*.php') ?: [] as $file) {
            if (preg_match('/^(\d{14})_(\w+)\.php$/', basename($file), $match)) {
                $found[$match[1]] = $match[2];
            }
        }
        ksort($found);

        return $found;
    }

    public function migration(string $version, string $name, Database $database): Migration
    {
        require_once $this->config . "Migrations/{$version}_$name.php";

        return new $name($database);
    }

    /** name => seeder, each behind those it depends on, else by name. */
    public function seeders(Database $database): array
    {
        $found = [];
        foreach (glob($this->config . 'Seeds/*Seeder.php') ?: [] as $file) {
            require_once $file;
            $name = basename($file, '.php');
            $found[$name] = new $name($database);
        }
        ksort($found);
        $ordered = [];
        $add = static function (string $name) use (&$add, &$ordered, $found): void {
            if (!isset($ordered[$name]) && isset($found[$name])) {
                array_map($add, $found[$name]->getDependencies());
                $ordered[$name] = $found[$name];
            }
        };
        array_map($add, array_keys($found));

        return $ordered;
    }
}
