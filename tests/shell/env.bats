# Files of settings: one table of hostile lines, read by everything that reads them.

load lib/ports

bats_require_minimum_version 1.5.0

setup_file() {
    need dash dash && need busybox busybox && need docker-compose docker-compose && need python3 python3-yaml
}

setup() {
    PROJECT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    export OSV4_HOME=$BATS_TEST_TMPDIR/package
    mkdir "$OSV4_HOME"
    cp -R "$PROJECT/common/helpers" "$OSV4_HOME"
    file=$OSV4_HOME/.env
    unset V
    rm -f /tmp/osv4-was-run
}

# rows VERDICT COMMAND: runs it for each row with `what`, `text` and `value` set; the file is written.
rows() {
    local what verdict text value count=0
    while IFS=$'\t' read -r what verdict text value; do
        [[ $what != '#'* && $verdict == "$1" ]] || continue
        printf %b "$text" >"$file"
        # The dot keeps line ends.
        value=$(printf '%b.' "$value") value=${value%.}
        "$2" || { echo "row: $what" >&2; return 1; }
        count=$((count + 1))
    done <"$BATS_TEST_DIRNAME/env-values.tsv"
    ((count > 20)) || { echo "only $count rows" >&2; return 1; }
}

# In $shell; prints V between brackets.
parse() {
    # shellcheck disable=SC2016 # for the other shell
    env -u V $shell -euc '. "$OSV4_HOME/helpers/lib/osv4.sh"; osv4_load_env "$1"; printf "[%s]" "$(printenv V; echo .)"' sh "$file"
}

reads() {
    local got
    got=$(parse) || return 1
    [[ $got == "[$value"$'\n'".]" ]] || { echo "$shell: $got" >&2; return 1; }
}

refuses() {
    local code=0
    parse >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" || code=$?
    [[ $code == 78 && ! -s $BATS_TEST_TMPDIR/out && ! -e /tmp/osv4-was-run ]] || { echo "$shell: $code" >&2; return 1; }
    # With its place and what to do, in good English and without shell noise.
    grep -q '^orangescrum: error: .*\.env' "$BATS_TEST_TMPDIR/err" || return 1
    ! grep -v '^orangescrum: ' "$BATS_TEST_TMPDIR/err"
}

@test "dash reads the table" { shell=dash; rows read reads; }
@test "busybox reads the table" { shell='busybox sh'; rows read reads; }
@test "bash reads the table" { shell='bash --posix'; rows read reads; }
@test "dash refuses what is ambiguous" { shell=dash; rows refused refuses; }
@test "busybox refuses what is ambiguous" { shell='busybox sh'; rows refused refuses; }
@test "bash refuses what is ambiguous" { shell='bash --posix'; rows refused refuses; }

@test "a locale of another kind changes nothing" {
    export LC_ALL=C.UTF-8
    for shell in dash 'busybox sh'; do
        rows read reads
        rows refused refuses
    done
}

@test "compose reads what we read" {
    cd "$BATS_TEST_TMPDIR"
    # compose_reads FILE: as JSON, by name. `config` writes each dollar twice, so that its output can be read again.
    compose_reads() {
        sed -n 's/^\(V[0-9]*\)=.*/      - \1/p' "$1" | {
            printf 'services:\n  one:\n    image: one\n    environment:\n'
            cat
        } >compose.yaml
        docker-compose -f compose.yaml --env-file "$1" config >out 2>err || { cat err >&2; return 1; }
        python3 -c 'import json, yaml
got = yaml.safe_load(open("out"))["services"]["one"]["environment"]
print(json.dumps({name: value.replace("$$", "$") for name, value in got.items()}))'
    }
    # Rows of one line go into one file, for each call costs a second; the others are files of their own.
    : >all
    number=0
    split() {
        number=$((number + 1))
        if [[ $text == V=*'\n' && ${text%'\n'} != *'\n'* ]]; then
            sed "s/^V=/V$number=/" "$file" >>all
            printf '%s\0%s\0' "V$number" "$value" >>wanted
        else
            got=$(compose_reads "$file")
            python3 -c 'import json, sys; sys.exit(json.loads(sys.argv[1])["V"] != sys.argv[2])' "$got" "$value" ||
                { echo "compose: $got" >&2; return 1; }
        fi
    }
    rows read split
    got=$(compose_reads all)
    python3 -c 'import json, sys
words = open("wanted", "rb").read().decode().split("\0")
wanted = dict(zip(words[0:-1:2], words[1::2]))
got = json.loads(sys.argv[1])
wrong = {name: (got.get(name), wanted[name]) for name in wanted if got.get(name) != wanted[name]}
sys.exit(f"compose: {wrong}" if wrong or len(wanted) < 15 else None)' "$got"
}

