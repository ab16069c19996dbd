# The first start and every start: one that migrates, and becomes a server, on real PostgreSQL.

load lib/start

bats_require_minimum_version 1.5.0

setup_file() {
    need curl curl && need dash dash && need busybox busybox
    postgres_start
}

teardown_file() { postgres_stop; }

setup() {
    postgres_database
    home_make
    home_settings
    start_script
}

teardown() {
    home_remove
    # A cluster of the test's own.
    [[ -z ${own_cluster:-} ]] || postgres_stop
}

prepare() { "$HELPERS/prepare.sh"; }

json() {
    php -r '$value = json_decode(stream_get_contents(STDIN), true, flags: JSON_THROW_ON_ERROR);
        foreach (explode("/", $argv[1]) as $step) { $value = $value[$step] ?? null; }
        echo is_string($value) ? $value : json_encode($value), "\n";' "$1"
}

@test "a first start: migrated, seeded, served; the second changes nothing" {
    start_server
    grep -x 'orangescrum: Database migrations: done, 5 migrations' "$HOME_FOLDER/server.log"
    grep -x 'orangescrum: Database seeding: done, 6 seeders of 6' "$HOME_FOLDER/server.log"
    curl -fsS "$page/" | grep -q 'Orangescrum\|OrangeScrum'
    [[ -s $OSV4_HOME/state/schema/schema-dump-default.lock ]]
    kill -TERM "$server_PID"
    wait "$server_PID"
    database_text >"$HOME_FOLDER/before"
    cksum "$OSV4_HOME/state/schema/"* >"$HOME_FOLDER/dump"
    start_server
    grep -x 'orangescrum: Database migrations: nothing to do' "$HOME_FOLDER/server.log"
    grep -x 'orangescrum: Database seeding: nothing to do, 6 seeders recorded' "$HOME_FOLDER/server.log"
    database_text | diff "$HOME_FOLDER/before" -
    cksum "$OSV4_HOME/state/schema/"* | diff "$HOME_FOLDER/dump" -
}

@test "the same under busybox" {
    busybox sh "$HELPERS/prepare.sh"
    [[ $(postgres_query 'SELECT count(*) FROM phinxlog') == 3 ]]
    home_background server busybox sh "$START"
    wait_for_page "http://127.0.0.1:$APP_PORT/" 30
}

@test "the server has the script's place: signals reach it, and its tree goes while others' stay" {
    "$HELPERS/cake.sh" version
    start_server
    tr '\0' ' ' <"/proc/$server_PID/cmdline" | grep -q 'osv4-prod php-server'
    ls -d "$OSV4_HOME"/state/run/app/frankenphp_*/
    kill -TERM "$server_PID"
    wait_until 10 bash -c "! kill -0 $server_PID"
    run ls -d "$OSV4_HOME"/state/run/app/frankenphp_*/
    [[ $status != 0 ]]
    ls -d "$OSV4_HOME"/state/run/cake/frankenphp_*/
    "$HELPERS/cake.sh" migrations status
}

@test "PORT beats APP_PORT, and both reach PHP" {
    PORT=$(free_port)
    export PORT
    other=$APP_PORT
    home_background server "$START"
    wait_for_page "http://127.0.0.1:$PORT/healthz" 30
    [[ $(curl -fsS "http://127.0.0.1:$PORT/echo-env?name=APP_PORT" | json value) == "$PORT" ]]
    run ! curl -fsS "http://127.0.0.1:$other/healthz"
}

@test "what the server is told: proxies as Caddy reads them, nothing that is empty" {
    export APP_TRUSTED_PROXIES=10.0.0.0/8,192.168.1.1 CADDY_ADMIN='' PHP_MEMORY_LIMIT=
    start_server
    [[ $(curl -fsS "$page/echo-env?name=CADDY_TRUSTED_PROXIES" | json value) == '10.0.0.0/8 192.168.1.1' ]]
    [[ $(curl -fsS "$page/echo-env?name=CADDY_ADMIN" | json set) == false ]]
    [[ $(curl -fsS "$page/echo-env?name=PHP_MEMORY_LIMIT" | json set) == false ]]
    [[ $(curl -fsS "$page/echo-env?name=SERVER_NAME" | json value) == "http://:$APP_PORT" ]]
    kill -TERM "$server_PID"
    wait "$server_PID"
    APP_TRUSTED_PROXIES='*' start_server
    [[ $(curl -fsS "$page/echo-env?name=CADDY_TRUSTED_PROXIES" | json value) == '0.0.0.0/0 ::/0' ]]
}

