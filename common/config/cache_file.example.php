<?php

use Cake\Cache\Engine\FileEngine;

/*
 * Caches in files, below the application's own tmp/cache.
 *
 * It needs no server and is right for one machine. Where several run side by side each has its own files,
 * and what one throws away the others keep: take Redis there.
 */

$env = static function (string $name, ?string $default = null): ?string {
    $value = function_exists('env') ? env($name) : getenv($name);

    return is_scalar($value) && (string)$value !== '' ? (string)$value : $default;
};

$folder = defined('CACHE') ? CACHE : sys_get_temp_dir() . '/cache/';
$prefix = $env('CACHE_PREFIX', 'cake_');

return [
    'Cache' => [
        'default' => [
            'className' => FileEngine::class,
            'path' => $folder,
            'prefix' => $prefix . 'default_',
            'duration' => '+1 hours',
            'serialize' => true,
            'url' => $env('CACHE_DEFAULT_URL'),
        ],
        // Translations and the list of plugins.
        '_cake_core_' => [
            'className' => FileEngine::class,
            'path' => $folder . 'persistent/',
            'prefix' => $prefix . 'cake_core_',
            'duration' => '+1 years',
            'serialize' => true,
            'url' => $env('CACHE_CAKECORE_URL'),
        ],
        // What the tables look like. `cake.sh schema_cache clear` empties it.
        '_cake_model_' => [
            'className' => FileEngine::class,
            'path' => $folder . 'models/',
            'prefix' => $prefix . 'cake_model_',
            'duration' => '+1 years',
            'serialize' => true,
            'url' => $env('CACHE_CAKEMODEL_URL'),
        ],
        '_cake_routes_' => [
            'className' => FileEngine::class,
            'path' => $folder,
            'prefix' => $prefix . 'cake_routes_',
            'duration' => '+1 years',
            'serialize' => true,
            'url' => $env('CACHE_CAKEROUTES_URL'),
        ],
        'languages' => [
            'className' => FileEngine::class,
            'path' => $folder . 'languages/',
            'prefix' => $prefix . 'languages_',
            'duration' => '+1 years',
            'serialize' => true,
            'url' => $env('CACHE_LANGUAGES_URL'),
        ],
        'subscription' => [
            'className' => FileEngine::class,
            'path' => $folder,
            'prefix' => $prefix . 'subscription_',
            'duration' => '+1 hours',
            'serialize' => true,
            'url' => $env('CACHE_SUBSCRIPTION_URL'),
        ],
    ],
];
