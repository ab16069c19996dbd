# shellcheck shell=sh
# What every start script of a package needs. The caller sets OSV4_HOME, the package's folder, and
# sources this file: it defines functions and defaults and does nothing else. POSIX sh, for dash and
# busybox. Functions end the script by themselves when something is wrong: 78 for what is configured
# wrongly, 69 for a database that does not answer in time, 70 for a migration or seeder that failed.

: "${OSV4_HOME:?is the folder of the package}"
: "${OSV4_BINARY:=$OSV4_HOME/orangescrum-app/osv4-prod}"
: "${OSV4_CONFIG:=$OSV4_HOME/config}"
: "${OSV4_ENV_FILE:=$OSV4_HOME/.env}"
# What must survive: systemd names its folder (the first of several), an image has a volume.
if [ -z "${OSV4_STATE:-}" ]; then
    if [ -n "${STATE_DIRECTORY:-}" ]; then
        OSV4_STATE=${STATE_DIRECTORY%%:*}
    elif [ "$OSV4_HOME" = /opt/orangescrum ] && [ -d /var/lib/orangescrum ]; then
        OSV4_STATE=/var/lib/orangescrum
    else
        OSV4_STATE=$OSV4_HOME/state
    fi
fi
# What need not: unpacked applications.
: "${OSV4_RUN:=$OSV4_STATE/run}"
export OSV4_HOME OSV4_BINARY OSV4_CONFIG OSV4_ENV_FILE OSV4_STATE OSV4_RUN

# shellcheck source=say.sh
. "$OSV4_HOME/helpers/lib/say.sh"
# shellcheck source=env-file.sh
. "$OSV4_HOME/helpers/lib/env-file.sh"
# shellcheck source=secrets.sh
. "$OSV4_HOME/helpers/lib/secrets.sh"
# shellcheck source=values.sh
. "$OSV4_HOME/helpers/lib/values.sh"
# shellcheck source=validate.sh
. "$OSV4_HOME/helpers/lib/validate.sh"
# shellcheck source=templates.sh
. "$OSV4_HOME/helpers/lib/templates.sh"
# shellcheck source=overlay.sh
. "$OSV4_HOME/helpers/lib/overlay.sh"
# shellcheck source=extract.sh
. "$OSV4_HOME/helpers/lib/extract.sh"
# shellcheck source=application.sh
. "$OSV4_HOME/helpers/lib/application.sh"

# osv4_settings: what the file of settings and the files of secrets say, where there are any.
osv4_settings() {
    [ ! -e "$OSV4_ENV_FILE" ] || osv4_load_env "$OSV4_ENV_FILE"
    osv4_secrets
}
