#!/usr/bin/env bats
# The configuration templates, the two lists of variables, and what lies beside them for Apache and cron.
#
# Needs php (Debian: php8.2-cli), apache2 and openssl.
#
# shellcheck disable=SC2016,SC2030,SC2031 # PHP's dollars; each test is a process of its own

setup_file() {
    for program in php openssl curl; do
        command -v "$program" >/dev/null || { echo "install $program" >&2; return 1; }
    done
    [ -x /usr/sbin/apache2 ] || { echo "install apache2" >&2; return 1; }
}

setup() {
    ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    COMMON="$ROOT/common"
    CONFIG="$COMMON/config"
    LIB="$BATS_TEST_DIRNAME/lib"
    mapfile -t TEMPLATES < <(find "$CONFIG" -name '*.php' | sort)
}

# The variables that a list names, set there or commented out.
names() {
    sed -n 's/^#\{0,1\}\([A-Z][A-Z0-9_]*\)=.*/\1/p' "$1"
}

# The variables that templates read: every quoted name in capitals, but for PHP's own constants.
read_by_templates() {
    sed "s/defined('[A-Z_]*')//g" "${TEMPLATES[@]}" | grep -oE "'[A-Z][A-Z0-9]*(_[A-Z0-9]+)+'|'DEBUG'" |
        tr -d "'" | sort -u
}

# Loads a template with nothing in the environment but what is given: load [--framework] NAME [VAR=value …]
load() {
    local mode=
    if [ "$1" = --framework ]; then
        mode=--framework
        shift
    fi
    local name=$1
    shift
    env -i PATH="$PATH" "$@" php -n "$LIB/template.php" $mode "$CONFIG/$name"
}

leaves() {
    load "$@" | php -n "$LIB/template-leaves.php"
}

# One value: value PATH NAME [VAR=value …]
value() {
    local path=$1
    shift
    leaves "$@" | awk -F '\t' -v path="$path" '$1 == path { print $3; found = 1 } END { exit !found }'
}

same() {
    [ "$1" = "$2" ] || { echo "it is '$1' and should be '$2'"; return 1; }
}

@test "there is a template for each thing that an application asks for" {
    for name in app_local cache_auto cache_file cache_memcached cache_redis cloudstorage github google_drive \
        google_oauth queue recaptcha sendgrid smtp storage v2_routing plugins/GitSync/gitsync \
        plugins/GitSync/gitsync_bitbucket plugins/GitSync/gitsync_github plugins/GitSync/gitsync_gitlab \
        plugins/Payments/stripe; do
        [ -f "$CONFIG/$name.example.php" ] || { echo "no $name.example.php"; return 1; }
    done
    # A live file here would win over an application's own.
    for file in "${TEMPLATES[@]}"; do
        [[ $file == *.example.php ]] || { echo "$file is live"; return 1; }
    done
}

@test "templates are PHP" {
    for file in "${TEMPLATES[@]}"; do
        php -l "$file" >/dev/null || return 1
    done
}

@test "templates load without a warning and keep their types, whatever the environment says" {
    for mode in "" --framework; do
        env -i PATH="$PATH" php -n "$LIB/templates-check.php" $mode "$COMMON/.env.full.example" "${TEMPLATES[@]}"
    done
}

@test "switches understand the words that people write" {
    for word in false FALSE 0 no off; do
        same "$(value EmailTransport.smtp.tls smtp.example.php SMTP_TLS=$word)" false
        same "$(value V2Routing.sslVerify v2_routing.example.php V2_ROUTING_SSL_VERIFY=$word)" false
        same "$(value Storage.use_path_style_endpoint storage.example.php STORAGE_ENDPOINT=http://s3 STORAGE_PATH_STYLE=$word)" false
    done
    for word in true True 1 yes on; do
        same "$(value EmailTransport.smtp.tls smtp.example.php SMTP_TLS=$word)" true
        same "$(value Recaptcha.enabled recaptcha.example.php RECAPTCHA_ENABLED=$word)" true
    done
    # What is no switch leaves the default, which for verifying is yes.
    same "$(value V2Routing.sslVerify v2_routing.example.php V2_ROUTING_SSL_VERIFY=perhaps)" true
}

