<?php

declare(strict_types=1);

namespace App\Queue;

use App\Configure;
use RuntimeException;

/** Redis through its extension, or, where that is not loaded, over a socket. */
final class Redis
{
    private function __construct(private readonly mixed $connection)
    {
    }

    /**
     * @param string $url `redis://[:password@]host[:port][/database][?password=…&ssl[verify_peer]=0]`; empty: the
     *     REDIS_* settings
     */
    public static function open(string $url = ''): self
    {
        $settings = (array)Configure::read('Redis');
        if ($url !== '') {
            $parts = parse_url($url);
            if (!isset($parts['host']) || !in_array($parts['scheme'] ?? '', ['redis', 'rediss'], true)) {
                throw new RuntimeException('the queue has no address of a Redis server');
            }
            parse_str($parts['query'] ?? '', $query);
            $settings = [
                'host' => $parts['host'],
                'port' => $parts['port'] ?? 6379,
                'password' => $query['password'] ?? rawurldecode($parts['pass'] ?? ''),
                'database' => ltrim($parts['path'] ?? '/0', '/'),
                'tls' => $parts['scheme'] === 'rediss',
                'verifyPeer' => (bool)($query['ssl']['verify_peer'] ?? $settings['verifyPeer']),
            ] + $settings;
        }
        $self = new self(extension_loaded('redis') ? self::extension($settings) : self::socket($settings));
        if ((string)$settings['password'] !== '') {
            $self->command('AUTH', (string)$settings['password']);
        }
        $self->command('SELECT', (string)(int)$settings['database']);

        return $self;
    }

    private static function extension(array $settings): \Redis
    {
        $redis = new \Redis();
        $host = ($settings['tls'] ? 'tls://' : '') . $settings['host'];
        $context = ['stream' => ['verify_peer' => $settings['verifyPeer']]];
        $redis->connect($host, (int)$settings['port'], (float)$settings['timeout'], null, 0, 0, $context);

        return $redis;
    }

    /** @return resource */
    private static function socket(array $settings): mixed
    {
        $address = ($settings['tls'] ? 'tls://' : 'tcp://') . $settings['host'] . ':' . (int)$settings['port'];
        $context = stream_context_create(['ssl' => ['verify_peer' => $settings['verifyPeer']]]);
        $socket = @stream_socket_client(
            $address,
            $code,
            $message,
            (float)$settings['timeout'],
            STREAM_CLIENT_CONNECT,
            $context
        );
        if ($socket === false) {
            throw new RuntimeException("Redis at $address does not answer: $message");
        }
        stream_set_timeout($socket, 60);

        return $socket;
    }

    public function command(string ...$words): mixed
    {
        if ($this->connection instanceof \Redis) {
            $this->connection->clearLastError();
            $answer = $this->connection->rawCommand(...$words);
            $error = $this->connection->getLastError();
            if ($error !== null) {
                throw new RuntimeException("Redis: $error");
            }

            return $answer === false ? null : $answer;
        }
        $request = '*' . count($words) . "\r\n";
        foreach ($words as $word) {
            $request .= '$' . strlen($word) . "\r\n$word\r\n";
        }
        fwrite($this->connection, $request);

        return $this->read();
    }

    private function read(): mixed
    {
        $line = $this->line();
        $rest = substr($line, 1);

        return match ($line[0]) {
            '+' => $rest,
            '-' => throw new RuntimeException("Redis: $rest"),
            ':' => (int)$rest,
            '$' => $rest === '-1' ? null : $this->bytes((int)$rest),
            '*' => $rest === '-1' ? null : array_map(fn () => $this->read(), array_fill(0, (int)$rest, null)),
        };
    }

    private function line(): string
    {
        $line = '';
        do {
            // A signal may cut a read short; only an end of the stream is an end.
            $part = fgets($this->connection);
            if ($part === false && feof($this->connection)) {
                throw new RuntimeException('Redis closed the connection');
            }
            $line .= $part;
        } while (!str_ends_with($line, "\r\n"));

        return substr($line, 0, -2);
    }

    private function bytes(int $count): string
    {
        $bytes = '';
        while (strlen($bytes) < $count + 2) {
            $part = fread($this->connection, $count + 2 - strlen($bytes));
            if ($part === false || ($part === '' && feof($this->connection))) {
                throw new RuntimeException('Redis closed the connection');
            }
            $bytes .= $part;
        }

        return substr($bytes, 0, -2);
    }
}
