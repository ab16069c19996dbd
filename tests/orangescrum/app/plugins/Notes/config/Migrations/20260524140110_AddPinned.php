<?php

declare(strict_types=1);

use App\Database\Migration;

final class AddPinned extends Migration
{
    public function up(): void
    {
        $this->execute('ALTER TABLE notes ADD COLUMN pinned boolean NOT NULL DEFAULT false');
    }
}
