<?php

declare(strict_types=1);

namespace App\Controller;

use App\Configure;
use App\Http\Response;
use App\Session\Session;

/** What tests ask: which settings, variables and limits reached PHP. */
final class StateController
{
    private const INI = [
        'memory_limit', 'post_max_size', 'upload_max_filesize', 'max_execution_time', 'expose_php', 'display_errors',
        'date.timezone', 'session.save_handler', 'opcache.enable', 'opcache.validate_timestamps',
    ];

    private const SETTINGS = [
        'debug', 'App', 'CacheEngine', 'CachePrefix', 'QueueEngine', 'Queue.default.queue', 'Queue.default.made',
        'Storage.endpoint', 'Storage.bucket', 'Email', 'EmailTransport.default.name', 'EmailTransport.smtp.host',
        'Session.defaults', 'Session.cookie', 'Notes', 'Local',
    ];

    public function config(): Response
    {
        $settings = [];
        foreach (self::SETTINGS as $path) {
            $settings[$path] = Configure::read($path);
        }
        $files = array_map(
            static fn (string $file): string => substr($file, strlen(ROOT) + 1),
            [...glob(CONFIG . '*.php'), ...glob(ROOT . '/plugins/*/config/*.php')]
        );

        return Response::json([
            'version' => trim((string)file_get_contents(ROOT . '/VERSION.txt')),
            'root' => ROOT,
            'php' => PHP_VERSION,
            'sapi' => PHP_SAPI,
            'extensions' => get_loaded_extensions(),
            'ini' => array_combine(self::INI, array_map(ini_get(...), self::INI)),
            'settings' => $settings,
            'files' => $files,
            'logs' => ['path' => realpath(LOGS), 'writable' => is_writable(LOGS)],
            'tmp' => ['path' => realpath(TMP), 'writable' => is_writable(TMP)],
        ]);
    }

    public function variable(string $name): Response
    {
        if (!preg_match('/^[A-Z][A-Z0-9_]*$/', $name) || str_starts_with($name, 'HTTP_')) {
            return Response::json(['error' => 'no name of a variable'], 400);
        }
        $value = getenv($name);
        if ($value === false) {
            return Response::json(['name' => $name, 'set' => false]);
        }
        $secret = preg_match('/PASSWORD|SECRET|SALT|KEY|TOKEN|_URL$/', $name) === 1;

        return Response::json(
            ['name' => $name, 'set' => true, 'length' => strlen($value), 'sha256' => hash('sha256', $value)]
            + ($secret ? [] : ['value' => $value])
        );
    }

    public function session(): Response
    {
        Session::start();
        $_SESSION['count'] = ($_SESSION['count'] ?? 0) + 1;
        session_write_close();

        return Response::json(['count' => $_SESSION['count'], 'handler' => Configure::read('Session.defaults')]);
    }

    public function upload(): Response
    {
        return Response::json([
            'bytes' => strlen((string)file_get_contents('php://input')),
            'files' => array_map(static fn (array $file): array => [
                'name' => $file['name'], 'size' => $file['size'], 'error' => $file['error'],
            ], $_FILES),
            'post_max_size' => ini_get('post_max_size'),
            'upload_max_filesize' => ini_get('upload_max_filesize'),
        ]);
    }
}
