#!/bin/sh
# For machines without an internet: all images of this project in one file, and back from it.
set -eu

OSV4_HOME=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib/project.sh
. "$OSV4_HOME/lib/project.sh"
# shellcheck source-path=SCRIPTDIR source=lib/release.sh
. "$OSV4_HOME/lib/release.sh"

usage() {
    cat <<'END'
usage: offline.sh save [--env-file FILE] [FILE]    where there is an internet
       offline.sh load FILE                        where there is none

`save` builds the application's image, pulls those of the services in COMPOSE_PROFILES, and writes
all of them to FILE (default: orangescrum-images.tar.gz), with a FILE.sha256 beside it. Carry both and
the package over, `load` them, and run deploy.sh: it finds its image and builds nothing.
END
}

# "SERVICE IMAGE PROFILE…" of each service in what compose says.
services_of() {
    awk '
        function told() { if (service != "") print service, image, profiles; service = image = profiles = "" }
        /^[a-z]/ { told(); inside = ($0 == "services:") }
        inside && /^  [^ ].*:$/ { told(); service = $1; sub(/:$/, "", service); list = "" }
        inside && /^    [^ -]/ { list = $1 }
        inside && /^    image:/ { image = $2 }
        inside && list == "profiles:" && /^ +- / { profiles = profiles " " $2 }
    '
}

# The images of services that are always there or in a profile that is wanted.
wanted_images() {
    profiles=$(env_value COMPOSE_PROFILES)
    compose config | services_of | while read -r _ wanted needs; do
        [ -n "$needs" ] || echo "$wanted"
        for each in $needs; do
            case ,$profiles, in *,"$each",*) echo "$wanted" ;; esac
        done
    done | sort -u
}

save() {
    project_open "$env"
    id=$(release_id "$OSV4_HOME")
    build_image "$OSV4_HOME" "$id"
    docker tag "$image:$id" "$image:$project"
    # Under both names: the one by which deploy.sh knows the package, and this project's.
    set -- "$image:$id"
    for each in $(wanted_images); do
        if [ -z "$(image_id "$each")" ]; then
            osv4_log "pull $each"
            docker pull --quiet "$each" >&2 || osv4_fail 69 "$each cannot be had"
        fi
        set -- "$@" "$each"
    done
    osv4_log "write $parcel"
    trap 'rm -f "$parcel.new" "$parcel.failed"' EXIT
    # A pipe tells only how its end fared.
    { docker save "$@" || : >"$parcel.failed"; } | gzip -n -1 >"$parcel.new"
    [ ! -e "$parcel.failed" ] || osv4_fail 74 "the images could not be written"
    mv "$parcel.new" "$parcel"
    (cd "$(dirname "$parcel")" && sha256sum "$(basename "$parcel")" >"$(basename "$parcel").sha256")
    osv4_log "saved $# images in $parcel"
}

load() {
    docker info >/dev/null 2>&1 || osv4_fail 69 "the Docker engine does not answer: is it running, and may you use it?"
    [ -f "$parcel.sha256" ] || osv4_fail 66 "$parcel.sha256 is missing: carry it over as well"
    (cd "$(dirname "$parcel")" && sha256sum -c "$(basename "$parcel").sha256" >/dev/null 2>&1) ||
        osv4_fail 65 "$parcel is damaged: its checksum is another than $parcel.sha256 says"
    docker load --quiet --input "$parcel"
}

env=$OSV4_HOME/.env
parcel=orangescrum-images.tar.gz
action=${1:-}
[ $# -eq 0 ] || shift
while [ $# -gt 0 ]; do
    case $1 in
    --env-file) [ $# -ge 2 ] || osv4_fail 64 "$1 needs a value"; env=$2 && shift ;;
    --help | -h) usage && exit 0 ;;
    -*) usage >&2 && osv4_fail 64 "unknown option $1" ;;
    *) parcel=$1 ;;
    esac
    shift
done
case $action in
save | load) "$action" ;;
--help | -h) usage ;;
*) usage >&2 && exit 64 ;;
esac
