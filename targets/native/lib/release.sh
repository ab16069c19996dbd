# shellcheck shell=sh
# Releases of an installation: $install_prefix/releases/<version>-<build>, with the links `current` and
# `previous` beside. A release is what the package's manifest lists and nothing else, and it is
# never changed. Wants installation.sh, manifest.sh and the package's say.sh.
# shellcheck disable=SC2154 # install_* are set by installation.sh

# shellcheck source=/dev/null
. "$OSV4_HOME/helpers/lib/machine.sh"

# release_latest FOLDER: the newest archive there.
release_latest() {
    # Names of archives hold no blanks, and the newest is what is wanted.
    # shellcheck disable=SC2012 # the newest first
    _release_found=$(cd "$1" && ls -t orangescrum-native-*-"$(osv4_machine)".tar.gz 2>/dev/null | head -n 1)
    [ -n "$_release_found" ] || osv4_fail 66 "no orangescrum-native-*-$(osv4_machine).tar.gz is in $1"
    printf '%s\n' "$1/$_release_found"
}

# release_name FOLDER: <version>-<build>. A folder from an archive is called as the archive.
release_name() {
    case ${1##*/} in
    orangescrum-native-?*-?*-*)
        _release_name=${1##*/orangescrum-native-}
        _release_name=${_release_name%-*}
        ;;
    *)
        _release_version=$(manifest_fact "$1" version)
        _release_build=$(manifest_fact "$1" build)
        # The manifest lists every file by its digest.
        [ -n "$_release_build" ] || _release_build=$(sha256sum <"$1/build-manifest.json" | cut -c 1-12)
        _release_name=${_release_version:-0}-$_release_build
        ;;
    esac
    case $_release_name in
    *[!A-Za-z0-9._+-]* | .*) osv4_fail 65 "\`$_release_name\` is no name for a release" ;;
    esac
    printf '%s\n' "$_release_name"
}

# release_unpack ARCHIVE FOLDER: checks the archive and unpacks it below FOLDER; prints where.
release_unpack() {
    [ -f "$1" ] || osv4_fail 66 "there is no $1"
    [ -f "$1.sha256" ] || osv4_fail 66 "$1.sha256 is missing: copy it together with the archive"
    (cd "$(dirname "$1")" && sha256sum -c "$(basename "$1").sha256" >/dev/null 2>&1) ||
        osv4_fail 65 "$1 is damaged: its checksum is not the one of $1.sha256"
    if tar -tzf "$1" | grep -q -e '^/' -e '^\.\.$' -e '^\.\./' -e '/\.\./' -e '/\.\.$'; then
        osv4_fail 65 "$1 holds names that lead out of its folder"
    fi
    tar -xzof "$1" -C "$2" || osv4_fail 65 "$1 could not be unpacked"
    for _release_top in "$2"/*/; do
        [ -f "${_release_top}run.sh" ] || continue
        printf '%s\n' "${_release_top%/}"
        return 0
    done
    osv4_fail 65 "$1 is no native package: it holds no run.sh"
}

# release_add FOLDER: makes a release of a checked package; sets release. One that is there already is left
# as it is, for it is the same.
release_add() {
    release=$install_prefix/releases/$(release_name "$1")
    if [ -d "$release" ]; then
        cmp -s "$1/build-manifest.json" "$release/build-manifest.json" ||
            osv4_fail 65 "$release is another build of the same name: build with another --set build=…"
        return 0
    fi
    _release_list=$(mktemp)
    manifest_files "$1" | sed 's/^[^ ]* [^ ]* [^ ]* [^ ]* //' >"$_release_list"
    echo build-manifest.json >>"$_release_list"
    rm -rf "$install_prefix/releases/.new"
    mkdir -p "$install_prefix/releases/.new"
    tar -cf - -C "$1" --no-recursion -T "$_release_list" | tar -xof - -C "$install_prefix/releases/.new" ||
        osv4_fail 73 "the release could not be written below $install_prefix: is the disk full?"
    rm -f "$_release_list"
    chmod -R u=rwX,go=rX "$install_prefix/releases/.new"
    [ "$(id -u)" != 0 ] || chown -R 0:0 "$install_prefix/releases/.new"
    mv "$install_prefix/releases/.new" "$release"
}

# release_link NAME TARGET: the link of that name, moved in one step.
release_link() {
    ln -s "releases/${2##*/}" "$install_prefix/.$1.$$"
    mv -fT "$install_prefix/.$1.$$" "$install_prefix/$1"
}

# release_of NAME: what the link leads to; nothing if it is not there.
release_of() {
    [ ! -d "$install_prefix/$1" ] || (cd "$install_prefix/$1" && pwd -P)
}

# All but the two that the links lead to.
release_prune() {
    _release_current=$(release_of current)
    _release_previous=$(release_of previous)
    for _release_each in "$install_prefix"/releases/*/; do
        _release_each=${_release_each%/}
        _release_real=$(cd "$_release_each" && pwd -P)
        case $_release_real in "$_release_current" | "$_release_previous") continue ;; esac
        rm -rf "$_release_each"
        osv4_log "removed ${_release_each##*/}"
    done
}

# release_settings RELEASE: its configuration templates, in the folder that survives releases. Those that
# nobody edited follow them.
release_settings() {
    mkdir -p "$install_etc/config"
    # Of the package's config/ only the templates: a file of that name without `.example` is a person's.
    [ ! -d "$1/config" ] || (cd "$1/config" && find . -type f \( -name '*.example.php' -o ! -name '*.php' \)) |
        while IFS= read -r _release_file; do
            _release_to=$install_etc/config/$_release_file
            mkdir -p "${_release_to%/*}"
            cmp -s "$1/config/$_release_file" "$_release_to" || cp "$1/config/$_release_file" "$_release_to"
        done
    # shellcheck disable=SC2016 # for the other shell
    OSV4_HOME=$1 OSV4_CONFIG=$install_etc/config OSV4_STATE=$install_state \
        sh -euc '. "$OSV4_HOME/helpers/lib/osv4.sh"; osv4_templates'
    if [ "$(id -u)" = 0 ]; then
        chown -R "root:$(id -g "$install_user")" "$install_etc/config"
        chmod -R u=rwX,g=rX,o= "$install_etc/config"
    fi
}
