<?php

/*
 * Where jobs wait for a worker.
 *
 * QUEUE_URL says it all. Without it QUEUE_ENGINE chooses: `redis` takes the REDIS_* variables, `file` a
 * folder. Where neither is set it is Redis if REDIS_HOST names one. A folder serves one machine only, whose
 * server and workers see the same files.
 */

$env = static function (string $name, ?string $default = null): ?string {
    $value = function_exists('env') ? env($name) : getenv($name);

    return is_scalar($value) && (string)$value !== '' ? (string)$value : $default;
};
$bool = static fn (string $name, bool $default): bool =>
    filter_var($env($name) ?? $default, FILTER_VALIDATE_BOOLEAN, FILTER_NULL_ON_FAILURE) ?? $default;
$int = static fn (string $name, int $default): int =>
    filter_var($env($name) ?? '', FILTER_VALIDATE_INT, ['options' => ['default' => $default, 'min_range' => 0]]);

$url = $env('QUEUE_URL');
if ($url === null) {
    $engine = strtolower($env('QUEUE_ENGINE', $env('REDIS_HOST') === null ? 'file' : 'redis'));
    if ($engine === 'redis') {
        $scheme = $bool('REDIS_TLS_ENABLED', false) ? 'rediss' : 'redis';
        $host = $env('REDIS_HOST', 'localhost') . ':' . $int('REDIS_PORT', 6379);
        $password = $env('REDIS_PASSWORD', '');
        $query = [];
        // The queue library decodes what stands behind the `?`, but not what stands before the `@`.
        if ($password !== '' && rawurlencode($password) === $password) {
            $host = ":$password@$host";
        } elseif ($password !== '') {
            $query['password'] = $password;
        }
        if ($scheme === 'rediss' && !$bool('REDIS_TLS_VERIFY_PEER', true)) {
            $query['ssl'] = ['verify_peer' => 0, 'verify_peer_name' => 0];
        }
        $url = "$scheme://$host/" . $int('REDIS_DATABASE', 0);
        if ($query !== []) {
            $url .= '?' . http_build_query($query, '', '&', PHP_QUERY_RFC3986);
        }
    } else {
        $url = 'file://' . (defined('TMP') ? TMP : sys_get_temp_dir() . '/') . 'queue';
    }
}

return [
    'Queue' => [
        'default' => [
            'url' => $url,
            'queue' => 'default',
            // To the worker's output, where the service manager or the container engine collects it.
            'logger' => 'stdout',
            'storeFailedJobs' => true,
            // Milliseconds; a worker that is told to stop does so after this at the latest.
            'receiveTimeout' => 10000,
        ],
    ],
];
