<?php

/*
 * The picker for files from Google Drive: the browser's key. It is on where there is one.
 */

$env = static function (string $name, ?string $default = null): ?string {
    $value = function_exists('env') ? env($name) : getenv($name);

    return is_scalar($value) && (string)$value !== '' ? (string)$value : $default;
};

return [
    'GoogleDrive' => [
        'enabled' => $env('GOOGLE_DRIVE_API_KEY') !== null,
        'api_key' => $env('GOOGLE_DRIVE_API_KEY', ''),
    ],
];
