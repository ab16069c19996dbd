<?php

/*
 * GitSync with all its providers: what the files beside this one say, put together.
 *
 * A provider's own file, where somebody made it live, comes before its template; so there is one place in
 * which each thing is said.
 */

$all = [];
foreach (['github', 'gitlab', 'bitbucket'] as $provider) {
    foreach (['.php', '.example.php'] as $ending) {
        $file = __DIR__ . "/gitsync_$provider$ending";
        if (is_file($file)) {
            // Out of this scope, so that the file's variables do not become ours.
            $all = array_replace_recursive($all, (static fn (string $file): array => require $file)($file));
            break;
        }
    }
}

return $all + ['GitSync' => []];
