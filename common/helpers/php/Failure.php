<?php

declare(strict_types=1);

namespace Osv4;

/** Ends the start. The code is that of the process: 69, 70 or 78. */
final class Failure extends \RuntimeException
{
    public static function configuration(string $message): self
    {
        return new self($message, 78);
    }

    public static function unreachable(string $message): self
    {
        return new self($message, 69);
    }

    public static function step(string $message): self
    {
        return new self($message, 70);
    }
}
