#!/bin/sh
# OrangeScrum on this host. Settings come from .env, and the environment wins over it.
#
#   run.sh                  checks the settings, makes the database ready, and serves
#   run.sh stop | status    the server that DAEMON=true put into the background
#   run.sh health [--wait SECONDS [PROCESS]]   does the server answer, while that process lives?
#   run.sh serve            serves; the database is ready already
#   run.sh migrate          makes the database ready, and ends
#   run.sh queue [ARGS…]    works off the queue
#   run.sh scheduler [--once]        what is done every half hour
#   run.sh cake ARGS…       a command of the application
#   run.sh validate [--strict] [FILE]   are the settings complete?
#   run.sh secrets [FILE]   puts a salt and passwords where the .env has placeholders
#   run.sh backup | restore ARGS…    of database, files and settings
#   run.sh version          what is inside
#
# PORT or APP_PORT and APP_BIND_IP say where it listens; DAEMON=true returns when it answers.
# Exit codes: 64 wrong command line, 69 no database in time, 70 it failed, 78 wrong settings;
# status and health: 3 when it does not run.
set -eu

OSV4_HOME=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
export OSV4_HOME
# shellcheck source=lib/installation.sh
. "$OSV4_HOME/lib/installation.sh"
installation_of_release "$OSV4_HOME" "$0" "$@"
# shellcheck source=/dev/null
. "$OSV4_HOME/helpers/lib/osv4.sh"
# shellcheck source=lib/server.sh
. "$OSV4_HOME/lib/server.sh"
helpers=$OSV4_HOME/helpers

settings() {
    if [ -e "$OSV4_ENV_FILE" ]; then
        osv4_load_env "$OSV4_ENV_FILE"
    else
        osv4_warn "there is no $OSV4_ENV_FILE: only the environment counts"
    fi
    osv4_secrets
}

role=${1:-start}
[ $# -eq 0 ] || shift
case $role in
start)
    [ $# -eq 0 ] || osv4_fail 64 "start takes no arguments; see run.sh --help"
    settings
    osv4_validate
    if osv4_true DAEMON; then
        server_start
        exit 0
    fi
    osv4_extract app
    osv4_prepare
    osv4_serve
    ;;
serve)
    settings
    osv4_validate
    osv4_extract app
    osv4_serve
    ;;
stop | status)
    # Without the settings: this has to work when they have become wrong since.
    "server_$role"
    ;;
health)
    settings
    server_health "$@"
    ;;
migrate) exec "$helpers/prepare.sh" "$@" ;;
queue) exec "$helpers/queue-worker.sh" "$@" ;;
scheduler) exec "$helpers/scheduler.sh" "$@" ;;
cake) exec "$helpers/cake.sh" "$@" ;;
validate) exec "$helpers/validate-env.sh" "$@" ;;
secrets) exec "$helpers/generate-secrets.sh" "$@" ;;
backup) exec "$helpers/backup.sh" "$@" ;;
restore) exec "$helpers/restore.sh" "$@" ;;
version)
    osv4_extract cake
    # shellcheck source=/dev/null
    . "$OSV4_HOME/helpers/lib/facts.sh"
    inside=$(manifest_brief "$OSV4_HOME")
    [ -z "$inside" ] || printf 'OrangeScrum %s\n' "$inside"
    exec "$OSV4_BINARY" version
    ;;
-h | --help | help) sed -n '2,/^set -eu/s/^# \{0,1\}//p' "$0" ;;
*) osv4_fail 64 "unknown command \`$role\`; see run.sh --help" ;;
esac
