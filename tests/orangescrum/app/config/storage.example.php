<?php

declare(strict_types=1);

return [
    'Storage' => [
        'endpoint' => env('STORAGE_ENDPOINT', ''),
        'bucket' => env('STORAGE_BUCKET', 'orangescrum'),
        'region' => env('STORAGE_REGION', 'us-east-1'),
        'pathStyle' => filter_var(env('STORAGE_PATH_STYLE', 'true'), FILTER_VALIDATE_BOOLEAN),
    ],
];
