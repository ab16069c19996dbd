<?php

declare(strict_types=1);

namespace Osv4;

/** What the environment says, for the connection that migrates. Empty counts as not set. */
final class Settings
{
    private function __construct(
        public readonly string $home,
        public readonly string $binary,
        public readonly string $app,
        public readonly string $state,
        public readonly string $host,
        public readonly string $port,
        public readonly string $user,
        public readonly string $password,
        public readonly string $database,
        public readonly string $schema,
        public readonly int $wait,
        public readonly int $lockWait,
    ) {
    }

    public static function fromEnvironment(): self
    {
        $url = self::url();
        $direct = [self::get('MIGRATION_DB_HOST'), self::get('MIGRATION_DB_PORT')];

        return new self(
            home: self::needed('OSV4_HOME'),
            binary: self::needed('OSV4_BINARY'),
            app: self::needed('OSV4_APP'),
            state: self::needed('OSV4_STATE'),
            host: $direct[0] ?? $url['host'] ?? self::get('DB_HOST') ?? 'localhost',
            port: $direct[1] ?? $url['port'] ?? self::get('DB_PORT') ?? '5432',
            user: $url['user'] ?? self::get('DB_USERNAME') ?? 'orangescrum',
            password: $url['pass'] ?? self::get('DB_PASSWORD') ?? '',
            database: $url['path'] ?? self::get('DB_NAME') ?? 'orangescrum',
            schema: $url['schema'] ?? self::get('DB_SCHEMA') ?? 'public',
            wait: (int)(self::get('DB_WAIT_TIMEOUT') ?? '60'),
            lockWait: (int)(self::get('MIGRATION_LOCK_TIMEOUT') ?? '600'),
        );
    }

    public function migrates(): bool
    {
        return $this->whyNoMigrations() === null;
    }

    /** The switch that keeps this start from migrating and seeding. */
    public function whyNoMigrations(): ?string
    {
        return self::switch('MIGRATIONS');
    }

    public function whyNoSeeds(): ?string
    {
        return self::switch('SEEDERS');
    }

    /**
     * What a step of the application gets: the environment, with the direct connection in it.
     *
     * @return array<string, string>
     */
    public function childEnvironment(): array
    {
        $environment = getenv();
        if (self::get('MIGRATION_DB_HOST') !== null || self::get('MIGRATION_DB_PORT') !== null) {
            $environment['DB_HOST'] = $this->host;
            $environment['DB_PORT'] = $this->port;
            if (self::get('DATABASE_URL') !== null) {
                $host = str_contains($this->host, ':') ? "[$this->host]" : $this->host;
                $environment['DATABASE_URL'] = preg_replace_callback(
                    '~^(\w+://(?:[^@/?]*@)?)[^/?]*~',
                    fn (array $found): string => "$found[1]$host:$this->port",
                    $environment['DATABASE_URL'],
                );
            }
        }

        return $environment;
    }

    /** @return list<string> values that no log may show */
    public function secrets(): array
    {
        $secrets = [$this->password, rawurlencode($this->password)];
        foreach (getenv() as $name => $value) {
            if (preg_match('/(PASSWORD|SECRET(_KEY)?|SALT|_API_KEY|ACCESS_KEY|TOKEN|DATABASE_URL|QUEUE_URL)$/', $name)) {
                $secrets[] = $value;
            }
        }

        // Short ones are words like `postgres`, whose absence would only make messages unreadable.
        return array_values(array_unique(array_filter($secrets, static fn (string $s): bool => strlen($s) >= 6 && $s !== 'orangescrum')));
    }

    /** `user:password@host:5432/database (schema public)` without what is secret. */
    public function where(): string
    {
        return "database `$this->database` at $this->host port $this->port as `$this->user`";
    }

    private static function switch(string $what): ?string
    {
        if (self::boolean("SKIP_$what") === true) {
            return "SKIP_$what=true";
        }

        return self::boolean("RUN_$what") === false ? "RUN_$what=false" : null;
    }

    private static function boolean(string $name): ?bool
    {
        $value = self::get($name);
        if ($value === null) {
            return null;
        }

        return filter_var($value, FILTER_VALIDATE_BOOLEAN, FILTER_NULL_ON_FAILURE)
            ?? throw Failure::configuration("$name is `$value`: write true or false");
    }

    /** @return array{host?: string, port?: string, user?: string, pass?: string, path?: string, schema?: string} */
    private static function url(): array
    {
        $url = self::get('DATABASE_URL');
        if ($url === null) {
            return [];
        }
        $parts = parse_url($url);
        if ($parts === false || !isset($parts['host'])) {
            throw Failure::configuration('DATABASE_URL cannot be read: write postgres://user:password@host:5432/name, with %40 for @ and %2F for / in the password');
        }
        parse_str($parts['query'] ?? '', $query);
        $found = [
            'host' => trim($parts['host'], '[]'),
            'port' => (string)($parts['port'] ?? 5432),
            'user' => rawurldecode($parts['user'] ?? ''),
            'pass' => rawurldecode($parts['pass'] ?? ''),
            'path' => rawurldecode(trim($parts['path'] ?? '', '/')),
            'schema' => is_string($query['schema'] ?? null) ? $query['schema'] : '',
        ];

        return array_filter($found, static fn (string $value): bool => $value !== '');
    }

    private static function get(string $name): ?string
    {
        $value = getenv($name);

        return $value === false || $value === '' ? null : $value;
    }

    private static function needed(string $name): string
    {
        return self::get($name) ?? throw Failure::configuration("$name is not set: this is started by prepare.sh");
    }
}
