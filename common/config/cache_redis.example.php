<?php

use Cake\Cache\Engine\RedisEngine;

/*
 * Caches in Redis: shared by every server, worker and scheduler of an installation.
 *
 * Several installations may share one server, if each has a REDIS_DATABASE or a REDIS_PREFIX of its own.
 */

$env = static function (string $name, ?string $default = null): ?string {
    $value = function_exists('env') ? env($name) : getenv($name);

    return is_scalar($value) && (string)$value !== '' ? (string)$value : $default;
};
$bool = static fn (string $name, bool $default): bool =>
    filter_var($env($name) ?? $default, FILTER_VALIDATE_BOOLEAN, FILTER_NULL_ON_FAILURE) ?? $default;
$int = static fn (string $name, int $default): int =>
    filter_var($env($name) ?? '', FILTER_VALIDATE_INT, ['options' => ['default' => $default, 'min_range' => 0]]);

// The scheme stands in the host because every CakePHP 4 hands that to the extension as it is; the engine's
// own `tls` key came only with 4.6, and its certificate options never reached the extension. So the peer is
// always verified here, against SSL_CERT_FILE; REDIS_TLS_VERIFY_PEER reaches the queue alone.
$host = $env('REDIS_HOST', 'localhost');
if ($bool('REDIS_TLS_ENABLED', false) && !str_contains($host, '://')) {
    $host = 'tls://' . $host;
}

$prefix = $env('REDIS_PREFIX', $env('CACHE_PREFIX', 'cake_'));
$cache = static fn (string $name, string $duration): array => [
    'className' => RedisEngine::class,
    'host' => $host,
    'port' => $int('REDIS_PORT', 6379),
    'password' => $env('REDIS_PASSWORD'),
    'database' => $int('REDIS_DATABASE', 0),
    'timeout' => $int('REDIS_TIMEOUT', 1),
    'persistent' => $bool('REDIS_PERSISTENT', false),
    'prefix' => $prefix . $name . '_',
    'duration' => $duration,
];

return [
    'Cache' => [
        'default' => $cache('default', '+1 hours'),
        '_cake_core_' => $cache('cake_core', '+1 years'),
        '_cake_model_' => $cache('cake_model', '+1 years'),
        '_cake_routes_' => $cache('cake_routes', '+1 years'),
        'languages' => $cache('languages', '+1 years'),
        'subscription' => $cache('subscription', '+1 hours'),
    ],
];
