<?php

declare(strict_types=1);

namespace App\Session;

use App\Configure;
use App\Database\Database;
use SessionHandlerInterface;

final class DatabaseSession implements SessionHandlerInterface
{
    public function open(string $path, string $name): bool
    {
        return true;
    }

    public function close(): bool
    {
        return true;
    }

    public function read(string $id): string|false
    {
        $data = Database::open()->value('SELECT data FROM sessions WHERE id = ? AND expires > ?', [$id, time()]);

        return base64_decode((string)$data);
    }

    public function write(string $id, string $data): bool
    {
        Database::open()->execute(
            'INSERT INTO sessions (id, data, expires) VALUES (?, ?, ?)
             ON CONFLICT (id) DO UPDATE SET data = excluded.data, expires = excluded.expires',
            [$id, base64_encode($data), time() + 60 * (int)Configure::read('Session.timeout')]
        );

        return true;
    }

    public function destroy(string $id): bool
    {
        Database::open()->execute('DELETE FROM sessions WHERE id = ?', [$id]);

        return true;
    }

    public function gc(int $lifetime): int|false
    {
        return Database::open()->execute('DELETE FROM sessions WHERE expires <= ?', [time()]);
    }
}
