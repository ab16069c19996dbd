<?php

use Cake\Cache\Engine\MemcachedEngine;

/*
 * Caches in Memcached.
 *
 * The binary of a package has no `memcached` extension unless it was built with one; Redis is what it
 * brings. This is for who adds the extension to the build.
 */

$env = static function (string $name, ?string $default = null): ?string {
    $value = function_exists('env') ? env($name) : getenv($name);

    return is_scalar($value) && (string)$value !== '' ? (string)$value : $default;
};
$bool = static fn (string $name, bool $default): bool =>
    filter_var($env($name) ?? $default, FILTER_VALIDATE_BOOLEAN, FILTER_NULL_ON_FAILURE) ?? $default;
$int = static fn (string $name, int $default): int =>
    filter_var($env($name) ?? '', FILTER_VALIDATE_INT, ['options' => ['default' => $default, 'min_range' => 0]]);

// The engine reads no `port` beside `servers`: it has to stand behind each name.
$port = $int('MEMCACHED_PORT', 11211);
$servers = [];
foreach (explode(',', $env('MEMCACHED_SERVER', '127.0.0.1')) as $server) {
    $server = trim($server);
    if ($server !== '') {
        $servers[] = preg_match('/:\d+$/', $server) ? $server : "$server:$port";
    }
}

$prefix = $env('MEMCACHED_PREFIX', $env('CACHE_PREFIX', 'cake_'));
$cache = static fn (string $name, string $duration): array => [
    'className' => MemcachedEngine::class,
    'servers' => $servers,
    'prefix' => $prefix . $name . '_',
    'duration' => $duration,
    'serialize' => 'php',
    'log' => $bool('MEMCACHED_LOG', true),
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
