//! Full, read-only and foreign file systems, each in a mount namespace of its own.

use std::process::Command;

use super::project::{Output, Project};

/// Runs a script in a mount namespace; `og` is osgraph in the project, which is the folder it
/// starts in. Needs what recipes need too: a namespace that may be had.
fn in_namespace(project: &Project, script: &str) -> Output {
    let root = rustix::process::geteuid().is_root();
    let mut command = Command::new("unshare");
    command.args(if root { &["-m"][..] } else { &["-r", "-m"] }).arg("sh").arg("-ec");
    command.arg(format!("og() {{ '{}' \"$@\"; }}\n{script}", env!("CARGO_BIN_EXE_osgraph")));
    command.current_dir(&project.root).env("NO_COLOR", "1").env_remove("CI").env_remove("GITHUB_ACTIONS");
    command.env("LC_ALL", "C");
    Output::of(command.output().unwrap())
}

fn project(size: usize) -> Project {
    let project = Project::new(&format!(
        r#"
pipeline "disk" {{ default "made" "placed" "dist-native" }}
command "made" {{ input "src"; run "sh" "-c" "mkdir out; cat src > out/made; head -c {size} /dev/urandom >> out/made"; output "out/made" }}
command "placed" isolate=#false {{ input "src"; run "sh" "-c" "mkdir -p other/placed; cp src other/placed/one; head -c {size} /dev/zero >> other/placed/one"; output "other/placed" }}
dist-native {{ output "dist-native"; copy "common"; binary "made" into="made"; archive "dist/disk.tar" }}
"#
    ));
    project.write("src", "source\n");
    project.write("common/page", "page\n");
    project
}

#[test]
fn full_store_is_told_and_mended_by_space() {
    let project = project(2_000_000);
    let output = in_namespace(
        &project,
        r#"
        mkdir cache; mount -t tmpfs -o size=1m none cache
        code=0; og run placed || code=$?
        test "$code" = 5 || { echo "exit $code"; exit 99; }
        test ! -e other/placed
        test -z "$(find . -name '.osgraph-*')"
        mount -o remount,size=30m cache
        og run
        og run 2>&1 | grep fresh
        og cache verify
        cmp out/made dist-native/made
        test -z "$(ls cache/tmp | grep -v clock || true)"
        "#,
    );
    output.expect(0).says("no space is left for the store").says("gc --max-size").says("cache");
}

#[test]
fn store_that_fills_at_any_point_leaves_nothing_half_written() {
    let project = project(300_000);
    let output = in_namespace(
        &project,
        r#"
        mkdir cache
        for size in 100 200 300 400 500 600 700 800 900 1000 1200 1400; do
            rm -rf out other dist-native dist
            mount -t tmpfs -o size=${size}k none cache
            code=0; og run > said 2>&1 || code=$?
            case "$code" in 0|1|5) ;; *) echo "size $size: exit $code"; cat said; exit 99;; esac
            if test "$code" != 0; then grep -qi "no space" said || { echo "size $size"; cat said; exit 98; }; fi
            mount -o remount,size=30m cache
            og run > said 2>&1 || { echo "size $size: after"; cat said; exit 97; }
            og run 2>&1 | grep -q fresh || { echo "size $size: not fresh"; exit 96; }
            cmp out/made dist-native/made
            og cache verify > said || { echo "size $size: unsound"; cat said; exit 95; }
            umount cache
        done
        "#,
    );
    output.expect(0);
}

#[test]
fn full_output_disk_is_told_and_leaves_the_old_outputs() {
    let project = project(600_000);
    let output = in_namespace(
        &project,
        r#"
        mkdir dist-native; mount -t tmpfs -o size=1m none dist-native
        og run; sum=$(cat dist-native/made | cksum)
        echo more >> src
        code=0; og run || code=$?
        test "$code" = 5 || { echo "exit $code"; exit 99; }
        test "$sum" = "$(cat dist-native/made | cksum)"
        test -z "$(find . -name '.osgraph-*')"
        mount -o remount,size=30m dist-native
        og run
        cmp out/made dist-native/made
        og run 2>&1 | grep fresh
        "#,
    );
    output.expect(0).says("no space is left for");
}

#[test]
fn read_only_store_is_told_with_a_mend() {
    let project = project(1000);
    let output = in_namespace(
        &project,
        r#"
        og run
        mount --bind cache cache; mount -o remount,ro,bind cache
        og run 2>&1 | grep fresh
        og explain > /dev/null; og runs > /dev/null; og cache info > /dev/null; og log made || true
        og run -n > /dev/null
        echo more >> src; old=$(cat out/made | cksum)
        code=0; og run || code=$?
        test "$code" = 5 || { echo "exit $code"; exit 99; }
        test "$old" = "$(cat out/made | cksum)"
        code=0; og gc || code=$?
        test "$code" = 5 || { echo "gc exit $code"; exit 98; }
        umount cache
        og run
        "#,
    );
    output.expect(0).says("is read-only").says("--store DIR");
}

#[test]
fn store_and_outputs_on_other_file_systems_work() {
    let project = project(400_000);
    let output = in_namespace(
        &project,
        r#"
        mkdir cache dist-native other dist
        for each in cache dist-native other dist; do mount -t tmpfs -o size=20m none $each; done
        og run
        cmp out/made dist-native/made; head -c $(wc -c < src) other/placed/one | cmp src -
        og run 2>&1 | grep fresh
        rm -rf out dist/* dist-native/made
        og run
        cmp out/made dist-native/made
        echo more >> src
        og run
        head -c $(wc -c < src) other/placed/one | cmp src -
        og run 2>&1 | grep fresh
        test -z "$(find . -name '*.osgraph-*')" || { find . -name '*.osgraph-*'; exit 99; }
        og clean
        test ! -e dist-native/made
        og run
        og run 2>&1 | grep fresh
        test -z "$(find . -name '*.osgraph-*')" || { find . -name '*.osgraph-*'; exit 99; }
        "#,
    );
    output.expect(0);
}

/// What a killed run left where its outputs are on another file system goes with the next one.
#[test]
fn killed_publishing_on_another_file_system_leaves_no_litter() {
    let project = project(3_000_000);
    let output = in_namespace(
        &project,
        r#"
        mkdir dist-native; mount -t tmpfs -o size=60m none dist-native
        og run -q
        for delay in 0.005 0.01 0.015 0.02 0.025 0.03 0.035 0.04 0.05 0.06; do
            rm -rf dist-native/made
            timeout -s KILL $delay "$OG" run -q || true
            og run -q
            cmp out/made dist-native/made
            left=$(find . -name '*.osgraph-*')
            test -z "$left" || { echo "$delay: $left"; exit 99; }
        done
        "#
        .replace("$OG", env!("CARGO_BIN_EXE_osgraph"))
        .as_str(),
    );
    output.expect(0);
}