@test "two first starts at once migrate and seed once" {
    home_background one env TEST_MIGRATION_PAUSE=0.5 "$HELPERS/prepare.sh"
    home_background two env TEST_MIGRATION_PAUSE=0.5 busybox sh "$HELPERS/prepare.sh"
    wait "$one_PID"
    wait "$two_PID"
    cat "$HOME_FOLDER"/*.log
    [[ $(cat "$HOME_FOLDER"/{one,two}.log | grep -cx 'orangescrum: Database seeding: done, 6 seeders of 6') == 1 ]]
    [[ $(cat "$HOME_FOLDER"/{one,two}.log | grep -cx 'orangescrum: Database migrations: nothing to do') == 1 ]]
    grep -h 'another start migrates' "$HOME_FOLDER"/{one,two}.log | grep -q 'orangescrum start, '
    [[ $(postgres_query 'SELECT count(*) FROM roles') == 4 && $(postgres_query 'SELECT count(*) FROM phinxlog') == 3 ]]
}

@test "a migration that fails stops the start and says so; once mended it goes on" {
    TEST_BREAK_MIGRATION=CreateJobsAndSessions run "$START"
    [[ $status == 70 ]]
    [[ $output == *'CreateJobsAndSessions fails'* ]]
    [[ $output == *'error: a migration of the application failed'*'start again'*'restore.sh'* ]]
    [[ $output != *'serving on'* && $output != *'seeder '* ]]
    [[ $(postgres_query 'SELECT count(*) FROM phinxlog') == 2 ]]
    run ! curl -fsS "http://127.0.0.1:$APP_PORT/healthz"
    run prepare
    [[ $status == 0 && $output == *'done, 3 migrations'* && $output == *'Database seeding: done, 6'* ]]
}

@test "a plugin's migration that fails stops the start too" {
    TEST_BREAK_MIGRATION=AddPinned run prepare
    [[ $status == 70 && $output == *'plugin `Notes` failed'* ]]
}

@test "killed during a migration, and started again" {
    home_background one env TEST_MIGRATION_PAUSE=30 "$HELPERS/prepare.sh"
    wait_until 20 step_is 'idle in transaction'
    kill_all
    run prepare
    [[ $status == 0 && $output == *'done, 5 migrations'* ]]
}

@test "a step that outlived its killed start is waited for" {
    home_background one env TEST_MIGRATION_PAUSE=100 "$HELPERS/prepare.sh"
    wait_until 20 step_is 'idle in transaction'
    for pid in $(home_processes); do
        if tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q 'php/prepare.php'; then
            kill -KILL "$pid"
        fi
    done
    home_background two "$HELPERS/prepare.sh"
    wait_until 20 grep -q 'a step of a start that was killed still runs' "$HOME_FOLDER/two.log"
    run ! grep 'migrations of' "$HOME_FOLDER/two.log"
    postgres_query "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'orangescrum migration step'"
    wait "$two_PID"
    [[ $(postgres_query 'SELECT count(*) FROM phinxlog') == 3 ]]
}

@test "TERM during a migration ends at once, with the step" {
    home_background one env TEST_MIGRATION_PAUSE=60 "$HELPERS/prepare.sh"
    wait_until 20 step_is 'idle in transaction'
    began=$SECONDS
    kill -TERM "$one_PID"
    code=0
    wait "$one_PID" || code=$?
    [[ $code == 143 && $((SECONDS - began)) -lt 6 ]]
    wait_until 5 no_sessions
    prepare
}

@test "a wrong password, user or database fails at once with 78" {
    export DB_WAIT_TIMEOUT=60
    began=$SECONDS
    DB_PASSWORD=wrong-Word run prepare
    [[ $status == 78 && $output == *DB_PASSWORD* && $output != *wrong-Word* ]]
    DB_USERNAME=nobody run prepare
    [[ $status == 78 ]]
    DB_NAME=nowhere run prepare
    [[ $status == 78 && $output == *'database does not exist'* ]]
    DB_SCHEMA=nowhere run prepare
    [[ $status == 78 && $output == *'schema `nowhere`'* ]]
    ((SECONDS - began < 30))
}

@test "a database that comes late is waited for, one that never comes ends with 69" {
    own_cluster=yes
    postgres_start
    postgres_database
    postgres_pause
    DB_WAIT_TIMEOUT=2 run prepare
    [[ $status == 69 && $output == *'waiting for database'* && $output == *'did not answer in 2 s'* ]]
    export DB_WAIT_TIMEOUT=60
    home_background one "$HELPERS/prepare.sh"
    wait_until 10 grep -q 'waiting for database `orangescrum` at 127.0.0.1' "$HOME_FOLDER/one.log"
    postgres_continue
    wait "$one_PID"
    grep -q 'the database answers' "$HOME_FOLDER/one.log"
}

@test "a lock that somebody holds: waits until its deadline, and says who it is" {
    PGAPPNAME=somebody postgres_sql "$DB_NAME" "SELECT pg_advisory_lock(hashtext('osv4:migrate')), pg_sleep(60)" >/dev/null 3>&- &
    holder=$!
    wait_until 5 eval '[[ $(postgres_query "SELECT count(*) FROM pg_locks WHERE locktype = '\''advisory'\''") == 1 ]]'
    MIGRATION_LOCK_TIMEOUT=2 run prepare
    kill "$holder"
    [[ $status == 70 && $output == *'another start migrates'*'of `postgres` (somebody)'* && $output == *MIGRATION_LOCK_TIMEOUT* ]]
    [[ -z $(postgres_query "SELECT to_regclass('phinxlog')") ]]
}

@test "the switches: SKIP wins over RUN" {
    # Each: settings, whether it migrates, whether it seeds.
    while read -r migrates seeds settings; do
        postgres_database
        # shellcheck disable=SC2086
        run env $settings "$HELPERS/prepare.sh"
        [[ $status == 0 && $(grep -c 'Database seeding: ' <<<"$output") == 1 ]]
        did=no
        [[ -z $(postgres_query "SELECT to_regclass('phinxlog')") ]] || did=yes
        [[ $did == "$migrates" ]] || { echo "migrates: $settings" >&2; return 1; }
        did=no
        [[ $migrates == no || $(postgres_query 'SELECT count(*) FROM roles') == 0 ]] || did=yes
        [[ $did == "$seeds" ]] || { echo "seeds: $settings" >&2; return 1; }
    done <<'TABLE'
yes yes RUN_MIGRATIONS=true RUN_SEEDERS=true
no  no  SKIP_MIGRATIONS=true
no  no  RUN_MIGRATIONS=false
no  no  SKIP_MIGRATIONS=true RUN_MIGRATIONS=true RUN_SEEDERS=true
no  no  SKIP_MIGRATIONS=false RUN_MIGRATIONS=no
yes no  SKIP_SEEDERS=1
yes no  RUN_SEEDERS=false
yes no  SKIP_SEEDERS=true RUN_SEEDERS=true
yes yes SKIP_MIGRATIONS= SKIP_SEEDERS=
TABLE
    # Seeds that were left out go in when they are wanted.
    SKIP_SEEDERS=false run prepare
    [[ $output == *'Database seeding: nothing to do'* ]]
    postgres_database
    SKIP_SEEDERS=true prepare
    run prepare
    [[ $output == *'Database seeding: done, 6 seeders of 6'* ]]
}

@test "DATABASE_URL, and the direct connection past a pooler" {
    url=postgres://orangescrum:s3cret%2DWord@127.0.0.1:$POSTGRES_PORT/orangescrum
    DATABASE_URL=$url DB_HOST=nowhere.invalid DB_NAME=other run prepare
    [[ $status == 0 && $output == *'done, 5 migrations'* ]]
    postgres_database
    DATABASE_URL=postgres://orangescrum:s3cret-Word@pooler.invalid:1/orangescrum?x=y \
        MIGRATION_DB_HOST=127.0.0.1 MIGRATION_DB_PORT=$POSTGRES_PORT run prepare
    [[ $status == 0 && $output == *'Database seeding: done'* ]]
    postgres_database
    DB_HOST=pooler.invalid DB_PORT=1 MIGRATION_DB_HOST=127.0.0.1 MIGRATION_DB_PORT=$POSTGRES_PORT run prepare
    [[ $status == 0 && $output == *'Database seeding: done'* ]]
    DB_PORT=$POSTGRES_PORT MIGRATION_DB_HOST=nowhere.invalid DB_WAIT_TIMEOUT=1 run prepare
    [[ $status == 69 && $output == *nowhere.invalid* ]]
}

@test "secrets are in no log and no argument" {
    unset DB_PASSWORD SECURITY_SALT
    printf 's3cret-Word\n' >"$HOME_FOLDER/password"
    printf '0123456789abcdef0123456789abcdef\n' >"$HOME_FOLDER/salt"
    export DB_PASSWORD_FILE=$HOME_FOLDER/password SECURITY_SALT_FILE=$HOME_FOLDER/salt
    home_background one env TEST_MIGRATION_PAUSE=2 "$HELPERS/prepare.sh"
    wait_until 20 step_is 'idle in transaction'
    for pid in $(home_processes); do
        tr '\0' ' ' <"/proc/$pid/cmdline"
        echo
    done >"$HOME_FOLDER/arguments"
    grep -q 'php/prepare.php' "$HOME_FOLDER/arguments"
    wait "$one_PID"
    run ! grep -e s3cret-Word -e 0123456789abcdef "$HOME_FOLDER/arguments" "$HOME_FOLDER/one.log"
    # What steps print is cleaned of them as well: here the step's own message holds one.
    postgres_database
    GITHUB_CLIENT_SECRET=AddRecurringTasks TEST_BREAK_MIGRATION=AddRecurringTasks run "$HELPERS/prepare.sh"
    [[ $status == 70 && $output == *'*** fails because'* && $output != *AddRecurringTasks* ]]
}

@test "edits in the package's config take effect at the next start" {
    start_server
    [[ $(curl -fsS "$page/config" | json settings/Local) == null ]]
    kill -TERM "$server_PID"
    wait "$server_PID"
    echo '<?php return ["Local" => "mine"];' >"$OSV4_HOME/config/queue.php"
    mkdir -p "$OSV4_HOME/config/plugins/Notes"
    echo '<?php return ["Notes" => ["colour" => "mine"]];' >"$OSV4_HOME/config/plugins/Notes/notes.php"
    start_server
    curl -fsS "$page/config" | tee "$HOME_FOLDER/config" >/dev/null
    [[ $(json settings/Local <"$HOME_FOLDER/config") == mine ]]
    [[ $(json settings/Notes/colour <"$HOME_FOLDER/config") == mine ]]
    kill -TERM "$server_PID"
    wait "$server_PID"
    # Taken away again: its template, or the application's own.
    rm "$OSV4_HOME/config/queue.php" "$OSV4_HOME/config/plugins/Notes/notes.php"
    start_server
    [[ $(curl -fsS "$page/config" | json settings/Local) == null ]]
    [[ $(curl -fsS "$page/config" | json settings/Notes/colour) != mine ]]
}

@test "an edit reaches a tree that is in use, and goes again" {
    mkdir -p "$OSV4_HOME/config/plugins/Notes"
    "$HELPERS/cake.sh" version
    tree=$(echo "$OSV4_HOME"/state/run/cake/frankenphp_*/)
    cp "$tree/plugins/Notes/config/notes.php" "$HOME_FOLDER/own"
    echo '<?php return ["Notes" => "mine"];' >"$OSV4_HOME/config/plugins/Notes/notes.php"
    "$HELPERS/cake.sh" version
    grep -q mine "$tree/plugins/Notes/config/notes.php"
    rm "$OSV4_HOME/config/plugins/Notes/notes.php"
    "$HELPERS/cake.sh" version
    cmp "$tree/plugins/Notes/config/notes.php" "$HOME_FOLDER/own"
}

