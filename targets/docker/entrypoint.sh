#!/bin/sh
# What a container does: `serve` (the default), `migrate`, `queue`, `scheduler`, `cake ARGS…`,
# `validate`, or any other command as it is. Each role ends in an exec, so signals reach it.
set -eu

OSV4_HOME=${OSV4_HOME:-/opt/orangescrum}
OSV4_STATE=${OSV4_STATE:-/var/lib/orangescrum}
# The extracted application belongs to this container alone: two that shared a folder could read
# each other's half-written files, and one that stops would remove what the other runs from.
OSV4_RUN=${OSV4_RUN:-/run/orangescrum}
# A container has its settings from its environment; a file of settings exists where one is mounted.
OSV4_ENV_FILE=${OSV4_ENV_FILE:-$OSV4_HOME/.env}
APP_BIND_IP=${APP_BIND_IP:-0.0.0.0}
export OSV4_HOME OSV4_STATE OSV4_RUN OSV4_ENV_FILE APP_BIND_IP
helpers=$OSV4_HOME/helpers

role=${1:-serve}
[ $# -eq 0 ] || shift

case $role in
serve)
    # shellcheck source=/dev/null
    . "$helpers/lib/osv4.sh"
    [ ! -f "$OSV4_ENV_FILE" ] || osv4_load_env "$OSV4_ENV_FILE"
    osv4_secrets
    osv4_validate
    osv4_extract app
    # Also here, not only in `migrate`: an image that is started by itself is as safe, and where
    # there is nothing to do it costs a question under the lock.
    osv4_prepare
    osv4_serve
    ;;
migrate) exec "$helpers/prepare.sh" "$@" ;;
queue) exec "$helpers/queue-worker.sh" "$@" ;;
scheduler) exec "$helpers/scheduler.sh" "$@" ;;
cake) exec "$helpers/cake.sh" "$@" ;;
validate) exec "$helpers/validate-env.sh" "$@" ;;
*) exec "$role" "$@" ;;
esac
