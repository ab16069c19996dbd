#!/bin/sh
# pack.sh DEST [APP [OVERLAY]]: makes DEST, one executable file, of the script osv4-prod and an application. By
# default APP is the application beside this script, and OVERLAY, which is laid over its config/, common/config.
# builder's php.ini and Caddyfile go into its root.
# pack.sh --cached APP: makes it in $OSV4_TEST_CACHE (target/osv4-test) unless it is there, and says where.
# The same files give the same bytes. Needs php, composer, zip, unzip, GNU tar.
set -eu

here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
root=$(cd "$here/../.." && pwd)

fail() {
    echo "pack.sh: $*" >&2
    exit 1
}

for program in php composer zip unzip tar md5sum; do
    command -v "$program" >/dev/null || fail "\`$program\` is missing: apt-get install php8.2-cli composer zip unzip"
done

# One line for everything that the result depends on.
digest() {
    {
        cd "$here"
        find osv4-prod pack.sh packages -type f
        cd "$1"
        find "$1" "$root/common/config" "$root/builder/php.ini" "$root/builder/Caddyfile" -type f 2>/dev/null || :
    } | LC_ALL=C sort | (cd "$here" && tr '\n' '\0' | xargs -0 sha1sum) | sha1sum | cut -c 1-16
}

if [ "${1:-}" = --cached ]; then
    app=$(cd "${2:?usage: pack.sh --cached APP}" && pwd)
    cache=${OSV4_TEST_CACHE:-$root/target/osv4-test}
    packed=$cache/osv4-prod-$(digest "$app")
    if [ ! -x "$packed" ]; then
        mkdir -p "$cache"
        "$here/pack.sh" "$packed" "$app" >&2
    fi
    echo "$packed"
    exit 0
fi

dest=${1:?usage: pack.sh DEST [APP [OVERLAY]]}
app=$(cd "${2:-$here/app}" && pwd)
overlay=${3:-$root/common/config}
umask 022
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/tree

# What a build leaves out of the source.
mkdir "$tree"
tar -c -f - -C "$app" --exclude=./vendor --exclude=./tmp --exclude=./logs --exclude=./.git \
    --exclude=./config/app_local.php --exclude='./.env*' . | tar -x -f - -C "$tree" --no-same-owner
[ ! -d "$overlay" ] || cp -R "$overlay/." "$tree/config"
for file in php.ini Caddyfile; do
    [ -e "$tree/$file" ] || [ ! -e "$root/builder/$file" ] || cp "$root/builder/$file" "$tree"
done

# The lock names /srv/composer; here the repository lies elsewhere.
"$here/packages/make.sh" "$work/composer" "$work/composer"
cp "$tree/composer.json" "$tree/composer.lock" "$work"
sed -i "s,/srv/composer,$work/composer," "$tree/composer.json" "$tree/composer.lock"
COMPOSER_ALLOW_SUPERUSER=1 COMPOSER_HOME=$work/home COMPOSER_CACHE_DIR=/dev/null composer install \
    --working-dir="$tree" --no-dev --no-scripts --no-interaction --optimize-autoloader --quiet 2>"$work/composer.log" \
    || { cat "$work/composer.log" >&2; fail "composer install failed"; }
cp "$work/composer.json" "$work/composer.lock" "$tree"

# Templates become live where nothing of their name is; the machine's own app_local never does. Those of a
# plugin stand in config/plugins/<Name>/ of the overlay and belong into plugins/<Name>/config/.
for folder in "$tree"/config/plugins/*/; do
    name=$(basename "$folder")
    [ -d "$folder" ] || continue
    [ -d "$tree/plugins/$name" ] || continue
    mkdir -p "$tree/plugins/$name/config"
    cp -R "$folder/." "$tree/plugins/$name/config"
done
for template in "$tree"/config/*.example.php "$tree"/plugins/*/config/*.example.php; do
    live=${template%.example.php}.php
    case $live in */app_local.php) continue ;; esac
    [ ! -e "$template" ] || [ -e "$live" ] || cp "$template" "$live"
done

# Links would be left out when the archive is unpacked, so they are left out here.
find "$tree" -type l -delete
# Composer 2.5 gives its classes random names, and notes where the packages came from.
suffix=$(sed -n 's/.*"content-hash": "\([0-9a-f]*\)".*/\1/p' "$work/composer.lock")
sed -i -E "s/(Composer(AutoloaderInit|StaticInit))[0-9a-f]{32}/\1$suffix/g" "$tree/vendor/autoload.php" \
    "$tree/vendor/composer/autoload_real.php" "$tree/vendor/composer/autoload_static.php"
sed -i "s,$work/composer,/srv/composer,g" "$tree/vendor/composer/installed.json"
tar -c -f "$work/app.tar" -C "$tree" --sort=name --format=gnu --owner=0 --group=0 --numeric-owner \
    --mtime=@946684800 --mode=u+rwX,go+rX,go-w .
sum=$(md5sum <"$work/app.tar")

mkdir -p "$(dirname "$dest")"
new=$(mktemp "$dest.XXXXXX")
sed "s/^md5=\$/md5=${sum%% *}/" "$here/osv4-prod" >"$new"
size=$(wc -c <"$new")
sed -i "s/^offset=0000000000\$/offset=$(printf %010d $((size + 1)))/" "$new"
cat "$work/app.tar" >>"$new"
chmod 755 "$new"
mv "$new" "$dest"
