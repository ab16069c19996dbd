# shellcheck shell=sh
# Packages: archives of dist/, unpacked below releases/, and their files in the package's folder.
# Wants lib/project.sh.
# shellcheck disable=SC2154 # what project.sh sets

# shellcheck source=/dev/null
. "$OSV4_HOME/helpers/lib/machine.sh"
# shellcheck source=/dev/null
. "$OSV4_HOME/helpers/lib/facts.sh"

# The archive that `latest` or a build means. find_archive WHAT FOLDER…
find_archive() {
    what=$1
    shift
    found=
    count=0
    for folder in "$@"; do
        [ -d "$folder" ] || continue
        # The newest first; names of archives hold no blanks.
        # shellcheck disable=SC2012 # the newest first
        for name in $(cd "$folder" && ls -t orangescrum-docker-*-"$(osv4_machine)".tar.gz 2>/dev/null); do
            if [ "$what" != latest ]; then
                case $name in *-"$what"-"$(osv4_machine)".tar.gz) ;; *) continue ;; esac
            fi
            count=$((count + 1))
            [ -n "$found" ] || found=$folder/$name
        done
        [ -z "$found" ] || break
    done
    if [ -z "$found" ]; then
        osv4_fail 66 "there is no archive of build $what for $(osv4_machine) in: $*"
    fi
    if [ "$what" != latest ] && [ "$count" -gt 1 ]; then
        osv4_fail 64 "build $what is there $count times: remove all but one, or name a folder with --from"
    fi
    printf '%s\n' "$found"
}

# Checks an archive and unpacks it below releases/; prints the folder. unpack_release ARCHIVE
unpack_release() {
    archive=$1
    name=$(basename "$archive" .tar.gz)
    name=${name#orangescrum-docker-}
    [ -f "$archive.sha256" ] || osv4_fail 66 "$archive.sha256 is missing: copy it together with the archive"
    (cd "$(dirname "$archive")" && sha256sum -c "$(basename "$archive").sha256" >/dev/null 2>&1) ||
        osv4_fail 65 "$archive is damaged: its checksum is another than $archive.sha256 says"
    # What leads out of the folder is no package of ours.
    if tar -tzf "$archive" | grep -q -e '^/' -e '^\.\./' -e '/\.\./'; then
        osv4_fail 65 "$archive holds names that lead out of its folder"
    fi
    mkdir -p "$OSV4_HOME/releases"
    rm -rf "$OSV4_HOME/releases/.unpacking"
    mkdir "$OSV4_HOME/releases/.unpacking"
    tar -xzof "$archive" -C "$OSV4_HOME/releases/.unpacking"
    [ -f "$OSV4_HOME/releases/.unpacking/docker-compose.yaml" ] ||
        osv4_fail 65 "$archive is no package for Docker: it holds no docker-compose.yaml"
    rm -rf "$OSV4_HOME/releases/$name"
    mv "$OSV4_HOME/releases/.unpacking" "$OSV4_HOME/releases/$name"
    touch "$OSV4_HOME/releases/$name"
    printf '%s\n' "$OSV4_HOME/releases/$name"
}

# What tells one package from another, and is its image's tag: a digest of the manifest, which lists
# every file. So an image that was built or loaded before is known again. release_id FOLDER
release_id() {
    [ -f "$1/build-manifest.json" ] || osv4_fail 66 "$1 is no package: build-manifest.json is missing"
    sha256sum <"$1/build-manifest.json" | cut -c1-12
}

# build_image FOLDER ID: the image of a package, as $image:ID. Other base images than the Dockerfile's
# can be set by RUNTIME_MUSL and RUNTIME_GLIBC.
build_image() {
    folder=$1
    tag=$image:$2
    set -- --build-arg "LIBC=$(libc_of "$folder")"
    for name in RUNTIME_MUSL RUNTIME_GLIBC; do
        value=$(env_value "$name")
        [ -z "$value" ] || set -- "$@" --build-arg "$name=$value"
    done
    docker build --quiet "$@" --tag "$tag" "$folder" >/dev/null || osv4_fail 70 "the image could not be built: nothing was changed"
}

# The files of a package that belong to it and not to the person: all but .env, and of config/ only
# what does not exist there, and templates. release_files FOLDER
release_files() {
    (
        cd "$1" || exit
        find . -type f ! -path './.env' ! -path './releases/*' ! -path './backups/*' | while IFS= read -r file; do
            case $file in
            ./config/*.example.php) ;;
            ./config/*) [ ! -e "$OSV4_HOME/$file" ] || continue ;;
            esac
            printf '%s\n' "$file"
        done
    )
}

# Puts a package's files into the folder; what they replace goes to releases/.replaced.tar first, so
# that release_undo can put it back. Nothing is written in place: scripts there may be running.
release_install() {
    list=$OSV4_HOME/releases/.files
    release_files "$1" >"$list"
    (
        cd "$OSV4_HOME" || exit
        while IFS= read -r file; do [ ! -e "$file" ] || printf '%s\n' "$file"; done <"$list" >"$list.old"
        tar -cf releases/.replaced.tar -T "$list.old"
    )
    tar -cf - -C "$1" -T "$list" | tar -xof - -C "$OSV4_HOME"
    rm -f "$list" "$list.old"
}

release_undo() {
    [ -f "$OSV4_HOME/releases/.replaced.tar" ] || return 0
    tar -xof "$OSV4_HOME/releases/.replaced.tar" -C "$OSV4_HOME"
}

# Keeps the newest two unpacked packages, and drops the names of the images of others.
release_prune() {
    [ -d "$OSV4_HOME/releases" ] || return 0
    # shellcheck disable=SC2012 # the newest first
    (cd "$OSV4_HOME/releases" && ls -1t) | sed 1,2d | while IFS= read -r name; do
        docker image rm "$image:$(release_id "$OSV4_HOME/releases/$name")" >/dev/null 2>&1 || true
        rm -rf "${OSV4_HOME:?}/releases/$name"
    done
}
