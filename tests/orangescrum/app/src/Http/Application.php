<?php

declare(strict_types=1);

namespace App\Http;

use App\Configure;
use App\Controller\JobsController;
use App\Controller\PagesController;
use App\Controller\StateController;
use Notes\NotesController;

final class Application
{
    public function answer(string $method, string $path): Response
    {
        try {
            return match ("$method $path") {
                'GET /', 'HEAD /' => (new PagesController())->home(),
                'GET /config' => (new StateController())->config(),
                'GET /echo-env' => (new StateController())->variable((string)($_GET['name'] ?? '')),
                'GET /session' => (new StateController())->session(),
                'POST /upload' => (new StateController())->upload(),
                'GET /jobs' => (new JobsController())->index(),
                'POST /jobs' => (new JobsController())->add((string)($_POST['text'] ?? '')),
                'GET /notes' => (new NotesController())->index(),
                default => Response::page('Pages/error', ['title' => 'Not found', 'message' => $path], 404),
            };
        } catch (\Throwable $failure) {
            error_log((string)$failure);
            $message = Configure::read('debug') ? $failure->getMessage() : 'Something went wrong.';

            return Response::page('Pages/error', ['title' => 'Error', 'message' => $message], 500);
        }
    }
}
