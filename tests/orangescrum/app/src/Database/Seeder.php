<?php

declare(strict_types=1);

namespace App\Database;

abstract class Seeder
{
    final public function __construct(private readonly Database $database)
    {
    }

    abstract public function run(): void;

    /** Names of seeders that come before this one. */
    public function getDependencies(): array
    {
        return [];
    }

    final protected function insert(string $table, array $rows): void
    {
        foreach ($rows as $row) {
            $this->database->execute(
                sprintf(
                    'INSERT INTO %s (%s) VALUES (%s)',
                    $table,
                    implode(', ', array_keys($row)),
                    implode(', ', array_fill(0, count($row), '?'))
                ),
                array_values($row)
            );
        }
    }
}
