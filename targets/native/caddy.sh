#!/bin/sh
# The web server inside the binary, with the Caddyfile that it serves with and the settings of .env.
#
#   caddy.sh validate       is the Caddyfile right?
#   caddy.sh adapt          as JSON
#   caddy.sh fmt            as Caddy would write it; `fmt --diff` for what differs
#   caddy.sh show           as it is
#   caddy.sh ANYTHING…      another subcommand of Caddy: list-modules, hash-password, environ, …
#
# --config FILE takes another file in its place.
set -eu

OSV4_HOME=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
export OSV4_HOME
case ${1:-} in
'' | -h | --help)
    sed -n '2,/^set -eu/s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
esac
# shellcheck source=lib/installation.sh
. "$OSV4_HOME/lib/installation.sh"
installation_of_release "$OSV4_HOME" "$0" "$@"
# shellcheck source=/dev/null
. "$OSV4_HOME/helpers/lib/osv4.sh"

osv4_settings
osv4_extract cake
osv4_address

command=$1
shift
given=
for argument; do
    case $argument in
    -c | --config | --config=*) given=1 ;;
    esac
done
if [ -z "$given" ]; then
    [ -f "$OSV4_APP/Caddyfile" ] || osv4_fail 66 "there is no Caddyfile inside: name a file with --config"
    case $command in
    validate | adapt | reload) set -- --config "$OSV4_APP/Caddyfile" --adapter caddyfile "$@" ;;
    fmt) set -- "$@" "$OSV4_APP/Caddyfile" ;;
    esac
fi
case $command in
show) exec cat "$OSV4_APP/Caddyfile" ;;
# Prints the formatted text and, like a comparison, ends with 1 when that is not what stands there.
fmt)
    if "$OSV4_BINARY" fmt "$@"; then exit 0; else code=$?; fi
    [ "$code" -eq 1 ] || exit "$code"
    osv4_warn "the Caddyfile is not written as Caddy would write it"
    exit 1
    ;;
esac
# Files in it are named relative to the application.
case $command in validate | adapt | reload) [ -n "$given" ] || cd "$OSV4_APP" ;; esac
exec "$OSV4_BINARY" "$command" "$@"
