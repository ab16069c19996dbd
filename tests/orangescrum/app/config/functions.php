<?php

declare(strict_types=1);

if (!function_exists('env')) {
    /** A variable of the environment, or $default where it is unset. As in CakePHP, an empty one is not unset. */
    function env(string $key, mixed $default = null): mixed
    {
        $value = $_SERVER[$key] ?? $_ENV[$key] ?? getenv($key);

        return $value === false || $value === null ? $default : $value;
    }
}
