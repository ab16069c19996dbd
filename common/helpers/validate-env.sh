#!/bin/sh
# validate-env.sh [--strict] [FILE]: is what is configured enough to start with? FILE is the .env of
# this package unless it is named; it is read and never run. Variables that are in the environment
# win over it, as they will at the start. Ends with 0, or with 78 after all mistakes were named.
# --strict takes warnings for mistakes.
set -eu

OSV4_HOME=${OSV4_HOME:-$(cd "$(dirname "$0")/.." && pwd)}
# shellcheck source=lib/osv4.sh
. "$OSV4_HOME/helpers/lib/osv4.sh"

strict=
file=
for argument; do
    case $argument in
    --strict) strict=--strict ;;
    -h | --help)
        sed -n '2,5s/^# //p' "$0"
        exit 0
        ;;
    -*) osv4_fail 64 "unknown option $argument; usage: validate-env.sh [--strict] [FILE]" ;;
    *)
        [ -z "$file" ] || osv4_fail 64 "one file at a time; usage: validate-env.sh [--strict] [FILE]"
        file=$argument
        ;;
    esac
done
if [ -n "$file" ]; then
    osv4_load_env "$file"
elif [ -e "$OSV4_ENV_FILE" ]; then
    file=$OSV4_ENV_FILE
    osv4_load_env "$file"
fi
osv4_secrets
osv4_validate $strict
osv4_log "${file:-the environment} is fine"