@test "every variable of a template is in the list, and every other one of the list is explained" {
    read_by_templates >"$BATS_TEST_TMPDIR/read"
    names "$COMMON/.env.full.example" | sort >"$BATS_TEST_TMPDIR/listed"
    run comm -23 "$BATS_TEST_TMPDIR/read" "$BATS_TEST_TMPDIR/listed"
    same "$output" ""
    # CONFIGS.md says who reads what no template reads.
    grep -oE '`[A-Z][A-Z0-9]*(_[A-Z0-9]+)*`' "$COMMON/CONFIGS.md" | tr -d '`' | sort -u >"$BATS_TEST_TMPDIR/explained"
    while read -r name; do
        case $name in *_FILE) continue ;; esac
        grep -qxF "$name" "$BATS_TEST_TMPDIR/read" || grep -qxF "$name" "$BATS_TEST_TMPDIR/explained" ||
            { echo "nobody reads $name, and CONFIGS.md does not explain it"; return 1; }
    done <"$BATS_TEST_TMPDIR/listed"
}

@test "CONFIGS.md names each template with the variables that it reads, and no others" {
    for file in "${TEMPLATES[@]}"; do
        local name=${file#"$CONFIG/"}
        name=${name%.example.php}
        local line
        line=$(grep -F "| \`$name\` |" "$COMMON/CONFIGS.md") || { echo "CONFIGS.md lacks $name"; return 1; }
        TEMPLATES=("$file")
        # These two say what the files beside them say.
        case $name in plugins/GitSync/gitsync) TEMPLATES=("$CONFIG"/plugins/GitSync/gitsync_*.php) ;; esac
        same "$(printf '%s\n' "$line" | cut -d '|' -f 4 | grep -oE '`[A-Z][A-Z0-9_]+`' | tr -d '`' | sort -u)" \
            "$(read_by_templates)" || { echo "$name"; return 1; }
    done
}

@test "lists of variables follow the grammar, commented lines too" {
    for file in "$COMMON/.env.example" "$COMMON/.env.full.example"; do
        run grep -nvE '^(#? ?$|# |#?[A-Z][A-Z0-9_]*=[A-Za-z0-9_./:@,+%=-]*$)' "$file"
        same "$output" ""
        same "$(names "$file" | sort | uniq -d)" ""
        # A text that has the form of a variable would be taken for one.
        run grep -nE '^# +[A-Z][A-Z0-9_]+=' "$file"
        same "$output" ""
    done
}

@test "every variable of the list has a meaning or needs none beside its neighbours" {
    # Each group has a heading; in it a bare name is allowed only where the name says it all.
    awk '
        /^# === .* ===$/ { group = 1; said = 0; next }
        /^# / { said = 1; next }
        /^#?[A-Z]/ {
            if (!group) { print "before any group: " $0; bad = 1 }
            name = $0; sub(/^#/, "", name); sub(/=.*/, "", name)
            if (!said && name !~ /_(HOST|PORT|USERNAME|NAME|SCHEMA|ID|KEY|SECRET|PASSWORD|REGION|URL|LIMIT|FILESIZE|ENABLED|CURRENCY|CLEANUP|PROFILE)$/) { print "no meaning: " name; bad = 1 }
            said = 0; next
        }
        END { exit bad }' "$COMMON/.env.full.example"
}

@test "the short list is part of the long one, with the same placeholders" {
    names "$COMMON/.env.example" | sort >"$BATS_TEST_TMPDIR/short"
    names "$COMMON/.env.full.example" | sort >"$BATS_TEST_TMPDIR/long"
    run comm -23 "$BATS_TEST_TMPDIR/short" "$BATS_TEST_TMPDIR/long"
    same "$output" ""
    for name in SECURITY_SALT DB_PASSWORD; do
        grep -q "^$name=CHANGE_ME" "$COMMON/.env.example"
        same "$(grep "^$name=" "$COMMON/.env.example")" "$(grep "^$name=" "$COMMON/.env.full.example")"
    done
}

