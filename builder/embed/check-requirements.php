<?php

/**
 * check-requirements.php FOLDER EXTENSIONS: whether the extensions that the application and its packages require
 * are among those that are compiled in. Composer itself was told not to look, since it sees another PHP's.
 */

declare(strict_types=1);

[, $folder, $list] = $argv;

// Part of every PHP, or only a name that static-php-cli does not use.
$always = ['core', 'date', 'hash', 'json', 'lexbor', 'libxml', 'pcre', 'random', 'reflection', 'spl', 'standard', 'uri'];
$embedded = preg_split('/[\s,]+/', strtolower($list), -1, PREG_SPLIT_NO_EMPTY);
$there = array_flip([...$always, ...$embedded]);

$read = static fn (string $file): array => json_decode(file_get_contents($file), true, 512, JSON_THROW_ON_ERROR);
$requirers = ['the application' => $read("$folder/composer.json")];
$lock = $read("$folder/composer.lock");
$replaced = [];
foreach ($lock['packages'] ?? [] as $package) {
    $requirers[$package['name']] = $package;
    // A polyfill counts as the extension that it provides.
    foreach (array_keys(($package['provide'] ?? []) + ($package['replace'] ?? [])) as $name) {
        $replaced[strtolower($name)] = true;
    }
}

$missing = [];
foreach ($requirers as $who => $package) {
    foreach (array_keys($package['require'] ?? []) as $name) {
        $name = strtolower($name);
        if (!str_starts_with($name, 'ext-') || isset($replaced[$name])) {
            continue;
        }
        $extension = str_replace(['zend-opcache', '-'], ['opcache', '_'], substr($name, 4));
        if (!isset($there[$extension])) {
            $missing[$extension][] = $who;
        }
    }
}
ksort($missing);
foreach ($missing as $extension => $who) {
    fwrite(STDERR, "embed: error: extension `$extension` is required by " . implode(', ', $who)
        . ", and is not among those compiled in; add it to the pipeline's `extensions`\n");
}
exit($missing === [] ? 0 : 1);
