<?php

declare(strict_types=1);

namespace App\Session;

use App\Configure;
use RuntimeException;

final class Session
{
    public static function start(): void
    {
        foreach ((array)Configure::read('Session.ini') as $name => $value) {
            ini_set($name, (string)$value);
        }
        session_name((string)Configure::read('Session.cookie'));
        $handler = (string)Configure::read('Session.defaults');
        $inRedis = $handler === 'redis' || ($handler === 'cache' && Configure::read('CacheEngine') === 'redis');
        match (true) {
            $inRedis => session_set_save_handler(new RedisSession()),
            $handler === 'database' => session_set_save_handler(new DatabaseSession()),
            $handler === 'php', $handler === 'cache' => session_save_path(TMP . 'sessions'),
            default => throw new RuntimeException("SESSION_HANDLER `$handler` is not known"),
        };
        session_start();
    }
}
