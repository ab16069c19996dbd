#!/bin/sh
# generate-secrets.sh [FILE]: puts random values where FILE (by default the package's .env) still has
# the placeholders of its template: the salt, and passwords that this installation chooses itself.
# Keys that others give out are left to you. All the rest of the file stays as it is, byte for byte.
# The file gets readable for its owner only, and for its group where others could not read it before.
# Says which it filled, never with what. Run again, it finds nothing to do.
set -eu

OSV4_HOME=${OSV4_HOME:-$(cd "$(dirname "$0")/.." && pwd)}
# shellcheck source=lib/osv4.sh
. "$OSV4_HOME/helpers/lib/osv4.sh"

case ${1:-} in
-h | --help)
    sed -n '2,6s/^# //p' "$0"
    exit 0
    ;;
-*) osv4_fail 64 "unknown option $1; usage: generate-secrets.sh [FILE]" ;;
esac
[ $# -le 1 ] || osv4_fail 64 "one file at a time; usage: generate-secrets.sh [FILE]"
file=${1:-$OSV4_ENV_FILE}
# In a shell of its own, where the values go away again. Nothing is put into a file that means something else.
(osv4_load_env "$file")
file=$(readlink -f "$file")
if [ ! -w "$file" ] || [ ! -w "$(dirname "$file")" ]; then
    osv4_fail 78 "$file cannot be written by $(id -un 2>/dev/null || id -u)"
fi

umask 077
edits=$(mktemp "$file.edits.XXXXXX")
new=$(mktemp "$file.new.XXXXXX")
trap 'rm -f "$edits" "$new"' EXIT
trap 'exit 143' TERM
trap 'exit 130' INT
filled=
cr=$(printf '\r')
for name in SECURITY_SALT DB_PASSWORD REDIS_PASSWORD STORAGE_ACCESS_KEY STORAGE_SECRET_KEY CLOUD_STORAGE_ENCRYPTION_KEY LOAD_TEST_TOKEN; do
    # A salt that is empty is none; an empty password may be meant.
    case $name in
    SECURITY_SALT) wanted="CHANGE_ME|^$name=[\"']*$cr?\$" ;;
    *) wanted=CHANGE_ME ;;
    esac
    grep -qE "^$name=.*$wanted" "$file" || continue
    # 64 hexadecimal digits: no character that any program reads differently.
    value=$(od -A n -v -t x1 -N 32 /dev/urandom | tr -d ' \n')
    [ "${#value}" -eq 64 ] || osv4_fail 70 "/dev/urandom gave no random bytes"
    # Through a file: arguments can be seen by everybody.
    printf 's/^%s=[^%s]*/%s=%s/\n' "$name" "$cr" "$name" "$value" >>"$edits"
    filled="$filled $name"
done
if [ -z "$filled" ]; then
    osv4_log "$file has no placeholder that a random value could fill"
    exit 0
fi
LC_ALL=C sed -f "$edits" "$file" >"$new"
case $(stat -c %a "$file") in
*40) chmod 640 "$new" ;;
esac
# As root, the file stays its owner's.
[ "$(id -u)" -ne 0 ] || chown "$(stat -c %u:%g "$file")" "$new"
sync "$new" 2>/dev/null || sync
mv -f "$new" "$file"
osv4_log "filled in $file:$filled"
case $filled in
*DB_PASSWORD*) osv4_log "DB_PASSWORD is new: a database server that exists already does not know it; write the server's own there" ;;
esac