@test "templates become live once; edited ones stay, others follow their template" {
    "$HELPERS/cake.sh" version
    cd "$OSV4_HOME/config"
    for template in *.example.php plugins/*/*.example.php; do
        cmp "$template" "${template%.example.php}.php"
    done
    echo '// mine' >>smtp.php
    echo '// newer' >>smtp.example.php
    echo '// newer' >>storage.example.php
    echo '<?php return [];' >brandnew.example.php
    rm recaptcha.php
    "$HELPERS/cake.sh" version
    [[ $(tail -n 1 smtp.php) == '// mine' ]]
    cmp storage.example.php storage.php
    cmp brandnew.example.php brandnew.php
    cmp recaptcha.example.php recaptcha.php
    # What a person made to look like the template is hers all the same, once it differed.
    "$HELPERS/cake.sh" version
    [[ $(tail -n 1 smtp.php) == '// mine' ]]
}

@test "a config folder that may not be written: templates count all the same" {
    chown -R nobody "$HOME_FOLDER"
    chmod 755 "$HOME_FOLDER"
    chown -R root "$OSV4_HOME/config"
    nobody=(setpriv --reuid nobody --regid nogroup --clear-groups)
    "${nobody[@]}" "$HELPERS/cake.sh" version
    [[ ! -e $OSV4_HOME/config/app_local.php ]]
    tree=$(echo "$OSV4_HOME"/state/run/cake/frankenphp_*/)
    cmp "$OSV4_HOME/config/app_local.example.php" "$tree/config/app_local.php"
    # One that cannot be read is no reason to go on without it.
    cp "$OSV4_HOME/config/smtp.example.php" "$OSV4_HOME/config/smtp.php"
    chmod 600 "$OSV4_HOME/config/smtp.php"
    run "${nobody[@]}" "$HELPERS/cake.sh" version
    [[ $status == 78 && $output == *'smtp.php cannot be read'* ]]
}

