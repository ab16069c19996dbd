<?php

/*
 * Loads every template under many environments, in one process because there are hundreds of them.
 *
 *   php templates-check.php [--framework] LIST-OF-VARIABLES TEMPLATE…
 *
 * A warning, a notice, something printed, a value whose type follows the environment, an empty variable
 * that is not like an unset one, and a secret that is there without anybody having set it: each fails.
 */

error_reporting(E_ALL);
set_error_handler(static function (int $level, string $message, string $file, int $line): bool {
    throw new ErrorException($message, 0, $level, $file, $line);
});

$arguments = array_slice($argv, 1);
if ($arguments[0] === '--framework') {
    array_shift($arguments);
    require __DIR__ . '/framework.php';
}
preg_match_all('/^#?([A-Z][A-Z0-9_]*)=/m', file_get_contents(array_shift($arguments)), $found);
$names = $found[1];

$leaves = static function (array $tree, string $path = '') use (&$leaves): array {
    $all = [];
    foreach ($tree as $key => $value) {
        $here = ltrim("$path.$key", '.');
        $all += is_array($value) ? $leaves($value, $here) : [$here => $value];
    }

    return $all;
};
$load = static function (string $file, array $environment) use ($names, $leaves): array {
    foreach ($names as $name) {
        putenv(isset($environment[$name]) ? "$name={$environment[$name]}" : $name);
    }
    ob_start();
    try {
        $read = (static fn (string $file) => include $file)($file);
    } finally {
        $printed = ob_get_clean();
    }
    if ($printed !== '') {
        throw new RuntimeException("it printed: $printed");
    }
    if (!is_array($read)) {
        throw new RuntimeException('it returned ' . get_debug_type($read));
    }

    return $leaves($read);
};

$odd = ['0', 'no', 'false', 'yes', '12', '-7', '0.25', '1e3', '99999999999999999999', 'üñí', "\xff", "a'b\"c\$d\\e", '://', '[]', " \t"];
$secret = '/secret|password|salt$|api_?key$|accesskey$|encryption_key$|(site|publishable)_?key$|client_id$|token$/i';
// Storage has no values to look at until it has an endpoint.
$ground = ['STORAGE_ENDPOINT' => 'http://s3'];

$wrong = 0;
$checked = 0;
foreach ($arguments as $file) {
    $environment = [];
    try {
        $bare = $load($file, []);
        $empty = $load($file, array_fill_keys($names, ''));
        if ($empty !== $bare) {
            throw new RuntimeException('empty is not like unset: ' . json_encode(array_diff_assoc($empty, $bare)));
        }
        $usual = $load($file, $ground);
        foreach ($usual as $path => $value) {
            if (is_string($value) && $value !== '' && preg_match($secret, $path)) {
                throw new RuntimeException("a secret without anybody having set it: $path");
            }
        }
        foreach ($odd as $value) {
            $environment = array_fill_keys($names, $value);
            $read = $load($file, $environment);
            foreach ($usual as $path => $before) {
                $checked++;
                if ((is_bool($before) || is_int($before) || is_float($before)) && get_debug_type($read[$path] ?? null) !== get_debug_type($before)) {
                    throw new RuntimeException("$path is no longer " . get_debug_type($before));
                }
            }
        }
    } catch (Throwable $error) {
        $wrong++;
        fwrite(STDERR, "$file: {$error->getMessage()}" . ($environment ? ' with ' . json_encode(current($environment), JSON_INVALID_UTF8_SUBSTITUTE) : '') . "\n");
    }
}
if ($checked === 0) {
    fwrite(STDERR, "nothing was checked\n");
    $wrong++;
}
exit($wrong === 0 ? 0 : 1);
