<?php

declare(strict_types=1);

/*
 * Prints where the database is, for programs that are not PHP: host, port, user, password, name and
 * schema, a line each. Into a pipe only.
 */

namespace Osv4;

require __DIR__ . '/Failure.php';
require __DIR__ . '/Settings.php';

try {
    $settings = Settings::fromEnvironment();
    foreach (['host', 'port', 'user', 'password', 'database', 'schema'] as $name) {
        echo $settings->$name, "\n";
    }
    exit(0);
} catch (Failure $failure) {
    file_put_contents('php://stderr', "orangescrum: error: {$failure->getMessage()}\n");
    exit($failure->getCode());
}