@test "logs, sessions and uploads survive, and only the owner may read them" {
    start_server
    curl -fsS -c "$HOME_FOLDER/jar" -b "$HOME_FOLDER/jar" "$page/session"
    mkdir -p "$OSV4_HOME"/state/run/app/frankenphp_*/webroot/files
    echo upload >"$(echo "$OSV4_HOME"/state/run/app/frankenphp_*/)webroot/files/a.txt"
    kill -TERM "$server_PID"
    wait "$server_PID"
    [[ $(cat "$OSV4_HOME/state/files/a.txt") == upload ]]
    [[ $(stat -c %a "$OSV4_HOME/state" "$OSV4_HOME/state/tmp" "$OSV4_HOME/state/logs" | sort -u) == 700 ]]
    start_server
    [[ $(curl -fsS "$page/files/a.txt") == upload ]]
    curl -fsS -b "$HOME_FOLDER/jar" "$page/session" | grep -q 2
}

@test "php.ini of the application counts for its commands" {
    "$HELPERS/cake.sh" version
    tree=$(echo "$OSV4_HOME"/state/run/cake/frankenphp_*/)
    echo 'memory_limit = 77M' >"${tree}php.ini"
    echo '<?php echo ini_get("memory_limit"), "\n"; exit(7);' >"${tree}bin/cake.php"
    run "$HELPERS/cake.sh" anything
    [[ $status == 7 && $output == *77M ]]
}

