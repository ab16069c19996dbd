#!/usr/bin/env bats
# deploy.sh from first deployment to going back, backup and restore, offline installation.

load lib

setup_file() {
    stand_ins postgres || return
    project one .env.docker || return
    export home
    set_env COMPOSE_PROFILES bundled-db
    set_env CACHE_ENGINE file
    set_env QUEUE_ENGINE file
    set_env BACKUP_KEEP 2
    mkdir "$home/dist"
    # Later versions of the package, as archives of a build.
    app=$BATS_FILE_TMPDIR/application
    cp -R "$repository/tests/orangescrum/app" "$app"
    echo 9.1.0 >"$app/VERSION.txt"
    archive 9.1.0 aaaa11112222 && touch -d '3 hours ago' "$home"/dist/*aaaa11112222* || return
    cat >"$app/config/Migrations/20991231000000_Fails.php" <<'PHP'
<?php
throw new RuntimeException('this migration is broken');
PHP
    archive 9.2.0 bbbb11112222 && touch -d '2 hours ago' "$home"/dist/*bbbb11112222* || return
    rm "$app/config/Migrations/20991231000000_Fails.php"
    echo 9.3.0 >"$app/VERSION.txt"
    archive 9.3.0 cccc11112222 sick && touch -d '1 hour ago' "$home"/dist/*cccc11112222*
}

teardown_file() { clear_up; }

setup() { use one; }

# archive VERSION BUILD [sick]
archive() {
    local folder=$BATS_FILE_TMPDIR/packages/$2
    local name=orangescrum-docker-$1-$2-$(machine).tar.gz
    package "$folder" "$app" || return
    [ "${3:-}" != sick ] || printf '#!/bin/sh\nexit 1\n' >"$folder/healthcheck.sh"
    {
        printf '{\n  "facts": {\n    "version": "%s"\n  },\n' "$1"
        printf '  "provenance": {\n    "source": {\n      "commit": "c0ffee"\n    }\n  },\n'
        (cd "$folder" && find . -type f ! -name 'build-manifest.json*' | LC_ALL=C sort | xargs -d '\n' sha256sum)
    } >"$folder/build-manifest.json.new"
    mv "$folder/build-manifest.json.new" "$folder/build-manifest.json"
    cp "$folder/.env.docker" "$folder/.env"
    echo "$1" >"$folder/docs-of-this-version.md"
    tar -czf "$home/dist/$name" -C "$folder" --exclude ./.env .
    (cd "$home/dist" && sha256sum "$name" >"$name.sha256")
}

machine() { case $(uname -m) in x86_64) echo amd64 ;; aarch64) echo arm64 ;; *) uname -m ;; esac; }

version() { page / | sed -n 's/.*id="version">\([^<]*\)<.*/\1/p'; }

running_image() { docker inspect -f '{{.Image}}' "$(container app)"; }

@test "wrong use is told before anything happens" {
    run "$home/deploy.sh" --help
    [ "$status" -eq 0 ]
    [[ $output == *usage:* ]]
    run "$home/deploy.sh" --colour
    [ "$status" -eq 64 ]
    run "$home/deploy.sh" ffff00001111
    echo "$output"
    [ "$status" -eq 66 ]
    run "$home/deploy.sh" --env-file /nowhere
    [ "$status" -eq 78 ]
    sed 's/^SECURITY_SALT=.*/SECURITY_SALT=CHANGE_ME/' "$home/.env" >"$home/bad.env"
    run "$home/deploy.sh" --env-file "$home/bad.env"
    echo "$output"
    [ "$status" -eq 78 ]
    [ -z "$(docker ps -aq --filter "label=com.docker.compose.project=$COMPOSE_PROJECT_NAME")" ]
}

@test "the package in the folder, for the first time" {
    run "$home/deploy.sh" --timeout 120
    echo "$output"
    [ "$status" -eq 0 ]
    [ -n "$(version)" ] && [ "$(version)" != 9.1.0 ]
    [ ! -d "$home/backups" ]
}

# All that a deployment may touch: the folder, and what the engine has of this test. Others use it, too.
everything() {
    (cd "$home" && find . | sort)
    docker ps -a --no-trunc --format '{{.ID}} {{.Names}} {{.Image}}' | grep -F "$run_id" | cut -d ' ' -f 1
    docker image ls -q "$OSV4_IMAGE"
}

@test "a dry run says what it would do, and does nothing" {
    local before
    before=$(everything)
    run "$home/deploy.sh" --dry-run aaaa11112222
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"would: unpack"* && $output == *"would: back up"* && $output == *"would: migrate"* ]]
    [ "$(everything)" = "$before" ]
}

