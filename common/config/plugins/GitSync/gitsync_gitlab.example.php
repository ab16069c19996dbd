<?php

/*
 * GitSync with GitLab: the OAuth application that people connect through, and the secret that its webhooks
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
        'gitlab' => [
            'name' => $env('GITLAB_CLIENT_NAME', 'GitLab'),
            'client_id' => $env('GITLAB_CLIENT_ID', ''),
            'client_secret' => $env('GITLAB_CLIENT_SECRET', ''),
            'redirect_uri' => $env('GITLAB_REDIRECT_URI', $root . 'git-sync/callback/gitlab'),
            'webhook_secret' => $env('GITLAB_WEBHOOK_SECRET', ''),
            // An installation of one's own has another.
            'instance_url' => $env('GITLAB_INSTANCE_URL', 'https://gitlab.com'),
        ],
    ],
];
