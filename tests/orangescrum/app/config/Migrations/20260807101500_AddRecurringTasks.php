<?php

declare(strict_types=1);

use App\Database\Migration;

final class AddRecurringTasks extends Migration
{
    public function up(): void
    {
        $this->execute('CREATE TABLE recurring_tasks (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            project_id bigint NOT NULL REFERENCES projects (id),
            type_id integer NOT NULL REFERENCES types (id),
            title varchar(250) NOT NULL
        )');
        $this->execute('ALTER TABLE tasks
            ADD COLUMN recurring_task_id bigint REFERENCES recurring_tasks (id),
            ADD COLUMN tick timestamp');
        // A second run in the same half hour must find that the first has been there.
        $this->execute('CREATE UNIQUE INDEX tasks_tick ON tasks (recurring_task_id, tick)');
    }
}
