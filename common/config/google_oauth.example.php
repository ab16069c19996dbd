<?php

/*
 * Signing in with Google. The redirect address must stand in the Google console letter by letter.
 */

$env = static function (string $name, ?string $default = null): ?string {
    $value = function_exists('env') ? env($name) : getenv($name);

    return is_scalar($value) && (string)$value !== '' ? (string)$value : $default;
};
$bool = static fn (string $name, bool $default): bool =>
    filter_var($env($name) ?? $default, FILTER_VALIDATE_BOOLEAN, FILTER_NULL_ON_FAILURE) ?? $default;

return [
    'GoogleOAuth' => [
        'enabled' => $bool('GOOGLE_OAUTH_ENABLED', false),
        'client_id' => $env('GOOGLE_OAUTH_CLIENT_ID', ''),
        'client_secret' => $env('GOOGLE_OAUTH_CLIENT_SECRET', ''),
        'redirect_uri' => $env('GOOGLE_OAUTH_REDIRECT_URI', ''),
        'scopes' => ['openid', 'email', 'profile'],
    ],
];
