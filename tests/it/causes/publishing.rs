//! Options that publish or verify again without running, and those that do nothing at all.

use super::project::Project;

const CHAIN: &str = r##"
pipeline "publishing" { param "version" default="1" }
command "build" {
    input "one"
    run "sh" "-c" "cp one build-it; chmod +x build-it"
    output "build-it"
}
binary-extract "binary" {
    from "build"
    path "build-it"
    output "bin/app"
    expect max-size="1KiB"
}
dist-native {
    output "package"
    copy "common"
    binary "binary" into="bin/app"
    archive "dist/app-${version}.tar.gz" keep=2
}
"##;

fn project() -> Project {
    let project = Project::new(CHAIN);
    project.write("one", "#!/bin/sh\necho app\n");
    project.write("common/a", "a");
    project.runs(&["binary", "build", "dist-native"]);
    project.is_fresh();
    project
}

#[test]
fn output_path_of_a_binary_publishes_without_running() {
    let project = project();
    project.edit_pipeline("output \"bin/app\"", "output \"binaries/app\"");
    project.restores(&["binary"]);
    assert_eq!(project.read("binaries/app"), project.read("one"));
    project.is_fresh();
}

#[test]
fn output_path_of_a_dist_publishes_without_running() {
    let project = project();
    project.edit_pipeline("output \"package\"", "output \"deploy/package\"");
    project.restores(&["dist-native"]);
    assert_eq!(project.read("deploy/package/a"), "a");
    project.is_fresh();
}

#[test]
fn output_that_is_published_no_more_runs_nothing() {
    let project = project();
    project.edit_pipeline("    output \"bin/app\"\n", "");
    project.is_fresh();
}

#[test]
fn archive_name_publishes_without_running_and_retention_keeps_the_newest() {
    let project = project();
    for version in ["2", "3", "4"] {
        let said = project.run_with(&["--set", &format!("version={version}")]);
        assert_eq!((said.ran.len(), &*said.restored), (0, &["dist-native".to_owned()][..]), "{}", said.text);
    }
    let there: Vec<bool> =
        ["1", "2", "3", "4"].iter().map(|v| project.exists(&format!("dist/app-{v}.tar.gz"))).collect();
    assert_eq!(there, [false, false, true, true]);
    let sums: Vec<bool> =
        ["1", "2", "3", "4"].iter().map(|v| project.exists(&format!("dist/app-{v}.tar.gz.sha256"))).collect();
    assert_eq!(sums, there);
}

#[test]
fn retention_leaves_what_someone_put_in_an_old_archives_place() {
    let project = project();
    project.remove("dist/app-1.tar.gz");
    project.write("dist/app-1.tar.gz", "mine");
    for version in ["2", "3"] {
        project.run_with(&["--set", &format!("version={version}")]);
    }
    assert_eq!(project.read("dist/app-1.tar.gz"), "mine");
    assert!(!project.exists("dist/app-1.tar.gz.sha256"), "that one was still osgraph's");
}

#[test]
fn folder_of_an_output_that_became_a_link_is_not_written_through() {
    let project = project();
    project.write("elsewhere/app", "mine");
    project.remove("package/bin");
    project.link("../elsewhere", "package/bin");
    let said = project.run();
    assert!(said.ran.is_empty(), "{}", said.text);
    assert_eq!(project.read("elsewhere/app"), "mine");
    assert_eq!(project.read("package/bin/app"), project.read("one"));
    project.is_fresh();
}

#[test]
fn archive_that_still_stands_is_as_old_as_the_run_that_published_it() {
    let project = project();
    for version in ["2", "1", "3"] {
        project.run_with(&["--set", &format!("version={version}")]);
    }
    let there: Vec<bool> =
        ["1", "2", "3"].iter().map(|v| project.exists(&format!("dist/app-{v}.tar.gz"))).collect();
    assert_eq!(there, [false, true, true]);
}

#[test]
fn retention_never_counts() {
    let project = project();
    project.edit_pipeline("keep=2", "keep=5");
    project.is_fresh();
}

#[test]
fn new_archive_publishes_without_running() {
    let project = project();
    project.edit_pipeline("keep=2\n", "keep=2\n    archive \"dist/other.tar.zst\"\n");
    project.restores(&["dist-native"]);
    assert!(project.exists("dist/other.tar.zst"));
    project.is_fresh();
}

#[test]
fn changed_gate_verifies_without_running() {
    let project = project();
    project.edit_pipeline("max-size=\"1KiB\"", "min-size=\"3\" max-size=\"2KiB\"");
    project.restores(&["binary"]);
    project.is_fresh();
    project.edit_pipeline("expect min-size=\"3\"", "check timeout=\"5s\"\n    expect min-size=\"3\"");
    project.restores(&["binary"]);
    project.is_fresh();
}

#[test]
fn gate_that_is_not_met_fails_with_1_until_it_is() {
    let project = project();
    project.edit_pipeline("max-size=\"1KiB\"", "elf=#true");
    for _ in 0..2 {
        let said = project.try_run(&[]);
        assert_eq!((said.code, &*said.failed), (1, &["binary".to_owned()][..]), "{}", said.text);
        assert_eq!(said.ran, [] as [&str; 0]);
    }
    project.edit_pipeline("elf=#true", "max-size=\"1KiB\"");
    assert_eq!(project.run().ran, [] as [&str; 0]);
    project.is_fresh();
}

#[test]
fn gate_holds_for_what_is_built_next() {
    let project = project();
    project.write("one", &"#".repeat(2000));
    let said = project.try_run(&[]);
    assert_eq!((said.code, &*said.failed), (1, &["binary".to_owned()][..]), "{}", said.text);
    assert_ne!(project.read("bin/app"), project.read("one"), "what fails its gate is not published");
    assert_eq!(project.try_run(&[]).code, 1);
}

#[test]
fn check_that_fails_fails_with_1() {
    let project = project();
    project.edit_pipeline("expect max-size", "check \"x\"\n    expect max-size");
    project.restores(&["binary"]);
    project.write("one", "#!/bin/sh\nexit 3\n");
    let said = project.try_run(&[]);
    assert_eq!((said.code, &*said.failed), (1, &["binary".to_owned()][..]), "{}", said.text);
}
