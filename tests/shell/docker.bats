#!/usr/bin/env bats
# The package for Docker, as far as it can be looked at without an engine.

setup() {
    root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    docker=$root/targets/docker
}

need() { command -v "$1" >/dev/null || { echo "\`$1\` is missing: apt-get install $2" >&2; return 1; }; }

templates() { (cd "$docker" && ls -d .env.docker .env.test-*); }

# compose TEMPLATE ARGUMENTS…: nothing but the template's settings.
compose() { (cd "$docker" && env -i PATH="$PATH" HOME="$HOME" docker-compose --env-file "$@"); }

@test "scripts are clean for shellcheck, and words to each shell that may run them" {
    need shellcheck shellcheck && need dash dash && need busybox busybox
    shellcheck -x "$docker"/*.sh "$docker"/lib/*.sh
    for script in "$docker"/*.sh "$docker"/lib/*.sh; do
        dash -n "$script"
        busybox sh -n "$script"
    done
    for script in "$docker"/*.sh; do [ -x "$script" ]; done
}

@test "compose takes each template with each profile, and all files at once" {
    need docker-compose docker-compose
    [ "$(templates | wc -l)" -eq 5 ]
    for template in $(templates); do
        compose "$template" config -q
        for profile in bundled-db redis queue storage mail tools; do
            compose "$template" --profile "$profile" config -q
        done
    done
    mkdir -p "$BATS_TEST_TMPDIR/secrets"
    compose .env.docker -f docker-compose.yaml -f docker-compose.services.yml -f docker-compose.network.yml \
        -f docker-compose.secrets.yml config -q
}

@test "every variable of the full list is handed on, and no other" {
    sed -n '/^x-environment:/,/^[a-z]*-orangescrum:/p' "$docker/docker-compose.yaml" | sed -n 's/^  - \([A-Z0-9_]*\)$/\1/p' | sort >"$BATS_TEST_TMPDIR/passed"
    # Where the container listens is the compose file's matter.
    sed -n 's/^#\{0,1\}\([A-Z][A-Z0-9_]*\)=.*/\1/p' "$root/common/.env.full.example" | sort -u |
        grep -v -x -e APP_BIND_IP -e APP_PORT -e PORT >"$BATS_TEST_TMPDIR/listed"
    diff "$BATS_TEST_TMPDIR/listed" "$BATS_TEST_TMPDIR/passed"
}

@test "a variable of the env file arrives in each container of the application" {
    for template in $(templates); do
        sed '/^APP_NAME=/d' "$docker/$template" >"$BATS_TEST_TMPDIR/env"
        echo "APP_NAME='a \$ b'" >>"$BATS_TEST_TMPDIR/env"
        # In what it prints compose doubles the dollar.
        [ "$(compose "$BATS_TEST_TMPDIR/env" config | grep -c 'APP_NAME: a \$\$ b$')" -eq 5 ]
    done
}

@test "nothing waits for a service that a profile may leave out" {
    need php php8.2-cli
    # Profiles of one file's services, and who depends on whom, from what compose itself made of it.
    compose .env.test-bundled config >"$BATS_TEST_TMPDIR/config.yml"
    run awk '
        /^[a-z]/ { inside = ($0 == "services:") }
        inside && /^  [^ ].*:$/ { service = $1 }
        inside && /^    [^ -]/ { list = $1 }
        inside && list == "profiles:" && /^ +- / { profiled[service] = $2 }
        inside && list == "depends_on:" && /^      [^ ].*:$/ { needs[service] = needs[service] " " $1 }
        END {
            for (service in needs) {
                n = split(needs[service], each, " ")
                for (i = 1; i <= n; i++)
                    if (each[i] in profiled && profiled[each[i]] != profiled[service]) print service, "waits for", each[i]
            }
        }' "$BATS_TEST_TMPDIR/config.yml"
    echo "$output"
    [ -z "$output" ]
    # The application waits for its migrations, whoever else is there.
    grep -q 'condition: service_completed_successfully' "$BATS_TEST_TMPDIR/config.yml"
}

@test "services that are not the application listen on this machine alone" {
    run sh -c "grep -E '^ +- .*:(5432|6379|9000|9001|1025|8025)\"?' '$docker/docker-compose.services.yml' | grep -v '127.0.0.1'"
    echo "$output"
    [ -z "$output" ]
    ! grep -q 'container_name' "$docker"/*.y*ml
}

@test "no template brings a secret" {
    for template in $(templates); do
        run sh -c "grep -E '^[A-Z_]*(PASSWORD|SALT|SECRET_KEY|TOKEN)=' '$docker/$template' | grep -v '=CHANGE_ME'"
        echo "$template: $output"
        [ -z "$output" ]
    done
}

@test "templates are read by the parser of the packages, and known by the full list" {
    for template in $(templates); do
        (
            OSV4_HOME=$BATS_TEST_TMPDIR/home
            mkdir -p "$OSV4_HOME"
            ln -sfn "$root/common/helpers" "$OSV4_HOME/helpers"
            . "$OSV4_HOME/helpers/lib/osv4.sh"
            osv4_load_env "$docker/$template"
        )
        for name in $(sed -n 's/^#\{0,1\}\([A-Z][A-Z0-9_]*\)=.*/\1/p' "$docker/$template"); do
            case $name in
            # The compose files' own.
            COMPOSE_FILE | COMPOSE_PROFILES | QUEUE_REPLICAS | DB_NETWORK) ;;
            *) grep -q "^#\{0,1\}$name=" "$root/common/.env.full.example" || { echo "$template: $name"; false; } ;;
            esac
        done
    done
}

@test "the build sends what the Dockerfile copies and nothing else" {
    sed -n 's/^!//p' "$docker/.dockerignore" | sort >"$BATS_TEST_TMPDIR/sent"
    sed -n 's/^COPY \(.*\) [^ ]*$/\1/p' "$docker/Dockerfile" | tr ' ' '\n' | sed 's|/.*||' | sort -u >"$BATS_TEST_TMPDIR/copied"
    diff "$BATS_TEST_TMPDIR/sent" "$BATS_TEST_TMPDIR/copied"
    [ "$(grep -v '^#' "$docker/.dockerignore" | head -1)" = '*' ]
    # Such a line needs a pull before anything else.
    ! grep -q '^# *syntax=' "$docker/Dockerfile"
}
