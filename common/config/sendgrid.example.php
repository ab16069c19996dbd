<?php

use App\Mailer\Transport\SendGridTransport;

/*
 * Mail through SendGrid, used where EMAIL_TRANSPORT=sendgrid. See smtp.php about `AppEmail`.
 */

$env = static function (string $name, ?string $default = null): ?string {
    $value = function_exists('env') ? env($name) : getenv($name);

    return is_scalar($value) && (string)$value !== '' ? (string)$value : $default;
};

return [
    'EmailTransport' => [
        'sendgrid' => [
            'className' => SendGridTransport::class,
            'apiKey' => $env('EMAIL_API_KEY', ''),
        ],
    ],
    'AppEmail' => [
        'transport' => $env('EMAIL_TRANSPORT', 'smtp'),
        'from_email' => $env('FROM_EMAIL', ''),
        'notify_email' => $env('NOTIFY_EMAIL', ''),
    ],
];
