# shellcheck shell=sh
# What a package's build-manifest.json tells of its build: facts, and the commit that is inside. The
# manifest is indented JSON with one field a line.

# manifest_value FOLDER BLOCK NAME [INNER]: a field of a block, or of a block in it; nothing where it is not.
manifest_value() {
    [ -f "$1/build-manifest.json" ] || return 0
    awk -v block="  \"$2\": {" -v name="$3" -v inner="${4:-}" '
        $0 == block { inside = 1; next }
        !inside { next }
        /^  }/ { exit }
        inner == "" { wanted = "    \"" name "\": \"" }
        inner != "" { wanted = "      \"" inner "\": \"" }
        /^    "/ && inner != "" { found = $0 == "    \"" name "\": {" }
        (inner == "" || found) && index($0, wanted) == 1 {
            rest = substr($0, length(wanted) + 1)
            sub(/",?$/, "", rest)
            # \" and \\ stand for themselves; nothing else is written so in a value of one line.
            while (at = index(rest, "\\")) {
                out = out substr(rest, 1, at - 1) substr(rest, at + 1, 1)
                rest = substr(rest, at + 2)
            }
            print out rest
            exit
        }
    ' "$1/build-manifest.json"
}

# manifest_fact FOLDER NAME: a fact of the build, such as version.
manifest_fact() { manifest_value "$1" facts "$2"; }

# manifest_commit FOLDER: the commit of the application; nothing where it came from a folder.
manifest_commit() { manifest_value "$1" provenance source commit; }

# manifest_brief FOLDER: both in a few words, for people.
manifest_brief() {
    _manifest_version=$(manifest_fact "$1" version)
    _manifest_commit=$(manifest_commit "$1")
    printf '%s\n' "${_manifest_version:+version $_manifest_version}${_manifest_version:+${_manifest_commit:+, }}${_manifest_commit:+commit $_manifest_commit}"
}
