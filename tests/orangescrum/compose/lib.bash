# Packages for Docker in real containers, loaded by `load lib`. Wants root, docker with an engine that
# answers, docker-compose, curl, and in OSV4_TEST_DEBIAN the name of an image with a Debian.
# A file's projects, containers, networks, volumes and images go when it is done, also when it failed.

repository=$(cd "$BATS_TEST_DIRNAME/../../.." && pwd)

need() {
    command -v "$1" >/dev/null || { echo "\`$1\` is missing: apt-get install $2" >&2; return 1; }
}

# --- images that stand for those of the compose files; they stay for the next run -----------------

stand_in() {
    local from=$BATS_TEST_DIRNAME/images digest name
    digest=$({ echo "$OSV4_TEST_DEBIAN"; cat "$from"/*; } | sha256sum | cut -c 1-16)
    name=osgraph-test-fixture-compose-$1:$digest
    (
        flock 9
        docker image inspect "$name" >/dev/null 2>&1 || {
            local older
            older=$(docker image ls --format '{{.Repository}}:{{.Tag}}' "osgraph-test-fixture-compose-$1")
            DOCKER_BUILDKIT=0 docker build --quiet --build-arg "DEBIAN=$OSV4_TEST_DEBIAN" --target "$1" \
                --tag "$name" "$from" >/dev/null || exit
            [ -z "$older" ] || docker image rm $older >/dev/null 2>&1 || :
        }
    ) 9>"/tmp/osgraph-test-fixture-compose.lock" || return
    echo "$name"
}

# Keeps the Dockerfile's step that installs packages in the builder's cache: it is the same for all tests.
warm_up() {
    local file=$repository/targets/docker/Dockerfile name folder
    name=osgraph-test-fixture-compose-warm:$({ echo "$RUNTIME_GLIBC"; cat "$file"; } | sha256sum | cut -c 1-16)
    (
        flock 9
        docker image inspect "$name" >/dev/null 2>&1 && exit
        folder=$(mktemp -d)
        mkdir -p "$folder/orangescrum-app" "$folder/config" "$folder/helpers"
        touch "$folder/orangescrum-app/osv4-prod" "$folder"/{config,helpers}/none "$folder"/{entrypoint,healthcheck}.sh \
            "$folder/build-manifest.json"
        docker image ls --format '{{.Repository}}:{{.Tag}}' osgraph-test-fixture-compose-warm | xargs -r docker image rm >/dev/null
        docker build --quiet --build-arg LIBC=glibc --build-arg "RUNTIME_GLIBC=$RUNTIME_GLIBC" \
            --build-arg "RUNTIME_MUSL=$RUNTIME_MUSL" --tag "$name" --file "$file" "$folder" >/dev/null 2>&1
        code=$?
        rm -rf "$folder"
        exit "$code"
    ) 9>"/tmp/osgraph-test-fixture-compose.lock"
}

# Called by setup_file. Which stand-ins the file needs: stand_ins postgres redis …
stand_ins() {
    need docker docker.io && need docker-compose docker-compose && need curl curl || return
    [ -n "${OSV4_TEST_DEBIAN:-}" ] || { echo "OSV4_TEST_DEBIAN names no image" >&2; return 1; }
    RUNTIME_GLIBC=$(stand_in runtime) || return
    # The engine's older builder looks for both, whichever is chosen.
    RUNTIME_MUSL=$RUNTIME_GLIBC
    OSV4_LIBC=glibc
    export RUNTIME_GLIBC RUNTIME_MUSL OSV4_LIBC
    warm_up || return
    local each
    for each; do
        case $each in
        postgres) POSTGRES_IMAGE=$(stand_in postgres) && export POSTGRES_IMAGE || return ;;
        redis) REDIS_IMAGE=$(stand_in redis) && export REDIS_IMAGE || return ;;
        storage) STORAGE_IMAGE=$(stand_in storage) && export STORAGE_IMAGE || return ;;
        mail) MAIL_IMAGE=$(stand_in mail) && export MAIL_IMAGE || return ;;
        esac
    done
    run_id=osgraph-test-compose-$(basename "$BATS_TEST_FILENAME" .bats)-$$
    OSV4_IMAGE=$run_id
    export run_id OSV4_IMAGE
}

# --- packages -----------------------------------------------------------------------------------

# package FOLDER [APP]: as the pipeline makes it, with the application for tests in the stand-in of the
# binary. What the manifest says of it is the digest of each file.
package() {
    local folder=$1 app=${2:-$repository/tests/orangescrum/app}
    mkdir -p "$folder/orangescrum-app"
    cp -R "$repository/targets/docker/." "$folder"
    local part
    for part in config helpers .env.example .env.full.example; do
        cp -R "$repository/common/$part" "$folder"
    done
    cp "$("$repository/tests/orangescrum/pack.sh" --cached "$app")" "$folder/orangescrum-app/osv4-prod"
    (cd "$folder" && find . -type f ! -name build-manifest.json | LC_ALL=C sort | xargs -d '\n' sha256sum) \
        >"$folder/build-manifest.json"
}

# project NAME TEMPLATE [APP]: a package with an .env of that template, ready to deploy; goes into $home.
project() {
    home=$BATS_FILE_TMPDIR/$1
    export COMPOSE_PROJECT_NAME=$run_id-$1
    package "$home" "${3:-}" || return
    sed "s/^COMPOSE_PROJECT_NAME=.*/COMPOSE_PROJECT_NAME=$COMPOSE_PROJECT_NAME/
        s/^APP_PORT=.*/APP_PORT=$(free_port)/; s/^APP_BIND_IP=.*/APP_BIND_IP=127.0.0.1/" "$home/$2" >"$home/.env"
    "$home/helpers/generate-secrets.sh" "$home/.env" || return
    set_env COMPOSE_FILE "$(env_of COMPOSE_FILE):docker-compose.test.yml"
    quick >"$home/docker-compose.test.yml"
}

# use NAME: goes on with a project of an earlier test.
use() {
    home=$BATS_FILE_TMPDIR/$1
    export COMPOSE_PROJECT_NAME=$run_id-$1
}

# Health is looked at every second, so that tests do not wait for it.
quick() {
    cat <<'END'
services:
  app:
    healthcheck:
      test: ["CMD", "/opt/orangescrum/healthcheck.sh"]
      interval: 1s
      timeout: 2s
      retries: 3
      start_period: 20s
END
}

env_of() { sed -n "s/^$1=//p" "$home/.env"; }

# set_env NAME VALUE, as it is written.
set_env() {
    grep -v "^$1=" "$home/.env" >"$home/.env.new"
    printf '%s=%s\n' "$1" "$2" >>"$home/.env.new"
    mv "$home/.env.new" "$home/.env"
}

compose() { (cd "$home" && docker-compose "$@"); }

free_port() {
    php -r '$server = stream_socket_server("tcp://0.0.0.0:0");
        echo preg_replace("/.*:/", "", stream_socket_get_name($server, false));'
}

url() { echo "http://127.0.0.1:$(env_of APP_PORT)$1"; }

page() { curl -fsS --max-time 10 "$(url "$1")"; }

# php_env NAME: a variable as PHP sees it.
php_env() { page "/echo-env?name=$1" | php -r 'echo json_decode(stream_get_contents(STDIN))->value;'; }

container() {
    docker ps -aq --filter "label=com.docker.compose.project=$COMPOSE_PROJECT_NAME" \
        --filter "label=com.docker.compose.service=$1" --filter label=com.docker.compose.oneoff=False
}

health() { docker inspect --format '{{.State.Health.Status}}' "$(container app)"; }

# sql QUERY: asks the bundled database.
sql() {
    docker exec "$(container orangescrum-db)" sh -c \
        'PGPASSWORD=$POSTGRES_PASSWORD psql -qAtX -h 127.0.0.1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" -c "$1"' sh "$1"
}

# Everything in the bundled database, as text; without a word that pg_dump makes up anew each time.
dump() {
    docker exec "$(container orangescrum-db)" sh -c \
        'PGPASSWORD=$POSTGRES_PASSWORD pg_dump -h 127.0.0.1 -U "$POSTGRES_USER" "$POSTGRES_DB"' |
        grep -v -e '^.restrict ' -e '^.unrestrict '
}

# wait_until SECONDS COMMAND…
wait_until() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < end)) || { echo "still not so: $*" >&2; return 1; }
        sleep 0.2
    done
}

is() { [ "$("${@:2}")" = "$1" ]; }

# Called by teardown_file. By label and name of this run, so nothing else is touched.
clear_up() {
    [ -n "${run_id:-}" ] || return 0
    local project each
    for each in "$BATS_FILE_TMPDIR"/*/; do
        project=$run_id-$(basename "$each")
        for kind in container network volume; do
            local list=(docker "$kind" ls -q --filter "label=com.docker.compose.project=$project")
            [ "$kind" != container ] || list+=(-a)
            "${list[@]}" | xargs -r docker "$kind" rm $([ "$kind" = network ] || echo -f) >/dev/null
        done
    done
    docker ps -aq --filter "name=$run_id" | xargs -r docker rm -fv >/dev/null
    docker network ls -q --filter "name=$run_id" | xargs -r docker network rm >/dev/null
    docker volume ls -q --filter "name=$run_id" | xargs -r docker volume rm -f >/dev/null
    docker image ls --format '{{.Repository}}:{{.Tag}}' "$run_id" | xargs -r docker image rm -f >/dev/null
}
