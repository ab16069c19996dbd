<?php

declare(strict_types=1);

namespace App\Command;

use App\Database\Database;
use App\Database\Place;
use RuntimeException;

final class MigrationsCommand
{
    public function migrate(array $arguments): int
    {
        $options = new Options($arguments, ['plugin' => 'p', 'target' => 't', 'connection' => 'c', 'no-lock!' => '']);
        $place = Place::of($options->get('plugin'));
        $database = Database::open();
        $this->makeLog($database, $place);
        $done = array_flip($database->column("SELECT version::text FROM {$place->log}"));
        foreach ($place->migrations() as $version => $name) {
            if (isset($done[$version]) || (string)$version > $options->get('target', '99999999999999')) {
                continue;
            }
            echo " == $version $name: migrating\n";
            $started = microtime(true);
            $database->transaction(function () use ($database, $place, $version, $name): void {
                $begun = gmdate('Y-m-d H:i:s');
                $place->migration((string)$version, $name, $database)->up();
                $this->breakIfAsked('TEST_BREAK_MIGRATION', $name);
                $this->pause('TEST_MIGRATION_PAUSE');
                $database->execute(
                    "INSERT INTO {$place->log} (version, migration_name, start_time, end_time) VALUES (?, ?, ?, ?)",
                    [$version, $name, $begun, gmdate('Y-m-d H:i:s')]
                );
            });
            printf(" == %s %s: migrated %.4fs\n", $version, $name, microtime(true) - $started);
        }
        echo "\nAll Done.\n";

        return $options->flag('no-lock') ? 0 : $this->writeDump($database, $place);
    }

    public function status(array $arguments): int
    {
        $options = new Options($arguments, ['plugin' => 'p', 'connection' => 'c', 'format' => 'f']);
        $place = Place::of($options->get('plugin'));
        $database = Database::open();
        $done = $this->hasLog($database, $place)
            ? array_flip($database->column("SELECT version::text FROM {$place->log}"))
            : [];
        $rows = [];
        foreach ($place->migrations() as $version => $name) {
            $status = isset($done[$version]) ? 'up' : 'down';
            $rows[] = ['status' => $status, 'id' => (string)$version, 'name' => $name];
        }
        if ($options->get('format') === 'json') {
            echo json_encode($rows), "\n";

            return 0;
        }
        echo " Status  Migration ID    Migration Name\n", str_repeat('-', 60), "\n";
        foreach ($rows as $row) {
            printf("%7s  %s  %s\n", $row['status'], $row['id'], $row['name']);
        }

        return 0;
    }

    public function seed(array $arguments): int
    {
        $options = new Options($arguments, ['plugin' => 'p', 'seed' => '', 'connection' => 'c']);
        $database = Database::open();
        $seeders = Place::of($options->get('plugin'))->seeders($database);
        $wanted = $options->get('seed');
        if ($wanted !== null) {
            $seeders = array_intersect_key($seeders, [$wanted => 1, $wanted . 'Seeder' => 1])
                ?: throw new RuntimeException("The seed class \"$wanted\" does not exist");
        }
        foreach ($seeders as $name => $seeder) {
            echo " == $name: seeding\n";
            $started = microtime(true);
            $database->transaction(function () use ($seeder, $name): void {
                $seeder->run();
                $this->breakIfAsked('TEST_BREAK_SEEDER', $name);
                $this->pause('TEST_SEED_PAUSE_INSIDE');
            });
            $this->pause('TEST_SEED_PAUSE');
            printf(" == %s: seeded %.4fs\n", $name, microtime(true) - $started);
        }
        echo "\nAll Done.\n";

        return 0;
    }

    public function dump(array $arguments): int
    {
        $options = new Options($arguments, ['plugin' => 'p', 'connection' => 'c']);

        return $this->writeDump(Database::open(), Place::of($options->get('plugin')));
    }

    private function writeDump(Database $database, Place $place): int
    {
        $rows = $database->rows(
            'SELECT table_name, column_name, data_type, is_nullable, column_default, is_identity
             FROM information_schema.columns WHERE table_schema = current_schema()
             ORDER BY table_name, ordinal_position'
        );
        $schema = [];
        foreach ($rows as $row) {
            $schema[array_shift($row)][array_shift($row)] = $row;
        }
        $file = $place->config . 'Migrations/schema-dump-default.lock';
        if (@file_put_contents($file, serialize($schema)) === false) {
            throw new RuntimeException("An error occurred while writing dump file `$file`");
        }
        echo "Dump file `$file` was successfully written\n";

        return 0;
    }

    private function hasLog(Database $database, Place $place): bool
    {
        return (bool)$database->value(
            'SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = ?',
            [$place->log]
        );
    }

    private function makeLog(Database $database, Place $place): void
    {
        // As Phinx: looks, then makes. Two at once are the caller's affair.
        if (!$this->hasLog($database, $place)) {
            $database->pdo->exec("CREATE TABLE {$place->log} (
                version bigint NOT NULL PRIMARY KEY,
                migration_name varchar(100),
                start_time timestamp,
                end_time timestamp,
                breakpoint boolean NOT NULL DEFAULT false
            )");
        }
    }

    private function breakIfAsked(string $variable, string $name): void
    {
        if (env($variable) === $name) {
            throw new RuntimeException("$name fails because $variable names it");
        }
    }

    private function pause(string $variable): void
    {
        usleep((int)((float)env($variable, '0') * 1_000_000));
    }
}
