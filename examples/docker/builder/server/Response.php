<?php

declare(strict_types=1);

/** One HTTP response, whole. */
final class Response
{
    private const PHRASES = [
        200 => 'OK', 303 => 'See Other', 400 => 'Bad Request', 403 => 'Forbidden', 404 => 'Not Found',
        405 => 'Method Not Allowed', 408 => 'Request Timeout', 411 => 'Length Required',
        413 => 'Content Too Large', 422 => 'Unprocessable Content', 431 => 'Request Header Fields Too Large',
        500 => 'Internal Server Error',
    ];

    public function __construct(
        public readonly int $status,
        public readonly string $body,
        public readonly array $headers = [],
    ) {
    }

    public static function html(int $status, string $body): self
    {
        return new self($status, $body, ['Content-Type' => 'text/html; charset=utf-8']);
    }

    public static function text(int $status, string $body): self
    {
        return new self($status, $body, ['Content-Type' => 'text/plain; charset=utf-8']);
    }

    /** After a form was taken: the next page, by GET. */
    public static function seeOther(string $path): self
    {
        return new self(303, '', ['Location' => $path]);
    }

    public function bytes(bool $withBody): string
    {
        $head = sprintf("HTTP/1.1 %d %s\r\n", $this->status, self::PHRASES[$this->status] ?? 'Unknown');
        $headers = $this->headers + [
            'Content-Length' => strlen($this->body),
            'Connection' => 'close',
            'X-Content-Type-Options' => 'nosniff',
            'Content-Security-Policy' => "default-src 'self'; frame-ancestors 'none'",
        ];
        foreach ($headers as $name => $value) {
            $head .= "$name: $value\r\n";
        }
        return "$head\r\n" . ($withBody ? $this->body : '');
    }
}
