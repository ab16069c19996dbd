# shellcheck shell=sh
# What values may look like. Each check takes names of variables, reports through osv4_wrong or
# osv4_doubt, and never shows a value of a secret.

# osv4_wrong NAME MESSAGE…
osv4_wrong() {
    _osv4_errors=$((_osv4_errors + 1))
    _osv4_name=$1
    shift
    osv4_error "$(osv4_env_place "$_osv4_name"): $*"
}

osv4_doubt() {
    _osv4_doubts=$((_osv4_doubts + 1))
    _osv4_name=$1
    shift
    osv4_warn "$(osv4_env_place "$_osv4_name"): $*"
}

# Sets _osv4_it to the variable's value, empty when it is unset.
osv4_value() {
    eval "_osv4_it=\${$1:-}"
}

# osv4_true NAME: is it on? Fails too when it is unset.
osv4_true() {
    osv4_value "$1"
    case $_osv4_it in
    [Tt][Rr][Uu][Ee] | 1 | [Yy][Ee][Ss] | [Oo][Nn]) ;;
    *) return 1 ;;
    esac
}

osv4_false() {
    osv4_value "$1"
    case $_osv4_it in
    [Ff][Aa][Ll][Ss][Ee] | 0 | [Nn][Oo] | [Oo][Ff][Ff]) ;;
    *) return 1 ;;
    esac
}

# osv4_check_needed NAME…: _osv4_reason says why.
osv4_check_needed() {
    for _osv4_each; do
        osv4_value "$_osv4_each"
        if [ -z "$_osv4_it" ]; then
            osv4_wrong "$_osv4_each" "is not set: ${_osv4_reason:?}"
        else
            osv4_check_placeholder "$_osv4_each"
        fi
    done
}

# What a template has where a person must write: nobody's secret.
osv4_check_placeholder() {
    osv4_value "$1"
    case $_osv4_it in
    *CHANGE_ME* | *change_me* | *CHANGEME* | *changeme* | *change-me* | *__SALT__* | '<'*'>' | your-* | your_*)
        osv4_wrong "$1" "still has the placeholder of the template: write your own, or let helpers/generate-secrets.sh do it"
        ;;
    esac
}

osv4_check_boolean() {
    for _osv4_each; do
        osv4_value "$_osv4_each"
        [ -z "$_osv4_it" ] || osv4_true "$_osv4_each" || osv4_false "$_osv4_each" ||
            osv4_wrong "$_osv4_each" "is \`$_osv4_it\`: write true or false"
    done
}

# osv4_check_number LOW HIGH NAME…
osv4_check_number() {
    _osv4_low=$1 _osv4_high=$2
    shift 2
    for _osv4_each; do
        osv4_value "$_osv4_each"
        case $_osv4_it in
        '') continue ;;
        *[!0123456789]* | ??????????*) ;;
        *) if [ "$_osv4_it" -ge "$_osv4_low" ] && [ "$_osv4_it" -le "$_osv4_high" ]; then continue; fi ;;
        esac
        osv4_wrong "$_osv4_each" "is \`$_osv4_it\`: write a number from $_osv4_low to $_osv4_high"
    done
}

osv4_check_size() {
    for _osv4_each; do
        osv4_value "$_osv4_each"
        case $_osv4_it in
        '' | -1) ;;
        *[!0123456789]*[!0123456789]* | [!0123456789]* | *[!0123456789KMGkmg])
            osv4_wrong "$_osv4_each" "is \`$_osv4_it\`: write a size as 512M or 1G"
            ;;
        esac
    done
}

# osv4_check_choice NAME "one two three"
osv4_check_choice() {
    osv4_value "$1"
    [ -n "$_osv4_it" ] || return 0
    case " $2 " in
    *" $_osv4_it "*) ;;
    *) osv4_wrong "$1" "is \`$_osv4_it\`: write one of: $2" ;;
    esac
}

# Only the scheme is shown: what follows may hold a password.
osv4_check_url() {
    _osv4_schemes=$1
    shift
    for _osv4_each; do
        osv4_value "$_osv4_each"
        [ -n "$_osv4_it" ] || continue
        case " $_osv4_schemes " in
        *" ${_osv4_it%%://*} "*) ;;
        *)
            osv4_wrong "$_osv4_each" "does not begin with a scheme and ://, which is one of: $_osv4_schemes"
            continue
            ;;
        esac
        case ${_osv4_it#*://} in
        '' | /* | *' '*) osv4_wrong "$_osv4_each" "has no host, or a blank" ;;
        esac
    done
}

osv4_check_host() {
    for _osv4_each; do
        osv4_value "$_osv4_each"
        case $_osv4_it in
        *://*) osv4_wrong "$_osv4_each" "is an address with a scheme: write the name of the host alone" ;;
        *[[:blank:]]*) osv4_wrong "$_osv4_each" "holds a blank" ;;
        esac
    done
}
