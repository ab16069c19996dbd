#!/usr/bin/env bats
# Each profile by itself, up and down, in a project without the application.

load lib

setup_file() {
    stand_ins postgres redis storage mail || return
    project one .env.test-bundled || return
    export home
}

teardown_file() { clear_up; }

setup() { use one; }

teardown() { compose down >/dev/null 2>&1; }

healthy() { [ "$(docker inspect -f '{{.State.Health.Status}}' "$(container "$1")")" = healthy ]; }

port() { compose port "orangescrum-$1" "$2" | sed 's/.*://'; }

@test "bundled-db: PostgreSQL with the name, password and database of the settings" {
    compose up -d orangescrum-db
    wait_until 60 healthy orangescrum-db
    [ "$(sql 'select current_user || current_database()')" = orangescrumorangescrum ]
    [ "$(sql 'show data_checksums')" = on ]
}

@test "redis: wants the password, keeps what it was told" {
    compose up -d orangescrum-redis
    wait_until 60 healthy orangescrum-redis
    local id password
    id=$(container orangescrum-redis) password=$(env_of REDIS_PASSWORD)
    run docker exec "$id" redis-cli set key kept
    [[ $output == *NOAUTH* ]]
    [ "$(docker exec -e REDISCLI_AUTH="$password" "$id" redis-cli set key kept)" = OK ]
    compose up -d --force-recreate orangescrum-redis
    id=$(container orangescrum-redis)
    wait_until 60 healthy orangescrum-redis
    [ "$(docker exec -e REDISCLI_AUTH="$password" "$id" redis-cli get key)" = kept ]
    ! docker top "$id" | grep -q -F "$password"
}

@test "redis: a password with quotes and a backslash-free sign, and none at all" {
    local before=$(env_of REDIS_PASSWORD)
    set_env REDIS_PASSWORD "'a \"b\" \$c #d'"
    compose up -d orangescrum-redis
    wait_until 60 healthy orangescrum-redis
    [ "$(docker exec -e REDISCLI_AUTH='a "b" $c #d' "$(container orangescrum-redis)" redis-cli ping)" = PONG ]
    set_env REDIS_PASSWORD ''
    compose up -d orangescrum-redis
    wait_until 60 healthy orangescrum-redis
    [ "$(docker exec "$(container orangescrum-redis)" redis-cli ping)" = PONG ]
    set_env REDIS_PASSWORD "$before"
}

@test "storage: the bucket is made, once" {
    compose up -d orangescrum-storage orangescrum-storage-bucket
    wait_until 60 healthy orangescrum-storage
    ended() { [ "$(docker inspect -f '{{.State.Status}} {{.State.ExitCode}}' "$(container orangescrum-storage-bucket)")" = "exited 0" ]; }
    wait_until 60 ended
    [ "$(curl -s -o "$BATS_TEST_TMPDIR/list" -w '%{http_code}' "http://127.0.0.1:$(port storage 9000)/orangescrum")" = 200 ]
    compose up -d orangescrum-storage-bucket
    wait_until 60 ended
}

@test "mail: what is sent is caught" {
    compose up -d orangescrum-mail
    wait_until 60 healthy orangescrum-mail
    printf 'Subject: caught\n\nhello\n' | curl -sS --url "smtp://127.0.0.1:$(port mail 1025)" \
        --mail-from orangescrum@example.com --mail-rcpt somebody@example.com --upload-file -
    curl -fsS "http://127.0.0.1:$(port mail 8025)/api/v1/messages" | grep -q somebody@example.com
}

@test "down leaves the volumes, and two projects have their own" {
    compose up -d orangescrum-redis
    compose down
    docker volume inspect "${COMPOSE_PROJECT_NAME}_redis-data" >/dev/null
    [ "$(docker volume ls -q --filter "label=com.docker.compose.project=$COMPOSE_PROJECT_NAME" | grep -v -c "^$COMPOSE_PROJECT_NAME")" -eq 0 ]
}
