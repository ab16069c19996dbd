# shellcheck shell=sh
# The package's configuration over the application's own, at every start: so an edited file counts
# from the next start on. Where the package's folder cannot be written its templates count too, for
# files that nobody has made.

# osv4_overlay APP: into an unpacked application that may be running already.
osv4_overlay() {
    _osv4_list=$1/config/.overlay
    # A file that was taken away from the package since: the binary brings the application's own back.
    if [ -f "$_osv4_list" ]; then
        while IFS= read -r _osv4_place; do
            rm -f "$1/$_osv4_place"
        done <"$_osv4_list"
        rm -f "$_osv4_list"
        "$OSV4_BINARY" version >/dev/null
    fi
    [ -d "$OSV4_CONFIG" ] || return 0
    _osv4_overlay_from "$OSV4_CONFIG" "$1" config
    for _osv4_folder in "$OSV4_CONFIG"/plugins/*/; do
        _osv4_plugin=$(basename "$_osv4_folder")
        # Settings of a plugin that this edition has not.
        if [ ! -d "$_osv4_folder" ] || [ ! -d "$1/plugins/$_osv4_plugin" ]; then continue; fi
        mkdir -p "$1/plugins/$_osv4_plugin/config"
        _osv4_overlay_from "${_osv4_folder%/}" "$1" "plugins/$_osv4_plugin/config"
    done
}

# FROM APP PLACE
_osv4_overlay_from() {
    for _osv4_file in "$1"/*.php; do
        [ -f "$_osv4_file" ] || continue
        case $_osv4_file in *.example.php) ;; *) _osv4_overlay_file "$_osv4_file" "$2" "$3/${_osv4_file##*/}" ;; esac
    done
    for _osv4_file in "$1"/*.example.php; do
        [ -f "$_osv4_file" ] || continue
        _osv4_place=${_osv4_file##*/}
        _osv4_place=$3/${_osv4_place%.example.php}.php
        [ -e "$2/$_osv4_place" ] || _osv4_overlay_file "$_osv4_file" "$2" "$_osv4_place"
    done
}

_osv4_overlay_file() {
    if [ ! -r "$1" ]; then
        osv4_fail 78 "$1 cannot be read by $(id -un 2>/dev/null || id -u)"
    fi
    cmp -s "$1" "$2/$3" || osv4_put "$1" "$2/$3"
    printf '%s\n' "$3" >>"$2/config/.overlay"
}
