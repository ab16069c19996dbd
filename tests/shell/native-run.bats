#!/usr/bin/env bats
# run.sh and caddy.sh of the native package: from a folder to a served page, on real PostgreSQL and Redis.

# shellcheck disable=SC2016,SC2030,SC2031 # PHP's dollars; each test is a process of its own

load lib/postgres
load lib/redis
load lib/package

setup_file() {
    bats_require_minimum_version 1.5.0
    need curl curl
    postgres_start
    redis_start
    export PACKAGE=$BATS_FILE_TMPDIR/package
    package_native "$PACKAGE" 1.0
}

teardown_file() {
    redis_stop
    postgres_stop
}

setup() {
    postgres_database
    APP_PORT=$(free_port)
    here=$BATS_TEST_TMPDIR/orangescrum
    cp -R "$PACKAGE" "$here"
    package_env "$here/.env"
    page=http://127.0.0.1:$APP_PORT
    run=$here/run.sh
    # From here on the file says it all.
    unset DB_HOST DB_PORT DB_USERNAME DB_PASSWORD APP_PORT
    background=()
}

teardown() {
    local pid
    "$here/run.sh" stop >/dev/null 2>&1 || :
    for pid in "${background[@]}"; do
        kill "$pid" 2>/dev/null || :
        wait "$pid" 2>/dev/null || :
    done
}

# start ARGS…: run.sh beside the test; `server` is its process.
start() {
    "$run" "$@" >"$BATS_TEST_TMPDIR/log" 2>&1 3>&- &
    server=$!
    background+=("$server")
}

setting() {
    sed -i "/^$1=/d" "$here/.env"
    printf '%s\n' "$1=$2" >>"$here/.env"
}

@test "the first start migrates, seeds and serves; the second changes nothing" {
    start
    wait_for_page "$page/healthz" 20
    grep '^orangescrum: Database seeding: ' "$BATS_TEST_TMPDIR/log"
    curl -fsS "$page/" | grep 4.0.0-test
    [[ $(postgres_query 'SELECT count(*) FROM actions') -gt 0 ]]
    kill "$server"
    wait "$server"
    [[ $(curl -s -o /dev/null -w '%{http_code}' "$page/healthz") == 000 ]]
    "$POSTGRES_PROGRAMS/pg_dump" -h "$POSTGRES_SOCKETS" -p "$POSTGRES_PORT" -U postgres "$DB_NAME" \
        | grep -v '^.\(un\)\?restrict ' >"$BATS_TEST_TMPDIR/before"
    find "$here" -path "$here/state" -prune -o -type f -print0 | sort -z | xargs -0 sha256sum >"$BATS_TEST_TMPDIR/files"
    start
    wait_for_page "$page/healthz" 20
    grep '^orangescrum: Database seeding: ' "$BATS_TEST_TMPDIR/log"
    "$POSTGRES_PROGRAMS/pg_dump" -h "$POSTGRES_SOCKETS" -p "$POSTGRES_PORT" -U postgres "$DB_NAME" \
        | grep -v '^.\(un\)\?restrict ' >"$BATS_TEST_TMPDIR/after"
    cmp "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
    sha256sum --quiet -c "$BATS_TEST_TMPDIR/files"
}

@test "PORT beats APP_PORT, and the environment beats the file" {
    local other
    other=$(free_port)
    PORT=$other start
    wait_for_page "http://127.0.0.1:$other/healthz" 20
    PORT=$other "$run" health
    run -3 "$run" health
}

@test "wrong settings: 78, every mistake named, nothing done" {
    setting SECURITY_SALT CHANGE_ME_salt
    setting DB_PORT nonsense
    run -78 "$run"
    [[ $output == *SECURITY_SALT* && $output == *DB_PORT* ]]
    [[ -z $(postgres_query "SELECT to_regclass('actions')") ]]
    echo 'stray line $(touch '"$BATS_TEST_TMPDIR/ran"')' >>"$here/.env"
    run -78 "$run"
    [[ $output == *"no \`=\`"* || $output == *"line "* ]]
    [[ ! -e $BATS_TEST_TMPDIR/ran ]]
}

@test "values of the file reach the application as they are written, or are refused" {
    setting APP_NAME "'a \$HOME \`id\` # \"b\" and \$(id)'"
    start
    wait_for_page "$page/healthz" 20
    said=$(curl -fsS "$page/echo-env?name=APP_NAME" | php -r 'echo json_decode(stream_get_contents(STDIN))->value;')
    [[ $said == "a \$HOME \`id\` # \"b\" and \$(id)" ]]
    setting APP_NAME 'a b'
    run -78 "$run" migrate
    [[ $output == *APP_NAME* ]]
}

@test "an edited configuration file takes effect at the next start" {
    start
    wait_for_page "$page/healthz" 20
    kill "$server"
    wait "$server"
    # Made live at the first start, and the person's from then on.
    [[ -f $here/config/smtp.php ]]
    echo '<?php return ["App" => ["name" => "Edited by a person"]];' >"$here/config/app_local.php"
    start
    wait_for_page "$page/healthz" 20
    curl -fsS "$page/" | grep "Edited by a person"
}

@test "a stopped server leaves workers and commands alone" {
    setting QUEUE_ENGINE redis
    setting REDIS_HOST "$REDIS_HOST"
    setting REDIS_PORT "$REDIS_PORT"
    "$run" migrate
    start serve
    local web=$server
    wait_for_page "$page/healthz" 20
    "$run" queue >"$BATS_TEST_TMPDIR/queue.log" 2>&1 3>&- &
    local worker=$!
    background+=("$worker")
    wait_until 10 grep 'a worker starts' "$BATS_TEST_TMPDIR/queue.log"
    sleep 0.5
    kill "$web"
    wait "$web"
    sleep 1
    kill -0 "$worker"
    run ! grep -i 'failure' "$BATS_TEST_TMPDIR/queue.log"
    [[ $("$run" cake version 2>/dev/null) == 4.0.0-test ]]
    kill "$worker"
    wait "$worker"
}

