<?php

// Run by the finished program: which of the extensions named as arguments it lacks, one a line.
$has = array_map('strtolower', [...get_loaded_extensions(), ...get_loaded_extensions(true)]);
$has[] = in_array('zend opcache', $has, true) ? 'opcache' : '';
// Features of other extensions that static-php-cli lists as if they were some.
$has[] = function_exists('mb_ereg') ? 'mbregex' : '';
$has[] = defined('PASSWORD_ARGON2ID') ? 'password-argon2' : '';
foreach (array_slice($argv, 1) as $wanted) {
    in_array(strtolower($wanted), $has, true) || print("$wanted\n");
}
