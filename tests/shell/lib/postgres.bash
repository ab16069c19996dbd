# A real PostgreSQL for one test file, loaded by `load lib/postgres`. In a .bats file:
#
#   setup_file()    { postgres_start; }       # 0.5 s; a cluster of its own, as an unprivileged user
#   setup()         { postgres_database; }    # an empty database; DB_HOST … DB_NAME are exported
#   teardown_file() { postgres_stop; }        # also ends and removes what a failed test left
#
# It listens on 127.0.0.1:$POSTGRES_PORT (password wanted) and on a socket in $POSTGRES_SOCKETS (superuser,
# no password: postgres_sql). Several files can run beside one another. Clusters are copies of one that initdb
# made in $OSV4_TEST_CACHE (target/osv4-test), which stays.

load "${BASH_SOURCE[0]%/*}/ports.bash"

# The newest server that Debian has here.
postgres_programs() {
    local all=(/usr/lib/postgresql/*/bin)
    [[ -x ${all[-1]}/initdb ]] || { echo "no PostgreSQL: apt-get install postgresql" >&2; return 1; }
    echo "${all[-1]}"
}

# Runs as the user that the server runs as: root may not, everybody else may be it.
postgres_as() {
    if ((EUID == 0)); then
        setpriv --reuid postgres --regid postgres --clear-groups "$@"
    else
        "$@"
    fi
}

# Prints the folder of a cluster that is only there to be copied.
postgres_template() {
    local programs=$1 cache version template
    cache=${OSV4_TEST_CACHE:-$(cd "${BASH_SOURCE[0]%/*}/../../.." && pwd)/target/osv4-test}
    # "postgres (PostgreSQL) 15.18 (Debian …)"
    read -r _ _ version _ < <("$programs/postgres" --version)
    template=$cache/postgres-$version
    mkdir -p "$cache"
    (
        flock 9
        [[ ! -e $template ]] || exit 0
        fresh=$(mktemp -d "${TMPDIR:-/tmp}/osv4-initdb.XXXXXX")
        trap 'rm -rf "$fresh"' EXIT
        ((EUID != 0)) || chown postgres "$fresh"
        cd /
        postgres_as "$programs/initdb" -D "$fresh/data" -U postgres -E UTF8 --locale=C.UTF-8 --no-sync \
            --auth-local=trust --auth-host=scram-sha-256 >"$fresh/log" 2>&1 || { cat "$fresh/log" >&2; exit 1; }
        cat >>"$fresh/data/postgresql.conf" <<'SETTINGS'
listen_addresses = '127.0.0.1'
password_encryption = 'scram-sha-256'
max_connections = 60
shared_buffers = '16MB'
# Nothing here has to survive a loss of power.
fsync = off
synchronous_commit = off
full_page_writes = off
log_min_messages = warning
SETTINGS
        mv "$fresh/data" "$template"
    ) 9>"$cache/postgres.lock" || return 1
    echo "$template"
}

# postgres_start: a fresh cluster; exports POSTGRES_PORT, POSTGRES_SOCKETS, POSTGRES_FOLDER, POSTGRES_PID.
postgres_start() {
    need setpriv util-linux && need php php8.2-cli || return 1
    local programs template
    programs=$(postgres_programs) && template=$(postgres_template "$programs") || return 1
    # Not in the folder of bats, which only root may enter; short, for sockets have short names.
    POSTGRES_FOLDER=$(mktemp -d /tmp/osv4-pg.XXXXXX)
    cp -a "$template" "$POSTGRES_FOLDER/data"
    ((EUID != 0)) || chown postgres "$POSTGRES_FOLDER"
    POSTGRES_SOCKETS=$POSTGRES_FOLDER
    POSTGRES_PORT=$(free_port)
    export POSTGRES_FOLDER POSTGRES_SOCKETS POSTGRES_PORT POSTGRES_PROGRAMS=$programs
    postgres_continue
}

# Starts the server again on the cluster and port that postgres_start chose: after a postgres_pause.
postgres_continue() {
    # Its death comes with that of the shell that began it, should a test run be killed. 3 is bats's own.
    (
        cd "$POSTGRES_FOLDER" || exit
        identity=()
        ((EUID != 0)) || identity=(--reuid postgres --regid postgres --clear-groups)
        exec setpriv "${identity[@]}" --pdeathsig QUIT "$POSTGRES_PROGRAMS/postgres" -D "$POSTGRES_FOLDER/data" \
            -p "$POSTGRES_PORT" -k "$POSTGRES_SOCKETS"
    ) >>"$POSTGRES_FOLDER/log" 2>&1 </dev/null 3>&- &
    export POSTGRES_PID=$!
    if ! wait_until 20 "$POSTGRES_PROGRAMS/pg_isready" -q -h "$POSTGRES_SOCKETS" -p "$POSTGRES_PORT"; then
        cat "$POSTGRES_FOLDER/log" >&2
        postgres_stop
        return 1
    fi
}

# Ends the server and leaves its data: a database that does not answer.
postgres_pause() {
    [[ -n ${POSTGRES_PID:-} ]] || return 0
    # INT: clients are sent away, nothing is lost.
    kill -INT "$POSTGRES_PID" 2>/dev/null || :
    wait_until 20 bash -c "! kill -0 $POSTGRES_PID" || kill -QUIT "$POSTGRES_PID"
    wait "$POSTGRES_PID" 2>/dev/null || :
    unset POSTGRES_PID
}

postgres_stop() {
    postgres_pause
    [[ -z ${POSTGRES_FOLDER:-} ]] || rm -rf "$POSTGRES_FOLDER"
    unset POSTGRES_FOLDER
}

# postgres_sql DATABASE SQL: as superuser, over the socket; rows without ornaments.
postgres_sql() {
    # A test's own PG* variables must not lead elsewhere.
    env -u PGPASSWORD -u PGSERVICE "$POSTGRES_PROGRAMS/psql" -X -q -A -t -v ON_ERROR_STOP=1 \
        -h "$POSTGRES_SOCKETS" -p "$POSTGRES_PORT" -U postgres -d "$1" -c "$2"
}

# postgres_database [NAME]: an empty database that a role `orangescrum` owns, anew if it exists; exports DB_*.
postgres_database() {
    export DB_HOST=127.0.0.1 DB_PORT=$POSTGRES_PORT DB_USERNAME=orangescrum DB_PASSWORD=s3cret-Word
    export DB_NAME=${1:-orangescrum}
    postgres_sql postgres "DROP DATABASE IF EXISTS \"$DB_NAME\" WITH (FORCE)"
    [[ $(postgres_sql postgres "SELECT 1 FROM pg_roles WHERE rolname = '$DB_USERNAME'") == 1 ]] \
        || postgres_sql postgres "CREATE ROLE $DB_USERNAME LOGIN PASSWORD '$DB_PASSWORD'"
    postgres_sql postgres "CREATE DATABASE \"$DB_NAME\" OWNER $DB_USERNAME"
}

# postgres_query SQL: in the database that postgres_database made last.
postgres_query() {
    postgres_sql "$DB_NAME" "$1"
}