@test "defaults of the list are the templates' defaults" {
    # With the list as the environment a template says what it says with nothing, but for placeholders and
    # what the list says expressly.
    mapfile -t settings < <(grep -E '^[A-Z]' "$COMMON/.env.full.example" |
        grep -vE '^(SECURITY_SALT|DB_PASSWORD|FULL_BASE_URL|PATH)=')
    for file in "${TEMPLATES[@]}"; do
        local name=${file#"$CONFIG/"}
        same "$(load "$name" "${settings[@]}")" "$(load "$name")" || { echo "$name"; return 1; }
    done
}

@test "storage says nothing until an endpoint is set" {
    same "$(load storage.example.php STORAGE_BUCKET=b STORAGE_ACCESS_KEY=a)" "[]"
    same "$(value Storage.bucket storage.example.php STORAGE_ENDPOINT=http://s3 STORAGE_BUCKET=b)" b
}

@test "smtp and sendgrid choose the same transport, in whatever order they are read" {
    for setting in NOTHING=1 EMAIL_TRANSPORT=sendgrid EMAIL_TRANSPORT=smtp EMAIL_API_KEY=k; do
        same "$(leaves smtp.example.php $setting FROM_EMAIL=a@b | grep ^AppEmail)" \
            "$(leaves sendgrid.example.php $setting FROM_EMAIL=a@b | grep ^AppEmail)"
    done
    # An empty name would make the framework log in with it.
    same "$(leaves smtp.example.php | awk -F '\t' '$1 ~ /username|password/ { print $2 }' | sort -u)" null
}

@test "the automatic cache wants a named server, and never replaces a named engine" {
    same "$(value Cache.default.className cache_auto.example.php)" 'Cake\Cache\Engine\FileEngine'
    same "$(value Cache.default.className cache_auto.example.php CACHE_ENGINE=redis)" 'Cake\Cache\Engine\RedisEngine'
    same "$(value Cache.default.className cache_auto.example.php CACHE_ENGINE=memcached)" 'Cake\Cache\Engine\MemcachedEngine'
    same "$(value Cache.default.className cache_auto.example.php CACHE_ENGINE=FILE REDIS_HOST=r)" 'Cake\Cache\Engine\FileEngine'
    # `php -n` has no redis: a server that cannot be spoken to is not chosen.
    same "$(value Cache.default.className cache_auto.example.php REDIS_HOST=r)" 'Cake\Cache\Engine\FileEngine'
}

@test "the automatic cache reads the file that somebody made live" {
    cp "$CONFIG/cache_auto.example.php" "$BATS_TEST_TMPDIR/cache_auto.php"
    cp "$CONFIG/cache_file.example.php" "$BATS_TEST_TMPDIR/"
    echo "<?php return ['Cache' => ['mine' => true]];" >"$BATS_TEST_TMPDIR/cache_file.php"
    CONFIG=$BATS_TEST_TMPDIR
    same "$(leaves cache_auto.php)" "Cache.mine	bool	true"
    rm "$BATS_TEST_TMPDIR"/cache_file*
    run load cache_auto.php
    [ "$status" -ne 0 ]
    [[ $output == *"neither cache_file.php nor its template"* ]]
}

@test "caches hold the six kinds that the application writes, each under its own key" {
    for engine in file redis memcached; do
        same "$(leaves "cache_$engine.example.php" | cut -d . -f 2 | sort -u | tr '\n' ' ')" \
            "$(printf '%s\n' default _cake_core_ _cake_model_ _cake_routes_ languages subscription | sort -u | tr '\n' ' ')"
        same "$(leaves "cache_$engine.example.php" CACHE_PREFIX=tenant_ | awk -F '\t' '$1 ~ /prefix$/ && $3 ~ /^tenant_./ { print $3 }' | sort -u | wc -l)" 6
    done
    same "$(value Cache.default.prefix cache_redis.example.php CACHE_PREFIX=a_ REDIS_PREFIX=b_)" b_default_
    same "$(value Cache.default.host cache_redis.example.php REDIS_HOST=r REDIS_TLS_ENABLED=true)" tls://r
    same "$(value Cache.default.path --framework cache_file.example.php)" /app/tmp/cache/
}

@test "memcached servers have their ports" {
    same "$(leaves cache_memcached.example.php 'MEMCACHED_SERVER=a, b:2,' MEMCACHED_PORT=1 |
        awk -F '\t' '$1 ~ /^Cache.default.servers/ { printf "%s ", $3 }')" "a:1 b:2 "
}

@test "the queue's address comes from QUEUE_URL, from Redis' variables, or is a folder" {
    same "$(value Queue.default.url queue.example.php QUEUE_URL=redis://q REDIS_HOST=r)" redis://q
    same "$(value Queue.default.url queue.example.php REDIS_HOST=r)" redis://r:6379/0
    same "$(value Queue.default.url queue.example.php REDIS_HOST=r REDIS_PASSWORD=abc REDIS_PORT=1 REDIS_DATABASE=3)" redis://:abc@r:1/3
    same "$(value Queue.default.url queue.example.php REDIS_HOST=r REDIS_PASSWORD='a@b/c#d')" 'redis://r:6379/0?password=a%40b%2Fc%23d'
    same "$(value Queue.default.url queue.example.php REDIS_HOST=r REDIS_TLS_ENABLED=1)" rediss://r:6379/0
    same "$(value Queue.default.url --framework queue.example.php)" file:///app/tmp/queue
    same "$(value Queue.default.url --framework queue.example.php REDIS_HOST=r QUEUE_ENGINE=file)" file:///app/tmp/queue
}

