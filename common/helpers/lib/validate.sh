# shellcheck shell=sh
# Is what was configured enough to start with? Asked is only for what the chosen engines need. It
# looks at the environment, after osv4_load_env and osv4_secrets; it asks nobody and connects nowhere.

# osv4_validate [--strict]: ends with 78 when something is wrong; strict: also when it is doubtful.
osv4_validate() {
    _osv4_errors=0
    _osv4_doubts=0
    _osv4_check_app
    _osv4_check_database
    _osv4_check_redis
    _osv4_check_mail
    _osv4_check_storage
    _osv4_check_start
    _osv4_check_php
    if [ "$_osv4_errors" -gt 0 ]; then
        osv4_fail 78 "the configuration has $_osv4_errors mistakes: nothing was started"
    elif [ "$_osv4_doubts" -gt 0 ] && [ "${1:-}" = --strict ]; then
        osv4_fail 78 "the configuration has $_osv4_doubts warnings, and --strict allows none"
    fi
}

_osv4_check_app() {
    _osv4_reason='passwords and links are made with it; helpers/generate-secrets.sh makes one'
    osv4_check_needed SECURITY_SALT
    if [ -n "${SECURITY_SALT:-}" ] && [ "${#SECURITY_SALT}" -lt 32 ]; then
        osv4_wrong SECURITY_SALT "has ${#SECURITY_SALT} characters: at least 32 are needed"
    fi
    osv4_check_url 'http https' FULL_BASE_URL
    if [ -z "${FULL_BASE_URL:-}" ]; then
        osv4_doubt FULL_BASE_URL "is not set: links in mails lead nowhere. Write the address at which people reach this"
    else
        case $FULL_BASE_URL in
        */) osv4_wrong FULL_BASE_URL "ends with a slash: remove it" ;;
        esac
        case $FULL_BASE_URL:${SESSION_COOKIE_SECURE:-true} in
        http://*:[Tt]rue | http://*:1) osv4_doubt SESSION_COOKIE_SECURE "keeps cookies from http, which FULL_BASE_URL names: nobody stays signed in. Set it to false, or use https" ;;
        esac
    fi
    osv4_check_number 1 65535 APP_PORT PORT
    osv4_check_host APP_BIND_IP
    osv4_check_boolean DEBUG SESSION_COOKIE_SECURE
    osv4_check_choice SESSION_COOKIE_SAMESITE 'Lax Strict None'
    osv4_check_choice SESSION_HANDLER 'php database cache'
    if osv4_true DEBUG; then
        osv4_doubt DEBUG "is on: pages show their errors, with settings, to everybody"
    fi
    if [ "${SESSION_COOKIE_SAMESITE:-}" = None ] && osv4_false SESSION_COOKIE_SECURE; then
        osv4_wrong SESSION_COOKIE_SAMESITE "is None, which browsers take with SESSION_COOKIE_SECURE=true only"
    fi
}

_osv4_check_database() {
    if [ -n "${DATABASE_URL:-}" ]; then
        osv4_check_url 'postgres postgresql pgsql' DATABASE_URL
        osv4_check_placeholder DATABASE_URL
    else
        _osv4_reason='the database is found by it (or by DATABASE_URL)'
        osv4_check_needed DB_HOST DB_USERNAME DB_NAME
        _osv4_reason='the database wants it: set it, or DB_PASSWORD_FILE, or DATABASE_URL'
        osv4_check_needed DB_PASSWORD
    fi
    osv4_check_host DB_HOST MIGRATION_DB_HOST
    osv4_check_number 1 65535 DB_PORT MIGRATION_DB_PORT
    osv4_check_number 0 86400 DB_WAIT_TIMEOUT MIGRATION_LOCK_TIMEOUT
    osv4_check_boolean DB_LOG
    case ${DB_SCHEMA:-} in
    *[!A-Za-z0-9_]* | [0-9]*) osv4_wrong DB_SCHEMA "is no plain name of letters, digits and _" ;;
    esac
}

