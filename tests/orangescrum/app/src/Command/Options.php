<?php

declare(strict_types=1);

namespace App\Command;

use RuntimeException;

/** Options of a command line: `--name value`, `--name=value`, `-n value`; a flag is `true`. */
final class Options
{
    private array $values = [];

    /** @param array<string, string> $known name => short letter (or ''); a name that ends in ! is a flag */
    public function __construct(array $arguments, array $known)
    {
        $long = $short = [];
        foreach ($known as $name => $letter) {
            $long[rtrim($name, '!')] = str_ends_with($name, '!');
            $short[$letter] = rtrim($name, '!');
        }
        while ($arguments) {
            $argument = array_shift($arguments);
            if (!preg_match('/^(?:--([a-z-]+)(?:=(.*))?|-([a-z]))$/s', $argument, $match, PREG_UNMATCHED_AS_NULL)) {
                throw new RuntimeException("Unexpected argument `$argument`.");
            }
            $name = $match[1] ?? $short[$match[3]] ?? '';
            if (!isset($long[$name])) {
                throw new RuntimeException("Unknown option `$argument`.");
            }
            $this->values[$name] = $long[$name] ? true : ($match[2] ?? array_shift($arguments))
                ?? throw new RuntimeException("Option `$argument` needs a value.");
        }
    }

    public function flag(string $name): bool
    {
        return isset($this->values[$name]);
    }

    public function get(string $name, ?string $default = null): ?string
    {
        return $this->values[$name] ?? $default;
    }
}
