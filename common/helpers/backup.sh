#!/bin/sh
# backup.sh: database, uploads, config, .env and salt into BACKUP_DIR (by default backups in the state
# folder), in a folder named for the time. It appears there when it is whole and was read again. Prints
# its path. The newest BACKUP_KEEP (7; 0: all) stay. It holds secrets: only its owner may read it.
set -eu

OSV4_HOME=${OSV4_HOME:-$(cd "$(dirname "$0")/.." && pwd)}
# shellcheck source=lib/osv4.sh
. "$OSV4_HOME/helpers/lib/osv4.sh"
# shellcheck source=lib/postgres.sh
. "$OSV4_HOME/helpers/lib/postgres.sh"

case ${1:-} in
'') ;;
-h | --help)
    sed -n '2,4s/^# //p' "$0"
    exit 0
    ;;
*) osv4_fail 64 "unknown argument $1; usage: backup.sh" ;;
esac

osv4_settings
osv4_extract backup
osv4_postgres pg_dump pg_restore

umask 077
folder=${BACKUP_DIR:-$OSV4_STATE/backups}
mkdir -p "$folder" || osv4_fail 78 "$folder cannot be made: check BACKUP_DIR"
new=$folder/.new.$$
trap 'rm -rf "$new"' EXIT
trap 'exit 143' TERM
trap 'exit 130' INT
mkdir "$new"

osv4_log "backup: database $PGDATABASE at $PGHOST"
if [ "$_osv4_schema" = public ]; then
    pg_dump -w -Fc --no-owner --no-privileges -f "$new/database.dump" || osv4_fail 70 "backup: pg_dump failed; there is no new backup"
else
    # One of several installations in a database saves its own part only.
    pg_dump -w -Fc --no-owner --no-privileges -n "$_osv4_schema" -f "$new/database.dump" || osv4_fail 70 "backup: pg_dump failed; there is no new backup"
fi
pg_restore --list "$new/database.dump" >"$new/database.list" || osv4_fail 70 "backup: what pg_dump wrote cannot be read; there is no new backup"
grep -q ' TABLE DATA ' "$new/database.list" || osv4_fail 70 "backup: the database has no table; there is no new backup"

if [ -n "$(ls -A "$OSV4_STATE/files" 2>/dev/null)" ]; then
    osv4_log "backup: uploads"
    tar -c -f "$new/files.tar" -C "$OSV4_STATE" files
fi
[ ! -d "$OSV4_CONFIG" ] || tar -c -f "$new/config.tar" -C "$(dirname "$OSV4_CONFIG")" "$(basename "$OSV4_CONFIG")"
[ ! -f "$OSV4_ENV_FILE" ] || cp "$OSV4_ENV_FILE" "$new/env"
# Without it nobody can sign in to what is restored, and in a container there is no .env.
[ -z "${SECURITY_SALT:-}" ] || printf '%s\n' "$SECURITY_SALT" >"$new/salt"
(cd "$new" && sha256sum -- * >../.sums.$$ && mv ../.sums.$$ SHA256SUMS)
sync

# Two in one second do not meet.
name=orangescrum-$(date -u +%Y%m%dT%H%M%SZ)
while [ -e "$folder/$name" ]; do
    sleep 1
    name=orangescrum-$(date -u +%Y%m%dT%H%M%SZ)
done
mv "$new" "$folder/$name"
osv4_log "backup: done, $(du -sh "$folder/$name" | cut -f 1)"

if [ "${BACKUP_KEEP:-7}" -gt 0 ]; then
    # Names sort as times do.
    for old in "$folder"/orangescrum-[0-9]*T[0-9]*Z; do
        [ -d "$old" ] && printf '%s\n' "$old"
    done | sort -r | sed "1,${BACKUP_KEEP:-7}d" | while IFS= read -r old; do
        osv4_log "backup: $old goes, for ${BACKUP_KEEP:-7} are kept"
        rm -rf "$old"
    done
fi
printf '%s\n' "$folder/$name"
