# shellcheck shell=sh
# An installation: a prefix with releases/<version>-<build>/, the links `current` and `previous`, and
# install.conf, which says whose it is and where its settings and data are. A package that lies
# anywhere else is its own installation, and nothing here applies.
#
# shellcheck disable=SC2034 # install_* are for those who source this

# installation_defaults NAME: where things are unless something else is said.
installation_defaults() {
    case $1 in
    '' | *[!a-z0-9-]* | [!a-z]*) osv4_fail 64 "the name \`$1\` does not fit: letters, digits and - only, a letter first" ;;
    esac
    install_name=$1
    install_prefix=/opt/$1
    install_etc=/etc/$1
    install_state=/var/lib/$1
    install_units=/etc/systemd/system
    install_user=$1
}

# installation_read PREFIX: from its install.conf. Fails when there is none.
installation_read() {
    [ -f "$1/install.conf" ] || return 1
    install_prefix=$1
    while IFS='=' read -r _install_key _install_value; do
        case $_install_key in
        NAME) install_name=$_install_value ;;
        ETC) install_etc=$_install_value ;;
        STATE) install_state=$_install_value ;;
        UNITS) install_units=$_install_value ;;
        USER) install_user=$_install_value ;;
        esac
    done <"$1/install.conf"
}

installation_write() {
    cat >"$install_prefix/install.conf.new" <<END
# Written by install.sh.
NAME=$install_name
ETC=$install_etc
STATE=$install_state
UNITS=$install_units
USER=$install_user
END
    mv "$install_prefix/install.conf.new" "$install_prefix/install.conf"
}

# installation_of HOME: prints the prefix whose release this package is; fails if it is nobody's.
installation_of() {
    case $1 in
    */releases/*) ;;
    *) return 1 ;;
    esac
    _install_prefix=${1%/releases/*}
    [ -f "$_install_prefix/install.conf" ] || return 1
    printf '%s\n' "$_install_prefix"
}

# installation_of_release HOME SCRIPT ARGS…: what run.sh needs of it. Root becomes its user first, by
# running the script anew: the server and what it writes must never be root's. But settings are.
installation_of_release() {
    _install_prefix=$(installation_of "$1") || return 0
    installation_read "$_install_prefix"
    : "${OSV4_ENV_FILE:=$install_etc/$install_name.env}" "${OSV4_CONFIG:=$install_etc/config}" "${OSV4_STATE:=$install_state}"
    export OSV4_ENV_FILE OSV4_CONFIG OSV4_STATE
    _install_script=$1/${2##*/}
    shift 2
    if [ "$(id -u)" = 0 ] && [ "$install_user" != root ] && [ "${1:-}" != secrets ]; then
        HOME=$install_state
        export HOME
        exec setpriv --reuid "$install_user" --regid "$(id -g "$install_user")" --init-groups "$_install_script" "$@"
    fi
}