_osv4_check_redis() {
    osv4_check_choice CACHE_ENGINE 'file redis memcached auto'
    osv4_check_choice QUEUE_ENGINE 'redis file'
    osv4_check_url 'redis rediss file null' QUEUE_URL
    if [ "${CACHE_ENGINE:-}" = redis ]; then
        _osv4_reason='CACHE_ENGINE is redis'
        osv4_check_needed REDIS_HOST
    fi
    if [ -z "${QUEUE_URL:-}" ] && [ "${QUEUE_ENGINE:-}" = redis ] && [ "${CACHE_ENGINE:-}" != redis ]; then
        _osv4_reason='QUEUE_ENGINE is redis (or set QUEUE_URL)'
        osv4_check_needed REDIS_HOST
    fi
    if [ "${CACHE_ENGINE:-}" = memcached ]; then
        _osv4_reason='CACHE_ENGINE is memcached'
        osv4_check_needed MEMCACHED_SERVER
    fi
    # A password of nobody is no protection, wherever it is used.
    osv4_check_placeholder REDIS_PASSWORD
    osv4_check_placeholder QUEUE_URL
    osv4_check_host REDIS_HOST
    osv4_check_number 1 65535 REDIS_PORT MEMCACHED_PORT
    osv4_check_number 0 1024 REDIS_DATABASE
    osv4_check_boolean REDIS_TLS_ENABLED REDIS_TLS_VERIFY_PEER REDIS_PERSISTENT QUEUE_WORKER
    osv4_check_number 0 31536000 WORKER_MAX_RUNTIME WORKER_SLEEP QUEUE_MAX_RUNTIME QUEUE_RESTART_DELAY QUEUE_MAX_RESTARTS
}

_osv4_check_mail() {
    osv4_check_choice EMAIL_TRANSPORT 'smtp sendgrid'
    if [ -z "${FROM_EMAIL:-}" ]; then
        osv4_doubt FROM_EMAIL "is not set: no mails are sent"
        return 0
    fi
    case $FROM_EMAIL in
    ?*@?*) ;;
    *) osv4_wrong FROM_EMAIL "is no address of a mailbox" ;;
    esac
    if [ "${EMAIL_TRANSPORT:-smtp}" = sendgrid ]; then
        _osv4_reason='EMAIL_TRANSPORT is sendgrid'
        osv4_check_needed EMAIL_API_KEY
    elif [ "${EMAIL_TRANSPORT:-smtp}" = smtp ]; then
        _osv4_reason='mails go out by smtp'
        osv4_check_needed SMTP_HOST
        osv4_check_number 1 65535 SMTP_PORT
        osv4_check_boolean SMTP_TLS
        osv4_check_placeholder SMTP_PASSWORD
        if [ -n "${SMTP_USERNAME:-}" ] && [ -z "${SMTP_PASSWORD:-}" ]; then
            osv4_wrong SMTP_PASSWORD "is not set, but SMTP_USERNAME is: set both or none"
        fi
    fi
}

_osv4_check_storage() {
    [ -n "${STORAGE_ENDPOINT:-}" ] || return 0
    osv4_check_url 'http https' STORAGE_ENDPOINT
    _osv4_reason='STORAGE_ENDPOINT says that uploads go to S3'
    osv4_check_needed STORAGE_ACCESS_KEY STORAGE_SECRET_KEY STORAGE_BUCKET
    osv4_check_boolean STORAGE_PATH_STYLE
}

_osv4_check_start() {
    osv4_check_boolean SKIP_MIGRATIONS RUN_MIGRATIONS SKIP_SEEDERS RUN_SEEDERS DAEMON
    osv4_check_number 1 86400 FRANKENPHP_EXTRACT_TIMEOUT
    osv4_check_number 0 100000 BACKUP_KEEP
}

_osv4_check_php() {
    osv4_check_size PHP_MEMORY_LIMIT PHP_POST_MAX_SIZE PHP_UPLOAD_MAX_FILESIZE
    osv4_check_number 0 86400 PHP_MAX_EXECUTION_TIME
    if [ -n "${SSL_CERT_FILE:-}" ] && [ ! -r "$SSL_CERT_FILE" ]; then
        osv4_wrong SSL_CERT_FILE "names a file that cannot be read"
    fi
}
