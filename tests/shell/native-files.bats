#!/usr/bin/env bats
# What can be said of the native package without starting it: its scripts, its units, its archive.

load lib/package

setup_file() {
    bats_require_minimum_version 1.5.0
    export PACKAGE=$BATS_FILE_TMPDIR/orangescrum-native
    package_native "$PACKAGE" 1.0
}

setup() {
    here=$BATS_TEST_TMPDIR/package
    cp -R "$PACKAGE" "$here"
}

@test "every script is right for sh, dash and busybox, and clean for shellcheck" {
    need shellcheck shellcheck && need dash dash && need busybox busybox-static
    cd "$here"
    local script count=0
    for script in *.sh lib/*.sh; do
        dash -n "$script"
        busybox sh -n "$script"
        head -n 1 "$script" | grep -q -x -e '#!/bin/sh' -e '# shellcheck shell=sh'
        case $script in
        lib/*) [[ ! -x $script ]] ;;
        *) [[ -x $script ]] ;;
        esac
        count=$((count + 1))
    done
    ((count >= 12))
    shellcheck -x -P SCRIPTDIR -- *.sh lib/*.sh
}

@test "every script says what it does" {
    local script
    for script in run caddy package install upgrade uninstall; do
        run -0 "$here/$script.sh" --help
        [[ $output == *"$script.sh"* && $output != *'set -eu'* ]]
    done
    for script in package install upgrade uninstall; do
        run -64 "$here/$script.sh" --nonsense
    done
}

@test "what the manifest tells of the build is read, whatever one line may hold" {
    cat >"$here/build-manifest.json" <<'END'
{
  "schema": 1,
  "facts": {
    "empty": "",
    "odd": "a \"b\" \\ /, \"c\": 1",
    "version": "26.1.1"
  },
  "provenance": {
    "base": {
      "digest": "ab"
    },
    "source": {
      "commit": "c0ffee",
      "digest": "cd"
    }
  },
  "files": [
    {
      "path": "version",
      "commit": "no"
    }
  ]
}
END
    local shell
    for shell in dash 'busybox sh' bash; do
        # shellcheck disable=SC2016 # for the other shell
        run -0 $shell -euc '. "$1/helpers/lib/facts.sh"
            for name in empty odd version commit; do printf "%s|" "$(manifest_fact "$1" $name)"; done
            printf "%s|" "$(manifest_commit "$1")" "$(manifest_value "$1" provenance base commit)"
            manifest_brief "$1"
            manifest_brief "$1/config"' sh "$here"
        [[ ${lines[0]} == '|a "b" \ /, "c": 1|26.1.1||c0ffee||version 26.1.1, commit c0ffee' ]]
        ((${#lines[@]} == 1))
    done
}

@test "systemd takes every unit without a word" {
    need systemd-analyze systemd
    # It looks for the programs, so they stand where they will.
    local root=$BATS_TEST_TMPDIR/root
    mkdir -p "$root/opt/orangescrum/current" "$root/etc/systemd/system" "$root/usr/lib/systemd" "$root/bin"
    cp "$here/run.sh" "$here/README.md" "$root/opt/orangescrum/current"
    cp /bin/busybox "$root/bin/sh"
    cp -R /usr/lib/systemd/system "$root/usr/lib/systemd"
    cp "$here"/systemd/* "$root/etc/systemd/system"
    local units=("$here"/systemd/*)
    run -0 systemd-analyze --root="$root" verify "${units[@]##*/}"
    [[ -z $output ]]
    # And it is no pass for everything.
    echo 'Nonsense=1' >>"$root/etc/systemd/system/orangescrum.service"
    run systemd-analyze --root="$root" verify orangescrum.service
    [[ $output == *Nonsense* ]]
}

@test "all services are confined alike, and well" {
    need systemd-analyze systemd
    local unit first=
    for unit in "$here"/systemd/*.service; do
        confined=$(grep -E '^(NoNew|Cap|Protect|Private|Restrict(Name|Real|SUID|Addr)|Lock|SystemCall|User|Group|StateD|UMask)' "$unit")
        [[ -z $first || $confined == "$first" ]]
        first=$confined
        run ! grep -E '^(MemoryDenyWriteExecute|EnvironmentFile)|\$\{' "$unit"
        systemd-analyze security --offline=true --threshold=20 "$unit" >/dev/null
    done
    [[ -n $first ]]
    grep -q '^SuccessExitStatus=139' "$here/systemd/orangescrum-queue@.service"
}

@test "package.sh: the same bytes each time, with a checksum, and nothing of a person's" {
    cd "$BATS_TEST_TMPDIR"
    # Planted in every place where somebody may have put one.
    local secret=pl4nted-s3cret
    echo "DB_PASSWORD=$secret" >"$here/.env"
    echo "$secret" >"$here/.env.backup"
    mkdir -p "$here/state/backups" "$here/config/plugins/Payments"
    echo "$secret" >"$here/state/backups/dump"
    echo "<?php return ['key' => '$secret'];" >"$here/config/smtp.php"
    echo "<?php return ['key' => '$secret'];" >"$here/config/plugins/Payments/stripe.php"
    echo "$secret" >"$here/id_rsa"
    first=$("$here/package.sh" --output one)
    touch -d 2001-01-01 "$here/run.sh"
    chmod g+w "$here/run.sh"
    (cd "$here" && umask 077 && cp -p README.md x && mv x README.md)
    second=$(cd / && "$here/package.sh" --output "$BATS_TEST_TMPDIR/two")
    cmp "$first" "$second"
    [[ ${first##*/} == orangescrum-native-1.0-*.tar.gz ]]
    (cd one && sha256sum -c --quiet ./*.sha256)
    mkdir out
    tar -xzf "$first" -C out
    run ! grep -r "$secret" out
    # What the manifest lists, and the manifest; no more, no less.
    diff <(cd out/* && find . -type f | sort) <(cd "$PACKAGE" && find . -type f | sort)
    diff -r out/* "$PACKAGE"
    [[ -z $(find one -mindepth 1 ! -name 'orangescrum-native-*') ]]
}

@test "package.sh: a changed file may hold a secret, so there is no archive" {
    cd "$BATS_TEST_TMPDIR"
    sed -i 's/CHANGE_ME_database_password/a-real-password-that-is-long/' "$here/.env.example"
    run -65 "$here/package.sh" --output out
    [[ $output == *"error: .env.example was changed"* ]]
    [[ ! -e out || -z $(ls -A out) ]]
    cp "$PACKAGE/.env.example" "$here"
    chmod -x "$here/run.sh"
    rm "$here/config/smtp.example.php"
    run -65 sh "$here/package.sh" --output out
    [[ $output == *"run.sh"* && $output == *"config/smtp.example.php is missing"* ]]
}

@test "package.sh: without b3sum it refuses, and --sizes-only finds other sizes" {
    cd "$BATS_TEST_TMPDIR"
    mkdir bin
    local program
    for program in awk chmod cat cmp cut dirname basename grep gzip head id ls mkdir mktemp mv od rm sed sha256sum sh sort tar touch tr uname wc; do
        ln -s "$(command -v "$program")" "bin/$program"
    done
    PATH=$PWD/bin run -69 "$here/package.sh"
    [[ $output == *b3sum* ]]
    PATH=$PWD/bin "$here/package.sh" --sizes-only
    echo >>"$here/README.md"
    PATH=$PWD/bin run -65 "$here/package.sh" --sizes-only
    [[ $output == *"README.md was changed"* ]]
}
