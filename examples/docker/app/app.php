<?php
// The application: a function from a request to a response.

declare(strict_types=1);

require __DIR__ . '/src/Notes.php';
require __DIR__ . '/src/Page.php';

$site = require __DIR__ . '/config/site.php';
$page = new Page(__DIR__ . '/templates', $site);
$notes = new Notes(getenv('NOTES_DATA') ?: 'data', $site['most-notes']);

$add = function (Request $request) use ($notes, $page): Response {
    if (!$request->isFromHere()) {
        return Response::text(403, "this form came from elsewhere\n");
    }
    $text = is_string($request->form['text'] ?? null) ? trim($request->form['text']) : '';
    $mistake = $notes->mistake($text);
    if ($mistake !== null) {
        return Response::html(422, $page->show('notes', ['notes' => $notes->all(), 'text' => $text, 'mistake' => $mistake]));
    }
    $notes->add($text);
    return Response::seeOther('/');
};

return fn (Request $request): Response => match ([$request->method === 'HEAD' ? 'GET' : $request->method, $request->path]) {
    ['GET', '/'] => Response::html(200, $page->show('notes', ['notes' => $notes->all(), 'text' => '', 'mistake' => null])),
    ['POST', '/'] => $add($request),
    ['GET', '/about'] => Response::html(200, $page->show('about', [])),
    default => Response::html(404, $page->show('missing', ['path' => $request->path])),
};
