<?php

declare(strict_types=1);

namespace App\Controller;

use App\Database\Database;
use App\Http\Response;
use App\Queue\Queue;

final class JobsController
{
    public function index(): Response
    {
        return Response::json([
            'waiting' => Queue::fromSettings()->waiting(),
            'done' => Database::open()->column('SELECT text FROM jobs_done ORDER BY id'),
        ]);
    }

    public function add(string $text): Response
    {
        if ($text === '' || mb_strlen($text) > 250) {
            return Response::json(['error' => 'text: 1 to 250 characters'], 400);
        }
        Queue::fromSettings()->put($text);

        return Response::json(['queued' => $text], 202);
    }
}