@test "a build from an archive, with a backup first" {
    cp "$home/.env" "$BATS_FILE_TMPDIR/env"
    printf '<?php\nreturn [];\n' >"$home/config/mine.php"
    sql "update roles set name = 'mine' where id = (select min(id) from roles)" ||
        sql "create table mine as select 'mine' as name"
    run "$home/deploy.sh" --timeout 120 aaaa11112222
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"(version 9.1.0, commit c0ffee)"* ]]
    [ "$(version)" = 9.1.0 ]
    [ "$(ls "$home/backups" | wc -l)" -eq 1 ]
    cmp "$home/.env" "$BATS_FILE_TMPDIR/env"
    [ -f "$home/config/mine.php" ]
    [ "$(cat "$home/docs-of-this-version.md")" = 9.1.0 ]
}

@test "a damaged archive is not unpacked" {
    local archive=$home/dist/orangescrum-docker-9.1.1-dddd11112222-$(machine).tar.gz
    cp "$home"/dist/*aaaa11112222*.tar.gz "$archive"
    printf '%s  %s\n' "$(printf x | sha256sum | cut -c1-64)" "$(basename "$archive")" >"$archive.sha256"
    run "$home/deploy.sh" dddd11112222
    rm "$archive" "$archive.sha256"
    echo "$output"
    [ "$status" -eq 65 ]
    [ "$(version)" = 9.1.0 ]
}

@test "a migration that fails leaves what ran in service" {
    local image
    image=$(running_image)
    run "$home/deploy.sh" --timeout 120 bbbb11112222
    echo "$output"
    [ "$status" -eq 70 ]
    [[ $output == *"this migration is broken"* ]]
    [[ $output == *"the version from before is in service"* ]]
    [ "$(version)" = 9.1.0 ]
    [ "$(running_image)" = "$image" ]
    [ "$(cat "$home/docs-of-this-version.md")" = 9.1.0 ]
}

@test "a version that does not become healthy is taken back, also as the latest" {
    run "$home/deploy.sh" --timeout 90 latest
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *9.3.0* && $output == *"application is unhealthy"* ]]
    [[ $output == *"the version from before is in service"* ]]
    [ "$(version)" = 9.1.0 ]
    # As many backups as BACKUP_KEEP says.
    [ "$(ls "$home/backups" | wc -l)" -eq 2 ]
}

@test "backup, everything gone, restore" {
    docker exec "$(container app)" sh -c 'echo uploaded >/var/lib/orangescrum/files/mine.txt'
    sql "create table if not exists precious as select 'kept' as word"
    local saved before
    before=$(dump)
    saved=$("$home/backup.sh")
    [ "$(stat -c %a "$saved")" = 700 ]
    compose down -v
    mv "$home/.env" "$BATS_FILE_TMPDIR/env"
    run "$home/restore.sh" "$saved"
    [ "$status" -eq 78 ]
    run "$home/restore.sh" --yes latest
    echo "$output"
    [ "$status" -eq 0 ]
    cmp "$home/.env" "$BATS_FILE_TMPDIR/env"
    wait_until 90 is healthy health
    [ "$(sql 'select word from precious')" = kept ]
    [ "$(dump)" = "$before" ]
    [ "$(docker exec "$(container app)" cat /var/lib/orangescrum/files/mine.txt)" = uploaded ]
}

@test "offline: what was saved is loaded, and deployed without a build" {
    local before
    before=$(sha256sum <"$home/build-manifest.json" | cut -c1-12)
    run "$home/offline.sh" save "$BATS_FILE_TMPDIR/images.tar.gz"
    echo "$output"
    [ "$status" -eq 0 ]
    compose down
    docker image ls --format '{{.Repository}}:{{.Tag}}' "$OSV4_IMAGE" | xargs docker image rm -f
    # Nothing can be pulled or built from here on.
    RUNTIME_MUSL=nowhere.invalid/none RUNTIME_GLIBC=nowhere.invalid/none
    "$home/offline.sh" load "$BATS_FILE_TMPDIR/images.tar.gz"
    run "$home/deploy.sh" --no-backup --timeout 120
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"image $OSV4_IMAGE:$before is there"* ]]
    printf x >>"$BATS_FILE_TMPDIR/images.tar.gz"
    run "$home/offline.sh" load "$BATS_FILE_TMPDIR/images.tar.gz"
    [ "$status" -eq 65 ]
}

@test "a database volume of another project is taken over" {
    # The volume of an older installation, of which only data and password are known.
    local old=$run_id-old-postgres-data
    docker volume create "$old" >/dev/null
    compose stop
    docker run --rm --user 0 --entrypoint sh -v "${COMPOSE_PROJECT_NAME}_db-data:/from:ro" -v "$old:/to" "$POSTGRES_IMAGE" -c 'cp -a /from/. /to'
    compose down -v
    printf 'volumes:\n  db-data:\n    external: true\n    name: %s\n' "$old" >"$home/docker-compose.volumes.yml"
    set_env COMPOSE_FILE "$(env_of COMPOSE_FILE):docker-compose.volumes.yml"
    run "$home/deploy.sh" --timeout 120
    echo "$output"
    [ "$status" -eq 0 ]
    docker logs "$(container app)" 2>&1 | grep 'Database seeding: '
    [ "$(sql 'select word from precious')" = kept ]
    compose down -v
    docker volume inspect "$old" >/dev/null
}
