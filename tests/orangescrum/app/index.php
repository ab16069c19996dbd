<?php

// For servers whose root is the application's folder.
require __DIR__ . '/webroot/index.php';
