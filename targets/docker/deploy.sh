#!/bin/sh
# Brings a package into service: validate, backup, image, migrate, up, wait until healthy; and back
# to what ran before if one of these fails. `.env` is read, never written.
set -eu

OSV4_HOME=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib/project.sh
. "$OSV4_HOME/lib/project.sh"
# shellcheck source-path=SCRIPTDIR source=lib/release.sh
. "$OSV4_HOME/lib/release.sh"

usage() {
    cat <<'END'
usage: deploy.sh [OPTIONS] [latest | BUILD]

Deploys the package in the folder of this script, or one from an archive
orangescrum-docker-VERSION-BUILD-ARCH.tar.gz: the newest, or that of BUILD.

  --from DIR        where archives are (default: dist/ beside this script, then ../dist/)
  --image NAME:TAG  take this image, pulled if need be, instead of building one
  --env-file FILE   settings (default: .env)
  --strict          warnings about settings are errors
  --no-backup       go without a backup
  --rebuild         build the image even if it is there
  --timeout SECONDS how long the application may take to become healthy (default: 300)
  --dry-run         say what would be done
  --help            this
END
}

what=folder from='' wanted_image='' env=$OSV4_HOME/.env strict='' backup=yes rebuild='' timeout=300 dry=''

options() {
    while [ $# -gt 0 ]; do
        case $1 in
        --from | --image | --env-file | --timeout) [ $# -ge 2 ] || osv4_fail 64 "$1 needs a value" ;;
        esac
        case $1 in
        --from) from=$2 && shift ;;
        --image) wanted_image=$2 && shift ;;
        --env-file) env=$2 && shift ;;
        --timeout) timeout=$2 && shift ;;
        --strict) strict=--strict ;;
        --no-backup) backup='' ;;
        --rebuild) rebuild=yes ;;
        --dry-run) dry=yes ;;
        --help | -h) usage && exit 0 ;;
        -*) usage >&2 && osv4_fail 64 "unknown option $1" ;;
        *)
            [ "$what" = folder ] || osv4_fail 64 "one build at a time: $what or $1?"
            what=$1
            ;;
        esac
        shift
    done
    case $timeout in '' | *[!0-9]*) osv4_fail 64 "--timeout wants seconds, not \`$timeout\`" ;; esac
}

# step MESSAGE: what comes now; with --dry-run, what would.
step() { if [ -n "$dry" ]; then osv4_log "would: $*"; else osv4_log "$*"; fi; }

# The package to deploy, in `release`; its image's tag, in `id`.
choose() {
    archive=
    release=$OSV4_HOME
    label="the package in this folder"
    if [ "$what" != folder ]; then
        if [ -n "$from" ]; then set -- "$from"; else set -- "$OSV4_HOME/dist" "$OSV4_HOME/../dist"; fi
        archive=$(find_archive "$what" "$@")
        label=$(basename "$archive" .tar.gz)
        step "unpack $archive"
        if [ -n "$dry" ]; then
            id=of-that-package
            return 0
        fi
        release=$(unpack_release "$archive")
    fi
    id=$(release_id "$release")
}

validate() {
    step "validate $env_file"
    # shellcheck disable=SC2086 # nothing, or one word
    "$release/helpers/validate-env.sh" $strict "$env_file" || osv4_fail $? "the settings are not good: nothing was changed"
}

save() {
    if [ -z "$backup" ]; then
        step "no backup, as asked"
    elif [ -z "$(container_of app)" ]; then
        step "first deployment: nothing to back up"
    else
        step "back up"
        [ -n "$dry" ] || saved=$("$OSV4_HOME/backup.sh" --env-file "$env_file") ||
            osv4_fail 74 "the backup failed, so nothing was changed; --no-backup goes without"
    fi
}

