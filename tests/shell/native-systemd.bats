#!/usr/bin/env bats
# The native package under a real systemd, with its real units: installed, started, upgraded, rolled back and
# taken away. The tests go on from one another, as on a host.

load lib/systemd
load lib/package

setup_file() {
    bats_require_minimum_version 1.5.0
    local shelf=$BATS_FILE_TMPDIR app=$BATS_TEST_DIRNAME/../orangescrum/app pack=$BATS_TEST_DIRNAME/../orangescrum/pack.sh
    package_native "$shelf/one" 1.0
    cp -R "$app" "$shelf/app"
    echo 4.0.1-test >"$shelf/app/VERSION.txt"
    "$pack" "$shelf/binary" "$shelf/app"
    package_native "$shelf/two" 1.1 "$shelf/binary"
    # A server without a health page.
    sed "s,=== '/healthz',=== '/healthy'," "$shelf/binary" >"$shelf/sick"
    package_native "$shelf/three" 1.2 "$shelf/sick"
    chmod 755 "$shelf/three/orangescrum-app/osv4-prod"
    # So that the failure is seen within a test's time.
    sed -i 's/--wait 60/--wait 3/' "$shelf/three/systemd/orangescrum.service"
    package_manifest "$shelf/three" 1.2
    systemd_start native
    inside mkdir /packages
    local each
    for each in one two three; do
        docker cp --quiet "$shelf/$each" "$SYSTEMD_NAME:/packages/" >/dev/null 2>&1 \
            || docker cp "$shelf/$each" "$SYSTEMD_NAME:/packages/"
    done
    inside chown -R root:root /packages
    inside systemctl start postgresql
    inside runuser -u postgres -- psql -q -c "CREATE ROLE orangescrum LOGIN PASSWORD 's3cret-Word'" \
        -c 'CREATE DATABASE orangescrum OWNER orangescrum'
    # Its own unit wants more privileges than a container has.
    inside redis-server --daemonize yes --bind 127.0.0.1 --dir /tmp >/dev/null
    export DB_HOST=127.0.0.1 DB_PORT=5432 DB_NAME=orangescrum DB_USERNAME=orangescrum DB_PASSWORD=s3cret-Word APP_PORT=8080
    package_env "$shelf/env"
    printf '%s\n' REDIS_HOST=127.0.0.1 >>"$shelf/env"
    sed -i 's/^QUEUE_ENGINE=.*/QUEUE_ENGINE=redis/' "$shelf/env"
    docker cp "$shelf/env" "$SYSTEMD_NAME:/root/env"
}

teardown_file() {
    systemd_stop
}

page() {
    inside curl -fsS "http://127.0.0.1:8080$1"
}

serves() {
    page / | grep -q "$1"
}

process() {
    inside systemctl show --property MainPID --value "$1"
}

# For the report of a failure.
journal() {
    inside journalctl --no-pager --lines 40 --output cat --unit 'orangescrum*' || :
}

current() {
    inside readlink /opt/orangescrum/current
}

@test "installed and started: all units run, and what they need is theirs" {
    inside /packages/one/install.sh --env-from /root/env
    inside systemd-analyze verify orangescrum.service orangescrum-queue@1.service orangescrum-scheduler.timer orangescrum-backup.timer
    inside systemctl enable --now orangescrum.service orangescrum-queue@1.service orangescrum-scheduler.timer \
        orangescrum-backup.timer || { journal; false; }
    # Started is what answers: nothing is waited for here.
    serves 4.0.0-test
    inside systemctl is-active orangescrum.service orangescrum-queue@1.service orangescrum-scheduler.timer
    [[ $(inside ps -o user:20= -p "$(process orangescrum.service)") == orangescrum ]]
    inside journalctl --no-pager --unit orangescrum | grep 'Database seeding: '
    [[ $(inside stat -c '%a %U:%G' /etc/orangescrum/orangescrum.env) == '640 root:orangescrum' ]]
}

@test "the timers' services do their work" {
    inside systemctl start orangescrum-scheduler.service orangescrum-backup.service || { journal; false; }
    inside sh -c 'pg_restore --list /var/lib/orangescrum/backups/*/database.dump' | grep 'TABLE DATA public actions'
    inside systemctl list-timers --no-pager --all | grep orangescrum-backup.timer
}

@test "the server is stopped, and the worker goes on" {
    local worker
    worker=$(process orangescrum-queue@1.service)
    inside systemctl stop orangescrum.service
    run ! page /healthz
    inside systemctl is-active orangescrum-queue@1.service
    [[ $(process orangescrum-queue@1.service) == "$worker" ]]
    inside systemctl start orangescrum.service
    serves 4.0.0-test
    inside systemctl restart orangescrum-queue@1.service
    # Its end was no failure.
    run ! inside journalctl --no-pager --unit orangescrum-queue@1.service --grep 'Failed with result'
    [[ $(inside systemctl is-active orangescrum-queue@1.service) == active ]]
}

@test "an upgrade, and one that fails: the old release is back by itself" {
    inside /packages/two/upgrade.sh || { journal; false; }
    serves 4.0.1-test
    [[ $(current) == releases/1.1-* ]]
    inside systemctl is-active orangescrum-queue@1.service
    run -70 inside /packages/three/upgrade.sh
    [[ $output == *'going back to 1.1-'*'serves again'* ]]
    serves 4.0.1-test
    [[ $(current) == releases/1.1-* ]]
    # Its units went back with it.
    inside grep -e '--wait 60' /etc/systemd/system/orangescrum.service
    inside /opt/orangescrum/current/rollback.sh
    serves 4.0.0-test
}

@test "wrong settings: it does not start, says why, and does not try for ever" {
    inside sed -i 's/^DB_PORT=.*/DB_PORT=nonsense/' /etc/orangescrum/orangescrum.env
    run ! inside systemctl restart orangescrum.service
    inside journalctl --no-pager --unit orangescrum --lines 30 | grep 'DB_PORT'
    wait_until 60 bash -c "docker exec $SYSTEMD_NAME systemctl is-failed orangescrum.service"
    inside sed -i 's/^DB_PORT=.*/DB_PORT=5432/' /etc/orangescrum/orangescrum.env
    inside systemctl reset-failed orangescrum.service
    inside systemctl start orangescrum.service
    serves 4.0.0-test
}

@test "taken away: stopped, no unit left, data there" {
    inside /opt/orangescrum/current/uninstall.sh --yes
    run ! page /healthz
    [[ -z $(inside find /etc/systemd/system -name 'orangescrum*') ]]
    [[ ! $(inside ls /opt) =~ orangescrum ]]
    inside test -f /etc/orangescrum/orangescrum.env -a -d /var/lib/orangescrum/backups
    [[ -z $(inside systemctl list-units --no-legend --plain 'orangescrum*') ]]
}
