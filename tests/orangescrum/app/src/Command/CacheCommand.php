<?php

declare(strict_types=1);

namespace App\Command;

final class CacheCommand
{
    public function clear(array $arguments): int
    {
        new Options($arguments, []);
        $files = glob(CACHE . '*') ?: [];
        foreach ($files as $file) {
            is_file($file) && unlink($file);
        }
        echo 'Cleared ', count($files), " files of the cache\n";

        return 0;
    }
}
