#!/usr/bin/env bats
# The application for tests and the script that stands for the binary, on real PostgreSQL and Redis: what all
# other tests of shell scripts stand on.

# shellcheck disable=SC2016,SC2030,SC2031 # PHP's dollars; each test is a process of its own

load lib/postgres
load lib/redis

setup_file() {
    bats_require_minimum_version 1.5.0
    need curl curl
    postgres_start
    redis_start 'pass-W0rd'
    export OSV4=$BATS_FILE_TMPDIR/osv4-prod
    "$BATS_TEST_DIRNAME/../orangescrum/pack.sh" "$OSV4"
}

teardown_file() {
    redis_stop
    postgres_stop
}

setup() {
    postgres_database
    export TMPDIR=$BATS_TEST_TMPDIR/run
    export APP_BIND_IP=127.0.0.1 SESSION_COOKIE_SECURE=false
    mkdir "$TMPDIR"
    background=()
}

teardown() {
    local pid
    for pid in "${background[@]}"; do
        kill "$pid" 2>/dev/null || :
        wait "$pid" 2>/dev/null || :
    done
}

cake() {
    "$OSV4" php-cli bin/cake.php "$@"
}

# The whole of a first start, without the locks and marks that the real one has.
prepare() {
    cake migrations migrate --no-lock
    cake migrations migrate -p Notes --no-lock
    local tree
    tree=$(tree)
    psql_file "$tree/config/schema/pg_config_1.sql"
    cake migrations seed
    cake migrations seed -p Notes
    psql_file "$tree/config/schema/pg_config_2.sql"
}

psql_file() {
    PGPASSWORD=$DB_PASSWORD "$POSTGRES_PROGRAMS/psql" -X -q -v ON_ERROR_STOP=1 -h "$DB_HOST" -p "$DB_PORT" \
        -U "$DB_USERNAME" -d "$DB_NAME" -f "$1"
}

tree() {
    echo "$TMPDIR"/frankenphp_*
}

serve() {
    APP_PORT=$(free_port)
    export APP_PORT
    page=http://127.0.0.1:$APP_PORT
    "$OSV4" php-server >"$BATS_TEST_TMPDIR/server.log" 2>&1 3>&- &
    server=$!
    background+=("$server")
    wait_for_page "$page/healthz"
}

# What the JSON that comes in says at a path such as settings/App/name.
json() {
    php -r '$value = json_decode(stream_get_contents(STDIN), true, flags: JSON_THROW_ON_ERROR);
        foreach (explode("/", $argv[1]) as $step) { $value = $value[$step]; }
        echo is_string($value) ? $value : json_encode($value, JSON_UNESCAPED_UNICODE), "\n";' "$1"
}

@test "each subcommand unpacks the application; what is there is kept, what is missing comes back" {
    "$OSV4" version | grep -E '^FrankenPHP v[^ ]+ PHP 8\.[0-9]+\.[0-9]+ Caddy v'
    tree=$(tree)
    [[ -f "$tree/webroot/img/board view (2024 edition).svg" ]]
    echo changed >"$tree/VERSION.txt"
    rm "$tree/bin/cake.php"
    "$OSV4" build-info | grep '^build'
    [[ $(cat "$tree/VERSION.txt") == changed ]]
    [[ -f $tree/bin/cake.php ]]
}

@test "a folder that is a link stays one" {
    "$OSV4" version
    tree=$(tree)
    mkdir "$BATS_TEST_TMPDIR/state"
    rm -rf "$tree/plugins/Notes/src"
    ln -s "$BATS_TEST_TMPDIR/state" "$tree/plugins/Notes/src"
    "$OSV4" version
    [[ -L $tree/plugins/Notes/src && -f $BATS_TEST_TMPDIR/state/NotesController.php ]]
}

