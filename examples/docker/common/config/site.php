<?php
// Laid over the application when it is taken: settings that belong to the place, not to the code.

return [
    'title' => 'Notes',
    'most-notes' => 100,
];
