# shellcheck shell=sh
# osv4_machine: this machine, as names of packages have it.
osv4_machine() {
    case $(uname -m) in
    x86_64) echo amd64 ;;
    aarch64) echo arm64 ;;
    *) uname -m ;;
    esac
}
