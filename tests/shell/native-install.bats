#!/usr/bin/env bats
# install.sh, upgrade.sh, rollback.sh and uninstall.sh in a scratch prefix, on real PostgreSQL, without systemd
# (tests/shell/native-systemd.bats has that). As root the service runs as `nobody`.

# shellcheck disable=SC2016,SC2030,SC2031 # PHP's dollars; each test is a process of its own

load lib/postgres
load lib/package

setup_file() {
    bats_require_minimum_version 1.5.0
    need curl curl
    postgres_start
    # Not in the folder of bats, which only root may enter.
    SHELF=$(mktemp -d /tmp/osv4-native.XXXXXX)
    export SHELF
    chmod 755 "$SHELF"
    local app=$BATS_TEST_DIRNAME/../orangescrum/app pack=$BATS_TEST_DIRNAME/../orangescrum/pack.sh
    # Three versions of the application: the first; one with another migration; one whose migration fails.
    package_native "$SHELF/one" 1.0
    cp -R "$app" "$SHELF/app"
    echo 4.0.1-test >"$SHELF/app/VERSION.txt"
    migration CreateExtras 'CREATE TABLE extras (id bigint PRIMARY KEY)' >"$SHELF/app/config/Migrations/20270101000000_CreateExtras.php"
    "$pack" "$SHELF/binary" "$SHELF/app"
    package_native "$SHELF/two" 1.1 "$SHELF/binary"
    # The same, but its server has no health page.
    sed "s,=== '/healthz',=== '/healthy'," "$SHELF/binary" >"$SHELF/sick"
    chmod 755 "$SHELF/sick"
    package_native "$SHELF/three" 1.2 "$SHELF/sick"
    migration BreakThings 'CREATE TABLE broken (id nonsense)' >"$SHELF/app/config/Migrations/20270102000000_BreakThings.php"
    "$pack" "$SHELF/binary" "$SHELF/app"
    package_native "$SHELF/four" 1.3 "$SHELF/binary"
    rm -rf "$SHELF/app" "$SHELF/binary" "$SHELF/sick"
}

teardown_file() {
    rm -rf "$SHELF"
    postgres_stop
}

setup() {
    postgres_database
    APP_PORT=$(free_port)
    export UPGRADE_HEALTH_TIMEOUT=3 SERVER_START_TIMEOUT=15
    place=$(mktemp -d /tmp/osv4-native.XXXXXX)
    chmod 755 "$place"
    prefix=$place/opt
    page=http://127.0.0.1:$APP_PORT
    package_env "$place/env"
    unset DB_HOST DB_PORT DB_USERNAME DB_PASSWORD APP_PORT
    user=nobody
    ((EUID == 0)) || user=$(id -un)
}

teardown() {
    [[ ! -x $prefix/current/run.sh ]] || "$prefix/current/run.sh" stop >/dev/null 2>&1 || :
    rm -rf "$place"
}

migration() {
    printf '<?php\nfinal class %s extends App\\Database\\Migration\n{\n    public function up(): void\n    {\n        $this->execute(%s);\n    }\n}\n' "$1" "'$2'"
}

install() {
    "$SHELF/one/install.sh" --prefix "$prefix" --etc "$place/etc" --state "$place/state" --user "$user" \
        --units "$place/units" --env-from "$place/env" "$@"
}

# An installation that serves.
installed() {
    install >/dev/null
    DAEMON=true "$prefix/current/run.sh" 3>&-
    curl -fsS "$page/" | grep -q 4.0.0-test
}

# What is installed, and what serves.
is_served() {
    [[ $(readlink "$prefix/current") == releases/$1-* ]] && curl -fsS "$page/" | grep -q "$2"
}

releases() {
    (cd "$prefix/releases" && printf '%s ' *) | sed -E 's/-[0-9a-f]{12} / /g'
}

@test "a dry run says everything and does nothing" {
    run -0 install --dry-run
    [[ $output == *"$prefix/current"* && $output == *"$place/etc/orangescrum.env, mode 640"* ]]
    [[ $output == *"of user $user"* && ! -e $prefix && ! -e $place/etc ]]
}

@test "installed: whose everything is, and who may read it" {
    install
    [[ $(readlink "$prefix/current") == releases/1.0-* ]]
    cmp "$place/env" "$place/etc/orangescrum.env"
    [[ $(stat -c %a "$place/etc/orangescrum.env") == 640 ]] || ((EUID != 0))
    [[ -f $place/etc/config/smtp.php && -f $place/etc/config/plugins/Payments/stripe.php ]]
    diff -r "$SHELF/one" "$prefix/current/"
    ((EUID == 0)) || return 0
    [[ $(stat -c %U:%G "$place/etc/orangescrum.env") == root:nogroup ]]
    [[ $(stat -c %U "$place/state") == nobody ]]
    # The service cannot change what it runs.
    [[ -z $(find -L "$prefix" ! -user root -print -quit) && -z $(find "$prefix" -perm /o+w ! -type l -print -quit) ]]
    grep "^User=nobody" "$place/units/orangescrum.service"
    grep "^ExecStart=$prefix/current/run.sh serve" "$place/units/orangescrum.service"
    grep "^ReadWritePaths=$place/state" "$place/units/orangescrum.service"
    [[ $(ls "$place/units") == $(cd "$SHELF/one/systemd" && ls) ]]
}

