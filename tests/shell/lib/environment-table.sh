#!/bin/sh
# Makes tables of variables out of the list of all of them: environment-table.sh .env.full.example
#
# A group becomes a heading, a comment the meaning of what follows it. Secrets' files are left out: each is
# named after its variable.
set -eu

awk '
    function flush_group() { if (rows != "") { printf "### %s\n\n| variable | default | meaning |\n|---|---|---|\n%s\n", group, rows } rows = "" }
    /^# === .* ===$/ { flush_group(); group = $0; sub(/^# === /, "", group); sub(/ ===$/, "", group); meaning = ""; next }
    group == "" { next }
    /^# / { meaning = meaning (meaning == "" ? "" : " ") substr($0, 3); next }
    /^#?[A-Z][A-Z0-9_]*=/ {
        unset = /^#/
        line = $0; sub(/^#/, "", line)
        name = line; sub(/=.*/, "", name)
        value = line; sub(/^[^=]*=/, "", value)
        if (name !~ /_FILE$/ || name == "SSL_CERT_FILE") {
            # A placeholder is the contrary of a default.
            if (value ~ /^CHANGE_ME/) value = ""
            shown = value == "" ? "" : "`" value "`"
            if (unset && shown != "") shown = "none; as " shown
            # A bar would end the cell.
            gsub(/\|/, "\\|", meaning)
            rows = rows "| `" name "` | " shown " | " meaning " |\n"
        }
        meaning = ""; next
    }
    { meaning = "" }
    END { flush_group() }' "$1"
