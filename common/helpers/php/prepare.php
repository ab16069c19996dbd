<?php

declare(strict_types=1);

/*
 * Makes the database ready: waits for it, and under a lock migrates the application and its plugins
 * and puts the seeds in. Run by the binary's own PHP in the application's folder; settings are in
 * the environment. Ends with 0, 69 (no database), 70 (a step failed), 78 (configured wrongly).
 */

namespace Osv4;

require __DIR__ . '/Failure.php';
require __DIR__ . '/Say.php';
require __DIR__ . '/Settings.php';
require __DIR__ . '/Database.php';
require __DIR__ . '/Lock.php';
require __DIR__ . '/Cake.php';
require __DIR__ . '/Sources.php';
require __DIR__ . '/Migrations.php';
require __DIR__ . '/Marks.php';
require __DIR__ . '/Seeding.php';
require __DIR__ . '/SchemaDump.php';

// A warning is a mistake that nobody looked at.
error_reporting(E_ALL);
set_error_handler(static function (int $level, string $message, string $file, int $line): bool {
    if ((error_reporting() & $level) === 0) {
        return false;
    }
    throw new \ErrorException($message, 0, $level, $file, $line);
});
set_time_limit(0);

try {
    $settings = Settings::fromEnvironment();
    $say = new Say($settings->secrets());
    $database = Database::wait($settings, $say);
    if (!$settings->migrates()) {
        $say->log('Database migrations: skipped, ' . $settings->whyNoMigrations());
        $say->log('Database seeding: skipped, ' . $settings->whyNoMigrations());
        exit(0);
    }
    $lock = new Lock($database, $settings, $say);
    $lock->take();
    $sources = new Sources($settings->app);
    $cake = new Cake($settings, $say);
    $seeding = new Seeding($database, new Marks($database), $sources, $cake, $settings, $say);
    // Before migrations, which may bring rows of their own.
    $seeding->judge();
    $migrated = (new Migrations($database, $sources, $cake, $say))->run();
    $seeding->run();
    if ($migrated) {
        $cake->tidy();
    }
    (new SchemaDump($cake, $settings, $say))->keep($migrated);
    $lock->release();
    exit(0);
} catch (Failure $failure) {
    ($say ?? new Say([]))->error($failure->getMessage());
    exit($failure->getCode());
} catch (\Throwable $other) {
    ($say ?? new Say([]))->error(sprintf('%s (%s line %d)', $other->getMessage(), basename($other->getFile()), $other->getLine()));
    exit(70);
}
