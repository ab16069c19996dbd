# What is demanded before a start, and what is not.

load lib/ports

setup() {
    need dash dash
    PROJECT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    export OSV4_HOME=$BATS_TEST_TMPDIR/package
    mkdir "$OSV4_HOME"
    cp -R "$PROJECT/common/helpers" "$OSV4_HOME"
    # What a start needs at least, and what takes the warnings away.
    needed=(SECURITY_SALT=0123456789abcdef0123456789abcdef DB_HOST=db DB_USERNAME=u DB_PASSWORD=pass-w0rd DB_NAME=n)
    quiet=(FULL_BASE_URL=https://example.org FROM_EMAIL=a@example.org SMTP_HOST=mail)
}

# validate [--strict] NAME=VALUE…: nothing else is in the environment. A name without value takes it away.
validate() {
    local option=()
    [[ ${1:-} != --strict ]] || { option=(--strict); shift; }
    run env -i PATH="$PATH" OSV4_HOME="$OSV4_HOME" "${needed[@]}" "$@" dash "$OSV4_HOME/helpers/validate-env.sh" "${option[@]}"
}

good() {
    validate "$@"
    [[ $status == 0 ]] || { echo "not good with $*: $output" >&2; return 1; }
}

# bad NAME SETTING…: refused, and NAME is what is named.
bad() {
    local name=$1
    shift
    validate "$@"
    [[ $status == 78 && $output == *"orangescrum: error: $name"* && $output == *'nothing was started'* ]] ||
        { echo "not refused for $name with $*: $status $output" >&2; return 1; }
}

doubtful() {
    local name=$1
    shift
    validate --strict "${quiet[@]}"
    [[ $status == 0 ]] || { echo "not clean to begin with: $output" >&2; return 1; }
    validate "${quiet[@]}" "$@"
    [[ $status == 0 && $output == *"orangescrum: warning: $name"* ]] || { echo "no warning of $name: $output" >&2; return 1; }
    validate --strict "${quiet[@]}" "$@"
    [[ $status == 78 ]]
}

@test "the least is enough" {
    good
    good DATABASE_URL=postgres://u:p%40@db:5432/n DB_HOST= DB_USERNAME= DB_PASSWORD= DB_NAME=
}

@test "what every start needs" {
    for name in SECURITY_SALT DB_HOST DB_USERNAME DB_PASSWORD DB_NAME; do
        bad $name $name=
    done
    bad SECURITY_SALT SECURITY_SALT=0123456789abcdef0123456789abcde
    bad SECURITY_SALT SECURITY_SALT=CHANGE_ME_salt_of_at_least_32_characters
    bad DB_PASSWORD DB_PASSWORD=CHANGE_ME_database_password
    bad DATABASE_URL DATABASE_URL=postgres://u:CHANGE_ME@db/n
    bad DATABASE_URL DATABASE_URL=mysql://u:p@db/n
}

@test "Redis only where something is in Redis" {
    good CACHE_ENGINE=file
    good CACHE_ENGINE=auto
    good QUEUE_ENGINE=file CACHE_ENGINE=file SESSION_HANDLER=cache
    good CACHE_ENGINE=redis REDIS_HOST=cache
    good QUEUE_ENGINE=redis QUEUE_URL=redis://cache:6379/0
    bad REDIS_HOST CACHE_ENGINE=redis
    bad REDIS_HOST QUEUE_ENGINE=redis
    bad REDIS_PASSWORD REDIS_PASSWORD=CHANGE_ME_redis
    bad QUEUE_URL QUEUE_URL=http://cache
    bad MEMCACHED_SERVER CACHE_ENGINE=memcached
}

@test "mail only by the chosen transport" {
    good FROM_EMAIL=a@b SMTP_HOST=mail EMAIL_API_KEY=
    good FROM_EMAIL=a@b EMAIL_TRANSPORT=sendgrid EMAIL_API_KEY=k SMTP_PORT=99999
    bad EMAIL_API_KEY FROM_EMAIL=a@b EMAIL_TRANSPORT=sendgrid
    bad SMTP_HOST FROM_EMAIL=a@b
    bad SMTP_PASSWORD FROM_EMAIL=a@b SMTP_HOST=mail SMTP_USERNAME=u
    bad FROM_EMAIL FROM_EMAIL=nobody SMTP_HOST=mail
    bad EMAIL_TRANSPORT EMAIL_TRANSPORT=pigeon
}

@test "storage only where it is configured" {
    good STORAGE_BUCKET= STORAGE_SECRET_KEY=
    good STORAGE_ENDPOINT=http://s3:9000 STORAGE_ACCESS_KEY=a STORAGE_SECRET_KEY=b STORAGE_BUCKET=c
    for name in ACCESS_KEY SECRET_KEY BUCKET; do
        bad STORAGE_$name STORAGE_ENDPOINT=http://s3:9000 STORAGE_ACCESS_KEY=a STORAGE_SECRET_KEY=b STORAGE_BUCKET=c STORAGE_$name=
    done
    bad STORAGE_ENDPOINT STORAGE_ENDPOINT=s3 STORAGE_ACCESS_KEY=a STORAGE_SECRET_KEY=b STORAGE_BUCKET=c
}

@test "numbers, switches, choices, addresses, sizes" {
    for value in 0 65536 http 80a -1 99999999999999999999 8080:80; do
        bad APP_PORT APP_PORT="$value"
        bad DB_PORT DB_PORT="$value"
    done
    good APP_PORT=1 DB_PORT=65535 PORT=8080
    for name in DEBUG SKIP_MIGRATIONS RUN_MIGRATIONS SKIP_SEEDERS RUN_SEEDERS SESSION_COOKIE_SECURE DB_LOG; do
        bad $name $name=maybe
        for value in true false TRUE no off 1 0 ''; do
            good $name="$value"
        done
    done
    bad FULL_BASE_URL FULL_BASE_URL=example.org
    bad FULL_BASE_URL FULL_BASE_URL=https://
    bad FULL_BASE_URL FULL_BASE_URL=https://example.org/
    bad DB_HOST DB_HOST=postgres://db
    bad DB_SCHEMA DB_SCHEMA='a;b'
    bad SESSION_HANDLER SESSION_HANDLER=disk
    bad SESSION_COOKIE_SAMESITE SESSION_COOKIE_SAMESITE=None SESSION_COOKIE_SECURE=false
    bad PHP_MEMORY_LIMIT PHP_MEMORY_LIMIT=lots
    bad PHP_MEMORY_LIMIT PHP_MEMORY_LIMIT=1X
    good PHP_MEMORY_LIMIT=512M PHP_POST_MAX_SIZE=1g PHP_UPLOAD_MAX_FILESIZE=1048576
    good PHP_MEMORY_LIMIT=-1
    bad DB_WAIT_TIMEOUT DB_WAIT_TIMEOUT=soon
    bad SSL_CERT_FILE SSL_CERT_FILE=/nowhere
}

@test "what is doubtful is said, and strict refuses it" {
    doubtful FULL_BASE_URL FULL_BASE_URL=
    doubtful FROM_EMAIL FROM_EMAIL=
    doubtful DEBUG DEBUG=true
    doubtful SESSION_COOKIE_SECURE FULL_BASE_URL=http://example.org
}

@test "all mistakes at once, each with a mend, and no secret" {
    validate DB_HOST= APP_PORT=x SECURITY_SALT=short-Salt DB_PASSWORD=CHANGE_ME_xyzzy DATABASE_URL=
    [[ $status == 78 && $(grep -c 'error: ' <<<"$output") == 5 && $output == *'4 mistakes'* ]]
    [[ $output != *short-Salt* && $output != *xyzzy* && $output != *pass-w0rd* ]]
    validate DATABASE_URL=mysql://u:topsecret@db/n
    [[ $output != *topsecret* ]]
}

@test "lines of the file are named, and it is never run" {
    printf '# one\nAPP_PORT=x\nSECURITY_SALT=$(touch %s)\n' "$BATS_TEST_TMPDIR/ran" >"$OSV4_HOME/.env"
    validate
    [[ $status == 78 && $output == *'.env line 3'* && ! -e $BATS_TEST_TMPDIR/ran ]]
    printf '# one\nAPP_PORT=x\n' >"$OSV4_HOME/.env"
    validate
    [[ $output == *'APP_PORT (.env line 2): is `x`: write a number'* ]]
    # Another file, and the environment over it.
    printf 'APP_PORT=y\n' >"$BATS_TEST_TMPDIR/other.env"
    run env -i PATH="$PATH" OSV4_HOME="$OSV4_HOME" "${needed[@]}" dash "$OSV4_HOME/helpers/validate-env.sh" "$BATS_TEST_TMPDIR/other.env"
    [[ $output == *'other.env line 1'* ]]
    good APP_PORT=80
}

@test "wrong use ends with 64" {
    run dash "$OSV4_HOME/helpers/validate-env.sh" --strickt
    [[ $status == 64 ]]
    run dash "$OSV4_HOME/helpers/validate-env.sh" a b
    [[ $status == 64 ]]
    run dash "$OSV4_HOME/helpers/validate-env.sh" --help
    [[ $status == 0 && $output == validate-env.sh* ]]
    run dash "$OSV4_HOME/helpers/validate-env.sh" /nowhere/.env
    [[ $status == 78 ]]
}

@test "shellcheck and the shells' own readers like every script" {
    need shellcheck shellcheck && need busybox busybox
    cd "$PROJECT/common/helpers"
    shellcheck -x -P SCRIPTDIR ./*.sh
    shellcheck -s sh -e SC1091 lib/*.sh
    for script in ./*.sh lib/*.sh; do
        dash -n "$script"
        busybox sh -n "$script"
    done
    [[ -z $(find . -maxdepth 1 -name '*.sh' ! -perm -u+x) ]]
}
