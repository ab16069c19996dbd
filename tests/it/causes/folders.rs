//! Folders that hold outputs, and paths that lead through links.

use super::project::Project;

const AROUND: &str = r##"
pipeline "around" { param "version" default="1" }
command "make" {
    input "one"
    run "sh" "-c" "mkdir -p common/app; cp one common/app/made"
    output "common/app/made"
}
command "see" {
    input "common"
    run "sh" "-c" "find common | sort > seen"
    output "seen"
}
dist-native {
    output "packages/native"
    copy "common"
    binary "make" into="bin/made"
    archive "packages/old/native-${version}.tar.gz"
}
dist-docker {
    output "packages/docker"
    copy "packages" into="others"
}
"##;

#[test]
fn folder_that_contains_outputs_of_others_has_one_key_before_and_after_the_build() {
    let project = Project::new(AROUND);
    project.write("one", "1");
    project.write("common/config", "c");
    project.write("packages/notes", "n");
    project.edit_pipeline("binary \"make\" into=\"bin/made\"\n", "\n");
    project.runs(&["dist-docker", "dist-native", "make", "see"]);
    assert_eq!(project.read("seen"), "common\ncommon/config\n");
    assert!(!project.exists("packages/docker/others/native"));
    project.is_fresh();
    // The same with another store, which knows nothing of what was published before.
    let store = project.folder.path().join("store").display().to_string();
    let mut project = project;
    project.general = vec!["--store".to_owned(), store];
    project.runs(&["dist-docker", "dist-native", "make", "see"]);
    assert_eq!(project.read("seen"), "common\ncommon/config\n");
    project.is_fresh();
}

#[test]
fn archives_of_earlier_versions_are_no_inputs() {
    let project = Project::new(AROUND);
    project.edit_pipeline("binary \"make\" into=\"bin/made\"\n", "\n");
    project.write("one", "1");
    project.write("common/config", "c");
    project.write("packages/notes", "n");
    project.run();
    for version in ["2", "3"] {
        project.edit_pipeline(
            &format!("default=\"{}\"", version.parse::<u32>().unwrap() - 1),
            &format!("default=\"{version}\""),
        );
        project.restores(&["dist-native"]);
        project.is_fresh();
    }
    assert!(project.exists("packages/old/native-1.tar.gz") && project.exists("packages/old/native-3.tar.gz"));
    assert_eq!(project.read("packages/docker/others/notes"), "n");
    assert!(!project.exists("packages/docker/others/old"));
    project.write("packages/notes", "m");
    project.runs(&["dist-docker"]);
    assert!(!project.exists("packages/docker/others/old"));
}

#[test]
fn file_of_the_user_beside_an_output_counts() {
    let project = Project::new(AROUND);
    project.edit_pipeline("binary \"make\" into=\"bin/made\"\n", "\n");
    project.write("one", "1");
    project.write("common/config", "c");
    project.write("packages/notes", "n");
    project.run();
    project.write("common/app/mine", "m");
    assert!(project.run().ran.contains(&"see".to_owned()));
    assert_eq!(project.read("seen"), "common\ncommon/app\ncommon/app/mine\ncommon/config\n");
    project.is_fresh();
    project.remove("common/app/mine");
    project.run();
    assert_eq!(project.read("seen"), "common\ncommon/config\n");
}

const LINKED: &str = r##"
pipeline "linked" { param "source" default="current" }
source-archive "source" {
    dir "${source}"
    output "out"
}
"##;

#[test]
fn source_folder_link_that_is_turned_to_another_folder_is_seen() {
    let project = Project::new(LINKED);
    project.write("v1/a", "1");
    project.write("v2/a", "2");
    project.link("v1", "current");
    project.runs(&["source"]);
    project.is_fresh();
    project.link("v2", "current");
    project.runs(&["source"]);
    assert_eq!(project.read("out/a"), "2");
    project.is_fresh();
}

#[test]
fn link_on_the_way_to_a_source_that_is_turned_is_seen() {
    let project = Project::new(LINKED);
    project.edit_pipeline("current", "current/app");
    project.write("v1/app/a", "1");
    project.write("v2/app/a", "2");
    project.link("middle", "current");
    project.link("v1", "middle");
    project.runs(&["source"]);
    project.is_fresh();
    project.link("v2", "middle");
    project.runs(&["source"]);
    assert_eq!(project.read("out/a"), "2");
}

#[test]
fn link_on_the_way_to_a_declared_input_that_is_turned_is_seen() {
    let project = Project::new(
        r##"
pipeline "linked" {}
command "read" {
    input "config/file" "direct"
    run "sh" "-c" "cat config/file direct > out"
    output "out"
}
"##,
    );
    project.write("v1/file", "1");
    project.write("v2/file", "2");
    project.link("v1", "config");
    project.link("hop", "direct");
    project.link("v1/file", "hop");
    project.runs(&["read"]);
    project.is_fresh();
    project.link("v2", "config");
    project.runs(&["read"]);
    assert_eq!(project.read("out"), "21");
    project.is_fresh();
    project.link("v2/file", "hop");
    project.runs(&["read"]);
    assert_eq!(project.read("out"), "22");
    project.is_fresh();
}

#[test]
fn moved_project_with_the_same_store_runs_nothing() {
    let mut project = Project::new(AROUND);
    project.edit_pipeline("binary \"make\" into=\"bin/made\"\n", "\n");
    project.write("one", "1");
    project.write("common/config", "c");
    project.write("packages/notes", "n");
    let store = project.folder.path().join("store").display().to_string();
    project.general = vec!["--store".to_owned(), store];
    project.runs(&["dist-docker", "dist-native", "make", "see"]);
    let elsewhere = project.root.with_file_name("elsewhere");
    std::fs::rename(&project.root, &elsewhere).unwrap();
    project.root = elsewhere;
    project.restores(&[]);
    project.is_fresh();
}

#[test]
fn moved_project_knows_its_archives_of_earlier_versions() {
    let mut project = Project::new(AROUND);
    project.edit_pipeline("binary \"make\" into=\"bin/made\"\n", "\n");
    project.write("one", "1");
    project.write("common/config", "c");
    project.write("packages/notes", "n");
    project.run();
    project.edit_pipeline("default=\"1\"", "default=\"2\"");
    project.run();
    let elsewhere = project.root.with_file_name("elsewhere");
    std::fs::rename(&project.root, &elsewhere).unwrap();
    project.root = elsewhere;
    project.restores(&[]);
    assert!(project.exists("packages/old/native-1.tar.gz"));
}
