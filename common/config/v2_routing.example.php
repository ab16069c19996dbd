<?php

/*
 * Two generations of the application side by side: who belongs where, and how one is handed over.
 *
 * Without V2_BASE_URL and V2_ROUTING_API_KEY nothing is asked. The key is shared with the other
 * application; there is none by default, for a known one would open every account.
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
    'V2Routing' => [
        'apiKey' => $env('V2_ROUTING_API_KEY', ''),
        'baseUrl' => $env('V2_BASE_URL', ''),
        'v4BaseUrl' => $env('V4_BASE_URL', $env('FULL_BASE_URL', '')),
        // Minutes in which a link that signs somebody in must be used.
        'tokenExpiration' => $int('V2_ROUTING_TOKEN_EXPIRATION', 15),
        // Seconds.
        'timeout' => $int('V2_ROUTING_TIMEOUT', 10),
        'sslVerify' => $bool('V2_ROUTING_SSL_VERIFY', true),
        'debug' => $bool('DEBUG', false),
    ],
    'V4Routing' => [
        'enabled' => $bool('V4_ROUTING_ENABLED', false),
        'v2BaseUrl' => $env('V2_BASE_URL', ''),
        'tokenExpiration' => $int('V2_ROUTING_TOKEN_EXPIRATION', 15),
        'debug' => $bool('DEBUG', false),
    ],
];