@test "the database comes from the environment, and the salt from nowhere else" {
    same "$(value Datasources.default.driver app_local.example.php)" 'Cake\Database\Driver\Postgres'
    same "$(value Security.salt app_local.example.php)" ""
    same "$(value Security.salt app_local.example.php SECURITY_SALT=x)" x
    same "$(value Datasources.default.port app_local.example.php DB_PORT=5433)" 5433
    same "$(value Datasources.default.password app_local.example.php DB_PASSWORD="a'b \$c")" "a'b \$c"
    same "$(value Datasources.default.url app_local.example.php DATABASE_URL=postgres://u@h/d)" postgres://u@h/d
    same "$(value Datasources.default.schema app_local.example.php DB_SCHEMA=s)" s
}

@test "git providers are read together and alone, with addresses below the application's own" {
    same "$(leaves plugins/GitSync/gitsync.example.php | cut -d . -f 2 | sort -u | tr '\n' ' ')" "bitbucket github gitlab "
    same "$(value GitSync.gitlab.redirect_uri plugins/GitSync/gitsync_gitlab.example.php FULL_BASE_URL=https://x.org/)" \
        https://x.org/git-sync/callback/gitlab
    same "$(value GitSync.github.redirect_uri --framework plugins/GitSync/gitsync.example.php)" \
        https://root.example.com/git-sync/callback/github
    same "$(value GitSync.bitbucket.client_secret plugins/GitSync/gitsync.example.php BITBUCKET_CLIENT_SECRET=s)" s
}

@test "providers of cloud storage are on where they have a client" {
    same "$(value CloudStorage.Dropbox.enabled cloudstorage.example.php)" false
    same "$(value CloudStorage.Dropbox.enabled cloudstorage.example.php DROPBOX_CLIENT_ID=i)" true
    same "$(value CloudStorage.Dropbox.enabled cloudstorage.example.php DROPBOX_CLIENT_ID=i DROPBOX_ENABLED=no)" false
    same "$(value CloudStorage.GoogleDrive.client_id_num cloudstorage.example.php GOOGLE_DRIVE_CLIENT_ID=42-abc.apps)" 42
    same "$(value CloudStorage.auth_domain cloudstorage.example.php FULL_BASE_URL=https://x.org:8443)" x.org
}

@test "cron files are of the form that cron reads, and find everything through their own variables" {
    local home="$BATS_TEST_TMPDIR/home with blank"
    mkdir -p "$home/helpers" "$home/state/logs"
    printf '#!/bin/sh\necho "cake $*"\n' >"$home/helpers/cake.sh"
    chmod +x "$home/helpers/cake.sh"
    for file in recurring_task_cron queue_worker; do
        local entries=0
        while IFS= read -r line; do
            case $line in
                '#'* | '') continue ;;
                [A-Z]*=*) [[ $line =~ ^[A-Z0-9_]+=[^\$]*$ ]] || { echo "cron expands nothing: $line"; return 1; } ;;
                *)
                    entries=$((entries + 1))
                    [[ $line =~ ^([0-9*/,-]+\ ){5}[a-z]+\ (.*)$ ]] || { echo "not five fields and a user: $line"; return 1; }
                    local command=${BASH_REMATCH[2]}
                    # A bare % is a line break to cron.
                    [[ $command != *%* ]]
                    env -i PATH="$PATH" OSV4_HOME="$home" OSV4_STATE="$home/state" sh -eu -c "$command"
                    ;;
            esac
        done <"$CONFIG/cron/$file"
        same "$entries" 1
        # cron leaves out a last line without an end.
        same "$(tail -c 1 "$CONFIG/cron/$file")" ""
    done
    same "$(cat "$home/state/logs/recurring_task.log")" "cake recurring_task"
    same "$(cat "$home/state/logs/queue_worker.log")" "cake queue worker --max-runtime 45"
}

# A free port on this machine.
port() {
    php -n -r '$s = stream_socket_server("tcp://127.0.0.1:0"); echo substr(strrchr(stream_socket_get_name($s, false), ":"), 1);'
}

