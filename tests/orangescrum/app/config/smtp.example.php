<?php

declare(strict_types=1);

return [
    'EmailTransport' => [
        'smtp' => [
            'host' => env('SMTP_HOST', 'localhost'),
            'port' => (int)env('SMTP_PORT', '587'),
            'username' => env('SMTP_USERNAME', ''),
            'password' => env('SMTP_PASSWORD', ''),
            'tls' => filter_var(env('SMTP_TLS', 'false'), FILTER_VALIDATE_BOOLEAN),
        ],
    ],
];
