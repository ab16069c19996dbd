# Sourced by `download` and `compile`. The environment comes from base-build.Dockerfile.

fail() {
    echo "base: error: $*" >&2
    exit 1
}

# The list counts sorted and without doubles, so that its spelling decides nothing.
sorted() {
    printf '%s\n' "$1" | tr ', ' '\n' | sed '/^$/d' | LC_ALL=C sort -u | paste -s -d , -
}

[ -n "$PHP_VERSION" ] || fail "PHP_VERSION is empty; pin it to the patch, as 8.3.29"
[ -n "$FRANKENPHP_VERSION" ] || fail "FRANKENPHP_VERSION is empty"
[ -f build-static.sh ] || fail "the builder image has no $PWD/build-static.sh"
PHP_EXTENSIONS=$(sorted "$PHP_EXTENSIONS")
PHP_EXTENSION_LIBS=$(sorted "$PHP_EXTENSION_LIBS")
[ -n "$PHP_EXTENSIONS" ] || fail "PHP_EXTENSIONS is empty"
unset CLEAN COMPRESS
# Any value of CLEAN cleans, also 0. The default options fetch PHP's sources a second time although they are there;
# libraries that are compiled already exist for musl only.
SPC_OPT_DOWNLOAD_ARGS="--retry 5"
[ "${SPC_LIBC:-musl}" != musl ] || SPC_OPT_DOWNLOAD_ARGS="$SPC_OPT_DOWNLOAD_ARGS --prefer-pre-built"
export PHP_EXTENSIONS PHP_EXTENSION_LIBS SPC_OPT_DOWNLOAD_ARGS
