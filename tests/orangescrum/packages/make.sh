#!/bin/sh
# make.sh DEST [PLACE]: a Composer repository of the packages beside this script, each in versions 1.0.0
# and 1.1.0. PLACE is where it will lie when Composer reads it; the application's lock names /srv/composer.
# The same sources give the same bytes. Needs zip and sha1sum.
set -eu

dest=${1:?usage: make.sh DEST [PLACE]}
place=${2:-/srv/composer}
here=$(cd "$(dirname "$0")" && pwd)
for program in zip sha1sum; do
    command -v "$program" >/dev/null || { echo "make.sh: \`$program\` is missing: apt-get install zip coreutils" >&2; exit 1; }
done
mkdir -p "$dest"
dest=$(cd "$dest" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 022

# The description of one version: its composer.json with version and archive.
describe() {
    printf '{"version": "%s", "dist": {"type": "zip", "url": "%s", "shasum": "%s"}, ' "$2" "$place/$3" "$4"
    sed '1s/^{//' "$1/composer.json"
}

{
    printf '{"packages": {'
    between=
    for package in slug tick; do
        printf '%s"osv4-test/%s": {' "$between" "$package"
        between=
        for version in 1.0.0 1.1.0; do
            tree=$work/$package-$version
            file=$package-$version.zip
            mkdir "$tree"
            cp -R "$here/$package/." "$tree"
            find "$tree" -name '*.php' -exec sed -i "s/@VERSION@/$version/" {} +
            # zip keeps times as local ones, and names in the order that it is given.
            find "$tree" -exec touch -h -d '2020-01-01T00:00:00Z' {} +
            rm -f "$dest/$file"
            (cd "$tree" && find . -type f | LC_ALL=C sort | TZ=UTC zip -q -X -D "$dest/$file" -@)
            sum=$(sha1sum <"$dest/$file")
            printf '%s"%s": ' "$between" "$version"
            describe "$tree" "$version" "$file" "${sum%% *}"
            between=,
        done
        printf '}'
        between=,
    done
    printf '}}\n'
} >"$dest/packages.json"
