<?php
// Packs an application and its server into one PHP archive.
//
//     pack APPLICATION SERVER OUT     write the archive
//     pack --check FOLDER             only look whether every PHP file can be parsed
//
// The archive is written here byte by byte, because PHP's own writer puts the time into it: the
// same files have to give the same bytes, or every build would look like a change.

declare(strict_types=1);

const BEGIN = <<<'PHP'
    <?php
    Phar::mapPhar('notes.phar');
    require 'phar://notes.phar/server/main.php';
    __HALT_COMPILER(); ?>
    PHP;
const FILE_MODE = 0o644;
const SHA256 = 3;

/** Files below a folder, by the name each gets; sorted, whatever order the disk has. */
function files(string $folder, string $into): array
{
    $walk = new RecursiveIteratorIterator(new RecursiveDirectoryIterator($folder, FilesystemIterator::SKIP_DOTS));
    $found = [];
    foreach ($walk as $path => $file) {
        if ($file->isLink() || !$file->isFile()) {
            throw new RuntimeException("`$path` is no ordinary file, and an archive holds only such");
        }
        $found[$into . substr($path, strlen($folder) + 1)] = $path;
    }
    ksort($found, SORT_STRING);
    return $found;
}

/** Finds mistakes now rather than at the first visitor. */
function check(string $path, string $content): void
{
    if (str_ends_with($path, '.php')) {
        try {
            token_get_all($content, TOKEN_PARSE);
        } catch (ParseError $error) {
            throw new RuntimeException("$path:{$error->getLine()}: {$error->getMessage()}");
        }
    }
}

/** The format: https://www.php.net/manual/en/phar.fileformat.php */
function archive(array $files): string
{
    $entries = $contents = '';
    foreach ($files as $name => $path) {
        $content = file_get_contents($path);
        check($path, $content);
        $size = strlen($content);
        // Name, size, time, size in the archive, checksum, mode, no metadata.
        $entries .= pack('V', strlen($name)) . $name;
        $entries .= pack('V6', $size, 0, $size, crc32($content), FILE_MODE, 0);
        $contents .= $content;
    }
    // Number of files, format 1.1, "is signed", no alias, no metadata.
    $head = pack('V', count($files)) . "\x11\x00" . pack('V3', 0x10000, 0, 0) . $entries;
    $whole = BEGIN . "\r\n" . pack('V', strlen($head)) . $head . $contents;
    return $whole . hash('sha256', $whole, true) . pack('V', SHA256) . 'GBMB';
}

try {
    if ($argc === 3 && $argv[1] === '--check') {
        foreach (files($argv[2], '') as $path) {
            check($path, file_get_contents($path));
        }
    } elseif ($argc === 4) {
        [, $application, $server, $out] = $argv;
        file_put_contents($out, archive(files($application, 'app/') + files($server, 'server/')));
        // Read back by PHP itself, which looks at every checksum.
        foreach (new RecursiveIteratorIterator(new Phar($out)) as $file) {
            $file->isCRCChecked() || file_get_contents($file->getPathname());
        }
    } else {
        throw new RuntimeException('usage: pack APPLICATION SERVER OUT | pack --check FOLDER');
    }
} catch (Throwable $error) {
    fwrite(STDERR, "pack: {$error->getMessage()}\n");
    exit(1);
}
