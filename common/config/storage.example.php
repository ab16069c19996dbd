<?php

/*
 * Uploads in S3 or anything that speaks its protocol.
 *
 * The application puts its files there as soon as `Storage` has any content at all, so this says nothing
 * until STORAGE_ENDPOINT is set: without it uploads stay in files. Keys have no default for the same
 * reason that salts have none.
 *
 *   AWS             https://s3.eu-central-1.amazonaws.com   STORAGE_PATH_STYLE=false
 *   DigitalOcean    https://ams3.digitaloceanspaces.com     STORAGE_PATH_STYLE=false
 *   a server beside http://orangescrum-storage:9000         STORAGE_PATH_STYLE=true
 */

$env = static function (string $name, ?string $default = null): ?string {
    $value = function_exists('env') ? env($name) : getenv($name);

    return is_scalar($value) && (string)$value !== '' ? (string)$value : $default;
};
$bool = static fn (string $name, bool $default): bool =>
    filter_var($env($name) ?? $default, FILTER_VALIDATE_BOOLEAN, FILTER_NULL_ON_FAILURE) ?? $default;

if ($env('STORAGE_ENDPOINT') === null) {
    return [];
}

return [
    'Storage' => [
        'endpoint' => $env('STORAGE_ENDPOINT'),
        'accessKey' => $env('STORAGE_ACCESS_KEY', ''),
        'secretKey' => $env('STORAGE_SECRET_KEY', ''),
        'bucket' => $env('STORAGE_BUCKET', 'orangescrum'),
        'region' => $env('STORAGE_REGION', 'us-east-1'),
        'use_path_style_endpoint' => $bool('STORAGE_PATH_STYLE', true),
    ],
];
