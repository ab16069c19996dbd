<?php

use Cake\Mailer\Transport\SmtpTransport;

/*
 * Mail through an SMTP server.
 *
 * This file and sendgrid.php are both loaded, this one first. `AppEmail` is therefore the same in both:
 * were the defaults different, the later file would choose its own transport whenever EMAIL_TRANSPORT is
 * not set.
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
    'EmailTransport' => [
        'smtp' => [
            'className' => SmtpTransport::class,
            // For TLS from the first byte (port 465) write ssl:// before the name.
            'host' => $env('SMTP_HOST', 'localhost'),
            'port' => $int('SMTP_PORT', 587),
            // Both must be absent, not empty, for a server that wants no login.
            'username' => $env('SMTP_USERNAME'),
            'password' => $env('SMTP_PASSWORD'),
            'tls' => $bool('SMTP_TLS', false),
            'timeout' => 30,
        ],
    ],
    'AppEmail' => [
        'transport' => $env('EMAIL_TRANSPORT', 'smtp'),
        'from_email' => $env('FROM_EMAIL', ''),
        'notify_email' => $env('NOTIFY_EMAIL', ''),
    ],
];