@test "the same application gives the same file, another one another folder" {
    "$BATS_TEST_DIRNAME/../orangescrum/pack.sh" "$BATS_TEST_TMPDIR/again"
    cmp "$OSV4" "$BATS_TEST_TMPDIR/again"
    cp -R "$BATS_TEST_DIRNAME/../orangescrum/app" "$BATS_TEST_TMPDIR/app"
    echo 4.0.1-test >"$BATS_TEST_TMPDIR/app/VERSION.txt"
    "$BATS_TEST_DIRNAME/../orangescrum/pack.sh" "$BATS_TEST_TMPDIR/other" "$BATS_TEST_TMPDIR/app"
    "$OSV4" version
    [[ $("$BATS_TEST_TMPDIR/other" php-cli bin/cake.php version) == 4.0.1-test ]]
    [[ $(find "$TMPDIR" -mindepth 1 -maxdepth 1 | wc -l) == 2 ]]
}

@test "php-cli: no PHP_BINARY, scripts of the application from anywhere, exit codes, no php.ini of the application" {
    cd /
    [[ $("$OSV4" php-cli -r 'echo "[", PHP_BINARY, "]";') == '[]' ]]
    [[ $("$OSV4" php-cli bin/cake.php version) == 4.0.0-test ]]
    echo '<?php exit(7);' >"$BATS_TEST_TMPDIR/seven.php"
    run -7 "$OSV4" php-cli "$BATS_TEST_TMPDIR/seven.php"
    echo 'memory_limit = 77M' >"$(tree)/php.ini"
    [[ $("$OSV4" php-cli -r 'echo ini_get("memory_limit");') == 128M ]]
    [[ $(PHP_INI_SCAN_DIR=$(tree) "$OSV4" php-cli -r 'echo ini_get("memory_limit");' 2>&1) == 77M ]]
    echo 'memory_limit = ${PHP_MEMORY_LIMIT:-66M}' >"$(tree)/php.ini"
    PHP_INI_SCAN_DIR=:$(tree)
    export PHP_INI_SCAN_DIR
    [[ $("$OSV4" php-cli -r 'echo ini_get("memory_limit");' 2>&1) == 66M ]]
    [[ $(PHP_MEMORY_LIMIT=55M "$OSV4" php-cli -r 'echo ini_get("memory_limit");' 2>&1) == 55M ]]
    "$OSV4" php-cli -r 'exit((int)!extension_loaded("pdo_pgsql"));'
}

@test "templates are live but where the application has its own file; app_local never is" {
    "$OSV4" version
    cd "$(tree)"
    cmp config/smtp.php config/smtp.example.php
    cmp plugins/Notes/config/notes.php plugins/Notes/config/notes.example.php
    grep 'by the application' config/queue.php
    [[ ! -e config/app_local.php ]]
}

@test "migrations: application and plugin, each noted in its own table, a second time nothing" {
    cake migrations migrate
    [[ -s $(tree)/config/Migrations/schema-dump-default.lock ]]
    cake migrations migrate -p Notes --no-lock
    [[ ! -e $(tree)/plugins/Notes/config/Migrations/schema-dump-default.lock ]]
    [[ $(postgres_query 'SELECT count(*) FROM phinxlog') == 3 ]]
    [[ $(postgres_query 'SELECT count(*) FROM notes_phinxlog') == 2 ]]
    run -0 cake migrations migrate --no-lock
    [[ $output != *migrating* ]]
    run -0 cake migrations status
    [[ $output == *"up  20240814190154  InitialBaseline"* && $output != *down* ]]
    run -1 cake migrations migrate -p Nothing
}

@test "a migration that fails leaves nothing of itself, and those before it stay" {
    TEST_BREAK_MIGRATION=AddRecurringTasks run -1 cake migrations migrate --no-lock
    [[ $output == *"AddRecurringTasks fails"* ]]
    [[ $(postgres_query 'SELECT count(*) FROM phinxlog') == 1 ]]
    [[ -z $(postgres_query "SELECT to_regclass('recurring_tasks')") ]]
    run -0 cake migrations status -f json
    [[ $(json 1/status <<<"$output") == down ]]
    run -0 cake migrations migrate --no-lock
}

