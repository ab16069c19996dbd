# Backups that were read again, and restores that change all or nothing.

load lib/start

setup_file() {
    need pg_dump postgresql-client && need pg_restore postgresql-client
    postgres_start
}

teardown_file() { postgres_stop; }

setup() {
    postgres_database
    home_make
    home_settings
    "$HELPERS/prepare.sh" 2>/dev/null
    mkdir -p "$OSV4_HOME/state/files"
    echo upload >"$OSV4_HOME/state/files/a.txt"
}

teardown() { home_remove; }

backup() { "$HELPERS/backup.sh" 2>"$HOME_FOLDER/backup.log"; }

@test "backup, destroy, restore: everything is as it was" {
    printf 'APP_NAME=mine\n' >"$OSV4_HOME/.env"
    made=$(backup)
    [[ $made == "$OSV4_HOME"/state/backups/orangescrum-* && -s $made/database.dump && -s $made/files.tar ]]
    [[ $(cat "$made/salt") == "$SECURITY_SALT" && $(cat "$made/env") == APP_NAME=mine ]]
    [[ $(stat -c %a "$made" "$made/env" "$made/salt" "$made/database.dump" | sort -u) == $'600\n700' ]]
    (cd "$made" && sha256sum -c --quiet SHA256SUMS)
    database_text >"$HOME_FOLDER/before"
    # Worse than lost: a newer version's table, and rows of others.
    postgres_query "TRUNCATE roles CASCADE"
    postgres_query 'CREATE TABLE newer (id serial); ALTER TABLE newer OWNER TO orangescrum; CREATE VIEW seen AS SELECT * FROM newer; ALTER VIEW seen OWNER TO orangescrum; CREATE TYPE mood AS ENUM ($$a$$); ALTER TYPE mood OWNER TO orangescrum'
    postgres_query 'CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$SELECT 1$$; ALTER FUNCTION f() OWNER TO orangescrum'
    rm "$OSV4_HOME/state/files/a.txt" "$OSV4_HOME/.env"
    run "$HELPERS/restore.sh" latest
    [[ $status == 0 && $output == *'would replace'* && $(postgres_query 'SELECT count(*) FROM roles') == 0 ]]
    "$HELPERS/restore.sh" --yes latest
    database_text | diff "$HOME_FOLDER/before" -
    [[ $(cat "$OSV4_HOME/state/files/a.txt") == upload && $(cat "$OSV4_HOME/.env") == APP_NAME=mine ]]
    run "$HELPERS/prepare.sh"
    [[ $output == *'Database migrations: nothing to do'* && $output == *'Database seeding: nothing to do'* ]]
}

@test "a person's .env is not overwritten" {
    printf 'APP_NAME=old\n' >"$OSV4_HOME/.env"
    made=$(backup)
    printf 'APP_NAME=new\n' >"$OSV4_HOME/.env"
    run "$HELPERS/restore.sh" --yes "$made"
    [[ $status == 0 && $(cat "$OSV4_HOME/.env") == APP_NAME=new && $output == *"stays as it is"* ]]
}

@test "a damaged backup, none, and somebody at work change nothing" {
    made=$(backup)
    database_text >"$HOME_FOLDER/before"
    run "$HELPERS/restore.sh" --yes /nowhere
    [[ $status == 66 ]]
    cp -R "$made" "$HOME_FOLDER/damaged"
    printf x | dd of="$HOME_FOLDER/damaged/database.dump" bs=1 seek=300 conv=notrunc 2>/dev/null
    run "$HELPERS/restore.sh" --yes "$HOME_FOLDER/damaged"
    [[ $status == 65 && $output == *'nothing was changed'* ]]
    # Whole by its sums, and yet no dump: the transaction is taken back.
    head -c 3000 "$made/database.dump" >"$HOME_FOLDER/damaged/database.dump"
    (cd "$HOME_FOLDER/damaged" && rm SHA256SUMS && sha256sum -- * >../sums && mv ../sums SHA256SUMS)
    run "$HELPERS/restore.sh" --yes "$HOME_FOLDER/damaged"
    [[ $status == 70 && $output == *'as it was before'* ]]
    database_text | diff "$HOME_FOLDER/before" -
    PGPASSWORD=$DB_PASSWORD psql -h 127.0.0.1 -p "$POSTGRES_PORT" -U orangescrum -d "$DB_NAME" -c 'SELECT pg_sleep(60)' >/dev/null 2>&1 3>&- &
    other=$!
    wait_until 10 eval '[[ $(postgres_query "SELECT count(*) FROM pg_stat_activity WHERE usename = '\''orangescrum'\''") == 1 ]]'
    run "$HELPERS/restore.sh" --yes "$made"
    [[ $status == 75 && $output == *'stop the application'* ]]
    run "$HELPERS/restore.sh" --yes --force "$made"
    kill "$other"
    [[ $status == 0 ]]
}

@test "a backup that fails leaves nothing, and keeps the older ones" {
    made=$(backup)
    DB_PASSWORD=wrong-Word run "$HELPERS/backup.sh"
    [[ $status == 70 && $output == *'there is no new backup'* && $output != *wrong-Word* ]]
    [[ $(ls -A "$OSV4_HOME/state/backups") == "${made##*/}" ]]
    mkdir "$HOME_FOLDER/empty"
    for program in sh dash id mkdir flock stat timeout rm ls sed cksum cat basename dirname cmp find cp mv ln tail tar php setpriv bash readlink tr; do
        ln -s "$(command -v $program)" "$HOME_FOLDER/empty/$program"
    done
    PATH=$HOME_FOLDER/empty run /bin/sh "$HELPERS/backup.sh"
    [[ $status == 78 && $output == *'pg_dump is missing: install postgresql-client'* ]]
}

@test "the newest BACKUP_KEEP stay, and nothing else is touched" {
    export BACKUP_DIR=$HOME_FOLDER/elsewhere BACKUP_KEEP=2
    mkdir -p "$BACKUP_DIR/orangescrum-20200101T000000Z" "$BACKUP_DIR/mine"
    one=$(backup)
    two=$(backup)
    [[ $(ls "$BACKUP_DIR") == $'mine\n'"${one##*/}"$'\n'"${two##*/}" ]]
    BACKUP_KEEP=0 backup
    [[ $(find "$BACKUP_DIR" -name 'orangescrum-*' | wc -l) == 3 ]]
}

@test "the backup runs under busybox, and where one database holds several schemas" {
    postgres_query 'CREATE SCHEMA tenant AUTHORIZATION orangescrum'
    export DB_SCHEMA=tenant
    "$HELPERS/prepare.sh" 2>/dev/null
    made=$(busybox sh "$HELPERS/backup.sh")
    database_text >"$HOME_FOLDER/before"
    postgres_query 'TRUNCATE tenant.roles CASCADE'
    busybox sh "$HELPERS/restore.sh" --yes "$made"
    database_text | diff "$HOME_FOLDER/before" -
}
