# shellcheck shell=sh
# Configuration templates of the package: X.example.php becomes X.php, which is the person's. One
# that nobody edited follows its template when a newer package brings another; `.templates` in the
# same folder remembers the checksum of what was made.

# osv4_templates: makes what is missing in $OSV4_CONFIG, where that may be written.
osv4_templates() {
    if [ ! -d "$OSV4_CONFIG" ] || [ ! -w "$OSV4_CONFIG" ]; then return 0; fi
    _osv4_templates_in "$OSV4_CONFIG"
    for _osv4_folder in "$OSV4_CONFIG"/plugins/*/; do
        [ ! -w "$_osv4_folder" ] || _osv4_templates_in "${_osv4_folder%/}"
    done
}

_osv4_templates_in() {
    for _osv4_template in "$1"/*.example.php; do
        [ -f "$_osv4_template" ] || continue
        _osv4_live=${_osv4_template%.example.php}.php
        _osv4_name=${_osv4_live##*/}
        _osv4_sum=$(cksum <"$_osv4_template")
        if [ -e "$_osv4_live" ]; then
            _osv4_made=$(sed -n "s/^$_osv4_name //p" "$1/.templates" 2>/dev/null || :)
            _osv4_now=$(cksum <"$_osv4_live")
            if [ "$_osv4_now" != "$_osv4_made" ] || [ "$_osv4_now" = "$_osv4_sum" ]; then continue; fi
            osv4_log "$_osv4_live follows its template, which is a newer one"
        fi
        osv4_put "$_osv4_template" "$_osv4_live"
        # Beside, then renamed: two starts at once leave one whole list.
        {
            sed "/^$_osv4_name /d" "$1/.templates" 2>/dev/null || :
            printf '%s %s\n' "$_osv4_name" "$_osv4_sum"
        } >"$1/.templates.$$"
        mv "$1/.templates.$$" "$1/.templates"
    done
}

# osv4_put FROM TO: a copy that nobody sees half.
osv4_put() {
    cp "$1" "$2.new.$$"
    mv -f "$2.new.$$" "$2"
}
