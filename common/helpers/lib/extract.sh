# shellcheck shell=sh
# The application as files. The binary unpacks it to $TMPDIR/frankenphp_<sum>, and a server that
# ends removes that tree; so each service has a TMPDIR of its own, and what must survive lies in the
# state folder, to which the tree has links.

# osv4_extract SERVICE: sets and exports OSV4_APP and TMPDIR. While this script, or what it execs,
# lives, descriptor 9 holds a lock on the tree, so that nobody takes it away underneath.
osv4_extract() {
    [ -x "$OSV4_BINARY" ] || osv4_fail 78 "$OSV4_BINARY is missing or cannot be run: this package is not whole"
    _osv4_state
    osv4_templates
    TMPDIR=$OSV4_RUN/$1
    export TMPDIR
    mkdir -p "$TMPDIR" || osv4_fail 78 "$TMPDIR cannot be made: is OSV4_RUN the right folder, and may $(id -un 2>/dev/null || id -u) write there?"
    # One at a time, for a file that another process is writing looks whole from outside.
    exec 8>"$TMPDIR/.lock"
    _osv4_flock 8 -x "$TMPDIR"
    if [ -n "${FRANKENPHP_APP_PATH:-}" ]; then
        # A binary that was built to unpack to a fixed place; it does so whatever TMPDIR is.
        _osv4_unpack "$TMPDIR"
        OSV4_APP=$FRANKENPHP_APP_PATH
        [ -f "$OSV4_APP/bin/cake.php" ] || osv4_fail 78 "FRANKENPHP_APP_PATH is $OSV4_APP, where no application is"
        exec 9>"$TMPDIR/.fixed.lock"
    else
        _osv4_tree
    fi
    export OSV4_APP
    _osv4_links
    osv4_overlay "$OSV4_APP"
    _osv4_flock 9 -s "$OSV4_APP"
    exec 8>&-
}

# Folders for what survives; nobody else may read sessions and logs.
_osv4_state() {
    # The parent may be there already, with the rights that somebody chose.
    (umask 077 && mkdir -p "$OSV4_STATE" "$OSV4_RUN" "$OSV4_STATE/logs" "$OSV4_STATE/schema" "$OSV4_STATE/files" \
        "$OSV4_STATE/tmp/sessions" "$OSV4_STATE/tmp/cache/models" \
        "$OSV4_STATE/tmp/cache/persistent" "$OSV4_STATE/tmp/cache/views") ||
        osv4_fail 78 "$OSV4_STATE cannot be written by $(id -un 2>/dev/null || id -u): chown it, or set OSV4_STATE"
}

# osv4_flock DESCRIPTOR MODE WHAT
_osv4_flock() {
    command -v flock >/dev/null || osv4_fail 78 "the program flock is missing: install util-linux or busybox"
    flock "$2" "$1" || osv4_fail 78 "$3 cannot be locked"
}

_osv4_unpack() {
    # Whatever subcommand it is, the binary unpacks first.
    _osv4_said=$(TMPDIR=$1 timeout "${FRANKENPHP_EXTRACT_TIMEOUT:-60}" "$OSV4_BINARY" version 2>&1) && return 0
    _osv4_code=$?
    rm -rf "$OSV4_RUN/.new.$$"
    case $_osv4_code in
    124 | 143) osv4_fail 78 "unpacking took longer than ${FRANKENPHP_EXTRACT_TIMEOUT:-60} s: set FRANKENPHP_EXTRACT_TIMEOUT" ;;
    126 | 127) osv4_fail 78 "$OSV4_BINARY does not run on this machine: $_osv4_said" ;;
    *) osv4_fail 78 "$OSV4_BINARY could not unpack the application (is the disk full?): $_osv4_said" ;;
    esac
}

# Unpacks beside and renames, so that a tree is whole or not there. One that is in use stays, and so
# does one from the same binary that no server has had to remove.
_osv4_tree() {
    _osv4_from=$(stat -L -c '%i %s %Y' "$OSV4_BINARY")
    OSV4_APP=
    if [ -f "$TMPDIR/.from" ]; then
        { read -r _osv4_name && read -r _osv4_line; } <"$TMPDIR/.from" || :
        if [ "$_osv4_line" = "$_osv4_from" ] && [ -f "$TMPDIR/$_osv4_name/bin/cake.php" ]; then
            OSV4_APP=$TMPDIR/$_osv4_name
            exec 9>"$OSV4_APP.lock"
            # The server's own tree may be half removed; whoever holds it is still running from it.
            case ${TMPDIR##*/} in
            app) flock -n -x 9 && OSV4_APP= ;;
            esac
        fi
    fi
    if [ -z "$OSV4_APP" ]; then
        rm -rf "$OSV4_RUN/.new.$$"
        mkdir -p "$OSV4_RUN/.new.$$"
        _osv4_unpack "$OSV4_RUN/.new.$$"
        for _osv4_new in "$OSV4_RUN/.new.$$"/frankenphp_*; do
            [ -d "$_osv4_new" ] || osv4_fail 78 "$OSV4_BINARY unpacked no application"
        done
        _osv4_name=${_osv4_new##*/}
        OSV4_APP=$TMPDIR/$_osv4_name
        exec 9>"$OSV4_APP.lock"
        if [ ! -d "$OSV4_APP" ] || flock -n -x 9; then
            rm -rf "$OSV4_APP"
            mv "$_osv4_new" "$OSV4_APP"
        fi
        rm -rf "$OSV4_RUN/.new.$$"
        printf '%s\n%s\n' "$_osv4_name" "$_osv4_from" >"$TMPDIR/.from"
    fi
    # Trees of older versions go when nobody runs from them any more.
    for _osv4_old in "$TMPDIR"/frankenphp_*/; do
        _osv4_old=${_osv4_old%/}
        if [ ! -d "$_osv4_old" ] || [ "$_osv4_old" = "$OSV4_APP" ]; then continue; fi
        flock -n -x "$_osv4_old.lock" rm -rf "$_osv4_old" "$_osv4_old.lock" || :
    done
}

# Logs, caches, sessions and uploads go to the state folder. What the application ships there goes along.
_osv4_links() {
    for _osv4_pair in logs:logs tmp:tmp webroot/files:files; do
        _osv4_place=$OSV4_APP/${_osv4_pair%:*}
        _osv4_kept=$OSV4_STATE/${_osv4_pair#*:}
        [ ! -L "$_osv4_place" ] || continue
        if [ -d "$_osv4_place" ]; then
            # What is there already is newer than what is shipped.
            (cd "$_osv4_place" && find . -type d) | while IFS= read -r _osv4_each; do
                mkdir -p "$_osv4_kept/$_osv4_each"
            done
            (cd "$_osv4_place" && find . -type f) | while IFS= read -r _osv4_each; do
                [ -e "$_osv4_kept/$_osv4_each" ] || cp "$_osv4_place/$_osv4_each" "$_osv4_kept/$_osv4_each"
            done
            rm -rf "$_osv4_place"
        fi
        mkdir -p "${_osv4_place%/*}"
        ln -s "$_osv4_kept" "$_osv4_place"
    done
}
