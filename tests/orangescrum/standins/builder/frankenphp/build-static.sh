#!/bin/bash
# Stands in for FrankenPHP's script of this name: the same settings from the environment, the same two halves
# (downloads, then one line that compiles), the same places for what comes out. PHP is Debian's.
set -o errexit -o nounset -o pipefail

arch=$(uname -m)
[ -n "${PHP_VERSION:-}" ] || { echo "build-static.sh: PHP_VERSION is not set" >&2; exit 1; }
[ -n "${FRANKENPHP_VERSION:-}" ] || { echo "build-static.sh: FRANKENPHP_VERSION is not set" >&2; exit 1; }
if [ -n "${CLEAN:-}" ]; then
    rm -rf dist
    go clean -cache
fi
mkdir -p dist/static-php-cli
cd dist/static-php-cli
spcCommand="/opt/standin/bin/spc"
if [ -z "${SPC_CMD_VAR_FRANKENPHP_XCADDY_MODULES:-}" ]; then
    export SPC_CMD_VAR_FRANKENPHP_XCADDY_MODULES="--with github.com/dunglas/caddy-cbrotli"
fi

# shellcheck disable=SC2086 # words
${spcCommand} download --with-php="${PHP_VERSION}" --for-extensions="${PHP_EXTENSIONS}" ${SPC_OPT_DOWNLOAD_ARGS:-}
export FRANKENPHP_SOURCE_PATH=/go/src/app
# shellcheck disable=SC2086 # words
${spcCommand} build --enable-zts --build-embed --build-frankenphp ${SPC_OPT_BUILD_ARGS:-} "${PHP_EXTENSIONS}" --with-libs="${PHP_EXTENSION_LIBS:-}"

if [ -n "${CI:-}" ]; then
    rm -rf ./downloads ./source
fi
cd ../..
bin="dist/frankenphp-linux-${arch}"
cp dist/static-php-cli/buildroot/bin/frankenphp "${bin}"
"${bin}" version
"${bin}" build-info