@test "seeds need pg_config_1 before them, and new rows need pg_config_2 after them" {
    cake migrations migrate --no-lock
    run -1 cake migrations seed --seed ActionsSeeder
    [[ $output == *"GENERATED ALWAYS"* ]]
    tree=$(tree)
    psql_file "$tree/config/schema/pg_config_1.sql"
    psql_file "$tree/config/schema/pg_config_1.sql"
    cake migrations seed
    run -1 cake recurring_task
    psql_file "$tree/config/schema/pg_config_2.sql"
    psql_file "$tree/config/schema/pg_config_2.sql"
    run -0 cake recurring_task
    [[ $output == *"2 made"* ]]
    run -0 cake recurring_task
    # At the turn of a half hour the second may rightly make two more.
    [[ $output == *"0 made"* || $(postgres_query 'SELECT count(DISTINCT tick) FROM tasks') == 2 ]]
    run -1 cake migrations seed
    [[ $output == *duplicate* ]]
    run -1 cake migrations seed --seed NoSuchSeeder
}

@test "a seeder that fails leaves nothing of itself, and those before it stay" {
    cake migrations migrate --no-lock
    psql_file "$(tree)/config/schema/pg_config_1.sql"
    TEST_BREAK_SEEDER=RolesSeeder run -1 cake migrations seed
    [[ $(postgres_query 'SELECT count(*) FROM roles') == 0 ]]
    [[ $(postgres_query 'SELECT count(*) FROM actions') == 4 ]]
}

