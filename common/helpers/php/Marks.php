<?php

declare(strict_types=1);

namespace Osv4;

/**
 * What is known about seeding, in a table beside those of the application. A seeder is marked before
 * it runs and again after; its own transaction lies between. The row's xmin, which PostgreSQL keeps,
 * tells rows that came after the mark from rows that were there before.
 */
final class Marks
{
    private const TABLE = 'osv4_seeding';

    public function __construct(private Database $database)
    {
    }

    public function exist(): bool
    {
        return $this->database->exists(self::TABLE);
    }

    /** @param list<string> $present seeders whose rows were there before this system came */
    public function create(array $present): void
    {
        $this->database->transaction(function () use ($present): void {
            $this->database->execute("CREATE TABLE {$this->table()} (seeder text PRIMARY KEY, begun timestamptz NOT NULL DEFAULT now(), done timestamptz, note text)");
            foreach ($present as $seeder) {
                $this->present($seeder);
            }
        });
    }

    /** @return array<string, bool> by seeder: whether it is done */
    public function all(): array
    {
        $all = [];
        foreach ($this->database->rows("SELECT seeder, (done IS NOT NULL)::int AS done FROM {$this->table()}") as $row) {
            $all[$row['seeder']] = (int)$row['done'] === 1;
        }

        return $all;
    }

    public function begin(string $seeder): void
    {
        $this->database->execute("INSERT INTO {$this->table()} (seeder) VALUES (?) ON CONFLICT (seeder) DO UPDATE SET begun = now(), done = NULL", [$seeder]);
    }

    public function done(string $seeder, ?string $note = null): void
    {
        $this->database->execute("UPDATE {$this->table()} SET done = now(), note = ? WHERE seeder = ?", [$note, $seeder]);
    }

    public function present(string $seeder): void
    {
        $this->database->execute("INSERT INTO {$this->table()} (seeder, done, note) VALUES (?, now(), 'rows were there')", [$seeder]);
    }

    /**
     * Did rows come into one of the tables after the seeder was marked? Then its transaction was
     * committed, and only the second mark is missing.
     *
     * @param list<string> $tables
     */
    public function rowsSince(string $seeder, array $tables): bool
    {
        foreach ($tables as $table) {
            if ($table === self::TABLE) {
                continue;
            }
            // age() counts transactions backwards, and goes on counting when numbers wrap.
            $newer = "EXISTS (SELECT FROM {$this->database->table($table)} t, {$this->table()} m WHERE m.seeder = ? AND age(t.xmin) < age(m.xmin))";
            if ($this->database->holds($newer, [$seeder])) {
                return true;
            }
        }

        return false;
    }

    private function table(): string
    {
        return $this->database->table(self::TABLE);
    }
}