@test "DAEMON: returns when it serves, once; stop and status" {
    setting DAEMON true
    run -3 "$run" status
    "$run" 3>&-
    curl -fsS "$page/healthz"
    run -0 "$run" status
    [[ $output == running* ]]
    pid=${output##* }
    # Of a session of its own, so that the end of a terminal does not end it.
    [[ $(ps -o sid= -p "$pid" | tr -d ' ') == "$pid" ]]
    run -0 "$run"
    [[ $output == *"runs already, process $pid"* ]]
    [[ -s $here/state/logs/server.log ]]
    "$run" stop
    # Nobody may have asked about it yet: then it is there, but as one that has ended.
    [[ $(ps -o stat= -p "$pid") =~ ^(Z.*)?$ ]]
    [[ $(curl -s -o /dev/null -w '%{http_code}' "$page/healthz") == 000 ]]
    run -3 "$run" status
    "$run" stop
}

@test "DAEMON: a server that cannot start is said, with the end of its log" {
    setting DAEMON true
    # Takes the port and is no server of this kind; then one that looks like ours.
    php -r '$server = stream_socket_server("tcp://127.0.0.1:'"${page##*:}"'"); sleep(60);' 3>&- &
    background+=("$!")
    wait_until 5 bash -c "exec 3<>/dev/tcp/127.0.0.1/${page##*:}"
    run -70 "$run"
    [[ $output == *"did not start"* && $output == *"the end of $here/state/logs/server.log"* ]]
    run -3 "$run" status
}

@test "DAEMON: the answer of another server is not taken for its own" {
    setting DAEMON true
    mkdir "$BATS_TEST_TMPDIR/web"
    echo OK >"$BATS_TEST_TMPDIR/web/healthz"
    php -S "127.0.0.1:${page##*:}" -t "$BATS_TEST_TMPDIR/web" >/dev/null 2>&1 3>&- &
    background+=("$!")
    wait_for_page "$page/healthz"
    run -70 "$run"
    [[ $output == *"port ${page##*:} is taken"* ]]
    run -3 "$run" status
}

@test "DAEMON: the number of a process that is another one by now means nothing" {
    sleep 60 3>&- &
    background+=("$!")
    local other=$!
    mkdir -p "$here/state/run"
    echo "$other 1" >"$here/state/run/server.pid"
    run -3 "$run" status
    "$run" stop
    kill -0 "$other"
}

@test "a failed migration: 70, and nothing is served" {
    TEST_BREAK_MIGRATION=AddRecurringTasks run -70 "$run"
    [[ $output == *AddRecurringTasks* ]]
    [[ $(curl -s -o /dev/null -w '%{http_code}' "$page/healthz") == 000 ]]
}

@test "the other commands, help, and what is no command" {
    [[ $("$run" version) == "OrangeScrum version 1.0, commit c0ffee"*$'\n'FrankenPHP* ]]
    "$run" validate
    "$run" migrate
    "$run" cake migrations status | grep InitialBaseline
    "$run" scheduler --once
    run -0 "$run" --help
    [[ $output == *"run.sh stop | status"* && $output != *'set -eu'* ]]
    run -64 "$run" sing
    run -64 "$run" start now
    rm "$here/.env"
    run -78 "$run"
    [[ $output == *"there is no $here/.env"* ]]
}

@test "run from anywhere, under another shell, from a folder with a blank in its name" {
    mv "$here" "$BATS_TEST_TMPDIR/orange scrum"
    here="$BATS_TEST_TMPDIR/orange scrum"
    cd /
    [[ $(busybox sh "$here/run.sh" version) == OrangeScrum*$'\n'FrankenPHP* ]]
    dash "$here/run.sh" migrate
    run="$here/run.sh"
    start
    wait_for_page "$page/healthz" 20
}

@test "caddy.sh hands the Caddyfile inside to the binary" {
    # Debian's Caddy answers as the binary would, for directives that it knows.
    need caddy caddy
    local app=$BATS_TEST_TMPDIR/app
    cp -R "$BATS_TEST_DIRNAME/../orangescrum/app" "$app"
    printf 'http://:{$APP_PORT} {\n\trespond /healthz OK\n}\n' >"$app/Caddyfile"
    "$BATS_TEST_DIRNAME/../orangescrum/pack.sh" "$BATS_TEST_TMPDIR/packed" "$app"
    cat >"$here/orangescrum-app/osv4-prod" <<END
#!/bin/sh
case \$1 in
version | build-info | php-cli | php-server) exec "$BATS_TEST_TMPDIR/packed" "\$@" ;;
*) "$BATS_TEST_TMPDIR/packed" version >/dev/null; exec caddy "\$@" ;;
esac
END
    "$here/caddy.sh" validate
    "$here/caddy.sh" adapt 2>/dev/null | grep ":${page##*:}"
    [[ $("$here/caddy.sh" fmt) == *respond* ]]
    "$here/caddy.sh" show | grep healthz
    "$here/caddy.sh" list-modules | grep http.handlers
    echo 'http://:1 { nonsense }' >"$BATS_TEST_TMPDIR/wrong"
    run ! "$here/caddy.sh" validate --config "$BATS_TEST_TMPDIR/wrong" --adapter caddyfile
    run -0 "$here/caddy.sh"
    [[ $output == *caddy.sh* ]]
}
