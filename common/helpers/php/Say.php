<?php

declare(strict_types=1);

namespace Osv4;

/** Words on stderr, in which no secret is. */
final class Say
{
    /** @param list<string> $secrets what must not be seen */
    public function __construct(private array $secrets)
    {
        // The longest first, for one may be part of another.
        usort($this->secrets, static fn (string $a, string $b): int => strlen($b) <=> strlen($a));
    }

    public function log(string $message): void
    {
        $this->line("orangescrum: $message");
    }

    public function error(string $message): void
    {
        $this->line("orangescrum: error: $message");
    }

    /** What a step printed. */
    public function output(string $line): void
    {
        $this->line("orangescrum:   | $line");
    }

    public function clean(string $text): string
    {
        return str_replace($this->secrets, '***', $text);
    }

    private function line(string $text): void
    {
        file_put_contents('php://stderr', $this->clean(rtrim($text)) . "\n");
    }
}
