#!/usr/bin/env bats
# A database elsewhere, in three ways; starts that must fail; two starts at once.

load lib

setup_file() {
    stand_ins postgres || return
    project one .env.test-external-hostip || return
    export home
    # Somebody else's database: in a network of its own, and at a port of this machine.
    database=$run_id-database
    database_port=$(free_port)
    docker network create "$database" >/dev/null || return
    docker run -d --name "$database" --network "$database" -p "0.0.0.0:$database_port:5432" \
        -e POSTGRES_USER=orangescrum -e POSTGRES_PASSWORD="$(env_of DB_PASSWORD)" -e POSTGRES_DB=orangescrum \
        "$POSTGRES_IMAGE" >/dev/null || return
    export database database_port
    compose build app >/dev/null || return
}

teardown_file() { clear_up; }

# external NAME TEMPLATE: a project like the first, with its image, salt and password.
external() {
    local image=$OSV4_IMAGE:$run_id-one salt password
    use one
    salt=$(env_of SECURITY_SALT) password=$(env_of DB_PASSWORD)
    project "$1" "$2" || return
    set_env SECURITY_SALT "$salt"
    set_env DB_PASSWORD "$password"
    docker tag "$image" "$OSV4_IMAGE:$COMPOSE_PROJECT_NAME"
}

# fresh NAME: a new database in the server, for the current project.
fresh() {
    wait_until 60 docker exec "$database" psql -q -h 127.0.0.1 "postgresql://orangescrum:$(env_of DB_PASSWORD)@127.0.0.1/postgres" \
        -c "create database $1"
    set_env DB_NAME "$1"
}

asked() { docker exec "$database" psql -qAtX "postgresql://orangescrum:$(env_of DB_PASSWORD)@127.0.0.1/$(env_of DB_NAME)" -c "$1"; }

served() {
    compose up -d app || return
    wait_until 90 is healthy health || { compose logs --no-color app migrate; return 1; }
    page / | grep -q 'id="version"'
    [ "$(asked 'select count(*) > 0 from actions')" = t ]
    compose down
}

@test "at an address of the network" {
    use one
    fresh hostip
    # The address that this machine has in the network.
    set_env DB_HOST "$(ip -4 route get 192.0.2.255 | sed -n 's/.* src \([0-9.]*\).*/\1/p')"
    set_env DB_PORT "$database_port"
    served
}

@test "in a container of another project" {
    external container .env.test-external-container
    fresh container
    set_env DB_NETWORK "$database"
    set_env DB_HOST "$database"
    served
}

@test "on this machine, through the gateway" {
    external gateway .env.test-external-hostgateway
    fresh gateway
    set_env DB_PORT "$database_port"
    served
}

@test "two starts at once migrate and seed once" {
    external twins .env.test-external-container
    fresh twins
    set_env DB_NETWORK "$database"
    set_env DB_HOST "$database"
    compose up --no-start migrate
    local first second
    compose run --rm -T migrate >"$BATS_TEST_TMPDIR/1" 2>&1 &
    first=$!
    compose run --rm -T migrate >"$BATS_TEST_TMPDIR/2" 2>&1 &
    second=$!
    wait $first
    wait $second
    cat "$BATS_TEST_TMPDIR"/?
    [ "$(cat "$BATS_TEST_TMPDIR"/? | grep -c 'InitialBaseline: migrated')" -eq 1 ]
    [ "$(grep -l 'Database seeding: done, 6 seeders' "$BATS_TEST_TMPDIR"/? | wc -l)" -ge 1 ]
    [ "$(cat "$BATS_TEST_TMPDIR"/? | grep -c '== ActionsSeeder: seeded')" -eq 1 ]
    compose down
}

@test "a migration that fails stops the start and says so" {
    external broken .env.test-external-container
    fresh broken
    set_env DB_NETWORK "$database"
    set_env DB_HOST "$database"
    # In the way of a table that a migration makes.
    asked 'create table roles (id int)'
    run compose up -d app
    echo "$output"
    [ "$status" -ne 0 ]
    [ "$(docker inspect -f '{{.State.ExitCode}}' "$(container migrate)")" -eq 70 ]
    docker logs "$(container migrate)" 2>&1 | grep 'orangescrum: error: '
    # Made, but never begun.
    local app
    app=$(container app)
    [ -z "$app" ] || [ "$(docker inspect -f '{{.State.Status}}' "$app")" = created ]
    compose down
}

@test "no database in time, wrong settings: their own exit codes" {
    use twins
    set_env DB_HOST nobody.invalid
    set_env DB_WAIT_TIMEOUT 2
    run compose run --rm -T migrate
    echo "$output"
    [ "$status" -eq 69 ]
    set_env SECURITY_SALT short
    run compose run --rm -T migrate
    echo "$output"
    [ "$status" -eq 78 ]
    [[ $output == *SECURITY_SALT* ]]
    [[ $output != *"$(env_of DB_PASSWORD)"* ]]
}

@test "password and salt from files" {
    external files .env.test-external-container
    fresh files
    set_env DB_NETWORK "$database"
    set_env DB_HOST "$database"
    # The services' file is there for its database, which no profile asks for.
    set_env COMPOSE_FILE docker-compose.yaml:docker-compose.services.yml:docker-compose.network.yml:docker-compose.secrets.yml:docker-compose.test.yml
    mkdir "$home/secrets"
    env_of DB_PASSWORD >"$home/secrets/db_password"
    env_of SECURITY_SALT >"$home/secrets/security_salt"
    chown 10001 "$home"/secrets/*
    chmod 400 "$home"/secrets/*
    local password
    password=$(env_of DB_PASSWORD)
    sed -i '/^DB_PASSWORD=/d; /^SECURITY_SALT=/d' "$home/.env"
    compose up -d app
    wait_until 90 is healthy health || { compose logs --no-color app migrate; return 1; }
    page / | grep -q 'id="version"'
    ! docker inspect "$(container app)" | grep -q -F "$password"
    compose down
}
