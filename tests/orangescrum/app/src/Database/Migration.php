<?php

declare(strict_types=1);

namespace App\Database;

abstract class Migration
{
    final public function __construct(private readonly Database $database)
    {
    }

    abstract public function up(): void;

    final protected function execute(string $sql): void
    {
        $this->database->pdo->exec($sql);
    }
}
