<?php

declare(strict_types=1);

namespace App;

/** The settings: what the files of config/ return, later ones over earlier ones. */
final class Configure
{
    private static array $values = [];

    public static function load(string $file): void
    {
        $values = (static fn () => require $file)();
        if (!is_array($values)) {
            throw new \RuntimeException("$file returns no array of settings");
        }
        self::$values = array_replace_recursive(self::$values, $values);
    }

    public static function loadIfThere(string $file): void
    {
        if (is_file($file)) {
            self::load($file);
        }
    }

    /** `a.b.c` of the settings. */
    public static function read(string $path, mixed $default = null): mixed
    {
        $value = self::$values;
        foreach (explode('.', $path) as $step) {
            if (!is_array($value) || !array_key_exists($step, $value)) {
                return $default;
            }
            $value = $value[$step];
        }

        return $value;
    }
}
