<?php

declare(strict_types=1);

// For one machine only: never becomes live by itself, and never belongs into a package.
return [
    'Security' => ['salt' => '__SALT__'],
];
