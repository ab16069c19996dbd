# shellcheck shell=sh
# What is done with an unpacked application: prepare its database, serve it, run its commands.

# osv4_php SCRIPT|-r CODE, ARGS…: PHP from the binary, with the application's own php.ini, which
# php-cli does not look for. Runs in the application's folder.
osv4_php() {
    (
        _osv4_enter
        _osv4_ini
        exec "$OSV4_BINARY" php-cli "$@"
    )
}

# osv4_prepare: waits for the database, migrates and seeds under a lock, as the environment says.
osv4_prepare() {
    # In the background, so that a signal is handed on at once; and no shell between, which would keep it.
    {
        _osv4_enter
        _osv4_ini
        exec "$OSV4_BINARY" php-cli "$OSV4_HOME/helpers/php/prepare.php"
    } &
    _osv4_child=$!
    _osv4_stop=
    trap '_osv4_stop=1; kill -TERM "$_osv4_child" 2>/dev/null || :' TERM INT
    while :; do
        _osv4_code=0
        wait "$_osv4_child" || _osv4_code=$?
        kill -0 "$_osv4_child" 2>/dev/null || break
    done
    trap - TERM INT
    # Told to end at the last moment, it was done all the same; but nothing is started any more.
    [ -z "$_osv4_stop" ] || [ "$_osv4_code" -ne 0 ] || exit 143
    case $_osv4_code in
    0) ;;
    # The script said what is wrong.
    69 | 70 | 78 | 130 | 143) exit "$_osv4_code" ;;
    *) osv4_fail 70 "the database was not prepared: the helper ended with $_osv4_code" ;;
    esac
}

# osv4_address: what the Caddyfile is written for: where the server listens, and whom it trusts.
osv4_address() {
    APP_PORT=${PORT:-${APP_PORT:-8080}}
    APP_BIND_IP=${APP_BIND_IP:-0.0.0.0}
    # Caddy takes a name to mean https; an address with a scheme and port says all.
    SERVER_NAME=${SERVER_NAME:-http://:$APP_PORT}
    export APP_PORT APP_BIND_IP SERVER_NAME
    _osv4_proxies
}

# osv4_serve: becomes the server.
osv4_serve() {
    osv4_address
    _osv4_enter
    osv4_log "serving on $APP_BIND_IP port $APP_PORT"
    exec "$OSV4_BINARY" php-server
}

# osv4_cake ARGS…: becomes a command of the application.
osv4_cake() {
    _osv4_enter
    _osv4_ini
    exec "$OSV4_BINARY" php-cli bin/cake.php "$@"
}

# Into the application's folder, with the environment that php.ini and Caddyfile are written for.
_osv4_enter() {
    cd "$OSV4_APP" || exit 70
    osv4_ca
    # Empty counts as not set; their defaults count only for what is really not set, and an `admin`
    # without address would open Caddy's own.
    for _osv4_each in CADDY_ADMIN CADDY_GLOBAL_OPTIONS PHP_MEMORY_LIMIT PHP_POST_MAX_SIZE \
        PHP_UPLOAD_MAX_FILESIZE PHP_MAX_EXECUTION_TIME; do
        osv4_value "$_osv4_each"
        [ -n "$_osv4_it" ] || unset "$_osv4_each"
    done
}

# The server scans the application's php.ini by itself; php-cli does not.
_osv4_ini() {
    PHP_INI_SCAN_DIR=${PHP_INI_SCAN_DIR:-}:$OSV4_APP
    export PHP_INI_SCAN_DIR
}

# Caddy wants blanks where people write commas, and has no word for everybody.
_osv4_proxies() {
    case ${APP_TRUSTED_PROXIES:-} in
    '') unset CADDY_TRUSTED_PROXIES ;;
    '*')
        CADDY_TRUSTED_PROXIES='0.0.0.0/0 ::/0'
        export CADDY_TRUSTED_PROXIES
        ;;
    *)
        CADDY_TRUSTED_PROXIES=$(printf %s "$APP_TRUSTED_PROXIES" | tr -s ', ' ' ')
        export CADDY_TRUSTED_PROXIES
        ;;
    esac
}

# The binary brings no certificates: those of the system, wherever it keeps them.
osv4_ca() {
    [ -z "${SSL_CERT_FILE:-}" ] || return 0
    for _osv4_file in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem /etc/ssl/cert.pem; do
        if [ -r "$_osv4_file" ]; then
            SSL_CERT_FILE=$_osv4_file
            export SSL_CERT_FILE
            return 0
        fi
    done
}