@test "installed again: settings, edited configuration and data stay as they are" {
    install
    echo '# mine' >>"$place/etc/orangescrum.env"
    echo '<?php return [];' >"$place/etc/config/smtp.php"
    echo data >"$place/state/mine"
    before=$(cd "$place" && find . -type f -print0 | sort -z | xargs -0 sha256sum)
    install
    [[ $(cd "$place" && find . -type f -print0 | sort -z | xargs -0 sha256sum) == "$before" ]]
    "$prefix/current/install.sh" --prefix "$prefix"
    [[ $(cd "$place" && find . -type f -print0 | sort -z | xargs -0 sha256sum) == "$before" ]]
    run -73 "$SHELF/two/install.sh" --prefix "$prefix"
    [[ $output == *upgrade.sh* ]]
}

@test "another name: units, settings and paths of its own" {
    install --name shop-two
    [[ -f $place/etc/shop-two.env && -f $place/units/shop-two-queue@.service ]]
    run ! grep -rE 'orangescrum[-a-z@]*\.(service|timer)' "$place/units"
    grep "^After=.* shop-two.service" "$place/units/shop-two-queue@.service"
    run -64 install --name 'Shop Two'
    run -64 install --prefix "$place/with blank"
}

@test "a damaged package is not installed" {
    cp -R "$SHELF/one" "$place/package"
    echo >>"$place/package/helpers/lib/say.sh"
    run -65 "$place/package/install.sh" --prefix "$prefix" --etc "$place/etc" --state "$place/state" --user "$user" --units none
    [[ $output == *"helpers/lib/say.sh was changed"* && ! -e $prefix/current ]]
}

