# A container in which a real systemd is the first process, loaded by `load lib/systemd`: systemd_start in
# setup_file, systemd_stop in teardown_file, inside COMMAND…. It has PostgreSQL, Redis and PHP. Its root is
# made with debootstrap, in some minutes, and kept in $OSV4_TEST_CACHE (target/osv4-test).

load "${BASH_SOURCE[0]%/*}/ports.bash"

SYSTEMD_PACKAGES=systemd,systemd-sysv,dbus,postgresql,redis-server,php8.2-cli,php8.2-pgsql,php8.2-mbstring,curl,procps

# Prints the archive of the root file system.
systemd_root() {
    local cache root
    cache=${OSV4_TEST_CACHE:-$(cd "${BASH_SOURCE[0]%/*}/../../.." && pwd)/target/osv4-test}
    root=$cache/systemd-$(cksum <<<"$SYSTEMD_PACKAGES" | cut -d ' ' -f 1).tar
    mkdir -p "$cache"
    (
        flock 9
        [[ ! -e $root ]] || exit 0
        # shellcheck disable=SC2016 # apt's dollars
        mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' | head -n 1)
        # On a file system that has devices, which /tmp need not be.
        work=$(mktemp -d "$cache/systemd.XXXXXX")
        trap 'rm -rf "$work"' EXIT
        debootstrap --variant=minbase --include="$SYSTEMD_PACKAGES" bookworm "$work/root" "$mirror" >"$work/log" 2>&1 \
            || { tail -n 20 "$work/log" >&2; exit 1; }
        rm -rf "$work"/root/var/cache/apt/archives/*.deb "$work"/root/var/lib/apt/lists/*
        tar -c -f "$work/tar" --numeric-owner --one-file-system -C "$work/root" .
        mv "$work/tar" "$root"
    ) 9>"$cache/systemd.lock" || return 1
    echo "$root"
}

# systemd_start NAME: as container and image osgraph-test-NAME.
systemd_start() {
    need docker docker.io && need debootstrap debootstrap || return 1
    ((EUID == 0)) || { echo "debootstrap makes devices and owners: be root" >&2; return 1; }
    export SYSTEMD_NAME=osgraph-test-$1-$$
    local root
    root=$(systemd_root) || return 1
    docker import "$root" "$SYSTEMD_NAME" >/dev/null
    docker run --detach --name "$SYSTEMD_NAME" --cap-add SYS_ADMIN --security-opt seccomp=unconfined \
        --security-opt apparmor=unconfined --cgroupns host --volume /sys/fs/cgroup:/sys/fs/cgroup:rw \
        --tmpfs /run --tmpfs /run/lock --tmpfs /tmp:exec --env container=docker --stop-signal SIGRTMIN+3 \
        --network none "$SYSTEMD_NAME" /sbin/init >/dev/null || return 1
    wait_until 60 systemd_is_up || { docker logs "$SYSTEMD_NAME" >&2; return 1; }
}

systemd_is_up() {
    [[ $(inside systemctl is-system-running) =~ ^(running|degraded)$ ]]
}

systemd_stop() {
    [[ -n ${SYSTEMD_NAME:-} ]] || return 0
    docker rm --force --volumes "$SYSTEMD_NAME" >/dev/null 2>&1 || :
    docker rmi --force "$SYSTEMD_NAME" >/dev/null 2>&1 || :
}

inside() {
    docker exec --interactive "$SYSTEMD_NAME" "$@"
}
