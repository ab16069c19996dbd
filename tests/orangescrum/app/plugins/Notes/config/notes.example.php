<?php

declare(strict_types=1);

return [
    'Notes' => ['perPage' => 20, 'signature' => env('APP_NAME', 'OrangeScrum')],
];
