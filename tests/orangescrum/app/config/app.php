<?php

declare(strict_types=1);

$flag = static fn (string $name, string $default): bool
    => filter_var(env($name, $default), FILTER_VALIDATE_BOOLEAN);

return [
    'debug' => $flag('DEBUG', 'false'),

    'App' => [
        'namespace' => 'App',
        'name' => env('APP_NAME', 'OrangeScrum'),
        'environment' => env('APP_ENV', 'production'),
        'encoding' => env('APP_ENCODING', 'UTF-8'),
        'defaultLocale' => env('APP_DEFAULT_LOCALE', 'en_US'),
        'defaultTimezone' => env('APP_DEFAULT_TIMEZONE', 'UTC'),
        'fullBaseUrl' => env('FULL_BASE_URL', ''),
        'trustedProxies' => env('APP_TRUSTED_PROXIES', ''),
        'webroot' => 'webroot',
    ],

    'Security' => [
        'salt' => env('SECURITY_SALT', ''),
        'csrfCookie' => env('CSRF_COOKIE_NAME', 'csrfToken'),
    ],

    'Datasources' => [
        'default' => [
            'url' => env('DATABASE_URL', ''),
            'host' => env('DB_HOST', 'localhost'),
            'port' => env('DB_PORT', '5432'),
            'username' => env('DB_USERNAME', 'orangescrum'),
            'password' => env('DB_PASSWORD', ''),
            'database' => env('DB_NAME', 'orangescrum'),
            'schema' => env('DB_SCHEMA', 'public'),
            'log' => $flag('DB_LOG', 'false'),
        ],
    ],

    'CacheEngine' => env('CACHE_ENGINE', 'file'),
    'CachePrefix' => env('CACHE_PREFIX', 'osv4_'),

    'Redis' => [
        'host' => env('REDIS_HOST', 'localhost'),
        'port' => env('REDIS_PORT', '6379'),
        'password' => env('REDIS_PASSWORD', ''),
        'database' => env('REDIS_DATABASE', '0'),
        'prefix' => env('REDIS_PREFIX', 'osv4_'),
        'timeout' => env('REDIS_TIMEOUT', '2'),
        'tls' => $flag('REDIS_TLS_ENABLED', 'false'),
        'verifyPeer' => $flag('REDIS_TLS_VERIFY_PEER', 'true'),
    ],

    'QueueEngine' => env('QUEUE_ENGINE', 'redis'),

    'EmailTransport' => ['default' => ['name' => env('EMAIL_TRANSPORT', 'default')]],
    'Email' => ['default' => ['from' => env('FROM_EMAIL', 'nobody@localhost'), 'notify' => env('NOTIFY_EMAIL', '')]],

    'Session' => [
        // php: files; cache: wherever the cache is; database: the table `sessions`.
        'defaults' => env('SESSION_HANDLER', 'php'),
        'timeout' => 1440,
        'cookie' => env('SESSION_COOKIE_NAME', 'PHPSESSID'),
        'ini' => [
            'session.cookie_httponly' => '1',
            'session.cookie_secure' => $flag('SESSION_COOKIE_SECURE', 'true') ? '1' : '0',
            'session.cookie_samesite' => env('SESSION_COOKIE_SAMESITE', '') ?: 'Lax',
            'session.cookie_domain' => env('SESSION_COOKIE_DOMAIN', ''),
            'session.use_strict_mode' => '1',
        ],
    ],
];
