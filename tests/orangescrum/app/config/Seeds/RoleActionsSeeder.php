<?php

declare(strict_types=1);

use App\Database\Seeder;

final class RoleActionsSeeder extends Seeder
{
    /** By name this one comes before the roles that its rows point at. */
    public function getDependencies(): array
    {
        return ['ActionsSeeder', 'RolesSeeder'];
    }

    public function run(): void
    {
        $id = 0;
        foreach ([1, 2, 3] as $role) {
            foreach ([1, 2, 3, 7] as $action) {
                $this->insert('role_actions', [[
                    'id' => ++$id,
                    'role_id' => $role,
                    'action_id' => $action,
                    'allowed' => $role < 3 || $action < 3 ? 'true' : 'false',
                ]]);
            }
        }
    }
}
