# shellcheck shell=sh
# Files of settings. They are read line by line and never run. What is read here is exactly what
# compose reads from the same line; all that the two would read differently is refused:
#
#   NAME=value     no blanks, quotes, $, backslash, # or backtick; printable ASCII
#   NAME='value'   no single quote, backslash, ${
#   NAME="value"   no double quote, backslash, $, backtick
#   # a comment, a blank line
#
# UTF-8 in quotes. CRLF is fine, and so is a last line without an end.

# The names that the last file set, each with its line: " NAME:12 OTHER:13 ".
OSV4_ENV_LINES=' '
OSV4_ENV_READ=
# Spelt out, for ranges mean different things in different locales.
_osv4_safe=']ABCDEFGHIJKLMNOPQRSTUVWXYZ[abcdefghijklmnopqrstuvwxyz0123456789_.,:;/@%+=~!^*?(){}<>|&-'
_osv4_cr=$(printf '\r')
_osv4_bom=$(printf '\357\273\277')

# osv4_load_env FILE: exports what the environment has not already. Ends with 78 when a line is
# wrong, after all of them were named. Values are not shown: a wrong line may hold a password.
osv4_load_env() {
    OSV4_ENV_LINES=' '
    OSV4_ENV_READ=$1
    [ -e "$1" ] || osv4_fail 78 "$1 does not exist: copy .env.example there and fill it in"
    [ -f "$1" ] || osv4_fail 78 "$1 is not a file"
    [ -r "$1" ] || osv4_fail 78 "$1 cannot be read by $(id -un 2>/dev/null || id -u): it belongs to another user (chown, or chgrp and chmod 640)"
    _osv4_env_bytes "$1" || exit 78
    _osv4_wrong=0
    _osv4_number=0
    while IFS= read -r _osv4_line || [ -n "$_osv4_line" ]; do
        _osv4_number=$((_osv4_number + 1))
        _osv4_line=${_osv4_line%"$_osv4_cr"}
        _osv4_env_line || {
            osv4_error "$1 line $_osv4_number: $_osv4_why"
            _osv4_wrong=$((_osv4_wrong + 1))
        }
    done <"$1"
    [ "$_osv4_wrong" -eq 0 ] || osv4_fail 78 "$1: nothing was started, for $_osv4_wrong of its lines cannot be read"
}

# osv4_env_place NAME: "NAME" or "NAME (.env line 3)".
osv4_env_place() {
    case $OSV4_ENV_LINES in
    *" $1:"*)
        _osv4_rest=${OSV4_ENV_LINES#*" $1:"}
        printf '%s (%s line %s)' "$1" "${OSV4_ENV_READ##*/}" "${_osv4_rest%% *}"
        ;;
    *) printf '%s' "$1" ;;
    esac
}

# Looks at what a shell cannot see: it drops zero bytes, and takes any bytes for text.
_osv4_env_bytes() {
    [ "$(LC_ALL=C tr -d '\000' <"$1" | wc -c)" -eq "$(wc -c <"$1")" ] || {
        osv4_error "$1 has zero bytes: save it as UTF-8, not as UTF-16"
        return 1
    }
    [ -n "$(LC_ALL=C tr -d '\000-\177' <"$1" | head -c 1)" ] || return 0
    # Each well-formed sequence becomes a dot; what is left above 7f is none.
    if od -A n -v -t x1 <"$1" | tr -d '\n' | sed -E 's/ (c[2-9a-f]|d[0-9a-f]|e0 [ab][0-9a-f]|(e[1-9a-c]|e[ef]) [89ab][0-9a-f]|ed [89][0-9a-f]|f0 [9ab][0-9a-f] [89ab][0-9a-f]|f[1-3] [89ab][0-9a-f] [89ab][0-9a-f]|f4 8[0-9a-f] [89ab][0-9a-f]) [89ab][0-9a-f]/ 2e/g' |
        grep -q ' [89a-f]'; then
        osv4_error "$1 is not UTF-8: save it as UTF-8"
        return 1
    fi
}

# One line, in _osv4_line. Fails with the reason in _osv4_why.
_osv4_env_line() {
    case $_osv4_line in
    *[![:blank:]]*) ;;
    *) return 0 ;;
    esac
    case $_osv4_line in
    [[:blank:]]*)
        _osv4_name=${_osv4_line#"${_osv4_line%%[![:blank:]]*}"}
        case $_osv4_name in '#'*) return 0 ;; esac
        _osv4_why='begins with a blank: remove it'
        return 1
        ;;
    '#'*) return 0 ;;
    "$_osv4_bom"*)
        _osv4_why='begins with a byte order mark: save the file without one'
        return 1
        ;;
    'export '* | "export	"*)
        _osv4_why="begins with \`export\`: remove that word"
        return 1
        ;;
    *=*) ;;
    *)
        _osv4_why="has no \`=\`: write NAME=value, or # before a comment"
        return 1
        ;;
    esac
    _osv4_name=${_osv4_line%%=*}
    _osv4_value=${_osv4_line#*=}
    case $_osv4_name in
    '' | [0-9]* | *[!A-Za-z0-9_]* | _osv4_* | OSV4_ENV_*)
        _osv4_why="has no name of letters, digits and _ before the \`=\`"
        return 1
        ;;
    esac
    _osv4_why=
    _osv4_env_value || {
        _osv4_why="$_osv4_name $_osv4_why"
        return 1
    }
    case $OSV4_ENV_LINES in
    *" $_osv4_name:"*)
        _osv4_rest=${OSV4_ENV_LINES#*" $_osv4_name:"}
        _osv4_why="sets $_osv4_name, as line ${_osv4_rest%% *} does: keep one of them"
        return 1
        ;;
    esac
    OSV4_ENV_LINES="$OSV4_ENV_LINES$_osv4_name:$_osv4_number "
    # The environment wins; an empty value in it, too, as in compose.
    eval "_osv4_set=\${$_osv4_name+set}"
    [ -n "$_osv4_set" ] || export "$_osv4_name=$_osv4_value"
}

# _osv4_value as it is written; becomes what it means.
_osv4_env_value() {
    case $_osv4_value in
    *[[:cntrl:]]*)
        _osv4_why='holds a control character: remove it (a tab, or a carriage return in the middle)'
        return 1
        ;;
    "'"*)
        _osv4_value=${_osv4_value#"'"}
        case $_osv4_value in
        *"'") _osv4_value=${_osv4_value%"'"} ;;
        *)
            _osv4_why="has no ' at its end, or something behind it: the value ends with the quote, and a comment has a line of its own"
            return 1
            ;;
        esac
        case $_osv4_value in
        *[\'\\]* | *"\${"*)
            _osv4_why="holds a single quote, a backslash or \${ in single quotes: programs read that differently; put a text with a single quote in double quotes, or choose another"
            return 1
            ;;
        esac
        ;;
    '"'*)
        _osv4_value=${_osv4_value#'"'}
        case $_osv4_value in
        *'"') _osv4_value=${_osv4_value%'"'} ;;
        *)
            _osv4_why='has no " at its end, or something behind it: the value ends with the quote, and a comment has a line of its own'
            return 1
            ;;
        esac
        case $_osv4_value in
        *[\"\\\$\`]*)
            _osv4_why="holds a double quote, backslash, dollar sign or backtick in double quotes: use single quotes"
            return 1
            ;;
        esac
        ;;
    *[!$_osv4_safe]*)
        _osv4_why="holds a character that needs quotes (a blank, quote, dollar sign, backslash, #, backtick or letter that is not ASCII): write $_osv4_name='…'"
        return 1
        ;;
    esac
}
