# shellcheck shell=sh
# Who starts and stops an installation's server: systemd where units were installed, else run.sh.
# Wants installation.sh and the package's say.sh.
# shellcheck disable=SC2154 # install_* are set by installation.sh

# Does a systemd that reads our units run here?
service_systemd() {
    [ "$install_units" != none ] && [ -d /run/systemd/system ] && command -v systemctl >/dev/null
}

# service_units RELEASE: its units, for this installation; what an older release had and this one has
# not goes away.
service_units() {
    [ "$install_units" != none ] || return 0
    mkdir -p "$install_units"
    for _unit_from in "$1"/systemd/orangescrum*.service "$1"/systemd/orangescrum*.timer; do
        _unit_to=$install_units/$install_name${_unit_from##*/orangescrum}
        sed -e "s#/opt/orangescrum/#$install_prefix/#g" \
            -e "s#^User=.*#User=$install_user#" \
            -e "s#^Group=.*#Group=$(id -gn "$install_user")#" \
            -e "s#orangescrum\\([-a-z]*@\\{0,1\\}\\.\\(service\\|timer\\)\\)#$install_name\\1#g" \
            -e "$(service_state_rule)" "$_unit_from" >"$_unit_to.new"
        chmod 644 "$_unit_to.new"
        mv "$_unit_to.new" "$_unit_to"
    done
    for _unit_to in "$install_units/$install_name"*.service "$install_units/$install_name"*.timer; do
        case ${_unit_to##*/"$install_name"} in
        .service | -queue@.service | -scheduler.service | -scheduler.timer | -backup.service | -backup.timer) ;;
        *) continue ;;
        esac
        [ -f "$1/systemd/orangescrum${_unit_to##*/"$install_name"}" ] || rm -f "$_unit_to"
    done
    ! service_systemd || systemctl daemon-reload
}

# systemd makes and owns what lies below /var/lib; another place is only opened to the service.
service_state_rule() {
    case $install_state in
    /var/lib/*) echo "s#^StateDirectory=.*#StateDirectory=${install_state#/var/lib/}#" ;;
    *) echo "s#^StateDirectory=.*#ReadWritePaths=$install_state#; /^StateDirectoryMode=/d" ;;
    esac
}

# service_restart OLD NEW: with the old release's server gone, the new one's answers. OLD may be empty.
service_restart() {
    if service_systemd; then
        # Returns when it answers, for the unit asks.
        systemctl restart "$install_name.service" || return 1
        # Those that run; none is no mistake.
        systemctl try-restart "$install_name-queue@*.service" || osv4_warn "the queue workers could not be restarted"
    else
        [ -z "$1" ] || "$1/run.sh" stop || return 1
        DAEMON=true "$2/run.sh" start || return 1
        osv4_log "restart your queue workers, if you run any: they still run the other release"
    fi
}

service_stop() {
    if service_systemd; then
        systemctl disable --now "$install_name.service" "$install_name-scheduler.timer" "$install_name-backup.timer" 2>/dev/null || :
        systemctl stop "$install_name-queue@*.service" "$install_name-scheduler.service" "$install_name-backup.service" || :
        # Instances that were enabled leave links behind.
        rm -f /etc/systemd/system/multi-user.target.wants/"$install_name"-queue@*.service
    elif [ -x "$install_prefix/current/run.sh" ]; then
        "$install_prefix/current/run.sh" stop
    fi
}
