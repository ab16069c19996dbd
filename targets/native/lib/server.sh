# shellcheck shell=sh
# The server in the background: DAEMON=true, run.sh stop, run.sh status, run.sh health. For hosts
# without systemd, which does all this better.

_server_pid_file() {
    printf '%s\n' "$OSV4_RUN/server.pid"
}

# When the process began, which tells it from a later one of the same number.
_server_began() {
    _server_stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    # The name in brackets may hold anything.
    # shellcheck disable=SC2086 # words
    set -- ${_server_stat##*) }
    # One that has ended and that nobody has asked about is not running.
    [ "$1" != Z ] || return 1
    printf '%s\n' "${20}"
}

# Sets server_pid if it runs.
_server_find() {
    server_pid=
    { read -r server_pid _server_then <"$(_server_pid_file)"; } 2>/dev/null || return 1
    [ "$(_server_began "$server_pid")" = "$_server_then" ] || {
        server_pid=
        return 1
    }
}

# Everything that can be wrong is found before it goes into the background, and said.
server_start() {
    if _server_find; then
        osv4_log "the server runs already, process $server_pid"
        return 0
    fi
    command -v setsid >/dev/null || osv4_fail 78 "the program setsid is missing: install util-linux or busybox"
    # Its answer would be taken for ours.
    if server_health 2>/dev/null; then
        osv4_fail 70 "port ${PORT:-${APP_PORT:-8080}} is taken: another server answers there"
    fi
    "$OSV4_HOME/helpers/prepare.sh" || exit $?
    mkdir -p "$OSV4_RUN" "$OSV4_STATE/logs"
    _server_log=$OSV4_STATE/logs/server.log
    (
        cd /
        umask 027
        # Locks and pipes of those who started it end with them.
        exec setsid "$OSV4_HOME/run.sh" serve </dev/null >>"$_server_log" 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
    ) &
    server_pid=$!
    (umask 077 && printf '%s %s\n' "$server_pid" "$(_server_began "$server_pid")" >"$(_server_pid_file)")
    if ! server_health --wait "${SERVER_START_TIMEOUT:-60}" "$server_pid"; then
        osv4_error "the server did not start; the end of $_server_log:"
        tail -n 20 "$_server_log" >&2
        server_stop
        exit 70
    fi
    osv4_log "the server runs, process $server_pid; it logs to $_server_log"
}

server_stop() {
    if ! _server_find; then
        rm -f "$(_server_pid_file)"
        osv4_log "the server does not run"
        return 0
    fi
    kill -TERM "$server_pid" 2>/dev/null || :
    # Longer than Caddy waits for requests that are being answered.
    _server_left=${SERVER_STOP_TIMEOUT:-60}
    while _server_find; do
        if [ "$_server_left" -le 0 ]; then
            osv4_warn "the server did not end in time, so it is killed"
            kill -KILL "$server_pid" 2>/dev/null || :
        fi
        _server_left=$((_server_left - 1))
        sleep 1
    done
    rm -f "$(_server_pid_file)"
    osv4_log "the server has ended"
}

server_status() {
    if _server_find; then
        echo "running, process $server_pid"
    else
        echo "not running"
        exit 3
    fi
}

# server_health [--wait SECONDS [PROCESS]]: does /healthz answer? PHP asks, so no other program is needed.
# Given up at once when the process is gone.
server_health() {
    _health_wait=0
    case ${1:-} in
    '') ;;
    --wait) _health_wait=${2:?--wait wants seconds} ;;
    *) osv4_fail 64 "unknown argument $1; usage: run.sh health [--wait SECONDS [PROCESS]]" ;;
    esac
    _health_ip=${APP_BIND_IP:-127.0.0.1}
    case $_health_ip in
    0.0.0.0) _health_ip=127.0.0.1 ;;
    :: | '[::]') _health_ip='[::1]' ;;
    '['*) ;;
    *:*) _health_ip="[$_health_ip]" ;;
    esac
    (
        HEALTH_URL=${HEALTH_URL:-http://$_health_ip:${PORT:-${APP_PORT:-8080}}/healthz}
        HEALTH_WAIT=$_health_wait HEALTH_PROCESS=${3:-}
        export HEALTH_URL HEALTH_WAIT HEALTH_PROCESS
        osv4_extract cake
        # shellcheck disable=SC2016 # PHP's dollars
        osv4_php -r '
            $url = getenv("HEALTH_URL");
            $process = getenv("HEALTH_PROCESS");
            $end = microtime(true) + (float)getenv("HEALTH_WAIT");
            $context = stream_context_create(["http" => ["timeout" => 5, "ignore_errors" => true, "follow_location" => 0]]);
            do {
                $body = @file_get_contents($url, false, $context);
                $status = $body === false ? "nobody answers" : explode(" ", $http_response_header[0], 2)[1];
                if ($body !== false && str_starts_with($status, "200")) {
                    exit(0);
                }
                if ($process !== "" && !is_dir("/proc/$process")) {
                    $status = "the server has ended";
                    break;
                }
                usleep(200000);
            } while (microtime(true) < $end);
            fwrite(STDERR, "orangescrum: error: $url: $status\n");
            exit(3);'
    )
}
