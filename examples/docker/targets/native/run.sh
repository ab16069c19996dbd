#!/bin/sh
# Starts the server with the settings of .env. Further arguments go to the program instead:
#   ./run.sh            serve
#   ./run.sh version    what is inside
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
notes=$here/bin/notes
[ -x "$notes" ] || { echo "run.sh: $notes is missing or not executable" >&2; exit 1; }
[ $# -eq 0 ] || exec "$notes" "$@"

# setting NAME DEFAULT: the environment, else the last such line of .env, else the default.
# The file is read, never sourced: a stray line in it cannot run anything.
setting() {
    if eval "[ -n \"\${$1+set}\" ]"; then
        eval "printf '%s\n' \"\$$1\""
        return
    fi
    value=$2
    if [ -f "$here/.env" ]; then
        while IFS= read -r line || [ -n "$line" ]; do
            line=${line%"$cr"}
            line=${line#export }
            case $line in
                "$1="*) value=${line#*=} ;;
                *) continue ;;
            esac
            case $value in
                \"*\") value=${value#\"} value=${value%\"} ;;
                \'*\') value=${value#\'} value=${value%\'} ;;
            esac
        done <"$here/.env"
    fi
    printf '%s\n' "$value"
}

cr=$(printf '\r')
ip=$(setting APP_BIND_IP 127.0.0.1)
port=$(setting APP_PORT 8080)
case $port in
    '' | *[!0-9]*) echo "run.sh: APP_PORT is \`$port\`, which is no port number" >&2; exit 1 ;;
esac
case $ip in
    *:*) ip="[$ip]" ;;
esac
# Notes stay beside the package unless told otherwise; an update leaves them alone.
NOTES_DATA=$(setting NOTES_DATA "$here/data")
export NOTES_DATA
exec "$notes" serve "$ip:$port"
