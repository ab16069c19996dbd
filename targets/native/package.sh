#!/bin/sh
# Makes an archive of this package again, as it was built: what the manifest lists, and nothing that was
# put or made here since, such as .env, data and edited configuration. The same package gives the
# same bytes.
#
#   package.sh [--output DIR] [--sizes-only]
#
# Every file is compared with build-manifest.json first; b3sum is needed for that. --sizes-only does
# without, and can then not tell an edited file of the same size. Needs GNU tar.
set -eu

OSV4_HOME=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
# shellcheck source=helpers/lib/say.sh
. "$OSV4_HOME/helpers/lib/say.sh"
# shellcheck source=lib/manifest.sh
. "$OSV4_HOME/lib/manifest.sh"
# shellcheck source=lib/release.sh
. "$OSV4_HOME/lib/release.sh"

main() {
    output=. sizes=
    while [ $# -gt 0 ]; do
        case $1 in
        --sizes-only) sizes=--sizes-only ;;
        --output)
            [ $# -ge 2 ] || osv4_fail 64 "$1 wants a folder"
            output=$2
            shift
            ;;
        -h | --help)
            sed -n '2,/^set -eu/s/^# \{0,1\}//p' "$0"
            exit 0
            ;;
        *) osv4_fail 64 "unknown argument $1; see package.sh --help" ;;
        esac
        shift
    done
    tar --version 2>/dev/null | grep -q GNU || osv4_fail 69 "GNU tar is missing: install tar"
    if [ -z "$sizes" ] && ! command -v b3sum >/dev/null; then
        osv4_fail 69 "b3sum is missing: install it, or compare no more than sizes with --sizes-only"
    fi
    manifest_check "$OSV4_HOME" $sizes ||
        osv4_fail 65 "what was changed may hold secrets, so no archive was made: put back these files, or unpack the package anew"
    name=orangescrum-native-$(release_name "$OSV4_HOME")-$(machine)
    mkdir -p "$output"
    work=$(mktemp -d "$output/.package.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    {
        manifest_files "$OSV4_HOME" | sed 's/^[^ ]* [^ ]* [^ ]* [^ ]* //'
        echo build-manifest.json
    } | LC_ALL=C sort >"$work/list"
    # Not through a pipe, which would hide that tar failed.
    tar -cf "$work/tar" -C "$OSV4_HOME" --no-recursion --verbatim-files-from -T "$work/list" \
        --format=gnu --owner=0 --group=0 --numeric-owner --mtime=@0 --mode=u=rwX,go=rX --transform "s,^,$name/,"
    gzip -n -9 <"$work/tar" >"$work/$name.tar.gz"
    (cd "$work" && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
    mv "$work/$name.tar.gz" "$work/$name.tar.gz.sha256" "$output"
    echo "$output/$name.tar.gz"
}

# Which machine the binary is for, from its own header; a package for another machine can be made here.
machine() {
    case $(od -A n -t x1 -j 18 -N 2 "$OSV4_HOME/orangescrum-app/osv4-prod" | tr -d ' ') in
    3e00) echo amd64 ;;
    b700) echo arm64 ;;
    *) osv4_machine ;;
    esac
}

main "$@"
exit
