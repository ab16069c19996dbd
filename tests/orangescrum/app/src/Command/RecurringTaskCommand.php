<?php

declare(strict_types=1);

namespace App\Command;

use App\Database\Database;
use DateTimeImmutable;
use Osv4Test\Tick\Tick;

final class RecurringTaskCommand
{
    public function execute(array $arguments): int
    {
        new Options($arguments, []);
        $tick = Tick::of(new DateTimeImmutable());
        $made = Database::open()->execute(
            'INSERT INTO tasks (project_id, type_id, title, recurring_task_id, tick)
             SELECT project_id, type_id, title, id, ?::timestamp FROM recurring_tasks
             ON CONFLICT (recurring_task_id, tick) DO NOTHING',
            [$tick]
        );
        echo "recurring tasks of $tick: $made made\n";

        return 0;
    }
}
