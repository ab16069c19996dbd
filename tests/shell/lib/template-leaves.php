<?php

/*
 * Reads what template.php printed and prints each value as `path<TAB>type<TAB>value`, one a line.
 */

$walk = static function (array $tree, string $path) use (&$walk): void {
    foreach ($tree as $key => $value) {
        $here = $path === '' ? (string)$key : "$path.$key";
        if (is_array($value)) {
            $walk($value, $here);
        } else {
            echo $here, "\t", get_debug_type($value), "\t", is_bool($value) ? var_export($value, true) : $value, "\n";
        }
    }
};
$walk(json_decode(stream_get_contents(STDIN), true, 512, JSON_THROW_ON_ERROR), '');
