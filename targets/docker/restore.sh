#!/bin/sh
# Brings a backup of backup.sh back: database and uploads; .env only where there is none. The work is
# done by helpers/restore.sh in a container.
set -eu

OSV4_HOME=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib/project.sh
. "$OSV4_HOME/lib/project.sh"

usage() {
    cat <<'END'
usage: restore.sh [--yes] [--env-file FILE] latest | FOLDER

Stops the application, makes the database what it was in one transaction, puts uploads back (newer
ones stay), and starts the application again. Without --yes it says what it would do.
END
}

env=$OSV4_HOME/.env from='' yes=''
while [ $# -gt 0 ]; do
    case $1 in
    --env-file) [ $# -ge 2 ] || osv4_fail 64 "$1 needs a value"; env=$2 && shift ;;
    --yes) yes=--yes ;;
    --help | -h) usage && exit 0 ;;
    -*) usage >&2 && osv4_fail 64 "unknown option $1" ;;
    *) from=$1 ;;
    esac
    shift
done
[ -n "$from" ] || { usage >&2 && osv4_fail 64 "which backup?"; }
if [ "$from" = latest ]; then
    from=
    # Before the settings are read: where there are none, they are in the backup.
    backups=$OSV4_HOME/backups
    [ ! -f "$env" ] || { env_file=$env && backups=$(env_value BACKUP_DIR) && backups=${backups:-$OSV4_HOME/backups}; }
    for each in "$backups"/orangescrum-[0-9]*T[0-9]*Z; do
        [ ! -d "$each" ] || from=$each
    done
    [ -n "$from" ] || osv4_fail 66 "there is no backup in $backups"
fi
[ -f "$from/SHA256SUMS" ] || osv4_fail 66 "$from is no backup"
(cd "$from" && sha256sum -c SHA256SUMS >/dev/null 2>&1) || osv4_fail 65 "$from is damaged: nothing was changed"
from=$(cd "$from" && pwd)
if [ -n "$yes" ] && [ ! -e "$env" ]; then
    (umask 077 && cp "$from/env" "$env")
    osv4_log "restore: $env"
fi
project_open "$env"
if [ -z "$yes" ]; then
    osv4_log "restore: would stop project $project and replace its database by $from; say --yes to do it"
    exit 0
fi

compose stop app queue scheduler >&2
case ,$(env_value COMPOSE_PROFILES), in
*,bundled-db,*)
    compose up -d orangescrum-db >&2
    left=120
    until [ "$(docker inspect --format '{{.State.Health.Status}}' "$(container_of orangescrum-db)")" = healthy ]; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || osv4_fail 69 "the bundled database does not come up: nothing was changed"
        sleep 1
    done
    ;;
esac
code=0
# shellcheck disable=SC2016 # for the shell in the container
tar -cf - -C "$(dirname "$from")" "$(basename "$from")" | compose run --rm -T --no-deps tools sh -c '
    umask 077
    work=/var/lib/orangescrum/backups/.restore
    rm -rf "$work" && mkdir -p "$work" && tar -xf - -C "$work" || exit
    # Settings are the matter of this machine, which has checked the sums of all files already.
    rm -f "$work/$1/env" && sed -i "/ env\$/d" "$work/$1/SHA256SUMS" || exit
    code=0
    /opt/orangescrum/helpers/restore.sh --yes "$work/$1" || code=$?
    rm -rf "$work"
    exit "$code"' sh "$(basename "$from")" >&2 || code=$?
[ "$code" -eq 0 ] || osv4_fail "$code" "not restored; the application stays stopped: \`docker-compose up -d\` starts it"
compose up -d >&2
osv4_log "restored from $from"
