<?php

declare(strict_types=1);

// Stands beside its template: what makes templates live must leave it alone.
return [
    'Queue' => [
        'default' => ['url' => env('QUEUE_URL', ''), 'queue' => 'default', 'made' => 'by the application'],
    ],
];
