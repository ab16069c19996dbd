#!/bin/sh
# Keeps one worker of the queue running: `queue worker` of the application ends after
# WORKER_MAX_RUNTIME seconds by itself, and is started anew. TERM goes to the worker, which finishes
# its job first; this script ends with it. More arguments are handed on.
#
# QUEUE_WORKER=false: nothing to do. QUEUE_MAX_RUNTIME: seconds after which all ends (0: never).
# QUEUE_RESTART_DELAY: seconds before the next worker. QUEUE_MAX_RESTARTS: failures in a row after
# which it gives up (0: never).
set -eu

OSV4_HOME=${OSV4_HOME:-$(cd "$(dirname "$0")/.." && pwd)}
# shellcheck source=lib/osv4.sh
. "$OSV4_HOME/helpers/lib/osv4.sh"
# shellcheck source=lib/child.sh
. "$OSV4_HOME/helpers/lib/child.sh"

osv4_settings
osv4_validate
if osv4_false QUEUE_WORKER; then
    osv4_log "queue: QUEUE_WORKER is false, so there is nothing to do"
    exit 0
fi

osv4_listen
osv4_extract queue
began=$(date +%s)
failures=0
while [ -z "$stopping" ]; do
    left=$((${QUEUE_MAX_RUNTIME:-0} + began - $(date +%s)))
    runtime=${WORKER_MAX_RUNTIME:-1800}
    if [ "${QUEUE_MAX_RUNTIME:-0}" -gt 0 ]; then
        [ "$left" -gt 0 ] || break
        [ "$runtime" -gt 0 ] && [ "$runtime" -lt "$left" ] || runtime=$left
    fi
    # Somebody may have cleared the folder of unpacked applications.
    [ -f "$OSV4_APP/bin/cake.php" ] || osv4_extract queue
    osv4_log "queue: a worker starts, for $runtime s"
    began_one=$(date +%s)
    (
        trap - TERM INT
        osv4_cake queue worker --max-runtime "$runtime" "$@"
    ) &
    osv4_await $!
    [ -z "$stopping" ] || break
    if [ "$code" -eq 0 ]; then
        failures=0
    else
        failures=$((failures + 1))
        # One that worked for a while is no failure of the start.
        [ $(($(date +%s) - began_one)) -lt 60 ] || failures=1
        osv4_warn "queue: the worker ended with $code, failure $failures in a row"
        if [ "${QUEUE_MAX_RESTARTS:-100}" -gt 0 ] && [ "$failures" -ge "${QUEUE_MAX_RESTARTS:-100}" ]; then
            osv4_fail 70 "queue: $failures workers in a row failed, so this gives up"
        fi
    fi
    osv4_pause "${QUEUE_RESTART_DELAY:-3}"
done
# Told to end, PHP can break (139) or say that a signal ended it (143): nothing that matters then.
osv4_log "queue: ended"
