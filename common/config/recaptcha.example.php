<?php

/*
 * Google reCAPTCHA on the login and sign-up forms. Off unless RECAPTCHA_ENABLED says otherwise.
 */

$env = static function (string $name, ?string $default = null): ?string {
    $value = function_exists('env') ? env($name) : getenv($name);

    return is_scalar($value) && (string)$value !== '' ? (string)$value : $default;
};
$bool = static fn (string $name, bool $default): bool =>
    filter_var($env($name) ?? $default, FILTER_VALIDATE_BOOLEAN, FILTER_NULL_ON_FAILURE) ?? $default;
$float = static fn (string $name, float $default): float =>
    filter_var($env($name) ?? '', FILTER_VALIDATE_FLOAT, ['options' => ['default' => $default]]);

return [
    'Recaptcha' => [
        'enabled' => $bool('RECAPTCHA_ENABLED', false),
        'siteKey' => $env('RECAPTCHA_SITE_KEY', ''),
        'secretKey' => $env('RECAPTCHA_SECRET_KEY', ''),
        // `v3` scores silently; `v2` shows a box, to which theme and size belong.
        'version' => $env('RECAPTCHA_VERSION', 'v3'),
        // Between 0.0 (surely a robot) and 1.0; what scores lower is turned away.
        'minScore' => min(1.0, max(0.0, $float('RECAPTCHA_MIN_SCORE', 0.5))),
        'theme' => $env('RECAPTCHA_THEME', 'light'),
        'size' => $env('RECAPTCHA_SIZE', 'normal'),
    ],
];
