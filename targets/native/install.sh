#!/bin/sh
# Installs this package on this host, as root:
#
#   install.sh [OPTIONS]
#     --name NAME      of the installation, its user and its units (orangescrum); several can live
#                      on one host
#     --prefix DIR     where releases go (/opt/NAME)
#     --etc DIR        where settings go (/etc/NAME)
#     --state DIR      where data go (/var/lib/NAME)
#     --user USER      whom it runs as (NAME; made if it does not exist)
#     --units DIR      where systemd's units go (/etc/systemd/system); none: without systemd
#     --env-from FILE  the first settings, such as the .env of an older installation
#     --dry-run        says what it would do
#
# It can be run again: settings and data are never touched, and nothing is started. Another
# release is put in with upgrade.sh.
set -eu

OSV4_HOME=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
# shellcheck source=helpers/lib/say.sh
. "$OSV4_HOME/helpers/lib/say.sh"
# shellcheck source=lib/installation.sh
. "$OSV4_HOME/lib/installation.sh"
# shellcheck source=lib/manifest.sh
. "$OSV4_HOME/lib/manifest.sh"
# shellcheck source=lib/release.sh
. "$OSV4_HOME/lib/release.sh"
# shellcheck source=lib/service.sh
. "$OSV4_HOME/lib/service.sh"

main() {
    name=orangescrum prefix='' etc='' state='' user='' units='' env_from='' dry=''
    while [ $# -gt 0 ]; do
        case $1 in
        --dry-run) dry=1 ;;
        -h | --help)
            sed -n '2,/^set -eu/s/^# \{0,1\}//p' "$0"
            exit 0
            ;;
        --name | --prefix | --etc | --state | --user | --units | --env-from)
            [ $# -ge 2 ] || osv4_fail 64 "$1 wants a value"
            case $1 in
            --name) name=$2 ;;
            --prefix) prefix=$2 ;;
            --etc) etc=$2 ;;
            --state) state=$2 ;;
            --user) user=$2 ;;
            --units) units=$2 ;;
            --env-from) env_from=$2 ;;
            esac
            shift
            ;;
        *) osv4_fail 64 "unknown argument $1; see install.sh --help" ;;
        esac
        shift
    done
    settle
    if [ -n "$dry" ]; then
        plan
    else
        install
    fi
}

# What was said, over what an earlier run wrote down, over defaults.
settle() {
    installation_defaults "$name"
    # Without root it is the person's own, and there is nobody else to run as.
    if [ "$(id -u)" != 0 ]; then
        install_user=$(id -un)
        install_units=none
    fi
    installation_read "${prefix:-$install_prefix}" || :
    install_prefix=${prefix:-$install_prefix}
    install_etc=${etc:-$install_etc}
    install_state=${state:-$install_state}
    install_user=${user:-$install_user}
    install_units=${units:-$install_units}
    for each in "$install_prefix" "$install_etc" "$install_state" "$install_units"; do
        case $each in
        none) ;;
        *[!A-Za-z0-9/._+-]* | [!/]* | / | */) osv4_fail 64 "\`$each\` is no place for this: write a path from /, without blanks" ;;
        esac
    done
    if [ "$(id -u)" != 0 ] && [ "$install_user" != "$(id -un)" ]; then
        osv4_fail 77 "only root can install for another user: run it with sudo"
    fi
    [ -z "$env_from" ] || [ -f "$env_from" ] || osv4_fail 66 "there is no $env_from"
    if [ "$(id -u)" = 0 ] && ! command -v setpriv >/dev/null; then
        osv4_fail 69 "the program setpriv is missing: install util-linux"
    fi
    current=$(release_of current)
    wanted=$install_prefix/releases/$(release_name "$OSV4_HOME")
    if [ -n "$current" ] && [ "$current" != "$wanted" ] && [ "$OSV4_HOME" != "$current" ]; then
        osv4_fail 73 "$install_prefix has ${current##*/}: use upgrade.sh to put in ${wanted##*/}"
    fi
    env_file=$install_etc/$install_name.env
}

plan() {
    cat <<END
would install ${wanted##*/}:
  $wanted, and $install_prefix/current leading there
  $env_file, mode 640, $([ -e "$env_file" ] && echo 'which is there and stays' || echo "from ${env_from:-.env.example}")
  $install_etc/config, what people may edit
  $install_state, data, of user $install_user$(id "$install_user" >/dev/null 2>&1 || echo ', who would be made')
  $([ "$install_units" = none ] && echo 'no units' || echo "$install_units/$install_name*.service and .timer")
END
}

install() {
    if ! id "$install_user" >/dev/null 2>&1; then
        useradd --system --user-group --home-dir "$install_state" --shell /usr/sbin/nologin "$install_user" ||
            osv4_fail 69 "the user $install_user could not be made: make one and name it with --user"
        osv4_log "made the user $install_user"
    fi
    umask 022
    mkdir -p "$install_prefix/releases" "$install_etc"
    # A run that stands in its own release has nothing to copy.
    if [ "$OSV4_HOME" = "$current" ]; then
        release=$current
    else
        manifest_check "$OSV4_HOME" || osv4_fail 65 "$OSV4_HOME is not as it was built"
        release_add "$OSV4_HOME"
    fi
    settings
    installation_write
    (umask 077 && mkdir -p "$install_state")
    if [ "$(id -u)" = 0 ]; then
        # Only the folder: what lies in it may be somebody's backup of somebody else.
        chown "$install_user:$(id -g "$install_user")" "$install_state"
        chmod 750 "$install_state"
    fi
    release_settings "$release"
    service_units "$release"
    release_link current "$release"
    osv4_log "${release##*/} is installed in $install_prefix"
    next_steps
}

# The file of settings, made once. It holds passwords: root writes, the service reads.
settings() {
    [ ! -e "$env_file" ] || return 0
    (umask 077 && cp "${env_from:-$OSV4_HOME/.env.example}" "$env_file.new")
    if [ "$(id -u)" = 0 ]; then
        chown "root:$(id -g "$install_user")" "$env_file.new"
        chmod 640 "$env_file.new"
    fi
    mv "$env_file.new" "$env_file"
    osv4_log "made $env_file"
}

next_steps() {
    if [ "$install_units" = none ]; then
        start="DAEMON=true $install_prefix/current/run.sh"
    else
        start="systemctl enable --now $install_name.service $install_name-queue@1.service $install_name-scheduler.timer $install_name-backup.timer"
    fi
    cat <<END
Next:
  edit $env_file
  $install_prefix/current/run.sh validate
  $start
END
}

main "$@"
exit
