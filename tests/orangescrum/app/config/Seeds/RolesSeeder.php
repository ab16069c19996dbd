<?php

declare(strict_types=1);

use App\Database\Seeder;

final class RolesSeeder extends Seeder
{
    public function run(): void
    {
        $this->insert('roles', [
            ['id' => 1, 'name' => 'Owner'],
            ['id' => 2, 'name' => 'Admin'],
            ['id' => 3, 'name' => 'User'],
            ['id' => 699, 'name' => 'Guest'],
        ]);
    }
}
