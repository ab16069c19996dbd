# shellcheck shell=sh
# Words for people, all on stderr: stdout belongs to what a command was asked for.

osv4_log() {
    printf 'orangescrum: %s\n' "$*" >&2
}

osv4_warn() {
    printf 'orangescrum: warning: %s\n' "$*" >&2
}

osv4_error() {
    printf 'orangescrum: error: %s\n' "$*" >&2
}

# osv4_fail CODE MESSAGE…: ends the script.
osv4_fail() {
    _osv4_code=$1
    shift
    osv4_error "$*"
    exit "$_osv4_code"
}
