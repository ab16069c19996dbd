# Ports and pages for tests, loaded by `load lib/ports`.

# need PROGRAM PACKAGE: fails with what to install.
need() {
    command -v "$1" >/dev/null || { echo "\`$1\` is missing: apt-get install $2" >&2; return 1; }
}

# A port of 127.0.0.1 that nobody has at this moment.
free_port() {
    # shellcheck disable=SC2016 # PHP's dollars
    php -r '$server = stream_socket_server("tcp://127.0.0.1:0");
        echo preg_replace("/.*:/", "", stream_socket_get_name($server, false));'
}

# wait_until SECONDS COMMAND…: until it succeeds; fails when the time is over.
wait_until() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        if ((SECONDS >= end)); then
            echo "still not so: $*" >&2
            return 1
        fi
        sleep 0.05
    done
}

# wait_for_page URL [SECONDS]
wait_for_page() {
    wait_until "${2:-10}" curl -fsS -o /dev/null "$1"
}
