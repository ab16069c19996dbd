<?php

declare(strict_types=1);

use App\Database\Seeder;

final class ActionsSeeder extends Seeder
{
    public function run(): void
    {
        $this->insert('actions', [
            ['id' => 1, 'name' => 'task.create', 'label' => 'Create a task'],
            ['id' => 2, 'name' => 'task.edit', 'label' => 'Edit a task'],
            ['id' => 3, 'name' => 'task.delete', 'label' => 'Delete a task'],
            ['id' => 7, 'name' => 'project.create', 'label' => 'Create a project'],
        ]);
    }
}
