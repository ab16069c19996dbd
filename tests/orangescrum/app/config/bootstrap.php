<?php

declare(strict_types=1);

use App\Configure;

require_once __DIR__ . '/paths.php';

if (!is_file(ROOT . '/vendor/autoload.php')) {
    fwrite(fopen('php://stderr', 'w'), "vendor/autoload.php is missing: run composer install\n");
    exit(1);
}
require_once ROOT . '/vendor/autoload.php';

foreach ([TMP, CACHE, TMP . 'sessions', LOGS] as $folder) {
    // A link to a folder elsewhere counts as one; two processes may come here at once.
    if (!is_dir($folder) && !@mkdir($folder, 0770, true) && !is_dir($folder)) {
        fwrite(fopen('php://stderr', 'w'), "cannot make $folder\n");
    }
}

Configure::load(CONFIG . 'app.php');
$optional = [
    'app_local', 'queue', 'smtp', 'sendgrid', 'storage', 'recaptcha', 'google_oauth', 'google_drive', 'github',
    'cloudstorage', 'v2_routing',
];
foreach ($optional as $name) {
    Configure::loadIfThere(CONFIG . $name . '.php');
}
Configure::loadIfThere(CONFIG . 'cache_' . basename((string)Configure::read('CacheEngine', 'file')) . '.php');
foreach (glob(ROOT . '/plugins/*/config/*.php') ?: [] as $file) {
    if (!str_ends_with($file, '.example.php') && basename($file) !== 'routes.php') {
        Configure::load($file);
    }
}

date_default_timezone_set((string)Configure::read('App.defaultTimezone'));
mb_internal_encoding((string)Configure::read('App.encoding'));
error_reporting(E_ALL);
ini_set('display_errors', PHP_SAPI === 'cli' || Configure::read('debug') ? 'stderr' : '0');
