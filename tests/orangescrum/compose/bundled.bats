#!/usr/bin/env bats
# One machine, everything bundled: first start, restart, settings, stopping, health, backup.

load lib

setup_file() {
    stand_ins postgres redis || return
    project one .env.test-bundled || return
    set_env COMPOSE_PROFILES bundled-db,redis,queue
    set_env APP_NAME "'Blue & \"green\" #1 costs 5\$ each'"
    set_env CACHE_PREFIX '"it'"'"'s "'
    set_env FROM_EMAIL 'a+b=c@example.com'
    export home
}

teardown_file() { clear_up; }

setup() { use one; }

@test "the first deployment brings everything up, and says that it seeded" {
    cp "$home/.env" "$BATS_FILE_TMPDIR/env"
    run "$home/deploy.sh" --timeout 120
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"first deployment: nothing to back up"* ]]
    page / | grep -q 'id="version"'
    docker logs "$(container migrate)" 2>&1 | grep 'Database seeding: '
    docker logs "$(container app)" 2>&1 | grep 'Database seeding: '
    # What no profile asks for is not there.
    [ -z "$(container orangescrum-storage)$(container orangescrum-storage-bucket)$(container orangescrum-mail)" ]
    # People's settings are read, not written.
    cmp "$home/.env" "$BATS_FILE_TMPDIR/env"
    [ "$(sql 'select count(*) > 0 from actions')" = t ]
}

@test "the image holds no settings, and its user cannot change what it runs" {
    local image=$OSV4_IMAGE:$COMPOSE_PROJECT_NAME salt
    salt=$(env_of SECURITY_SALT)
    [ -n "$salt" ]
    run docker run --rm --entrypoint sh "$image" -c 'id -u; ls -A /opt/orangescrum; touch /opt/orangescrum/helpers/x'
    echo "$output"
    [ "$status" -ne 0 ]
    [ "${lines[0]}" = 10001 ]
    [[ $output != *.env* ]]
    ! docker save "$image" | grep -a -q -F "$salt"
}

@test "containers have a read-only root, no capabilities and no way to more rights" {
    local id
    for service in app queue scheduler; do
        id=$(container $service)
        [ "$(docker inspect -f '{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}}' "$id")" = \
            "true [ALL] [no-new-privileges:true]" ]
        run docker exec "$id" touch /etc/x
        [[ $output == *"Read-only file system"* ]]
        docker exec "$id" grep -q '^CapEff:.0000000000000000$' /proc/1/status ||
            docker exec "$id" sh -c 'grep -q "^CapEff:.0000000000000000$" /proc/self/status'
    done
}

@test "the database's and Redis' ports are this machine's alone" {
    for service in orangescrum-db orangescrum-redis; do
        run docker inspect -f '{{range .NetworkSettings.Ports}}{{range .}}{{println .HostIp}}{{end}}{{end}}' "$(container $service)"
        [ "$(tr -d '\n' <<<"$output")" = 127.0.0.1 ]
    done
}

@test "values with blanks, quotes, number and dollar signs reach PHP as they are" {
    [ "$(php_env APP_NAME)" = 'Blue & "green" #1 costs 5$ each' ]
    [ "$(php_env CACHE_PREFIX)" = "it's " ]
    [ "$(php_env FROM_EMAIL)" = 'a+b=c@example.com' ]
    # What names a secret is not shown; its digest must be that of the file's value.
    local sum
    sum=$(printf %s "$(env_of SECURITY_SALT)" | sha256sum | cut -d ' ' -f 1)
    page '/echo-env?name=SECURITY_SALT' | grep -q "$sum"
}

@test "a second start changes nothing in the database" {
    dump >"$BATS_TEST_TMPDIR/before"
    compose up -d --force-recreate app migrate
    wait_until 60 is healthy health
    docker logs "$(container app)" 2>&1 | grep 'Database seeding: '
    dump >"$BATS_TEST_TMPDIR/after"
    cmp "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
}

@test "an edited configuration takes effect at the next start" {
    printf '<?php\nreturn ["App" => ["edited" => "by a person"]];\n' >"$home/config/edited.php"
    compose restart app
    wait_until 60 is healthy health
    page /config | grep -q config.*edited.php
    rm "$home/config/edited.php"
}

@test "a variable of another env file reaches PHP" {
    sed 's/^APP_NAME=.*/APP_NAME=other-file/' "$home/.env" >"$home/other.env"
    compose --env-file other.env up -d app
    wait_until 60 is healthy health
    [ "$(php_env APP_NAME)" = other-file ]
    compose up -d app
    wait_until 60 is healthy health
    [ "$(php_env APP_NAME)" != other-file ]
}

@test "health follows the application" {
    wait_until 30 is healthy health
    local php
    php=$(docker exec "$(container app)" sh -c 'for p in /proc/[0-9]*; do tr "\0" " " <$p/cmdline | grep -q " [-]S " && basename $p; done' | tail -1)
    docker exec "$(container app)" sh -c "kill -STOP $php"
    wait_until 60 is unhealthy health
    docker exec "$(container app)" sh -c "kill -CONT $php"
    wait_until 30 is healthy health
}

@test "workers take jobs, also while the application is stopped" {
    local id
    curl -fsS -d text=first "$(url /jobs)" || { docker logs "$(container app)" 2>&1 | tail -5; docker logs "$(container orangescrum-redis)"; docker exec "$(container app)" getent hosts orangescrum-redis; return 1; }
    wait_until 30 is t sql "select count(*) = 1 from jobs_done"
    curl -fsS -d text=second "$(url /jobs)"
    SECONDS=0
    compose stop app
    # Within the grace period, by itself: 137 would be a kill.
    ((SECONDS < 25))
    [ "$(docker inspect -f '{{.State.ExitCode}}' "$(container app)")" -ne 137 ]
    wait_until 30 is t sql "select count(*) = 2 from jobs_done"
    for id in $(container queue) $(container scheduler); do
        [ "$(docker inspect -f '{{.State.Running}} {{.RestartCount}}' "$id")" = "true 0" ]
    done
    compose up -d app
    wait_until 60 is healthy health
}

@test "as many workers as QUEUE_REPLICAS says" {
    set_env QUEUE_REPLICAS 3
    compose up -d --no-recreate queue
    [ "$(container queue | wc -l)" -eq 3 ]
    for id in $(container queue); do
        wait_until 30 docker exec "$id" sh -c 'ls -d /run/orangescrum/*/frankenphp_*'
    done
    set_env QUEUE_REPLICAS 1
    compose up -d --no-recreate queue
    wait_until 70 is 1 eval 'container queue | wc -l'
}

@test "commands of the application run beside it" {
    run compose run --rm -T app cake migrations status
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *InitialBaseline* ]]
}