@test "a package that is not whole, or not for this machine, ends with 78" {
    mv "$OSV4_HOME/orangescrum-app/osv4-prod" "$HOME_FOLDER/osv4-prod"
    run prepare
    [[ $status == 78 && $output == *'is missing or cannot be run'* ]]
    printf '#!/bin/sh\necho no room >&2\nexit 2\n' >"$OSV4_HOME/orangescrum-app/osv4-prod"
    chmod +x "$OSV4_HOME/orangescrum-app/osv4-prod"
    run prepare
    [[ $status == 78 && $output == *'could not unpack'*'no room'* ]]
    printf '#!/bin/sh\nsleep 20\n' >"$OSV4_HOME/orangescrum-app/osv4-prod"
    FRANKENPHP_EXTRACT_TIMEOUT=1 run prepare
    [[ $status == 78 && $output == *FRANKENPHP_EXTRACT_TIMEOUT* ]]
    printf '\177ELF of another machine' >"$OSV4_HOME/orangescrum-app/osv4-prod"
    run prepare
    [[ $status == 78 ]]
    [[ -z $(find "$OSV4_HOME/state/run" -name '.new.*') ]]
}

@test "two commands at once on a fresh folder share one whole tree" {
    home_background one "$HELPERS/cake.sh" version
    home_background two "$HELPERS/cake.sh" version
    home_background three "$HELPERS/cake.sh" version
    wait "$one_PID" && wait "$two_PID" && wait "$three_PID"
    [[ $(find "$OSV4_HOME/state/run/cake" -maxdepth 1 -type d -name 'frankenphp_*' | wc -l) == 1 ]]
}
