<?php

/*
 * Loads one configuration template as an application would and prints what it returns as JSON.
 *
 *   php template.php [--framework] FILE
 *
 * Every warning, notice and deprecation is a failure, and so is anything printed while it loads. With
 * --framework there are the function and the constants that CakePHP gives; without, there is nothing.
 */

error_reporting(E_ALL);
set_error_handler(static function (int $level, string $message, string $file, int $line): bool {
    throw new ErrorException($message, 0, $level, $file, $line);
});

$framework = $argv[1] === '--framework';
$file = $argv[$framework ? 2 : 1];

if ($framework) {
    require __DIR__ . '/framework.php';
}

ob_start();
$read = (static fn (string $file) => include $file)($file);
$printed = ob_get_clean();

if ($printed !== '') {
    fwrite(STDERR, "it printed: $printed\n");
    exit(1);
}
if (!is_array($read)) {
    fwrite(STDERR, 'it returned ' . get_debug_type($read) . ", not an array\n");
    exit(1);
}
echo json_encode($read, JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES | JSON_PRESERVE_ZERO_FRACTION | JSON_THROW_ON_ERROR), "\n";
