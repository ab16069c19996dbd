<?php

declare(strict_types=1);

namespace App\Controller;

use App\Configure;
use App\Database\Database;
use App\Http\Response;
use Osv4Test\Slug\Slug;
use Osv4Test\Tick\Tick;

final class PagesController
{
    public function home(): Response
    {
        $database = Database::open();
        $counts = [];
        foreach (['actions', 'types', 'roles', 'role_actions', 'projects', 'tasks', 'notes_colours'] as $table) {
            $counts[$table] = (int)$database->value("SELECT count(*) FROM $table");
        }

        return Response::page('Pages/home', [
            'title' => (string)Configure::read('App.name'),
            'version' => trim((string)file_get_contents(ROOT . '/VERSION.txt')),
            'packages' => ['slug' => Slug::VERSION, 'tick' => Tick::VERSION],
            'counts' => $counts,
        ]);
    }
}
