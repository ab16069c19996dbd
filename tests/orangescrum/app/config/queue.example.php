<?php

declare(strict_types=1);

return [
    'Queue' => [
        'default' => ['url' => env('QUEUE_URL', ''), 'queue' => 'default', 'made' => 'from the template'],
    ],
];
