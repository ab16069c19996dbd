<?php

declare(strict_types=1);

use App\Database\Seeder;

final class NotesColoursSeeder extends Seeder
{
    public function run(): void
    {
        $this->insert('notes_colours', [
            ['id' => 1, 'name' => 'yellow'],
            ['id' => 2, 'name' => 'blue'],
            ['id' => 5, 'name' => 'green'],
        ]);
    }
}
