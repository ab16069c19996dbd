# shellcheck shell=sh
# The compose project that a package's folder is. Wants OSV4_HOME, the folder; after
# `project_open FILE` there are compose, project, env_file and image, the name without a tag.

# shellcheck source=/dev/null
. "$OSV4_HOME/helpers/lib/say.sh"

# The value of a variable as compose sees it: the environment wins over the env file.
env_value() {
    (
        set +eu
        # shellcheck source=/dev/null
        . "$OSV4_HOME/helpers/lib/osv4.sh" && osv4_load_env "$env_file" >/dev/null 2>&1
        eval "printf '%s' \"\${$1-}\""
    )
}

project_open() {
    env_file=$1
    case $env_file in /*) ;; *) env_file=$PWD/$env_file ;; esac
    [ -f "$env_file" ] || osv4_fail 78 "there is no $env_file: copy .env.docker to it and fill it in"
    command -v docker >/dev/null 2>&1 || osv4_fail 69 "docker is not installed"
    docker info >/dev/null 2>&1 || osv4_fail 69 "the Docker engine does not answer: is it running, and may you use it?"
    if docker compose version >/dev/null 2>&1; then
        compose_command="docker compose"
    elif command -v docker-compose >/dev/null 2>&1; then
        compose_command=docker-compose
    else
        osv4_fail 69 "neither \`docker compose\` nor docker-compose is installed"
    fi
    project=$(env_value COMPOSE_PROJECT_NAME)
    # Compose would call the project after the folder; the image's tag has to follow.
    if [ -z "$project" ]; then
        project=$(basename "$OSV4_HOME" | tr '[:upper:]' '[:lower:]' | tr -cd 'a-z0-9_-')
    fi
    image=$(env_value OSV4_IMAGE)
    image=${image:-orangescrum-cloud}
    COMPOSE_PROJECT_NAME=$project
    export COMPOSE_PROJECT_NAME
}

compose() { (cd "$OSV4_HOME" && $compose_command --env-file "$env_file" "$@"); }

# The container of a service, the newest where there are several; empty if there is none.
container_of() {
    docker ps --all --quiet --latest \
        --filter "label=com.docker.compose.project=$project" \
        --filter "label=com.docker.compose.service=$1" \
        --filter "label=com.docker.compose.oneoff=False"
}

image_id() { docker image inspect --format '{{.Id}}' "$1" 2>/dev/null || true; }

# Which C library the binary of a package wants: a static one names no loader.
libc_of() {
    if [ -n "${OSV4_LIBC:-}" ]; then
        printf '%s\n' "$OSV4_LIBC"
    elif head -c 8192 "$1/orangescrum-app/osv4-prod" | LC_ALL=C tr -c '[:print:]' '\n' | grep -q '^/lib[0-9]*/ld-linux'; then
        echo glibc
    else
        echo musl
    fi
}

# Waits until the application answers; what it is instead goes to stderr. wait_healthy SECONDS
wait_healthy() {
    left=$1
    state=missing
    while [ "$left" -gt 0 ]; do
        id=$(container_of app)
        if [ -n "$id" ]; then
            state=$(docker inspect --format \
                '{{if .State.Running}}{{.State.Health.Status}}{{else}}{{.State.Status}}, exit code {{.State.ExitCode}}{{end}}' \
                "$id" 2>/dev/null) || state=gone
            case $state in
            healthy) return 0 ;;
            unhealthy | exited* | dead*) break ;;
            esac
        fi
        left=$((left - 1))
        sleep 1
    done
    osv4_log "the application is $state"
    return 1
}
