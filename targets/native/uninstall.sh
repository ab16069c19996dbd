#!/bin/sh
# Takes an installation away: units and releases. Settings, data, database, backups and the user stay.
#
#   uninstall.sh [--prefix DIR]          says what it would do
#   uninstall.sh [--prefix DIR] --yes    does it
set -eu

OSV4_HOME=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
# shellcheck source=helpers/lib/say.sh
. "$OSV4_HOME/helpers/lib/say.sh"
# shellcheck source=lib/installation.sh
. "$OSV4_HOME/lib/installation.sh"
# shellcheck source=lib/service.sh
. "$OSV4_HOME/lib/service.sh"

main() {
    prefix=$(installation_of "$OSV4_HOME" || echo /opt/orangescrum)
    yes=
    while [ $# -gt 0 ]; do
        case $1 in
        --yes) yes=1 ;;
        --prefix)
            [ $# -ge 2 ] || osv4_fail 64 "$1 wants a folder"
            prefix=$2
            shift
            ;;
        -h | --help)
            sed -n '2,/^set -eu/s/^# \{0,1\}//p' "$0"
            exit 0
            ;;
        *) osv4_fail 64 "unknown argument $1; see uninstall.sh --help" ;;
        esac
        shift
    done
    installation_read "$prefix" || osv4_fail 66 "nothing is installed in $prefix"
    if [ -z "$yes" ]; then
        echo "would stop $install_name and remove its units, $prefix/releases, $prefix/current, $prefix/previous"
        keeps
        exit 0
    fi
    [ "$(id -u)" = 0 ] || [ "$(id -un)" = "$install_user" ] || osv4_fail 77 "run it with sudo"
    service_stop
    if [ "$install_units" != none ]; then
        for unit in .service -queue@.service -scheduler.service -scheduler.timer -backup.service -backup.timer; do
            rm -f "$install_units/$install_name$unit"
        done
        ! service_systemd || systemctl daemon-reload
    fi
    rm -rf "$prefix/releases" "$prefix/current" "$prefix/previous" "$prefix/install.conf" "$prefix/.lock"
    # What else lies there is not ours.
    rmdir "$prefix" 2>/dev/null || :
    osv4_log "$install_name is uninstalled"
    keeps
}

keeps() {
    echo "stays: $install_etc (settings), $install_state (data), the database, the user $install_user"
}

main "$@"
exit
