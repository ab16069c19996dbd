<?php

declare(strict_types=1);

namespace App\Session;

use App\Configure;
use App\Queue\Redis;
use SessionHandlerInterface;

final class RedisSession implements SessionHandlerInterface
{
    private ?Redis $redis = null;

    public function open(string $path, string $name): bool
    {
        $this->redis ??= Redis::open();

        return true;
    }

    public function close(): bool
    {
        return true;
    }

    public function read(string $id): string|false
    {
        return (string)$this->redis->command('GET', $this->key($id));
    }

    public function write(string $id, string $data): bool
    {
        $seconds = (string)(60 * (int)Configure::read('Session.timeout'));

        return $this->redis->command('SETEX', $this->key($id), $seconds, $data) !== null;
    }

    public function destroy(string $id): bool
    {
        $this->redis->command('DEL', $this->key($id));

        return true;
    }

    public function gc(int $lifetime): int|false
    {
        return 0;
    }

    private function key(string $id): string
    {
        return Configure::read('Redis.prefix') . 'session:' . $id;
    }
}
