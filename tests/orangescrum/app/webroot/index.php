<?php

declare(strict_types=1);

use App\Http\Application;

require dirname(__DIR__) . '/config/bootstrap.php';

$path = rawurldecode((string)parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH));
(new Application())->answer($_SERVER['REQUEST_METHOD'], $path)->send();