# killed_at STATE LAST PAUSE ARGUMENTS…: a command that pauses is killed when its connection is in that state and
# its last statement looks like that.
killed_at() {
    local state=$1 last=$2
    export "${3?}"
    shift 3
    "$OSV4" php-cli bin/cake.php "$@" 3>&- &
    background+=("$!")
    there() { [[ $(postgres_query "SELECT count(*) FROM pg_stat_activity WHERE state = '$state'
        AND usename = '$DB_USERNAME' AND query ~ '$last'") == 1 ]]; }
    gone() { ! there; }
    wait_until 10 there
    kill -9 "${background[-1]}"
    wait_until 10 gone
}

@test "killed before its commit a seeder or migration leaves nothing, behind it everything" {
    killed_at 'idle in transaction' 'CREATE TABLE tasks' TEST_MIGRATION_PAUSE=30 migrations migrate --no-lock
    [[ -z $(postgres_query "SELECT to_regclass('actions')") ]]
    unset TEST_MIGRATION_PAUSE
    cake migrations migrate --no-lock
    psql_file "$(tree)/config/schema/pg_config_1.sql"
    killed_at 'idle in transaction' '' TEST_SEED_PAUSE_INSIDE=30 migrations seed --seed ActionsSeeder
    [[ $(postgres_query 'SELECT count(*) FROM actions') == 0 ]]
    unset TEST_SEED_PAUSE_INSIDE
    killed_at idle COMMIT TEST_SEED_PAUSE=30 migrations seed
    [[ $(postgres_query 'SELECT count(*) FROM actions') == 4 ]]
    [[ $(postgres_query 'SELECT count(*) FROM types') == 0 ]]
}

@test "DATABASE_URL and DB_SCHEMA" {
    postgres_query "CREATE SCHEMA \"tenant-a\" AUTHORIZATION $DB_USERNAME"
    export DATABASE_URL=postgres://$DB_USERNAME:$DB_PASSWORD@$DB_HOST:$DB_PORT/$DB_NAME
    DB_HOST=nowhere.invalid DB_SCHEMA=tenant-a cake migrations migrate --no-lock
    [[ $(postgres_query 'SELECT count(*) FROM "tenant-a".phinxlog') == 3 ]]
    [[ -z $(postgres_query "SELECT to_regclass('public.phinxlog')") ]]
}

@test "pages: counts, settings, variables, uploads, hidden and missing files" {
    prepare
    export NOTIFY_EMAIL='a "b" $c #d é' SMTP_PASSWORD=hidden
    serve
    run -0 curl -fsS "$page/"
    [[ $output == *4.0.0-test* && $output == *'slug 1.0.0'* ]]
    [[ $output == *'<th>role_actions</th><td>12</td>'* ]]
    [[ $(curl -fsS "$page/config" | json settings/Queue.default.made) == 'by the application' ]]
    [[ $(curl -fsS "$page/notes" | json colours) == '["yellow","blue","green"]' ]]
    [[ $(curl -fsS "$page/echo-env?name=NOTIFY_EMAIL" | json value) == "$NOTIFY_EMAIL" ]]
    run -0 curl -fsS "$page/echo-env?name=SMTP_PASSWORD"
    [[ $output != *hidden* && $(json length <<<"$output") == 6 ]]
    head -c 100000 /dev/zero >"$BATS_TEST_TMPDIR/zeros"
    [[ $(curl -fsS -F "file=@$BATS_TEST_TMPDIR/zeros" "$page/upload" | json files/file/size) == 100000 ]]
    curl -fsS -o /dev/null "$page/img/board%20view%20(2024%20edition).svg"
    [[ $(curl -sS -o /dev/null -w '%{http_code}' "$page/.gitignore") == 404 ]]
    [[ $(curl -sS -o /dev/null -w '%{http_code}' "$page/none") == 404 ]]
}

@test "php-server reads the application's php.ini, with the environment in it" {
    "$OSV4" version
    printf 'memory_limit = ${PHP_MEMORY_LIMIT:-321M}\npost_max_size = ${PHP_POST_MAX_SIZE:-9M}\n' >"$(tree)/php.ini"
    PHP_MEMORY_LIMIT=123M serve
    [[ $(curl -fsS "$page/config" | json ini/memory_limit) == 123M ]]
    [[ $(curl -fsS "$page/config" | json ini/post_max_size) == 9M ]]
}

@test "TERM ends the server, and the application's folder goes" {
    serve
    [[ -d $(tree) ]]
    kill "$server"
    wait "$server"
    [[ ! -d $(tree) ]]
    run ! curl -sS -o /dev/null "$page/healthz"
    [[ -z $(ls "$TMPDIR") ]]
}

@test "a killed server does not hold its port" {
    serve
    kill -9 "$server"
    down() { ! curl -sS -o /dev/null "$page/healthz"; }
    wait_until 5 down
}

@test "sessions count: in files, in Redis, in the database" {
    prepare
    local handler
    for handler in php cache database; do
        SESSION_HANDLER=$handler CACHE_ENGINE=redis serve
        curl -fsS -o /dev/null -c "$BATS_TEST_TMPDIR/$handler" "$page/session"
        [[ $(curl -fsS -b "$BATS_TEST_TMPDIR/$handler" "$page/session" | json count) == 2 ]]
        kill "$server"
        wait "$server"
    done
    [[ $(redis_do KEYS 'osv4_session:*' | wc -l) == 1 ]]
    [[ $(postgres_query 'SELECT count(*) FROM sessions') == 1 ]]
}

@test "the worker does jobs, ends on TERM after the one at hand, and at its time" {
    prepare
    serve
    worked() { [[ $(postgres_query 'SELECT count(*) FROM jobs_done') == "$1" ]]; }
    # Its own folder, as each service has: the server takes its own away.
    mkdir "$BATS_TEST_TMPDIR/worker"
    TMPDIR=$BATS_TEST_TMPDIR/worker TEST_JOB_PAUSE=1 "$OSV4" php-cli bin/cake.php queue worker \
        >"$BATS_TEST_TMPDIR/worker.log" 2>&1 3>&- &
    local worker=$!
    background+=("$worker")
    curl -fsS -o /dev/null -d text=first "$page/jobs"
    wait_until 10 worked 1
    kill "$server"
    wait "$server"
    serve
    curl -fsS -o /dev/null -d 'text=ä second' "$page/jobs"
    taken() { [[ $(redis_do LLEN osv4_queue:default:taken) == 1 ]]; }
    wait_until 10 taken
    kill "$worker"
    wait "$worker"
    worked 2
    grep 'ends after 2 jobs' "$BATS_TEST_TMPDIR/worker.log"
    [[ $(curl -fsS "$page/jobs" | json 'done') == '["first","ä second"]' ]]
    run -0 timeout 10 "$OSV4" php-cli bin/cake.php queue worker --max-runtime 1
    [[ $output == *'ends after 0 jobs'* ]]
    export QUEUE_URL="redis://$REDIS_HOST:$REDIS_PORT/0?password=$REDIS_PASSWORD"
    REDIS_PASSWORD=wrong run -0 timeout 10 "$OSV4" php-cli bin/cake.php queue worker --max-runtime 1
    unset QUEUE_URL
    REDIS_PASSWORD=wrong run -1 "$OSV4" php-cli bin/cake.php queue worker --max-runtime 1
}
