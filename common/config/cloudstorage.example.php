<?php

/*
 * Attaching files from Google Drive, Dropbox and OneDrive.
 *
 * A provider is on where it has a client id, if its own switch does not say no. CLOUD_STORAGE_ENABLED is
 * the switch of them all.
 */

$env = static function (string $name, ?string $default = null): ?string {
    $value = function_exists('env') ? env($name) : getenv($name);

    return is_scalar($value) && (string)$value !== '' ? (string)$value : $default;
};
$bool = static fn (string $name, bool $default): bool =>
    filter_var($env($name) ?? $default, FILTER_VALIDATE_BOOLEAN, FILTER_NULL_ON_FAILURE) ?? $default;

$provider = static fn (string $switch, ?string $id, ?string $secret, array $more): array => $more + [
    'enabled' => $id !== null && $bool($switch, true),
    'client_id' => $id ?? '',
    'client_secret' => $secret ?? '',
];

return [
    'CloudStorage' => [
        'enabled' => $bool('CLOUD_STORAGE_ENABLED', false),
        // The host to which providers send people back, without a scheme.
        'auth_domain' => $env(
            'CLOUD_STORAGE_AUTH_DOMAIN',
            (string)parse_url($env('FULL_BASE_URL', ''), PHP_URL_HOST)
        ),
        'GoogleDrive' => $provider(
            'GOOGLE_DRIVE_ENABLED',
            $env('GOOGLE_DRIVE_CLIENT_ID'),
            $env('GOOGLE_DRIVE_CLIENT_SECRET'),
            [
                'api_key' => $env('GOOGLE_DRIVE_API_KEY', ''),
                // The number before the first dash: the picker wants it as its application's id.
                'client_id_num' => explode('-', $env('GOOGLE_DRIVE_CLIENT_ID', ''))[0],
                'scopes' => [
                    'https://www.googleapis.com/auth/drive.file',
                    'https://www.googleapis.com/auth/drive.readonly',
                    'https://www.googleapis.com/auth/userinfo.email',
                    'https://www.googleapis.com/auth/userinfo.profile',
                ],
            ]
        ),
        'Dropbox' => $provider(
            'DROPBOX_ENABLED',
            $env('DROPBOX_CLIENT_ID'),
            $env('DROPBOX_CLIENT_SECRET'),
            ['scopes' => ['files.metadata.read', 'files.content.read', 'sharing.read']]
        ),
        'OneDrive' => $provider(
            'ONEDRIVE_ENABLED',
            $env('ONEDRIVE_CLIENT_ID'),
            $env('ONEDRIVE_CLIENT_SECRET'),
            [
                'tenant_id' => $env('ONEDRIVE_TENANT_ID', 'common'),
                'scopes' => ['Files.Read', 'Files.Read.All', 'User.Read', 'offline_access'],
            ]
        ),
        'Settings' => [
            // Seconds before its end at which a token is renewed.
            'token_buffer' => 300,
            'auto_sync_interval' => 24,
            'debug' => $bool('DEBUG', false),
            'max_files_per_selection' => 50,
            'enable_thumbnails' => true,
            'thumbnail_size' => 'medium',
            'max_preview_size' => 10 * 1024 * 1024,
            'allowed_extensions' => [
                'csv', 'doc', 'docx', 'odp', 'ods', 'odt', 'pdf', 'ppt', 'pptx', 'rtf', 'txt', 'xls', 'xlsx',
                'bmp', 'gif', 'jpeg', 'jpg', 'png', 'svg', 'webp',
                '7z', 'gz', 'rar', 'tar', 'zip',
                'avi', 'mov', 'mp3', 'mp4', 'wav', 'wmv',
            ],
            'blocked_extensions' => ['bat', 'cmd', 'exe', 'ps1', 'sh'],
        ],
        'Features' => [
            'multi_provider_selection' => true,
            'file_preview' => true,
            'file_download' => true,
            'file_sharing' => true,
            'auto_sync' => true,
            'activity_logging' => true,
            'metadata_caching' => true,
            'cache_duration' => 60,
        ],
        'Security' => [
            'encrypt_tokens' => true,
            // Empty: the application's salt is the key.
            'encryption_key' => $env('CLOUD_STORAGE_ENCRYPTION_KEY', ''),
            'require_ssl' => true,
            'ip_whitelist' => [],
            'rate_limit' => 60,
            'force_reauth_days' => 90,
        ],
    ],
];
