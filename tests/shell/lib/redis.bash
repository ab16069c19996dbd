# A real Redis for one test file, loaded by `load lib/redis`: redis_start [PASSWORD] in setup_file, redis_stop in
# teardown_file. Exports REDIS_HOST, REDIS_PORT, REDIS_PASSWORD.

load "${BASH_SOURCE[0]%/*}/ports.bash"

redis_start() {
    need redis-server redis-server && need redis-cli redis-tools || return 1
    need setpriv util-linux && need php php8.2-cli || return 1
    REDIS_FOLDER=$(mktemp -d /tmp/osv4-redis.XXXXXX)
    export REDIS_FOLDER REDIS_HOST=127.0.0.1 REDIS_PORT REDIS_PASSWORD=${1:-}
    REDIS_PORT=$(free_port)
    local identity=()
    if ((EUID == 0)); then
        chown nobody "$REDIS_FOLDER"
        identity=(--reuid nobody --regid nogroup --clear-groups)
    fi
    # The settings come in at its door, so that the password is on no command line. 3 is bats's own.
    printf '%s\n' "bind 127.0.0.1" "port $REDIS_PORT" "dir $REDIS_FOLDER" 'save ""' 'appendonly no' \
        ${REDIS_PASSWORD:+"requirepass $REDIS_PASSWORD"} >"$REDIS_FOLDER/redis.conf"
    (
        cd "$REDIS_FOLDER" || exit
        exec setpriv "${identity[@]}" --pdeathsig KILL redis-server - <redis.conf
    ) >"$REDIS_FOLDER/log" 2>&1 3>&- &
    export REDIS_PID=$!
    if ! wait_until 10 redis_ping; then
        cat "$REDIS_FOLDER/log" >&2
        redis_stop
        return 1
    fi
}

redis_ping() {
    [[ $(redis_do PING) == PONG ]]
}

# redis_do COMMAND…: what the server answers.
redis_do() {
    REDISCLI_AUTH=$REDIS_PASSWORD redis-cli -h "$REDIS_HOST" -p "$REDIS_PORT" "$@"
}

redis_stop() {
    if [[ -n ${REDIS_PID:-} ]]; then
        kill "$REDIS_PID" 2>/dev/null || :
        wait "$REDIS_PID" 2>/dev/null || :
        unset REDIS_PID
    fi
    [[ -z ${REDIS_FOLDER:-} ]] || rm -rf "$REDIS_FOLDER"
    unset REDIS_FOLDER
}
