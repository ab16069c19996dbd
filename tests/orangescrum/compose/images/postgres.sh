#!/bin/sh
# What the official image does at its start: a cluster if there is none, with POSTGRES_USER,
# POSTGRES_PASSWORD (or its _FILE) and POSTGRES_DB; then the server, as user postgres.
set -eu
if [ "$(id -u)" = 0 ]; then
    chown -R postgres:postgres "$PGDATA"
    chmod 700 "$PGDATA"
    install -d -o postgres -g postgres /var/run/postgresql
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi
[ -z "${POSTGRES_PASSWORD_FILE:-}" ] || POSTGRES_PASSWORD=$(cat "$POSTGRES_PASSWORD_FILE")
user=${POSTGRES_USER:-postgres}
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    [ -n "${POSTGRES_PASSWORD:-}" ] || {
        echo 'Error: Database is uninitialized and superuser password is not specified.' >&2
        exit 1
    }
    printf '%s\n' "$POSTGRES_PASSWORD" >/tmp/pw
    # shellcheck disable=SC2086 # words
    initdb --username="$user" --pwfile=/tmp/pw --auth=scram-sha-256 ${POSTGRES_INITDB_ARGS:-} >/dev/null
    rm /tmp/pw
    echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
    pg_ctl -D "$PGDATA" -w -o "-c listen_addresses=''" start >/dev/null
    [ "${POSTGRES_DB:-$user}" = postgres ] || PGPASSWORD=$POSTGRES_PASSWORD createdb -U "$user" "${POSTGRES_DB:-$user}"
    pg_ctl -D "$PGDATA" -w -m fast stop >/dev/null
fi
exec "$@" -c 'listen_addresses=*'
