<?php

declare(strict_types=1);

namespace App\Database;

use App\Configure;
use PDO;
use RuntimeException;

final class Database
{
    private static ?self $shared = null;

    private function __construct(public readonly PDO $pdo)
    {
    }

    /** The connection that the settings name; the first call makes it. */
    public static function open(): self
    {
        return self::$shared ??= self::connect((array)Configure::read('Datasources.default'));
    }

    private static function connect(array $settings): self
    {
        if (($settings['url'] ?? '') !== '') {
            $settings = self::fromUrl((string)$settings['url']) + $settings;
        }
        $dsn = sprintf(
            "pgsql:host=%s;port=%d;dbname='%s'",
            $settings['host'],
            (int)$settings['port'],
            addcslashes((string)$settings['database'], "'\\")
        );
        $pdo = new PDO($dsn, (string)$settings['username'], (string)$settings['password'], [
            PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
            PDO::ATTR_DEFAULT_FETCH_MODE => PDO::FETCH_ASSOC,
            PDO::ATTR_TIMEOUT => 5,
        ]);
        $schema = '"' . str_replace('"', '""', (string)$settings['schema']) . '"';
        $pdo->exec("SET search_path TO $schema");
        $pdo->exec("SET TIME ZONE 'UTC'");

        return new self($pdo);
    }

    private static function fromUrl(string $url): array
    {
        $parts = parse_url($url);
        if ($parts === false || !isset($parts['host'])) {
            throw new RuntimeException('DATABASE_URL is no address of a database');
        }
        parse_str($parts['query'] ?? '', $query);

        return array_filter([
            'host' => $parts['host'],
            'port' => $parts['port'] ?? 5432,
            'username' => rawurldecode($parts['user'] ?? ''),
            'password' => rawurldecode($parts['pass'] ?? ''),
            'database' => rawurldecode(ltrim($parts['path'] ?? '', '/')),
            'schema' => $query['schema'] ?? null,
        ], static fn ($value) => $value !== null && $value !== '');
    }

    public function execute(string $sql, array $values = []): int
    {
        $statement = $this->pdo->prepare($sql);
        $statement->execute($values);

        return $statement->rowCount();
    }

    public function rows(string $sql, array $values = []): array
    {
        $statement = $this->pdo->prepare($sql);
        $statement->execute($values);

        return $statement->fetchAll();
    }

    public function column(string $sql, array $values = []): array
    {
        return array_map(static fn (array $row) => reset($row), $this->rows($sql, $values));
    }

    public function value(string $sql, array $values = []): mixed
    {
        return $this->column($sql, $values)[0] ?? null;
    }

    /** All of $work or nothing. */
    public function transaction(callable $work): void
    {
        $this->pdo->beginTransaction();
        try {
            $work();
            $this->pdo->commit();
        } catch (\Throwable $failure) {
            if ($this->pdo->inTransaction()) {
                $this->pdo->rollBack();
            }
            throw $failure;
        }
    }
}
