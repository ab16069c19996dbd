# shellcheck shell=sh
# Secrets from files, as Docker, Kubernetes and systemd hand them over: X_FILE names a file that
# holds X. The value goes into the environment only, never into arguments, which everybody can see.

OSV4_SECRETS="SECURITY_SALT SUBSCRIPTION_KEY DB_PASSWORD DATABASE_URL REDIS_PASSWORD QUEUE_URL
SMTP_PASSWORD EMAIL_API_KEY EMAIL_TRANSPORT_DEFAULT_URL STORAGE_ACCESS_KEY STORAGE_SECRET_KEY
RECAPTCHA_SECRET_KEY GOOGLE_OAUTH_CLIENT_SECRET GOOGLE_DRIVE_API_KEY GOOGLE_DRIVE_CLIENT_SECRET
GITHUB_CLIENT_SECRET GITHUB_WEBHOOK_SECRET GITLAB_CLIENT_SECRET GITLAB_WEBHOOK_SECRET
BITBUCKET_CLIENT_SECRET BITBUCKET_WEBHOOK_SECRET CLOUD_STORAGE_ENCRYPTION_KEY
DROPBOX_CLIENT_SECRET ONEDRIVE_CLIENT_SECRET STRIPE_SECRET_KEY STRIPE_WEBHOOK_SECRET
V2_ROUTING_API_KEY LOAD_TEST_TOKEN"

# osv4_secrets: for each of them. Ends with 78 when a file cannot be used. Can be called again.
osv4_secrets() {
    _osv4_wrong=0
    for _osv4_name in $OSV4_SECRETS; do
        eval "_osv4_file=\${${_osv4_name}_FILE:-}"
        [ -n "$_osv4_file" ] || continue
        _osv4_secret || {
            osv4_error "$(osv4_env_place "${_osv4_name}_FILE"): $_osv4_why"
            _osv4_wrong=$((_osv4_wrong + 1))
        }
    done
    [ "$_osv4_wrong" -eq 0 ] || exit 78
}

_osv4_secret() {
    eval "_osv4_old=\${$_osv4_name:-}"
    if [ ! -f "$_osv4_file" ] && [ ! -p "$_osv4_file" ]; then
        _osv4_why="there is no file $_osv4_file"
        return 1
    elif [ ! -r "$_osv4_file" ]; then
        _osv4_why="$_osv4_file cannot be read by $(id -un 2>/dev/null || id -u)"
        return 1
    fi
    # $(…) takes away the line ends that editors and `echo` put behind.
    _osv4_value=$(cat "$_osv4_file") || {
        _osv4_why="$_osv4_file cannot be read"
        return 1
    }
    _osv4_value=${_osv4_value%"$_osv4_cr"}
    if [ -z "$_osv4_value" ]; then
        _osv4_why="$_osv4_file is empty"
        return 1
    elif [ -n "$_osv4_old" ] && [ "$_osv4_old" != "$_osv4_value" ]; then
        # Equal ones are this function's own work in the script that started this one.
        _osv4_why="$_osv4_name is set as well: keep one of the two"
        return 1
    fi
    case $_osv4_value in
    *[[:cntrl:]]*)
        _osv4_why="$_osv4_file holds more than one line, or control characters"
        return 1
        ;;
    esac
    export "$_osv4_name=$_osv4_value"
}
