<?php

/*
 * Chooses one of the other cache files, and says nothing that they do not say.
 *
 * CACHE_ENGINE decides. Where it is empty or `auto`, a server must be named and its extension loaded to be
 * chosen: the extension alone says nothing, for every binary brings `redis`, and a cache whose server does
 * not exist fails at each request. A named engine is never replaced by another one behind one's back.
 */

$env = static function (string $name, ?string $default = null): ?string {
    $value = function_exists('env') ? env($name) : getenv($name);

    return is_scalar($value) && (string)$value !== '' ? (string)$value : $default;
};

$engine = strtolower($env('CACHE_ENGINE', 'auto'));
if (!in_array($engine, ['file', 'redis', 'memcached'], true)) {
    $engine = 'file';
    if ($env('REDIS_HOST') !== null && extension_loaded('redis')) {
        $engine = 'redis';
    } elseif ($env('MEMCACHED_SERVER') !== null && extension_loaded('memcached')) {
        $engine = 'memcached';
    }
}

// A file that somebody made live, and perhaps edited, comes before its template.
foreach ([".php", ".example.php"] as $ending) {
    $file = __DIR__ . "/cache_$engine$ending";
    if (is_file($file)) {
        return require $file;
    }
}

throw new RuntimeException("neither cache_$engine.php nor its template is in " . __DIR__);
