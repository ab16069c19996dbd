#!/usr/bin/env bats
# Every PHP file of the project is PHP.
# shellcheck disable=SC2016 # PHP's dollars, and those of another shell

setup() {
    bats_require_minimum_version 1.5.0
    command -v php >/dev/null || { echo "\`php\` is missing: apt-get install php8.2-cli" >&2; return 1; }
}

# php_files FOLDER: those in it, also without the ending if the first line names PHP; not what was built.
php_files() {
    find "$1" \( -name .git -o -path "$1/target" -o -path "$1/cache" -o -path "$1/dist*" \) -prune \
        -o -type f \( -name '*.php' -o ! -name '*.*' -exec sh -c 'head -n 1 "$1" | grep -q "^#!.*php"' sh {} \; \) -print0
}

# Deprecated syntax counts as a mistake, which `php -l` alone only mentions.
lint() {
    local files
    readarray -d '' files < <(php_files "$1")
    echo "${#files[@]} files"
    ((${#files[@]} > 0))
    printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P 2 sh -c '
        said=$(php -d error_reporting=-1 -d display_errors=stderr -d log_errors=0 -l "$1" 2>&1) &&
            [ "$said" = "No syntax errors detected in $1" ] || { echo "$1: $said" >&2; exit 255; }' sh
}

@test "every PHP file is PHP" {
    cd "$BATS_TEST_DIRNAME/../.." || exit
    lint .
    # Those that stand for all kinds of places were among them.
    [[ $(php_files . | tr '\0' '\n') == *./tests/orangescrum/app/config/app.php* ]]
    [[ $(php_files . | tr '\0' '\n') == *./tests/orangescrum/packages/tick/bin/tick* ]]
}

@test "a file that is no PHP is found" {
    local bad=$BATS_TEST_TMPDIR/bad
    mkdir "$bad"
    echo '<?php return [;' >"$bad/one.php"
    run lint "$bad"
    [[ $status -ne 0 && $output == *one.php* ]]
    echo '<?php function f($a = 1, $b) { return $b; }' >"$bad/one.php"
    run lint "$bad"
    [[ $status -ne 0 && $output == *Deprecated* ]]
    rm "$bad/one.php"
    printf '#!/usr/bin/env php\n<?php }\n' >"$bad/two"
    run lint "$bad"
    [[ $status -ne 0 && $output == *two* ]]
}
