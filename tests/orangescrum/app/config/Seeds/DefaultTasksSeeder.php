<?php

declare(strict_types=1);

use App\Database\Seeder;
use Osv4Test\Slug\Slug;

final class DefaultTasksSeeder extends Seeder
{
    public function getDependencies(): array
    {
        return ['TypesSeeder'];
    }

    public function run(): void
    {
        $name = 'Getting Started (Demo)';
        $this->insert('projects', [['id' => 1, 'name' => $name, 'slug' => Slug::of($name)]]);
        $this->insert('recurring_tasks', [
            ['id' => 1, 'project_id' => 1, 'type_id' => 2, 'title' => 'Read the board'],
            ['id' => 2, 'project_id' => 1, 'type_id' => 10, 'title' => 'Write the update'],
        ]);
        $this->insert('tasks', [
            ['id' => 1, 'project_id' => 1, 'type_id' => 1, 'title' => 'Find the first bug'],
            ['id' => 2, 'project_id' => 1, 'type_id' => 2, 'title' => 'Grüße an alle'],
        ]);
    }
}
