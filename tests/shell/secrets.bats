# Secrets: from files, made on request, and never seen.

load lib/ports

bats_require_minimum_version 1.5.0

setup() {
    need dash dash && need busybox busybox
    PROJECT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    export OSV4_HOME=$BATS_TEST_TMPDIR/package
    mkdir "$OSV4_HOME"
    cp -R "$PROJECT/common/helpers" "$OSV4_HOME"
    unset DB_PASSWORD DB_PASSWORD_FILE SECURITY_SALT SECURITY_SALT_FILE
}

# secrets [SHELL…]: reads them, and prints DB_PASSWORD between brackets.
secrets() {
    # shellcheck disable=SC2016
    "${@:-dash}" -euc '. "$OSV4_HOME/helpers/lib/osv4.sh"; osv4_secrets; printf "[%s]" "$(printenv DB_PASSWORD)"' sh
}

@test "a value from a file, whatever ends it" {
    for ending in '' '\n' '\r\n' '\n\n'; do
        printf "pass wörd\$x'\"\\\\$ending" >"$BATS_TEST_TMPDIR/secret"
        export DB_PASSWORD_FILE=$BATS_TEST_TMPDIR/secret
        [[ $(secrets) == "[pass wörd\$x'\"\\]" ]]
        [[ $(secrets busybox sh) == "[pass wörd\$x'\"\\]" ]]
    done
}

@test "both of them is a mistake, unless they agree" {
    echo one >"$BATS_TEST_TMPDIR/secret"
    export DB_PASSWORD_FILE=$BATS_TEST_TMPDIR/secret
    DB_PASSWORD=another run secrets
    [[ $status == 78 && $output == *'DB_PASSWORD_FILE: DB_PASSWORD is set as well'* && $output != *another* ]]
    # What a script that this one was started from has read already.
    [[ $(DB_PASSWORD=one secrets) == '[one]' ]]
}

@test "files that cannot be used end with 78, all named" {
    : >"$BATS_TEST_TMPDIR/empty"
    printf 'a\nb\n' >"$BATS_TEST_TMPDIR/lines"
    DB_PASSWORD_FILE=/nowhere SECURITY_SALT_FILE=$BATS_TEST_TMPDIR/empty SMTP_PASSWORD_FILE=$BATS_TEST_TMPDIR/lines \
        REDIS_PASSWORD_FILE=$BATS_TEST_TMPDIR run secrets
    [[ $status == 78 ]]
    [[ $output == *'DB_PASSWORD_FILE: there is no file /nowhere'* ]]
    [[ $output == *'SECURITY_SALT_FILE: '*' is empty'* ]]
    [[ $output == *'SMTP_PASSWORD_FILE: '*'more than one line'* ]]
    [[ $output == *'REDIS_PASSWORD_FILE: there is no file'* ]]
}

@test "a secret that another user owns" {
    open=$(mktemp -d /tmp/osv4-secrets.XXXXXX)
    cp -R "$OSV4_HOME/helpers" "$open"
    echo word >"$open/secret"
    chmod 755 "$open"
    chmod 000 "$open/secret"
    reader=()
    ((EUID != 0)) || reader=(setpriv --reuid nobody --regid nogroup --clear-groups)
    # shellcheck disable=SC2016
    OSV4_HOME=$open DB_PASSWORD_FILE=$open/secret run "${reader[@]}" dash -euc 'cd /; . "$OSV4_HOME/helpers/lib/osv4.sh"; osv4_secrets'
    rm -rf "$open"
    [[ $status == 78 && $output == *'cannot be read by'* ]]
}

@test "the .env may name the files" {
    echo word >"$BATS_TEST_TMPDIR/secret"
    printf 'DB_PASSWORD_FILE=%s\n' "$BATS_TEST_TMPDIR/secret" >"$OSV4_HOME/.env"
    # shellcheck disable=SC2016
    run dash -euc '. "$OSV4_HOME/helpers/lib/osv4.sh"; osv4_load_env "$OSV4_HOME/.env"; osv4_secrets; echo "$DB_PASSWORD"'
    [[ $output == word ]]
}

@test "the list of secrets is that of .env.full.example" {
    diff <(sed -n 's/^#\{0,1\}\([A-Z0-9_]*\)_FILE=.*/\1/p' "$PROJECT/common/.env.full.example" | grep -vx SSL_CERT | sort) \
        <(dash -uc '. "$OSV4_HOME/helpers/lib/osv4.sh"; printf "%s\n" $OSV4_SECRETS' | sort)
}

