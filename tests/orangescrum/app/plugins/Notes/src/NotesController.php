<?php

declare(strict_types=1);

namespace Notes;

use App\Configure;
use App\Database\Database;
use App\Http\Response;

final class NotesController
{
    public function index(): Response
    {
        $colours = Database::open()->column('SELECT name FROM notes_colours ORDER BY id');

        return Response::json(['settings' => Configure::read('Notes'), 'colours' => $colours]);
    }
}
