# shellcheck shell=sh disable=SC2034  # scripts read code
# One child at a time, for scripts that start the next when it has ended: a request to end goes on to the
# child, and the script ends after it. Functions that set variables: `stopping`, not empty once the
# request came, and `code`, with which the last child ended.

# osv4_listen: from here on. Before the first child, so that no request is lost. A child that was told
# to end twice is not killed: its job is somebody's mail.
osv4_listen() {
    child=
    stopping=
    trap _osv4_stop TERM INT
}

_osv4_stop() {
    stopping=1
    [ -z "$child" ] || kill -TERM "$child" 2>/dev/null || :
}

# osv4_await PID: waits for the child, also when a signal interrupts the waiting.
osv4_await() {
    child=$1
    [ -z "$stopping" ] || kill -TERM "$child" 2>/dev/null || :
    while :; do
        code=0
        wait "$child" || code=$?
        kill -0 "$child" 2>/dev/null || break
    done
    child=
}

# osv4_pause SECONDS: a sleep that a request to end cuts short.
osv4_pause() {
    [ "$1" -gt 0 ] || return 0
    sleep "$1" 9>&- &
    osv4_await $!
}
