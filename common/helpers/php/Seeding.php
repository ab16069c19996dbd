<?php

declare(strict_types=1);

namespace Osv4;

/**
 * Puts the seeds in, once. Each seeder is a step with a mark of its own, so that a start that is
 * killed in the middle is completed by the next one. Nothing is ever deleted, and no error is taken
 * for success.
 */
final class Seeding
{
    /** Stands for pg_config_2.sql among the marks. */
    private const SEQUENCES = '(sequences)';
    /** Not the application's data. */
    private const BOOKKEEPING = "tablename NOT LIKE '%phinxlog' AND tablename <> 'osv4_seeding'";

    public function __construct(
        private Database $database,
        private Marks $marks,
        private Sources $sources,
        private Cake $cake,
        private Settings $settings,
        private Say $say,
    ) {
    }

    /**
     * Before the first migration under this system: is the database new, or was it filled before?
     * Seeders of an older database whose rows are there count as done; of tables that come with
     * this version they do not.
     */
    public function judge(): void
    {
        if ($this->marks->exist()) {
            return;
        }
        $seeders = $this->sources->seeders();
        $tables = array_merge([], ...array_values(array_map(static fn (array $one): array => $one['tables'], $seeders)));
        $filled = $this->anyRows($tables !== [] ? $tables : $this->tables());
        $present = $filled ? [self::SEQUENCES] : [];
        if ($filled) {
            foreach ($seeders as $name => $one) {
                if ($one['tables'] === [] || array_filter($one['tables'], $this->database->exists(...)) !== []) {
                    $present[] = $name;
                }
            }
        }
        $this->marks->create($present);
        if ($filled) {
            $this->say->log('the database has rows and no record of seeding: taken as seeded by an earlier system');
        }
    }

    public function run(): void
    {
        $why = $this->settings->whyNoSeeds();
        if ($why !== null) {
            $this->say->log("Database seeding: skipped, $why");

            return;
        }
        $seeders = $this->sources->seeders();
        $marks = $this->marks->all();
        $open = array_filter($seeders, static fn (string $name): bool => !($marks[$name] ?? false), ARRAY_FILTER_USE_KEY);
        $broken = array_filter($marks, static fn (bool $done): bool => !$done) !== [];
        if ($open === [] && !$broken) {
            $this->say->log(sprintf('Database seeding: nothing to do, %s recorded', self::counted(count($seeders))));

            return;
        }
        if ($broken) {
            $this->say->log('seeding was interrupted and is completed now');
        } elseif ($marks[self::SEQUENCES] ?? false) {
            $open = $this->withoutFilled($open);
            if ($open === []) {
                $this->say->log('Database seeding: nothing to do');

                return;
            }
        }
        $this->script('pg_config_1.sql');
        $this->marks->begin(self::SEQUENCES);
        $ran = 0;
        foreach ($open as $name => $one) {
            $ran += $this->seed($name, $one, isset($marks[$name])) ? 1 : 0;
        }
        $this->script('pg_config_2.sql');
        $this->marks->done(self::SEQUENCES);
        $this->say->log(sprintf('Database seeding: %s, %s of %d', $broken ? 'completed after an interruption' : 'done', self::counted($ran), count($seeders)));
    }

    /**
     * @param array{plugin: ?string, seeder: string, tables: list<string>} $one
     * @return bool whether it ran
     */
    private function seed(string $name, array $one, bool $begun): bool
    {
        $tables = $one['tables'] !== [] ? array_values(array_filter($one['tables'], $this->database->exists(...))) : $this->tables();
        if ($begun && $this->marks->rowsSince($name, $tables)) {
            $this->say->log("$name had committed its rows");
            $this->marks->done($name, 'committed before an interruption');

            return false;
        }
        $this->say->log("seeder $name");
        $this->marks->begin($name);
        $arguments = ['migrations', 'seed', '--seed', $one['seeder'], ...($one['plugin'] === null ? [] : ['-p', $one['plugin']])];
        if ($this->cake->run($arguments) === null) {
            throw Failure::step("the seeder `$name` failed; its words stand above. Its rows were taken back. Mend the cause and start again: seeders that are done are not run twice");
        }
        $this->marks->done($name);

        return true;
    }

    private function script(string $name): void
    {
        // The application's own scripts know the schema `public` only.
        $own = $this->settings->schema === 'public' ? $this->sources->script($name) : null;
        $file = $own ?? "{$this->settings->home}/helpers/sql/$name";
        try {
            $this->database->script((string)file_get_contents($file));
        } catch (\PDOException $failed) {
            throw Failure::step("$name failed: {$failed->getMessage()}");
        }
    }

    /**
     * Seeders that came with a newer version run only where nobody has filled their tables.
     *
     * @param array<string, array{plugin: ?string, seeder: string, tables: list<string>}> $open
     * @return array<string, array{plugin: ?string, seeder: string, tables: list<string>}>
     */
    private function withoutFilled(array $open): array
    {
        foreach ($open as $name => $one) {
            if ($this->anyRows($one['tables'] !== [] ? $one['tables'] : $this->tables())) {
                $this->say->log("$name is new, but its tables have rows: taken as done");
                $this->marks->present($name);
                unset($open[$name]);
            }
        }

        return $open;
    }

    /** @return list<string> */
    private function tables(): array
    {
        return array_column($this->database->rows('SELECT tablename FROM pg_tables WHERE schemaname = ? AND ' . self::BOOKKEEPING, [$this->database->schema]), 'tablename');
    }

    /** @param list<string> $tables */
    private function anyRows(array $tables): bool
    {
        foreach ($tables as $table) {
            if ($this->database->exists($table) && $this->database->holds("EXISTS (SELECT FROM {$this->database->table($table)})")) {
                return true;
            }
        }

        return false;
    }

    private static function counted(int $count): string
    {
        return $count === 1 ? '1 seeder' : "$count seeders";
    }
}
