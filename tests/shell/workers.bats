# Queue workers and the scheduler: they go on when the server goes, and end when they are told to.

load lib/start
load lib/redis

setup_file() {
    need curl curl && need busybox busybox
    postgres_start
    redis_start 'pass-W0rd'
    postgres_database
}

teardown_file() {
    redis_stop
    postgres_stop
}

setup() {
    postgres_database
    home_make
    home_settings
    start_script
    export QUEUE_ENGINE=redis QUEUE_RESTART_DELAY=0 WORKER_MAX_RUNTIME=1800
    redis_do FLUSHALL
}

teardown() { home_remove; }

done_jobs() { postgres_query 'SELECT count(*) FROM jobs_done'; }
jobs_are() { [[ $(done_jobs) == "$1" ]]; }
new_job() { curl -fsS -d "text=$1" "$page/jobs" >/dev/null; }

@test "a worker survives the server's end, and its TERM ends it after the job at hand" {
    start_server
    home_background queue env TEST_JOB_PAUSE=1 "$HELPERS/queue-worker.sh"
    wait_until 20 grep -q 'waits for jobs' "$HOME_FOLDER/queue.log"
    new_job one
    wait_until 20 jobs_are 1
    new_job two
    kill -TERM "$server_PID"
    wait "$server_PID"
    run ls -d "$OSV4_HOME"/state/run/app/frankenphp_*/
    [[ $status != 0 ]]
    wait_until 20 jobs_are 2
    redis_do KEYS '*'
    start_server
    new_job three
    sleep 0.3
    kill -TERM "$queue_PID"
    code=0
    wait "$queue_PID" || code=$?
    [[ $code == 0 ]]
    wait_until 5 jobs_are 3
    grep -q 'queue: ended' "$HOME_FOLDER/queue.log"
}

@test "workers end by themselves and are started anew; all ends with QUEUE_MAX_RUNTIME" {
    "$HELPERS/prepare.sh"
    began=$SECONDS
    WORKER_MAX_RUNTIME=1 QUEUE_MAX_RUNTIME=6 run busybox sh "$HELPERS/queue-worker.sh"
    [[ $status == 0 && $(grep -c 'queue: a worker starts' <<<"$output") -ge 2 ]]
    ((SECONDS - began < 30))
}

@test "workers that fail are counted, and in the end it gives up" {
    "$HELPERS/prepare.sh"
    REDIS_PORT=1 QUEUE_MAX_RESTARTS=3 run "$HELPERS/queue-worker.sh"
    [[ $status == 70 && $output == *'failure 3 in a row'* && $output == *'gives up'* ]]
}

@test "a worker that breaks when it is told to end is no failure" {
    # As the real binary does at times: the signal of a broken memory access, which a shell calls 139.
    printf '#!/bin/sh\ncase $1 in\nversion) exec %s version ;;\nesac\ntrap "kill -SEGV \\$\\$" TERM\necho up\nwhile :; do sleep 0.1; done\n' \
        "$HOME_FOLDER/osv4-prod" >"$HOME_FOLDER/breaks"
    mv "$OSV4_HOME/orangescrum-app/osv4-prod" "$HOME_FOLDER/osv4-prod"
    mv "$HOME_FOLDER/breaks" "$OSV4_HOME/orangescrum-app/osv4-prod"
    chmod +x "$OSV4_HOME/orangescrum-app/osv4-prod"
    home_background queue "$HELPERS/queue-worker.sh"
    wait_until 20 grep -qx up "$HOME_FOLDER/queue.log"
    kill -TERM "$queue_PID"
    code=0
    wait "$queue_PID" || code=$?
    [[ $code == 0 ]]
}

@test "QUEUE_WORKER=false has nothing to do" {
    QUEUE_WORKER=false run "$HELPERS/queue-worker.sh"
    [[ $status == 0 && $output == *'nothing to do'* ]]
}

@test "a folder of applications that was cleared comes back" {
    "$HELPERS/prepare.sh"
    home_background queue env WORKER_MAX_RUNTIME=1 "$HELPERS/queue-worker.sh"
    wait_until 20 grep -q 'waits for jobs' "$HOME_FOLDER/queue.log"
    rm -rf "$OSV4_HOME"/state/run/queue/frankenphp_*/
    wait_until 20 eval '[[ $(grep -c "ends after" "$HOME_FOLDER/queue.log") -ge 3 ]]'
    [[ -f $(echo "$OSV4_HOME"/state/run/queue/frankenphp_*/)bin/cake.php ]]
    # Without the links to logs and sessions it would be another application.
    [[ -L $(echo "$OSV4_HOME"/state/run/queue/frankenphp_*/)logs ]]
}

@test "the scheduler: once, and at each turn" {
    "$HELPERS/prepare.sh"
    run "$HELPERS/scheduler.sh" --once
    [[ $status == 0 ]]
    home_background scheduler env OSV4_SCHEDULER_INTERVAL=1 busybox sh "$HELPERS/scheduler.sh"
    wait_until 30 eval '[[ $(grep -c "recurring_task starts" "$HOME_FOLDER/scheduler.log") -ge 2 ]]'
    # One that fails does not end it.
    postgres_query 'ALTER TABLE recurring_tasks RENAME TO gone'
    wait_until 30 grep -q 'warning: scheduler: recurring_task ended with 1' "$HOME_FOLDER/scheduler.log"
    kill -TERM "$scheduler_PID"
    code=0
    wait "$scheduler_PID" || code=$?
    [[ $code == 0 ]]
    grep -q 'scheduler: ended' "$HOME_FOLDER/scheduler.log"
    run "$HELPERS/scheduler.sh" --twice
    [[ $status == 64 ]]
}