@test "it serves from the installation, as the service's user, with edits of /etc" {
    installed
    run -0 "$prefix/current/run.sh" status
    pid=${output##* }
    [[ $(ps -o user= -p "$pid") == "$user" ]]
    "$prefix/current/run.sh" stop
    echo '<?php return ["App" => ["name" => "Edited by a person"]];' >"$place/etc/config/app_local.php"
    DAEMON=true "$prefix/current/run.sh" 3>&-
    curl -fsS "$page/" | grep "Edited by a person"
    [[ -z $(find "$prefix/" -newer "$place/etc/config/app_local.php" -type f) ]]
}

@test "secrets are put into the settings, which the service can still read" {
    install
    sed -i 's/^SECURITY_SALT=.*/SECURITY_SALT=CHANGE_ME_salt_of_at_least_32_characters/' "$place/etc/orangescrum.env"
    run -78 "$prefix/current/run.sh" validate
    "$prefix/current/run.sh" secrets
    "$prefix/current/run.sh" validate
    [[ $(stat -c %a "$place/etc/orangescrum.env") == 640 ]] || ((EUID != 0))
}

@test "an upgrade: backup, migration, the new one serves, the old one stays" {
    installed
    run -0 "$SHELF/two/upgrade.sh" --prefix "$prefix"
    is_served 1.1 4.0.1-test
    [[ $(readlink "$prefix/previous") == releases/1.0-* && $(releases) == '1.0 1.1 ' ]]
    [[ $(postgres_query "SELECT to_regclass('extras')") == extras ]]
    # Each step is said, in order.
    [[ $output == *"makes a backup"*"checks the settings"*"migrates the database"*"switches from 1.0-"*"serves; 1.0-"* ]]
    # Of before: the new table is not in it.
    dumps=("$place"/state/backups/*/database.dump)
    [[ ${#dumps[@]} == 1 ]]
    run ! grep -q extras <("$POSTGRES_PROGRAMS/pg_restore" --list "${dumps[0]}")
    # Nothing of the upgrade is left over, and its lock is not held by the server.
    [[ $(find "$prefix" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | tr '\n' ' ') == '.lock current install.conf previous releases ' ]]
    run -0 "$SHELF/two/upgrade.sh" --prefix "$prefix"
    [[ $output == *"runs already"* ]]
}

@test "back, and forward again" {
    installed
    run -66 "$prefix/current/rollback.sh"
    "$SHELF/two/upgrade.sh" --prefix "$prefix" --no-backup
    run -0 "$prefix/current/rollback.sh" --dry-run
    is_served 1.1 4.0.1-test
    "$prefix/current/rollback.sh"
    is_served 1.0 4.0.0-test
    "$prefix/current/upgrade.sh" --rollback
    is_served 1.1 4.0.1-test
}

@test "a release that does not answer: back to the old one, which serves; the failed one is gone" {
    installed
    run -70 "$SHELF/three/upgrade.sh" --prefix "$prefix"
    [[ $output == *"does not answer: going back to 1.0-"*"serves again"* ]]
    is_served 1.0 4.0.0-test
    [[ $(releases) == '1.0 ' && ! -e $prefix/previous && ! -L $prefix/previous ]]
    # The one before stays what it was.
    "$SHELF/two/upgrade.sh" --prefix "$prefix" --no-backup
    run -70 "$SHELF/three/upgrade.sh" --prefix "$prefix" --no-backup
    is_served 1.1 4.0.1-test
    [[ $(releases) == '1.0 1.1 ' && $(readlink "$prefix/previous") == releases/1.0-* ]]
}

@test "a migration that fails: nothing is switched, the old one was never stopped" {
    installed
    run -0 "$prefix/current/run.sh" status
    before=$output
    run -70 "$SHELF/four/upgrade.sh" --prefix "$prefix"
    [[ $output == *BreakThings*"goes on serving"* ]]
    is_served 1.0 4.0.0-test
    run -0 "$prefix/current/run.sh" status
    [[ $output == "$before" && $(releases) == '1.0 ' ]]
}

@test "a backup that fails: nothing is begun, but with --no-backup" {
    installed
    echo 'BACKUP_DIR=/proc/nowhere' >>"$place/etc/orangescrum.env"
    run -70 "$SHELF/two/upgrade.sh" --prefix "$prefix"
    [[ $output == *"nothing was changed"* && $(releases) == '1.0 ' ]]
    is_served 1.0 4.0.0-test
    "$SHELF/two/upgrade.sh" --prefix "$prefix" --no-backup
    is_served 1.1 4.0.1-test
}

@test "from archives: the newest, its checksum, its name; the last two releases stay" {
    installed
    cd "$place"
    "$SHELF/two/package.sh" --output shelf
    run -0 "$prefix/current/upgrade.sh" --from shelf latest
    is_served 1.1 4.0.1-test
    package_native third 2.0
    third=$(third/package.sh --output shelf)
    touch -d tomorrow "$third"
    echo x >>"$third"
    run -65 "$prefix/current/upgrade.sh" --from shelf latest
    [[ $output == *"is damaged"* ]]
    rm "$third.sha256"
    run -66 "$prefix/current/upgrade.sh" "$third"
    rm "$third"
    third=$(third/package.sh --output shelf)
    "$prefix/current/upgrade.sh" --no-backup "$third"
    is_served 2.0 4.0.0-test
    [[ $(releases) == '1.1 2.0 ' ]]
    run -66 "$prefix/current/upgrade.sh" --from "$place" latest
}

@test "an edited template's file stays, another follows the release" {
    installed
    cp -R "$SHELF/two" "$place/package"
    echo '// newer' >>"$place/package/config/smtp.example.php"
    echo '// newer' >>"$place/package/config/storage.example.php"
    package_manifest "$place/package" 1.1
    echo '// mine' >>"$place/etc/config/smtp.php"
    "$place/package/upgrade.sh" --prefix "$prefix" --no-backup
    run ! grep newer "$place/etc/config/smtp.php"
    grep mine "$place/etc/config/smtp.php"
    grep newer "$place/etc/config/storage.php"
}

@test "two upgrades at once: the second is refused" {
    installed
    exec 5>"$prefix/.lock"
    flock 5
    run -75 "$SHELF/two/upgrade.sh" --prefix "$prefix" 5>&-
    exec 5>&-
    is_served 1.0 4.0.0-test
}

@test "uninstalled: stopped and gone, but settings, data and database stay" {
    installed
    run -0 "$prefix/current/uninstall.sh"
    [[ $output == "would stop orangescrum"* ]]
    is_served 1.0 4.0.0-test
    "$prefix/current/uninstall.sh" --yes
    [[ ! -e $prefix && -f $place/etc/orangescrum.env && -d $place/state/logs ]]
    [[ -z $(ls "$place/units") ]]
    [[ $(curl -s -o /dev/null -w '%{http_code}' "$page/healthz") == 000 ]]
    [[ $(postgres_query 'SELECT count(*) FROM actions') -gt 0 ]]
    # And back: with the old settings, on the old data.
    echo wrong >"$place/env"
    install
    DAEMON=true "$prefix/current/run.sh" 3>&-
    is_served 1.0 4.0.0-test
}

@test "a folder of the old system is taken over: its settings and database" {
    # What it left: a database with rows and without our marks, an .env with a line that breaks a shell.
    install >/dev/null
    "$prefix/current/run.sh" migrate
    "$prefix/current/uninstall.sh" --yes
    postgres_query 'SELECT schemaname FROM pg_tables' >/dev/null
    rm -rf "${place:?}/etc" "$place/state"
    echo 'a stray line' >>"$place/env"
    install >/dev/null
    run -78 "$prefix/current/run.sh" validate
    [[ $output == *"line 13"* ]]
    sed -i '/^a stray line$/d' "$place/etc/orangescrum.env"
    "$prefix/current/run.sh" validate
    rows=$(postgres_query 'SELECT count(*) FROM actions')
    DAEMON=true "$prefix/current/run.sh" 3>&-
    is_served 1.0 4.0.0-test
    [[ $(postgres_query 'SELECT count(*) FROM actions') == "$rows" ]]
}