teardown() {
    if [ -n "${APACHE:-}" ]; then kill "$APACHE" 2>/dev/null && wait "$APACHE" 2>/dev/null; fi
    if [ -n "${BACKEND:-}" ]; then kill "$BACKEND" 2>/dev/null && wait "$BACKEND" 2>/dev/null; fi
    return 0
}

@test "apache serves the application over TLS and lets nobody forge where a request came from" {
    local dir="$BATS_TEST_TMPDIR" back http https
    back=$(port) http=$(port) https=$(port)
    chmod 755 "$dir" "$BATS_RUN_TMPDIR"
    # shellcheck disable=SC2028 # PHP's line break
    echo '<?php header("X-Seen: 1"); foreach (["HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_HOST"] as $n) { echo $n, "=", $_SERVER[$n] ?? "", "\n"; }' >"$dir/router.php"
    php -n -S "127.0.0.1:$back" "$dir/router.php" >"$dir/backend.log" 2>&1 3>&- &
    BACKEND=$!
    openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=app.example.com -days 1 \
        -keyout "$dir/key.pem" -out "$dir/cert.pem" 2>/dev/null
    sed -e "s|\*:80>|*:$http>|; s|\*:443>|*:$https>|" \
        -e "s|^Define OSV4_BACKEND .*|Define OSV4_BACKEND http://127.0.0.1:$back|" \
        -e "s|^Define OSV4_CERTIFICATE .*|Define OSV4_CERTIFICATE $dir/cert.pem|" \
        -e "s|^Define OSV4_KEY .*|Define OSV4_KEY $dir/key.pem|" \
        "$CONFIG/apache/orangescrum-proxy.conf" >"$dir/site.conf"
    {
        echo "ServerRoot $dir"
        echo "ServerName app.example.com"
        echo "PidFile $dir/apache.pid"
        echo "ErrorLog $dir/error.log"
        echo "Define APACHE_LOG_DIR $dir"
        echo "Listen 127.0.0.1:$http"
        echo "Listen 127.0.0.1:$https"
        [ "$(id -u)" -ne 0 ] || printf 'User nobody\nGroup nogroup\n'
        # What the file's own head says is to be enabled, and what Debian always has.
        for module in mpm_event authz_core ssl socache_shmcb proxy proxy_http headers rewrite; do
            echo "LoadModule ${module}_module /usr/lib/apache2/modules/mod_$module.so"
        done
        echo "LogFormat \"%h\" combined"
        echo "Include $CONFIG/apache/orangescrum-hardening.conf"
        echo "Include $dir/site.conf"
    } >"$dir/httpd.conf"
    run /usr/sbin/apache2 -t -f "$dir/httpd.conf"
    [[ $status -eq 0 && $output == *"Syntax OK"* && $output != *[Ww]arning* ]] || { echo "$output"; return 1; }

    /usr/sbin/apache2 -f "$dir/httpd.conf" -DFOREGROUND 3>&- &
    APACHE=$!
    local resolve=(--resolve "app.example.com:$https:127.0.0.1" --resolve "app.example.com:$http:127.0.0.1")
    for _ in $(seq 50); do
        curl -sf --cacert "$dir/cert.pem" "${resolve[@]}" "https://app.example.com:$https/" >/dev/null && break
        sleep 0.1
    done
    run curl -si --cacert "$dir/cert.pem" "${resolve[@]}" -H 'X-Forwarded-For: 6.6.6.6' -H 'X-Forwarded-Proto: http' \
        "https://app.example.com:$https/page"
    [[ $output == *"HTTP_X_FORWARDED_FOR=127.0.0.1"* && $output != *6.6.6.6* ]] || { echo "$output"; cat "$dir/error.log"; return 1; }
    [[ $output == *"HTTP_X_FORWARDED_PROTO=https"* ]]
    [[ $output == *"HTTP_HOST=app.example.com:$https"* ]]
    [[ $output != *Server:\ Apache/* ]]
    run curl -si "${resolve[@]}" "http://app.example.com:$http/page?x=1"
    [[ $output == *" 308 "* && $output == *"ocation: https://app.example.com/page?x=1"* ]] || { echo "$output"; return 1; }
    run curl -si "${resolve[@]}" "http://app.example.com:$http/.well-known/acme-challenge/x"
    [[ $output == *" 404 "* || $output == *" 403 "* ]] || { echo "$output"; return 1; }
}