# The image of the package, as $image:$id.
provide_image() {
    if [ -n "$wanted_image" ]; then
        step "image $wanted_image"
        [ -z "$dry" ] || return 0
        [ -n "$(image_id "$wanted_image")" ] || docker pull "$wanted_image" >&2 || osv4_fail 69 "$wanted_image cannot be had"
        docker tag "$wanted_image" "$image:$id"
    elif [ -z "$rebuild" ] && [ -n "$(image_id "$image:$id")" ]; then
        step "image $image:$id is there"
    else
        step "build image $image:$id"
        [ -z "$dry" ] || return 0
        build_image "$release" "$id"
    fi
}

# From here on something may have to be undone.
switch() {
    previous=$(image_id "$image:$project")
    step "this project's image becomes $image:$id"
    [ -z "$dry" ] || return 0
    [ -z "$previous" ] || docker tag "$previous" "$image:$project-previous"
    docker tag "$image:$id" "$image:$project"
    [ -z "$archive" ] || release_install "$release"
}

bring_up() {
    # What the profiles bring has to be there before migrating; the application's own comes after.
    services=$(compose config --services | grep -v -x -e app -e migrate -e queue -e scheduler -e tools) || services=
    profiles=$(env_value COMPOSE_PROFILES)
    case ,$profiles, in *,bundled-db,*) database=orangescrum-db ;; *) database= ;; esac
    if [ -n "$database" ] && printf '%s\n' "$services" | grep -q -x orangescrum-db; then
        step "start $database"
        [ -n "$dry" ] || compose up -d "$database" >&2 || return 1
    fi
    step "migrate"
    if [ -z "$dry" ]; then
        compose run --rm -T migrate >&2 || {
            result=$?
            osv4_log "the migration failed with exit code $result"
            return "$result"
        }
    fi
    step "start all services"
    [ -n "$dry" ] || compose up -d >&2 || return 1
    step "wait until the application is healthy, $timeout seconds at most"
    [ -n "$dry" ] || wait_healthy "$timeout" || {
        logs_of_app
        return 1
    }
}

logs_of_app() {
    id_of_app=$(container_of app)
    [ -z "$id_of_app" ] || docker logs --tail 20 "$id_of_app" >&2 || true
}

roll_back() {
    osv4_log "deploying $label failed; going back"
    [ -z "$archive" ] || release_undo
    if [ -z "$previous" ]; then
        docker image rm "$image:$project" >/dev/null 2>&1 || true
        compose stop app queue scheduler >/dev/null 2>&1 || true
        osv4_log "there is no version from before: the application is stopped"
        return 0
    fi
    docker tag "$previous" "$image:$project"
    osv4_log "the image from before is this project's again: ${previous#sha256:}"
    if compose up -d >&2 && wait_healthy "$timeout"; then
        osv4_log "the version from before is in service"
    else
        osv4_log "the version from before does not come up either: see \`$compose_command logs\`"
    fi
    osv4_log "migrations that were made stay made"
    [ -z "${saved:-}" ] || osv4_log "the database from before is in $saved: ./restore.sh --yes $saved brings it back"
}

main() {
    options "$@"
    [ -z "$wanted_image" ] || [ "$what" = folder ] || osv4_fail 64 "--image and a build exclude each other"
    saved=
    choose_first_settings
    choose
    validate
    save
    provide_image
    switch
    result=0
    bring_up || result=$?
    if [ "$result" -ne 0 ]; then
        roll_back
        exit "$result"
    fi
    if [ -z "$dry" ]; then
        inside=$(manifest_brief "$release")
        label=$label${inside:+ ($inside)}
        release_prune
    fi
    step "deployed: $label"
}

# Settings and a lock: two deployments of one folder would undo each other's work.
choose_first_settings() {
    project_open "$env"
    [ -z "$dry" ] || return 0
    exec 9>"$OSV4_HOME/.deploy.lock"
    flock -n 9 || osv4_fail 75 "another deployment of this folder is under way"
}

# Read as a whole before it runs: a package that is put into this folder may bring another deploy.sh.
main "$@"
exit
