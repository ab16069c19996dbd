#!/bin/sh
# Database, uploads, config, salt and .env of this project into a folder on this machine. The work is
# done by helpers/backup.sh in a container, since only there is a client that fits the database.
set -eu

OSV4_HOME=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib/project.sh
. "$OSV4_HOME/lib/project.sh"

usage() {
    cat <<'END'
usage: backup.sh [--to DIR] [--env-file FILE]

Writes DIR/orangescrum-TIME and prints its path. DIR is BACKUP_DIR of the settings, or backups/ beside
this script; the newest BACKUP_KEEP (7; 0: all) stay. A backup holds secrets: it is readable for you alone.
END
}

env=$OSV4_HOME/.env to=''
while [ $# -gt 0 ]; do
    case $1 in
    --to | --env-file) [ $# -ge 2 ] || osv4_fail 64 "$1 needs a value" ;;
    esac
    case $1 in
    --to) to=$2 && shift ;;
    --env-file) env=$2 && shift ;;
    --help | -h) usage && exit 0 ;;
    *) usage >&2 && osv4_fail 64 "unknown argument $1" ;;
    esac
    shift
done
project_open "$env"
to=${to:-$(env_value BACKUP_DIR)}
to=${to:-$OSV4_HOME/backups}
keep=$(env_value BACKUP_KEEP)
keep=${keep:-7}

umask 077
mkdir -p "$to"
to=$(cd "$to" && pwd)
new=$to/.new.$$
mkdir "$new"
trap 'rm -rf "$new"' EXIT

# Made in the state's volume, for memory may be too small; what comes out here is the backup as a tar.
# shellcheck disable=SC2016 # for the shell in the container
compose run --rm -T --no-deps -e BACKUP_DIR=/var/lib/orangescrum/backups tools sh -c '
    saved=$(/opt/orangescrum/helpers/backup.sh) || exit
    tar -cf - -C "${saved%/*}" "${saved##*/}" || exit
    rm -rf "$saved"' >"$new.tar" || {
    rm -f "$new.tar"
    osv4_fail 70 "there is no new backup"
}
tar -xof "$new.tar" -C "$new"
rm -f "$new.tar"
name=$(basename "$new"/orangescrum-*)
[ -f "$new/$name/SHA256SUMS" ] || osv4_fail 70 "the backup did not arrive whole; there is no new backup"
# The settings are not in the container as a file.
cp "$env_file" "$new/$name/env"
(cd "$new/$name" && sha256sum -c SHA256SUMS >/dev/null && sha256sum env >>SHA256SUMS) ||
    osv4_fail 65 "the backup was damaged on its way; there is no new backup"
[ ! -e "$to/$name" ] || osv4_fail 75 "$to/$name exists: two backups at once?"
mv "$new/$name" "$to/$name"

if [ "$keep" -gt 0 ]; then
    # Names sort as times do.
    for old in "$to"/orangescrum-[0-9]*T[0-9]*Z; do
        printf '%s\n' "$old"
    done | sort -r | sed "1,${keep}d" | while IFS= read -r old; do
        osv4_log "backup: $old goes, for $keep are kept"
        rm -rf "$old"
    done
fi
printf '%s\n' "$to/$name"