@test "placeholders are filled, the rest stays byte for byte" {
    file=$OSV4_HOME/.env
    printf '# CHANGE_ME is a word\r\nAPP_NAME='\''CHANGE_ME too'\''\nSECURITY_SALT=CHANGE_ME_salt\r\n\n#REDIS_PASSWORD=CHANGE_ME\nDB_PASSWORD="CHANGE_ME db"\nSMTP_PASSWORD=CHANGE_ME\nZ=last' >"$file"
    cp "$file" "$BATS_TEST_TMPDIR/before"
    run dash "$OSV4_HOME/helpers/generate-secrets.sh"
    [[ $status == 0 && $output == *'SECURITY_SALT DB_PASSWORD'* ]]
    salt=$(sed -n 's/^SECURITY_SALT=\([0-9a-f]\{64\}\)\r$/\1/p' "$file")
    password=$(sed -n 's/^DB_PASSWORD=\([0-9a-f]\{64\}\)$/\1/p' "$file")
    [[ -n $salt && -n $password && $salt != "$password" ]]
    [[ $output != *"$salt"* && $output != *"$password"* ]]
    # All other bytes: put the placeholders back and compare.
    sed -e "s/$salt/CHANGE_ME_salt/" -e "s/$password/\"CHANGE_ME db\"/" "$file" | cmp - "$BATS_TEST_TMPDIR/before"
    [[ $(stat -c %a "$file") == 600 ]]
    [[ $(ls -A "$OSV4_HOME") == $'.env\nhelpers' ]]
    # Again: nothing to do.
    cp "$file" "$BATS_TEST_TMPDIR/before"
    run busybox sh "$OSV4_HOME/helpers/generate-secrets.sh"
    [[ $status == 0 && $output == *'no placeholder'* ]]
    cmp "$file" "$BATS_TEST_TMPDIR/before"
}

@test "an empty salt is filled, an own one never" {
    for line in SECURITY_SALT= "SECURITY_SALT=''"; do
        printf '%s\n' "$line" >"$OSV4_HOME/.env"
        busybox sh "$OSV4_HOME/helpers/generate-secrets.sh"
        grep -qxE 'SECURITY_SALT=[0-9a-f]{64}' "$OSV4_HOME/.env"
    done
    printf 'SECURITY_SALT=mine\nDB_PASSWORD=\n' >"$OSV4_HOME/.env"
    dash "$OSV4_HOME/helpers/generate-secrets.sh"
    [[ $(cat "$OSV4_HOME/.env") == $'SECURITY_SALT=mine\nDB_PASSWORD=' ]]
}

@test "rights: never more than before, a group that may read still may" {
    for pair in 644:600 664:600 640:640 600:600 400:600; do
        printf 'SECURITY_SALT=\n' >"$OSV4_HOME/.env"
        chmod "${pair%:*}" "$OSV4_HOME/.env"
        ((EUID == 0)) || [[ ${pair%:*} != 400 ]] || continue
        dash "$OSV4_HOME/helpers/generate-secrets.sh"
        [[ $(stat -c %a "$OSV4_HOME/.env") == "${pair#*:}" ]]
    done
}

@test "a link stays a link, and a file that cannot be parsed stays" {
    printf 'SECURITY_SALT=\n' >"$BATS_TEST_TMPDIR/real"
    ln -s "$BATS_TEST_TMPDIR/real" "$OSV4_HOME/.env"
    dash "$OSV4_HOME/helpers/generate-secrets.sh"
    [[ -L $OSV4_HOME/.env ]]
    grep -qE '[0-9a-f]{64}' "$BATS_TEST_TMPDIR/real"
    printf 'SECURITY_SALT=\nstray words\n' >"$BATS_TEST_TMPDIR/bad"
    run dash "$OSV4_HOME/helpers/generate-secrets.sh" "$BATS_TEST_TMPDIR/bad"
    [[ $status == 78 && $(cat "$BATS_TEST_TMPDIR/bad") == $'SECURITY_SALT=\nstray words' ]]
}

@test "the shipped template is refused as it is, and is good once it was filled" {
    cp "$PROJECT/common/.env.example" "$OSV4_HOME/.env"
    run dash "$OSV4_HOME/helpers/validate-env.sh"
    [[ $status == 78 && $output == *'SECURITY_SALT (.env line '*placeholder* && $output == *'DB_PASSWORD (.env line '*placeholder* ]]
    dash "$OSV4_HOME/helpers/generate-secrets.sh"
    run dash "$OSV4_HOME/helpers/validate-env.sh"
    [[ $status == 0 ]]
    # No mail is configured, and that is a warning.
    run dash "$OSV4_HOME/helpers/validate-env.sh" --strict
    [[ $status == 78 && $output == *FROM_EMAIL* ]]
}
