#!/bin/sh
# restore.sh --yes [--force] latest|FOLDER: brings back what backup.sh saved. The database becomes what
# it was then, in one transaction: all of it or nothing. Uploads of that time come back, newer ones stay.
# A .env or config that is there is never overwritten. Everything that uses the database must be
# stopped; --force goes on although somebody is connected. Without --yes it only says what it would do.
set -eu

OSV4_HOME=${OSV4_HOME:-$(cd "$(dirname "$0")/.." && pwd)}
# shellcheck source=lib/osv4.sh
. "$OSV4_HOME/helpers/lib/osv4.sh"
# shellcheck source=lib/postgres.sh
. "$OSV4_HOME/helpers/lib/postgres.sh"

usage='usage: restore.sh --yes [--force] latest|FOLDER'
yes='' force='' from=''
for argument; do
    case $argument in
    --yes) yes=1 ;;
    --force) force=1 ;;
    -h | --help)
        sed -n '2,5s/^# //p' "$0"
        exit 0
        ;;
    -*) osv4_fail 64 "unknown option $argument; $usage" ;;
    *)
        [ -z "$from" ] || osv4_fail 64 "one backup at a time; $usage"
        from=$argument
        ;;
    esac
done
[ -n "$from" ] || osv4_fail 64 "which backup? $usage"

osv4_settings
if [ "$from" = latest ]; then
    from=
    for each in "${BACKUP_DIR:-$OSV4_STATE/backups}"/orangescrum-[0-9]*T[0-9]*Z; do
        [ ! -d "$each" ] || from=$each
    done
    [ -n "$from" ] || osv4_fail 66 "there is no backup in ${BACKUP_DIR:-$OSV4_STATE/backups}"
fi
[ -f "$from/SHA256SUMS" ] || osv4_fail 66 "$from is no backup"
(cd "$from" && sha256sum -c SHA256SUMS >/dev/null) || osv4_fail 65 "$from is damaged: nothing was changed"
if [ -f "$from/salt" ] && [ "${SECURITY_SALT:-}" != "$(cat "$from/salt")" ]; then
    osv4_warn "SECURITY_SALT is not the one of the backup, which is in $from/salt: without it passwords do not fit"
fi
osv4_extract restore
osv4_postgres pg_restore psql

others=$(psql -w -X -A -t -v ON_ERROR_STOP=1 -c 'SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()') ||
    osv4_fail 69 "the database does not answer: nothing was changed"
if [ "$others" -gt 0 ] && [ -z "$force" ]; then
    osv4_fail 75 "$others sessions use the database: stop the application, its workers and scheduler, or use --force"
fi
if [ -z "$yes" ]; then
    osv4_log "restore: would replace schema $_osv4_schema of database $PGDATABASE at $PGHOST by $from; say --yes to do it"
    exit 0
fi

umask 077
work=$(mktemp -d "$OSV4_RUN/restore.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 143' TERM
trap 'exit 130' INT
# The schema is there, and what extensions say about themselves is their owner's.
grep -vE '^[0-9]+; [0-9]+ [0-9]+ (SCHEMA|COMMENT - (EXTENSION|SCHEMA)|ACL - SCHEMA) ' "$from/database.list" >"$work/list"
osv4_log "restore: database $PGDATABASE at $PGHOST"
{
    # Names of the backup come with their schema. What goes along with what is no news.
    printf 'SET client_min_messages = warning;\n'
    printf 'SET search_path = "%s";\n' "$_osv4_schema"
    cat "$OSV4_HOME/helpers/sql/clear_schema.sql"
    # A newer client writes settings that an older server does not know.
    {
        pg_restore --no-owner --no-privileges -L "$work/list" -f - "$from/database.dump" ||
            echo 'the dump cannot be read: this is no SQL, so that the transaction is taken back;'
    } | sed '/^SET transaction_timeout/d'
} | psql -w -X -q -v ON_ERROR_STOP=1 --single-transaction -o /dev/null ||
    osv4_fail 70 "restore: failed; the database is as it was before"

if [ -f "$from/files.tar" ]; then
    osv4_log "restore: uploads"
    tar -x -f "$from/files.tar" -C "$OSV4_STATE"
fi
if [ -f "$from/env" ]; then
    if [ ! -e "$OSV4_ENV_FILE" ]; then
        cp "$from/env" "$OSV4_ENV_FILE"
        osv4_log "restore: $OSV4_ENV_FILE"
    elif ! cmp -s "$from/env" "$OSV4_ENV_FILE"; then
        osv4_log "restore: $OSV4_ENV_FILE stays as it is; that of the backup is $from/env"
    fi
fi
[ ! -f "$from/config.tar" ] || osv4_log "restore: config stays as it is; that of the backup is in $from/config.tar"
osv4_log "restore: done"
