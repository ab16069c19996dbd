<?php

/*
 * GitSync with GitHub: the OAuth application that people connect through, and the secret that its webhooks
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
        'github' => [
            'name' => $env('GITHUB_CLIENT_NAME', 'GitHub'),
            'client_id' => $env('GITHUB_CLIENT_ID', ''),
            'client_secret' => $env('GITHUB_CLIENT_SECRET', ''),
            'redirect_uri' => $env('GITHUB_REDIRECT_URI', $root . 'git-sync/callback/github'),
            'webhook_secret' => $env('GITHUB_WEBHOOK_SECRET', ''),
        ],
    ],
];
