<?php

// Debian's Composer as one file, which the real image has.
declare(strict_types=1);

$phar = new Phar('/tmp/composer.phar');
$phar->startBuffering();
foreach (['/usr/share/php', '/usr/share/composer'] as $folder) {
    if (is_dir($folder)) {
        $files = new RecursiveDirectoryIterator($folder, FilesystemIterator::SKIP_DOTS | FilesystemIterator::FOLLOW_SYMLINKS);
        foreach (new RecursiveIteratorIterator($files) as $file) {
            // Debian's packages name each other by their places.
            $text = str_replace('/usr/share/php/', 'phar://composer.phar/share/php/', file_get_contents($file->getPathname()));
            $phar->addFromString(substr($file->getPathname(), strlen('/usr/')), $text);
        }
    }
}
// Its first line is for the shell.
$program = preg_replace('/^#!.*\n/', '', file_get_contents('/usr/bin/composer'));
$phar->addFromString('bin/composer', $program);
$phar->setStub("#!/usr/bin/env php\n<?php\nPhar::mapPhar('composer.phar');\n"
    . "set_include_path('phar://composer.phar/share/php' . PATH_SEPARATOR . get_include_path());\n"
    . "require 'phar://composer.phar/bin/composer';\n__HALT_COMPILER();\n");
$phar->stopBuffering();
rename('/tmp/composer.phar', '/tmp/composer');
chmod('/tmp/composer', 0755);
