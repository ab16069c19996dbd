<?php
// What the binary does when it is started. The application stands beside this folder, in `app`.

declare(strict_types=1);

require __DIR__ . '/Request.php';
require __DIR__ . '/Response.php';
require __DIR__ . '/Files.php';
require __DIR__ . '/Server.php';

const USAGE = "usage: notes serve [HOST:PORT] | health [HOST:PORT] | version\n";

/** Fails the way programs do: a line for people, a number for scripts. */
function fail(string $why): never
{
    fwrite(STDERR, "notes: $why\n");
    exit(1);
}

$application = dirname(__DIR__) . '/app';
$address = $argv[2] ?? '127.0.0.1:8080';

switch ($argv[1] ?? '') {
    case 'serve':
        $server = new Server(require "$application/app.php", new Files("$application/public"));
        $server->listen($address) or fail("cannot listen at `$address`: {$server->fault}");
        fwrite(STDERR, "notes: http://$address/\n");
        $server->run();
        break;
    case 'health':
        $answer = @file_get_contents("http://$address/health", context: stream_context_create(['http' => ['timeout' => 3]]));
        $answer === "ok\n" or fail("`$address` is not well");
        break;
    case 'version':
        echo 'notes, PHP ', PHP_VERSION, ', memory ', ini_get('memory_limit'), "\n";
        break;
    default:
        fwrite(STDERR, USAGE);
        exit(2);
}
