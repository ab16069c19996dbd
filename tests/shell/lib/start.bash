# A start as run.sh and the entrypoint make it, and looks at what it did; loaded by `load lib/start`.

load "${BASH_SOURCE[0]%/*}/postgres.bash"
load "${BASH_SOURCE[0]%/*}/home.bash"

# Makes $START: prepares, and becomes the server.
start_script() {
    export START=$HOME_FOLDER/start.sh
    cat >"$START" <<'SCRIPT'
#!/bin/sh
set -eu
. "$OSV4_HOME/helpers/lib/osv4.sh"
[ ! -e "$OSV4_ENV_FILE" ] || osv4_load_env "$OSV4_ENV_FILE"
osv4_secrets
osv4_validate
osv4_extract app
osv4_prepare
osv4_serve
SCRIPT
    chmod +x "$START"
}

# The server, once its page answers. Sets page and server_PID.
start_server() {
    page=http://127.0.0.1:$APP_PORT
    home_background server "$START"
    wait_for_page "$page/healthz" 30 || { cat "$HOME_FOLDER/server.log" >&2; return 1; }
}

# What the whole database holds, as text that is the same for the same content.
database_text() {
    PGPASSWORD=$DB_PASSWORD "$POSTGRES_PROGRAMS/pg_dump" -h "$DB_HOST" -p "$DB_PORT" -U "$DB_USERNAME" "$@" "$DB_NAME" |
        grep -vE '^\\(un)?restrict '
}

# The application's tables and rows alone, without what differs from start to start: marks and times.
rows_text() {
    database_text --exclude-table=osv4_seeding --exclude-table-data='*phinxlog' |
        sed -E 's/20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9:.]+\+00/TIME/g'
}

# step_is STATE [STATEMENT]: does a step of a start have a session in that state?
step_is() {
    [[ $(postgres_query "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'orangescrum migration step'
        AND state = '$1' AND query ILIKE '${2:-}%'") != 0 ]]
}

# Everything that was started from the package, as after a loss of power.
kill_all() {
    local pid
    for pid in $(home_processes); do
        kill -KILL "$pid" 2>/dev/null || :
    done
    wait_until 10 no_sessions
}

no_sessions() {
    [[ $(postgres_query "SELECT count(*) FROM pg_stat_activity WHERE usename = 'orangescrum'") == 0 ]]
}
