<?php

declare(strict_types=1);

/** One HTTP request, whole. */
final class Request
{
    private const MOST_HEAD = 16 << 10;
    private const MOST_BODY = 256 << 10;

    private function __construct(
        public readonly string $method,
        public readonly string $path,
        public readonly array $query,
        public readonly array $headers,
        public readonly array $form,
    ) {
    }

    /** Null while bytes are missing; a response where they can make no request. */
    public static function read(string $bytes): self|Response|null
    {
        $end = strpos($bytes, "\r\n\r\n");
        if ($end === false) {
            return strlen($bytes) > self::MOST_HEAD ? Response::text(431, "too long a head\n") : null;
        }
        $lines = explode("\r\n", substr($bytes, 0, $end));
        if (!preg_match('~^([A-Z]+) (/[^ ]*) HTTP/1\.[01]$~', array_shift($lines), $first)) {
            return Response::text(400, "no request\n");
        }
        $headers = [];
        foreach ($lines as $line) {
            if (!preg_match('/^([!#-\'*+.^_`|~\w-]+):[ \t]*(.*?)[ \t]*$/', $line, $parts)) {
                return Response::text(400, "no header\n");
            }
            $headers[strtolower($parts[1])] = $parts[2];
        }
        $length = $headers['content-length'] ?? '0';
        if (isset($headers['transfer-encoding']) || !preg_match('/^\d{1,9}$/D', $length)) {
            return Response::text(411, "a length is needed\n");
        }
        if ((int) $length > self::MOST_BODY) {
            return Response::text(413, "too long a body\n");
        }
        $body = substr($bytes, $end + 4);
        if (strlen($body) < (int) $length) {
            return null;
        }
        [$path, $query] = explode('?', $first[2], 2) + [1 => ''];
        parse_str($query, $query);
        parse_str(substr($body, 0, (int) $length), $form);
        return new self($first[1], rawurldecode($path), $query, $headers, $form);
    }

    /** Whether a form was sent by a page of this server, as far as the browser says. */
    public function isFromHere(): bool
    {
        $origin = $this->headers['origin'] ?? null;
        return $origin === null || preg_replace('~^https?://~', '', $origin) === ($this->headers['host'] ?? '');
    }
}
