#!/bin/sh
# scheduler.sh [--once]: what cron did. Runs `recurring_task` of the application at each full and
# half hour, or once. A run that fails is reported, and the next one comes all the same.
set -eu

OSV4_HOME=${OSV4_HOME:-$(cd "$(dirname "$0")/.." && pwd)}
# shellcheck source=lib/osv4.sh
. "$OSV4_HOME/helpers/lib/osv4.sh"
# shellcheck source=lib/child.sh
. "$OSV4_HOME/helpers/lib/child.sh"

osv4_settings
osv4_validate
osv4_extract scheduler
case ${1:-} in
'') ;;
--once) osv4_cake recurring_task ;;
*) osv4_fail 64 "unknown argument $1; usage: scheduler.sh [--once]" ;;
esac

osv4_listen
interval=${OSV4_SCHEDULER_INTERVAL:-1800}
while [ -z "$stopping" ]; do
    now=$(date +%s)
    osv4_pause $((interval - now % interval))
    [ -z "$stopping" ] || break
    [ -f "$OSV4_APP/bin/cake.php" ] || osv4_extract scheduler
    osv4_log "scheduler: recurring_task starts"
    (
        trap - TERM INT
        osv4_cake recurring_task
    ) &
    osv4_await $!
    if [ -z "$stopping" ] && [ "$code" -ne 0 ]; then
        osv4_warn "scheduler: recurring_task ended with $code"
    fi
done
osv4_log "scheduler: ended"
