<?php

declare(strict_types=1);

namespace Osv4;

/**
 * The application's description of its own schema, kept in the state folder: `migrations diff` of
 * developers compares with it, and a person can see what a database was like after which start.
 */
final class SchemaDump
{
    public function __construct(private Cake $cake, private Settings $settings, private Say $say)
    {
    }

    public function keep(bool $migrated): void
    {
        $kept = "{$this->settings->state}/schema/schema-dump-default.lock";
        if (!$migrated && is_file($kept)) {
            return;
        }
        $made = "{$this->settings->app}/config/Migrations/schema-dump-default.lock";
        // The database is good; a description that is missing keeps nobody from working.
        if ($this->cake->run(['migrations', 'dump'], show: false) === null || !is_file($made)) {
            $this->say->log('warning: the schema could not be dumped');

            return;
        }
        copy($made, "$kept.new");
        rename("$kept.new", $kept);
    }
}