@test "the validator reads the table alike" {
    export SECURITY_SALT=0123456789abcdef0123456789abcdef DB_HOST=h DB_USERNAME=u DB_PASSWORD=p DB_NAME=n
    accepts() { dash "$OSV4_HOME/helpers/validate-env.sh" "$file" 2>"$BATS_TEST_TMPDIR/err" || { cat "$BATS_TEST_TMPDIR/err"; return 1; }; }
    denies() {
        local code=0
        dash "$OSV4_HOME/helpers/validate-env.sh" "$file" 2>/dev/null || code=$?
        [[ $code == 78 ]]
    }
    rows read accepts
    rows refused denies
}

@test "all wrong lines are named, and no value" {
    printf 'A=1\nDB_PASSWORD=top secret\nB="x\nC=3\nA=again\n' >"$file"
    shell=dash
    run --separate-stderr parse
    [[ $status == 78 ]]
    for line in 2 3 5; do
        [[ $stderr == *".env line $line: "* ]]
    done
    [[ $stderr != *top* && $stderr != *'line 4'* && $stderr == *'as line 1 does'* ]]
}

@test "the environment wins, an empty value too" {
    printf 'V=file\nW=file\n' >"$file"
    # shellcheck disable=SC2016
    run env V=environment W= dash -euc '. "$OSV4_HOME/helpers/lib/osv4.sh"; osv4_load_env "$1"; echo "$V-$W"' sh "$file"
    [[ $output == environment- ]]
}

@test "a file that is not there, is a folder, or is another's" {
    shell=dash
    run parse
    [[ $status == 78 && $output == *'copy .env.example'* ]]
    mkdir "$file"
    run parse
    [[ $status == 78 && $output == *'is not a file'* ]]
    rmdir "$file"
    printf 'V=1\n' >"$file"
    chmod 600 "$file"
    chmod 755 "$BATS_TEST_TMPDIR" "$OSV4_HOME"
    if ((EUID == 0)); then
        # Where root may read everything, somebody else may not; folders above it are root's own, so over a copy.
        open=$(mktemp -d /tmp/osv4-env.XXXXXX)
        cp -R "$OSV4_HOME/." "$open" && chmod 755 "$open" && chmod 600 "$open/.env"
        # shellcheck disable=SC2016
        run env OSV4_HOME="$open" setpriv --reuid nobody --regid nogroup --clear-groups \
            dash -euc 'cd /; . "$OSV4_HOME/helpers/lib/osv4.sh"; osv4_load_env "$OSV4_HOME/.env"'
        rm -rf "$open"
    else
        chmod 0 "$file"
        run parse
    fi
    [[ $status == 78 && $output == *'cannot be read by'* && $output == *'belongs to another user'* ]]
}

@test "names of the shell and of these scripts cannot be set by a file" {
    shell=dash
    for name in PATH IFS PWD; do
        printf '%s=/nowhere\nV=1\n' "$name" >"$file"
        [[ $(parse) == $'[1\n.]' ]]
    done
    printf '_osv4_line=1\n' >"$file"
    run parse
    [[ $status == 78 ]]
}

@test "sourcing the library does nothing" {
    for shell in dash 'busybox sh' 'bash --posix'; do
        # shellcheck disable=SC2016
        run $shell -euc '. "$OSV4_HOME/helpers/lib/osv4.sh"; echo "$OSV4_STATE $OSV4_RUN"'
        [[ $status == 0 && $output == "$OSV4_HOME/state $OSV4_HOME/state/run" ]]
    done
    [[ ! -e $OSV4_HOME/state ]]
    # shellcheck disable=SC2016
    run env STATE_DIRECTORY=/var/lib/a:/var/lib/b dash -euc '. "$OSV4_HOME/helpers/lib/osv4.sh"; echo "$OSV4_STATE"'
    [[ $output == /var/lib/a ]]
}
