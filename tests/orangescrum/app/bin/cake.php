#!/usr/bin/env php
<?php

declare(strict_types=1);

use App\Command\Runner;

require dirname(__DIR__) . '/config/bootstrap.php';

exit((new Runner())->run(array_slice($argv, 1)));
