<?php

declare(strict_types=1);

namespace Osv4;

/** One session with PostgreSQL. A query that fails is an exception, never an empty answer. */
final class Database
{
    /** What only a person can mend; waiting does not help. */
    private const HOPELESS = [
        'password authentication failed' => 'the password or the user is wrong: check DB_USERNAME and DB_PASSWORD (or DATABASE_URL)',
        'no password supplied' => 'no password is set: set DB_PASSWORD or DB_PASSWORD_FILE',
        'no pg_hba.conf entry' => 'the server lets nobody in from here: add a line to its pg_hba.conf',
        'is not permitted to log in' => 'the user may not log in: ALTER ROLE … LOGIN',
        'permission denied for database' => 'the user may not connect to it: GRANT CONNECT ON DATABASE …',
    ];

    private function __construct(private \PDO $pdo, public readonly string $schema)
    {
    }

    public static function wait(Settings $settings, Say $say): self
    {
        if (!extension_loaded('pdo_pgsql')) {
            throw Failure::configuration('this PHP has no pdo_pgsql');
        }
        $began = hrtime(true);
        $told = 0.0;
        while (true) {
            try {
                $database = self::connect($settings);
                if ($told > 0.0) {
                    $say->log('the database answers');
                }

                return $database;
            } catch (\PDOException $no) {
                $why = trim(preg_replace('/^SQLSTATE\[\w+\] \[\d+\] /', '', $no->getMessage()));
                self::giveUpOn($why, $settings);
                $spent = (hrtime(true) - $began) / 1e9;
                if ($spent >= $settings->wait) {
                    throw Failure::unreachable(sprintf('%s did not answer in %d s (DB_WAIT_TIMEOUT): %s', $settings->where(), $settings->wait, $why));
                }
                if ($told === 0.0 || $spent - $told >= 5) {
                    $say->log(sprintf('waiting for %s, %d of %d s: %s', $settings->where(), $spent, $settings->wait, strtok($why, "\n")));
                    $told = max($spent, 0.001);
                }
                usleep(500_000);
            }
        }
    }

    /** @param list<mixed> $values */
    public function value(string $sql, array $values = []): mixed
    {
        $statement = $this->pdo->prepare($sql);
        $statement->execute($values);
        $value = $statement->fetchColumn();

        return $value === false ? null : $value;
    }

    /** @param list<mixed> $values */
    public function holds(string $sql, array $values = []): bool
    {
        // A boolean as text, for drivers differ in what they make of one.
        return $this->value("SELECT CASE WHEN ($sql) THEN 'yes' ELSE 'no' END", $values) === 'yes';
    }

    /**
     * @param list<mixed> $values
     * @return list<array<string, mixed>>
     */
    public function rows(string $sql, array $values = []): array
    {
        $statement = $this->pdo->prepare($sql);
        $statement->execute($values);

        return $statement->fetchAll(\PDO::FETCH_ASSOC);
    }

    /** @param list<mixed> $values */
    public function execute(string $sql, array $values = []): void
    {
        $this->pdo->prepare($sql)->execute($values);
    }

    /** Several statements, in one transaction. */
    public function script(string $sql): void
    {
        $this->transaction(fn () => $this->pdo->exec($sql));
    }

    public function transaction(callable $work): void
    {
        $this->pdo->beginTransaction();
        try {
            $work();
            $this->pdo->commit();
        } catch (\Throwable $failed) {
            if ($this->pdo->inTransaction()) {
                $this->pdo->rollBack();
            }
            throw $failed;
        }
    }

    /** A table of this schema, as it is written in SQL. */
    public function table(string $name): string
    {
        return self::quoted($this->schema) . '.' . self::quoted($name);
    }

    public static function quoted(string $name): string
    {
        return '"' . str_replace('"', '""', $name) . '"';
    }

    public function exists(string $table): bool
    {
        return $this->holds('to_regclass(?) IS NOT NULL', [$this->table($table)]);
    }

    private static function connect(Settings $settings): self
    {
        $quote = static fn (string $value): string => "'" . addcslashes($value, "'\\") . "'";
        $pdo = new \PDO(
            "pgsql:host={$quote($settings->host)};port={$quote($settings->port)};dbname={$quote($settings->database)}"
                . ';connect_timeout=5;application_name=' . $quote(Lock::application()),
            $settings->user,
            $settings->password,
            [\PDO::ATTR_ERRMODE => \PDO::ERRMODE_EXCEPTION],
        );
        $database = new self($pdo, $settings->schema);
        if (!$database->holds('EXISTS (SELECT FROM pg_namespace WHERE nspname = ?)', [$settings->schema])) {
            throw Failure::configuration("the schema `$settings->schema` does not exist: CREATE SCHEMA, or check DB_SCHEMA");
        }
        // Scripts name tables without their schema.
        $database->value('SELECT set_config(?, ?, false)', ['search_path', self::quoted($settings->schema) . ', public']);

        return $database;
    }

    private static function giveUpOn(string $why, Settings $settings): void
    {
        foreach (self::HOPELESS as $sign => $mend) {
            if (str_contains($why, $sign)) {
                throw Failure::configuration("{$settings->where()}: $mend");
            }
        }
        if (preg_match('/(database|role) "[^"]*" does not exist/', $why, $found)) {
            throw Failure::configuration("{$settings->where()}: the $found[1] does not exist: create it, or check the name");
        }
    }
}
