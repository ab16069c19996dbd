#!/bin/sh
# Puts another release into an installation, and goes back to the old one if it does not answer.
#
#   upgrade.sh [OPTIONS] PACKAGE   an archive (with its .sha256 beside), or an unpacked package
#   upgrade.sh [OPTIONS] latest    the newest archive in the folder of --from (.)
#   upgrade.sh [OPTIONS]           the package that this script lies in
#   upgrade.sh --rollback          back to the release before
#     --prefix DIR     the installation (the one this script lies in, else /opt/orangescrum)
#     --from DIR       where `latest` looks
#     --no-backup      makes no backup first
#     --dry-run        says what it would do
#
# Steps: backup, unpack beside, validate, migrate, switch `current`, restart, wait for /healthz. The last
# release stays as `previous`. Ends with 70 when it went back, with the code of validate or migrate
# when it did not get that far; the old release serves then.
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
    package='' prefix='' from=. backup=1 rollback='' dry=''
    while [ $# -gt 0 ]; do
        case $1 in
        --rollback) rollback=1 ;;
        --no-backup) backup= ;;
        --dry-run) dry=1 ;;
        -h | --help)
            sed -n '2,/^set -eu/s/^# \{0,1\}//p' "$0"
            exit 0
            ;;
        --prefix | --from)
            [ $# -ge 2 ] || osv4_fail 64 "$1 wants a folder"
            case $1 in --prefix) prefix=$2 ;; --from) from=$2 ;; esac
            shift
            ;;
        -*) osv4_fail 64 "unknown option $1; see upgrade.sh --help" ;;
        *)
            [ -z "$package" ] || osv4_fail 64 "one package at a time; see upgrade.sh --help"
            package=$1
            ;;
        esac
        shift
    done
    own=$(installation_of "$OSV4_HOME" || :)
    prefix=${prefix:-${own:-/opt/orangescrum}}
    installation_read "$prefix" || osv4_fail 66 "nothing is installed in $prefix: use install.sh"
    [ "$(id -u)" = 0 ] || [ "$(id -un)" = "$install_user" ] || osv4_fail 77 "run it with sudo"
    old=$(release_of current)
    [ -n "$old" ] || osv4_fail 66 "$prefix/current leads nowhere: use install.sh"
    # One at a time.
    exec 7>"$install_prefix/.lock"
    flock -n 7 || osv4_fail 75 "another upgrade is at work in $install_prefix"
    # Beside the releases: /tmp may be small.
    work=$(mktemp -d "$install_prefix/.upgrade.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    if [ -n "$rollback" ]; then
        [ -z "$package" ] || osv4_fail 64 "--rollback takes no package"
        go_back
    else
        go_forward
    fi
}

step() {
    osv4_log "upgrade: $*"
}

go_forward() {
    [ "$package" != latest ] || package=$(release_latest "$from")
    if [ -z "$package" ]; then
        [ -z "$own" ] || osv4_fail 64 "which package? see upgrade.sh --help"
        package=$OSV4_HOME
    fi
    if [ -d "$package" ]; then
        package=$(CDPATH='' cd -- "$package" && pwd -P)
    else
        step "checks and unpacks $package"
        package=$(release_unpack "$package" "$work") || exit $?
    fi
    manifest_check "$package" || osv4_fail 65 "$package is not as it was built"
    new=$(release_name "$package") || exit $?
    if [ "$install_prefix/releases/$new" = "$old" ]; then
        cmp -s "$package/build-manifest.json" "$old/build-manifest.json" ||
            osv4_fail 65 "$new runs already, but is another build of the same name"
        step "$new runs already"
        exit 0
    fi
    if [ -n "$dry" ]; then
        echo "would upgrade from ${old##*/} to $new:$([ -z "$backup" ] || echo ' backup,') unpack, validate, migrate, switch, restart, wait for /healthz"
        exit 0
    fi
    if [ -n "$backup" ]; then
        step "makes a backup"
        "$old/run.sh" backup || osv4_fail 70 "there is no backup, so nothing was changed; --no-backup goes on without"
    fi
    was_there=
    [ ! -d "$install_prefix/releases/$new" ] || was_there=1
    release_add "$package"
    new=$release
    step "checks the settings with ${new##*/}"
    "$new/run.sh" validate || give_up $? "the settings do not fit the new release"
    step "migrates the database"
    "$new/run.sh" migrate || give_up $? "the database could not be migrated"
    step "switches from ${old##*/} to ${new##*/}, and restarts"
    switch "$new" "$old"
    if answers "$old" "$new"; then
        release_prune
        step "${new##*/} serves; ${old##*/} stays as \`previous\`"
        exit 0
    fi
    osv4_error "${new##*/} does not answer: going back to ${old##*/}"
    switch "$old" ''
    if answers "$new" "$old"; then
        osv4_error "${old##*/} serves again. The database keeps what the new release migrated; the backup made first has it as it was"
    else
        osv4_error "${old##*/} does not answer either: look at its log"
    fi
    restore_previous
    [ -n "$was_there" ] || rm -rf "$new"
    exit 70
}

# answers OLD NEW: restarts, and asks the new one.
answers() {
    service_restart "$1" "$2" && "$2/run.sh" health --wait "${UPGRADE_HEALTH_TIMEOUT:-60}"
}

# Nothing was switched yet.
give_up() {
    osv4_error "$2: ${old##*/} goes on serving"
    [ -n "$was_there" ] || rm -rf "$new"
    exit "$1"
}

# switch TO PREVIOUS: links, units and templates. The link before last is remembered until it is known
# whether this one holds.
switch() {
    if [ -n "$2" ]; then
        before=$(release_of previous)
        release_link previous "$2"
    fi
    release_link current "$1"
    release_settings "$1"
    service_units "$1"
}

restore_previous() {
    if [ -n "$before" ]; then
        release_link previous "$before"
    else
        rm -f "$install_prefix/previous"
    fi
}

go_back() {
    target=$(release_of previous)
    if [ -z "$target" ] || [ "$target" = "$old" ]; then
        osv4_fail 66 "there is no release before ${old##*/}"
    fi
    if [ -n "$dry" ]; then
        echo "would go back from ${old##*/} to ${target##*/}: switch, restart, wait for /healthz"
        exit 0
    fi
    step "goes back from ${old##*/} to ${target##*/}, and restarts"
    osv4_warn "the database stays as ${old##*/} migrated it; run.sh restore brings back an older one"
    switch "$target" "$old"
    answers "$old" "$target" ||
        osv4_fail 70 "${target##*/} does not answer: look at its log, or run this again to go forward"
    step "${target##*/} serves; ${old##*/} stays as \`previous\`"
}

main "$@"
exit
