# shellcheck shell=sh
# The package's own list of what belongs to it, build-manifest.json. Whatever else lies in its folder is
# a person's: settings, data, secrets.

# shellcheck source=/dev/null
. "$OSV4_HOME/helpers/lib/facts.sh"

# manifest_files FOLDER: "TYPE MODE SIZE BLAKE3 PATH", a line each. The manifest is indented JSON with
# one field a line, in a fixed order; anything else is refused rather than half understood.
manifest_files() {
    [ -f "$1/build-manifest.json" ] || osv4_fail 66 "$1 is no package: build-manifest.json is missing"
    awk '
        function text(line) {
            sub(/^[^:]*: "/, "", line)
            sub(/",?$/, "", line)
            if (line ~ /\\/ || line ~ /^\// || line ~ /(^|\/)\.\.(\/|$)/) { print "bad name: " line > "/dev/stderr"; bad = 1 }
            return line
        }
        /^  "files": \[/ { inside = 1; next }
        !inside { next }
        /^    \{/ { path = type = mode = size = sum = "-" }
        /^      "path": "/ { path = text($0) }
        /^      "type": "/ { type = text($0) }
        /^      "mode": "/ { mode = text($0) }
        /^      "blake3": "/ { sum = text($0) }
        /^      "size": / { size = $2; sub(/,$/, "", size) }
        /^    \}/ {
            if (path == "-" || type == "-") bad = 1
            print type, mode, size, sum, path
            count++
        }
        END { exit bad || !count }
    ' "$1/build-manifest.json" || osv4_fail 65 "$1/build-manifest.json cannot be read"
}

# manifest_check FOLDER [--sizes-only]: is all of it there as it was built? Names every file that is not.
manifest_check() {
    _manifest_list=$(mktemp)
    manifest_files "$1" >"$_manifest_list"
    _manifest_wrong=0
    _manifest_sums=
    if [ "${2:-}" != --sizes-only ] && command -v b3sum >/dev/null; then _manifest_sums=1; fi
    while read -r _manifest_type _manifest_mode _manifest_size _ _manifest_path; do
        _manifest_why=
        _manifest_place=$1/$_manifest_path
        case $_manifest_type in
        file)
            if [ ! -f "$_manifest_place" ] || [ -L "$_manifest_place" ]; then
                _manifest_why='is missing'
            elif [ -z "$_manifest_sums" ] && [ "$(wc -c <"$_manifest_place")" -ne "$_manifest_size" ]; then
                _manifest_why='was changed'
            elif [ "$_manifest_mode" = 755 ] && [ ! -x "$_manifest_place" ]; then
                _manifest_why='cannot be executed'
            fi
            ;;
        link) [ -L "$_manifest_place" ] || _manifest_why='is missing' ;;
        empty_folder) [ -d "$_manifest_place" ] || _manifest_why='is missing' ;;
        *) _manifest_why="is a $_manifest_type, which this program does not know" ;;
        esac
        if [ -n "$_manifest_why" ]; then
            osv4_error "$_manifest_path $_manifest_why"
            _manifest_wrong=$((_manifest_wrong + 1))
        fi
    done <"$_manifest_list"
    if [ -n "$_manifest_sums" ]; then
        sed -n 's/^file [0-9]* [0-9]* \([0-9a-f]*\) /\1  /p' "$_manifest_list" >"$_manifest_list.b3"
        # A missing file was named above.
        (cd "$1" && b3sum --check "$_manifest_list.b3" 2>/dev/null) | sed -n 's/: FAILED$//p' >"$_manifest_list.bad"
        while IFS= read -r _manifest_path; do
            osv4_error "$_manifest_path was changed"
            _manifest_wrong=$((_manifest_wrong + 1))
        done <"$_manifest_list.bad"
        rm -f "$_manifest_list.b3" "$_manifest_list.bad"
    fi
    rm -f "$_manifest_list"
    [ "$_manifest_wrong" -eq 0 ]
}
