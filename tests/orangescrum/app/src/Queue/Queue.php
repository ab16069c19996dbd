<?php

declare(strict_types=1);

namespace App\Queue;

use App\Configure;
use RuntimeException;

/** A list of jobs in Redis. A job that is being done lies in a second list, so that a killed worker loses none. */
final class Queue
{
    private function __construct(private readonly Redis $redis, private readonly string $list)
    {
    }

    public static function fromSettings(): self
    {
        $engine = (string)Configure::read('QueueEngine');
        if ($engine !== 'redis') {
            throw new RuntimeException("QUEUE_ENGINE `$engine` is not known here, only `redis`");
        }
        $url = (string)Configure::read('Queue.default.url', '');
        $list = Configure::read('Redis.prefix') . 'queue:' . Configure::read('Queue.default.queue', 'default');

        return new self(Redis::open($url), $list);
    }

    public function put(string $text): void
    {
        $this->redis->command('LPUSH', $this->list, json_encode(['id' => bin2hex(random_bytes(8)), 'text' => $text]));
    }

    /** The next job, or null when none came for so many seconds. */
    public function take(int $seconds): ?array
    {
        $job = $this->redis->command('BRPOPLPUSH', $this->list, "$this->list:taken", (string)$seconds);

        return $job === null ? null : json_decode($job, true, flags: JSON_THROW_ON_ERROR) + ['raw' => $job];
    }

    public function finish(array $job): void
    {
        $this->redis->command('LREM', "$this->list:taken", '1', $job['raw']);
    }

    public function waiting(): int
    {
        return (int)$this->redis->command('LLEN', $this->list);
    }
}
