# A native package as the pipeline assembles it, loaded by `load lib/package`: files of targets/native and
# common, the binary's stand-in, and the manifest that lists them.

load "${BASH_SOURCE[0]%/*}/ports.bash"

PACKAGE_ROOT=$(cd "${BASH_SOURCE[0]%/*}/../../.." && pwd)

# package_native FOLDER VERSION [BINARY]: without its `.env`, which is made once from .env.example.
package_native() {
    need b3sum b3sum && need php php8.2-cli || return 1
    local folder=$1 version=$2 binary=${3:-}
    mkdir -p "$folder/orangescrum-app"
    cp -R "$PACKAGE_ROOT/targets/native/." "$folder"
    local part
    for part in config helpers docs CONFIGS.md README.md .env.example .env.full.example; do
        [[ ! -e $PACKAGE_ROOT/common/$part || -e $folder/$part ]] || cp -R "$PACKAGE_ROOT/common/$part" "$folder"
    done
    [[ -n $binary ]] || binary=$(package_binary) || return 1
    cp "$binary" "$folder/orangescrum-app/osv4-prod"
    package_manifest "$folder" "$version"
}

# The stand-in with the application for tests inside: made once, and found again.
package_binary() {
    "$PACKAGE_ROOT/tests/orangescrum/pack.sh" --cached "$PACKAGE_ROOT/tests/orangescrum/app"
}

# package_manifest FOLDER VERSION: what osgraph writes, of what lies there now.
package_manifest() {
    rm -f "$1/build-manifest.json"
    # shellcheck disable=SC2016 # PHP's dollars
    (cd "$1" && find . -type f ! -path ./.env -printf '%P\n' | LC_ALL=C sort | xargs -d '\n' b3sum) | php -r '
        chdir($argv[1]);
        $files = [];
        while (($line = fgets(STDIN)) !== false) {
            [$sum, $path] = explode("  ", rtrim($line, "\n"), 2);
            $mode = is_executable($path) ? "755" : "644";
            $files[] = ["path" => $path, "type" => "file", "size" => filesize($path), "mode" => $mode, "blake3" => $sum];
        }
        $manifest = ["schema" => 1, "kind" => "dist-native", "assumed" => false,
            "facts" => ["libc" => "musl", "version" => $argv[2]],
            "provenance" => ["source" => ["commit" => str_repeat("c0ffee", 6), "digest" => str_repeat("ab", 32)]],
            "upstreams" => [], "files" => $files];
        $text = json_encode($manifest, JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_THROW_ON_ERROR);
        // Two spaces a level, as osgraph indents.
        $text = preg_replace_callback("/^ +/m", fn ($blank) => str_repeat(" ", intdiv(strlen($blank[0]), 2)), $text);
        file_put_contents("build-manifest.json", "$text\n");' "$1" "$2"
}

# package_env FILE: the settings of the database that postgres_database made, complete enough to start.
package_env() {
    cat >"$1" <<END
FULL_BASE_URL=http://localhost:$APP_PORT
APP_BIND_IP=127.0.0.1
APP_PORT=$APP_PORT
SECURITY_SALT=0123456789abcdef0123456789abcdef-native
DB_HOST=$DB_HOST
DB_PORT=$DB_PORT
DB_NAME=$DB_NAME
DB_USERNAME=$DB_USERNAME
DB_PASSWORD=$DB_PASSWORD
SESSION_COOKIE_SECURE=false
CACHE_ENGINE=file
QUEUE_ENGINE=file
END
}
