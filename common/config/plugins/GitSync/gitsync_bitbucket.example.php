<?php

/*
 * GitSync with Bitbucket: the OAuth application that people connect through, and the secret that its webhooks
 * are signed with.
 */

$env = static function (string $name, ?string $default = null): ?string {
    $value = function_exists('env') ? env($name) : getenv($name);

    return is_scalar($value) && (string)$value !== '' ? (string)$value : $default;
};
// The application's own idea of its address, where it has one by now; else what the environment says.
$root = defined('HTTP_ROOT') ? HTTP_ROOT : $env('FULL_BASE_URL', '');
$root = $root === '' ? '' : rtrim($root, '/') . '/';

return [
    'GitSync' => [
        'bitbucket' => [
            'name' => $env('BITBUCKET_CLIENT_NAME', 'Bitbucket'),
            'client_id' => $env('BITBUCKET_CLIENT_ID', ''),
            'client_secret' => $env('BITBUCKET_CLIENT_SECRET', ''),
            'redirect_uri' => $env('BITBUCKET_REDIRECT_URI', $root . 'git-sync/callback/bitbucket'),
            'webhook_secret' => $env('BITBUCKET_WEBHOOK_SECRET', ''),
        ],
    ],
];
