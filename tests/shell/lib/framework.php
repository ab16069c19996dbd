<?php

/* What CakePHP gives to a configuration file, for those who load one without it. */

define('CACHE', '/app/tmp/cache/');
define('TMP', '/app/tmp/');
define('HTTP_ROOT', 'https://root.example.com/');
function env(string $key, $default = null)
{
    $value = getenv($key);

    return $value === false ? $default : $value;
}
