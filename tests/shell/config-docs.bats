#!/usr/bin/env bats
# The page of all variables, made from the list: UPDATE_DOCS=1 writes it anew. And the lists before the
# validator that a person runs on them.
#
# shellcheck disable=SC2016 # PHP's dollars and Markdown's quotes

setup() {
    ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    PAGE="$ROOT/common/docs/ENVIRONMENT_CONFIGURATION.md"
    LIST="$ROOT/common/.env.full.example"
    LIB="$BATS_TEST_DIRNAME/lib"
    VALIDATE="$ROOT/common/helpers/validate-env.sh"
}

@test "the page has every variable, with its default and meaning" {
    {
        sed '/^<!-- variables -->$/q' "$PAGE"
        "$LIB/environment-table.sh" "$LIST"
        echo '<!-- end of variables -->'
    } >"$BATS_TEST_TMPDIR/page"
    if [ -n "${UPDATE_DOCS:-}" ]; then
        cp "$BATS_TEST_TMPDIR/page" "$PAGE"
    fi
    diff -u "$PAGE" "$BATS_TEST_TMPDIR/page" || { echo "run UPDATE_DOCS=1 bats tests/shell/config-docs.bats"; return 1; }
    local count
    count=$(sed -n 's/^#\{0,1\}\([A-Z][A-Z0-9_]*\)=.*/\1/p' "$LIST" | grep -cvE '_FILE$' || true)
    # SSL_CERT_FILE is a variable of its own and no secret's file.
    [ "$(grep -cE '^\| `[A-Z][A-Z0-9_]*` \| .*\| .*\|$' <(sed '1,/^<!-- variables/d' "$PAGE"))" -eq $((count + 1)) ]
}

@test "pages name no variable that does not exist" {
    sed -n 's/^#\{0,1\}\([A-Z][A-Z0-9_]*\)=.*/\1/p' "$LIST" | sort >"$BATS_TEST_TMPDIR/known"
    # Scripts' own, set in the environment; and what stands for any name.
    printf '%s\n' OSV4_ENV_FILE OSV4_STATE OSV4_HOME X X_FILE NAME CHANGE_ME >>"$BATS_TEST_TMPDIR/known"
    for page in "$PAGE" "$ROOT/common/CONFIGS.md" "$ROOT/common/README.md"; do
        while read -r name; do
            grep -qxF "$name" "$BATS_TEST_TMPDIR/known" || { echo "$page names $name"; return 1; }
        # The tables that are made from the list hold values as well, and cannot be wrong about names.
        done < <(sed '/^<!-- variables -->$/,$d' "$page" | grep -oE '`[A-Z][A-Z0-9]*(_[A-Z0-9]+)*[`=]' | tr -d '`=' | sort -u)
    done
}

@test "links of the pages lead somewhere" {
    for page in "$PAGE" "$ROOT/common/CONFIGS.md" "$ROOT/common/README.md"; do
        while read -r link; do
            case $link in
                '#'*)
                    # A heading's anchor: lower case, blanks to hyphens, no punctuation.
                    grep -E '^#+ ' "$page" | sed 's/^#* //' | tr 'A-Z ' 'a-z-' | tr -cd 'a-z0-9\n-' |
                        grep -qxF "${link#\#}" || { echo "$page: $link"; return 1; }
                    ;;
                http*) ;;
                *) [ -e "$(dirname "$page")/$link" ] || { echo "$page: $link"; return 1; } ;;
            esac
        done < <(grep -oE '\]\([^)]+\)' "$page" | sed 's/^](//; s/)$//')
    done
}

# As a person would do it: the two placeholders replaced, and whatever is an example taken as it is.
@test "the lists are refused for their placeholders alone, and are fine without them" {
    for list in .env.example .env.full.example; do
        run env -i PATH="$PATH" "$VALIDATE" "$ROOT/common/$list"
        [ "$status" -eq 78 ]
        [ "$(grep -c 'error: [A-Z_]* (' <<<"$output")" -eq 2 ] || { echo "$output"; return 1; }
        [[ $output == *SECURITY_SALT* && $output == *DB_PASSWORD* ]]
        sed 's/CHANGE_ME.*/0123456789abcdef0123456789abcdef01234567/' "$ROOT/common/$list" >"$BATS_TEST_TMPDIR/env"
        run env -i PATH="$PATH" "$VALIDATE" "$BATS_TEST_TMPDIR/env"
        [ "$status" -eq 0 ] || { echo "$output"; return 1; }
        # Every line switched on, but for files of secrets, which are not there; an endpoint wants its keys.
        sed 's/^#\([A-Z]\)/\1/; /_FILE=/d; s/^\(STORAGE_[A-Z]*_KEY\)=$/\1=key/' "$BATS_TEST_TMPDIR/env" >"$BATS_TEST_TMPDIR/all"
        run env -i PATH="$PATH" "$VALIDATE" "$BATS_TEST_TMPDIR/all"
        [ "$status" -eq 0 ] || { echo "$output"; return 1; }
    done
}

@test "every secret of the list can come from a file, and no other" {
    run sh -c 'OSV4_HOME=$1; . "$1/helpers/lib/osv4.sh"; printf "%s\n" $OSV4_SECRETS' sh "$ROOT/common"
    [ "$status" -eq 0 ]
    diff <(printf '%s\n' "$output" | sort) \
        <(sed -n 's/^#\{0,1\}\([A-Z][A-Z0-9_]*\)_FILE=.*/\1/p' "$LIST" | grep -vx SSL_CERT | sort)
}
