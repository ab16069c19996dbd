# The part of a package that start scripts need, in a folder of its own, loaded by `load lib/home`. In a .bats file:
#
#   setup()    { home_make; }      # exports OSV4_HOME, HELPERS; no .env
#   teardown() { home_remove; }    # also ends what a failed test left running
#
# home_background NAME COMMAND…: runs it beside the test; its words are in $HOME_FOLDER/NAME.log, its id is in NAME_PID.

load "${BASH_SOURCE[0]%/*}/ports.bash"

PROJECT=$(cd "${BASH_SOURCE[0]%/*}/../../.." && pwd)

home_make() {
    need php php8.2-cli && need flock util-linux && need timeout coreutils || return 1
    HOME_FOLDER=$(mktemp -d "${TMPDIR:-/tmp}/osv4-home.XXXXXX")
    HOME_PIDS=()
    export HOME_FOLDER OSV4_HOME=$HOME_FOLDER/package
    HELPERS=$OSV4_HOME/helpers
    mkdir -p "$OSV4_HOME/orangescrum-app"
    cp -R "$PROJECT/common/helpers" "$PROJECT/common/config" "$OSV4_HOME"
    cp "$PROJECT/common/.env.example" "$PROJECT/common/.env.full.example" "$OSV4_HOME"
    ln "$("$PROJECT/tests/orangescrum/pack.sh" --cached "${OSV4_TEST_APP:-$PROJECT/tests/orangescrum/app}")" \
        "$OSV4_HOME/orangescrum-app/osv4-prod" 2>/dev/null ||
        cp "$("$PROJECT/tests/orangescrum/pack.sh" --cached "${OSV4_TEST_APP:-$PROJECT/tests/orangescrum/app}")" \
            "$OSV4_HOME/orangescrum-app/osv4-prod"
    # What the machine of a developer has set must not decide.
    unset OSV4_STATE OSV4_RUN OSV4_CONFIG OSV4_ENV_FILE OSV4_BINARY STATE_DIRECTORY PORT SERVER_NAME DATABASE_URL
}

# The settings that a start needs beside DB_*.
home_settings() {
    export SECURITY_SALT=0123456789abcdef0123456789abcdef FULL_BASE_URL=http://localhost:8080
    export SESSION_COOKIE_SECURE=false FROM_EMAIL=noreply@example.com SMTP_HOST=localhost APP_BIND_IP=127.0.0.1
    export CACHE_ENGINE=file DB_WAIT_TIMEOUT=10 MIGRATION_LOCK_TIMEOUT=60
    APP_PORT=$(free_port)
    export APP_PORT
}

home_background() {
    local name=$1
    shift
    "$@" >"$HOME_FOLDER/$name.log" 2>&1 </dev/null 3>&- &
    HOME_PIDS+=($!)
    printf -v "${name}_PID" %s $!
}

# What runs from this folder: by the folder in its environment, so nobody else's.
home_processes() {
    # Without a folder, everybody's would match.
    [[ -n ${HOME_FOLDER:-} ]] || return 0
    # The test itself may have it too, from a script that it sourced.
    grep -lzs "^OSV4_APP=$HOME_FOLDER/" /proc/[0-9]*/environ | sed 's,^/proc/\([0-9]*\)/.*,\1,' | grep -vx -e "$$" -e "$BASHPID" || :
}

home_remove() {
    local each
    for each in "${HOME_PIDS[@]}" $(home_processes); do
        kill -KILL "$each" 2>/dev/null || :
    done
    for each in "${HOME_PIDS[@]}"; do
        wait "$each" 2>/dev/null || :
    done
    [[ -z ${HOME_FOLDER:-} ]] || rm -rf "$HOME_FOLDER"
}
