<?php

declare(strict_types=1);

use App\Database\Seeder;

final class TypesSeeder extends Seeder
{
    public function run(): void
    {
        $this->insert('types', [
            ['id' => 1, 'short_name' => 'bug', 'name' => 'Bug', 'seq_order' => 2],
            ['id' => 2, 'short_name' => 'dev', 'name' => 'Development', 'seq_order' => 1],
            ['id' => 10, 'short_name' => 'upd', 'name' => "The customer's \"update\"", 'seq_order' => 3],
        ]);
    }
}
