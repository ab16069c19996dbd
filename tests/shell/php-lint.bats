#!/usr/bin/env bats
# Every PHP file that is shipped or that tests run is PHP.

setup() {
    bats_require_minimum_version 1.5.0
    cd "$BATS_TEST_DIRNAME/../.."
    command -v php >/dev/null || { echo "\`php\` is missing: apt-get install php8.2-cli" >&2; return 1; }
}

# php_files FOLDER…: those there are, and files without the ending whose first line names PHP.
php_files() {
    find "$@" -name target -prune -o -type f -name '*.php' -print0
    grep -rlZ --exclude-dir=target --exclude='*.php' -m 1 '^#!.*\bphp\b' "$@"
}

lint() {
    local -a files
    readarray -d '' files < <(php_files "$@")
    # Something must have been looked at.
    ((${#files[@]} > 0))
    # Deprecated syntax counts as a mistake; a plain `php -l` only prints it. One PHP for many files is not to
    # be had, but two at a time are.
    printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P 2 sh -c '
        said=$(php -d error_reporting=-1 -d display_errors=stderr -d log_errors=0 -l "$1" 2>&1) &&
            [ "$said" = "No syntax errors detected in $1" ] || { echo "$1: $said" >&2; exit 255; }' sh
}

@test "the application and the packages for tests" {
    lint tests/orangescrum
}

@test "what a package brings" {
    # Before there is such a folder there is nothing to read.
    local folders=() folder
    for folder in common builder targets; do
        [[ ! -d $folder ]] || folders+=("$folder")
    done
    lint "${folders[@]}"
}

@test "a file that is no PHP is found" {
    mkdir "$BATS_TEST_TMPDIR/bad"
    echo '<?php return [;' >"$BATS_TEST_TMPDIR/bad/one.php"
    run lint "$BATS_TEST_TMPDIR/bad"
    [[ $status -ne 0 && $output == *one.php* ]]
    echo '<?php function f($a = 1, $b) { return $b; }' >"$BATS_TEST_TMPDIR/bad/one.php"
    run lint "$BATS_TEST_TMPDIR/bad"
    [[ $status -ne 0 && $output == *Deprecated* ]]
    printf '#!/usr/bin/env php\n<?php }\n' >"$BATS_TEST_TMPDIR/bad/two"
    rm "$BATS_TEST_TMPDIR/bad/one.php"
    run lint "$BATS_TEST_TMPDIR/bad"
    [[ $status -ne 0 && $output == *two* ]]
}
