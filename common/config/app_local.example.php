<?php

use Cake\Database\Connection;
use Cake\Database\Driver\Postgres;

/*
 * What differs between installations and is asked for before any other file: database, salt, address.
 *
 * Everything comes from the environment, so this file holds no secret and is the same everywhere. There is
 * no salt to fall back to on purpose: one that is made up here would be another one at the next start, and
 * every session and encrypted value would be lost with it.
 */

$env = static function (string $name, ?string $default = null): ?string {
    $value = function_exists('env') ? env($name) : getenv($name);

    return is_scalar($value) && (string)$value !== '' ? (string)$value : $default;
};
$bool = static fn (string $name, bool $default): bool =>
    filter_var($env($name) ?? $default, FILTER_VALIDATE_BOOLEAN, FILTER_NULL_ON_FAILURE) ?? $default;
$int = static fn (string $name, int $default): int =>
    filter_var($env($name) ?? '', FILTER_VALIDATE_INT, ['options' => ['default' => $default, 'min_range' => 0]]);

return [
    'debug' => $bool('DEBUG', false),

    'App' => [
        'name' => $env('APP_NAME', 'Orangescrum'),
        // Links in mails are made by workers, which know no request to take the address from.
        'fullBaseUrl' => $env('FULL_BASE_URL', ''),
    ],

    'Security' => [
        'salt' => $env('SECURITY_SALT', ''),
    ],

    'Datasources' => [
        'default' => [
            'className' => Connection::class,
            'driver' => Postgres::class,
            'host' => $env('DB_HOST', 'localhost'),
            'port' => $int('DB_PORT', 5432),
            'username' => $env('DB_USERNAME', 'orangescrum'),
            'password' => $env('DB_PASSWORD'),
            'database' => $env('DB_NAME', 'orangescrum'),
            'schema' => $env('DB_SCHEMA', 'public'),
            'encoding' => 'utf8',
            'timezone' => 'UTC',
            'log' => $bool('DB_LOG', false),
            // Where it is set, it wins over all of the above.
            'url' => $env('DATABASE_URL'),
        ],
    ],
];
