//! Looking changes nothing: `explain`, `--dry-run` and their kin leave every byte as it was.

use super::project::{Project, listing};

const ALL: &str = r##"
pipeline "purity" {}
command "make" {
    input "src"
    run "sh" "-c" "mkdir -p out; cp src/a out/a"
    output "out"
}
dist-native {
    output "package"
    copy "common"
    binary "make-one" into="bin/one"
    seed-once "seed" from="c"
    archive "dist/app.tar.gz"
}
command "make-one" {
    input "src/a"
    run "cp" "src/a" "one"
    output "one"
}
"##;

const LOOKS: [&[&str]; 7] = [
    &["explain"],
    &["explain", "make"],
    &["run", "--dry-run"],
    &["run", "--dry-run", "--format", "json"],
    &["run", "--dry-run", "--force", "make"],
    &["check"],
    &["graph"],
];

#[track_caller]
fn looking_changes_nothing(project: &Project) {
    let before = listing(project.folder.path(), true);
    for look in LOOKS {
        let output = project.osgraph(look);
        assert!(output.status.success(), "{look:?} {}", String::from_utf8_lossy(&output.stderr));
        let after = listing(project.folder.path(), true);
        let differ: Vec<_> = before.iter().filter(|(path, what)| after.get(*path) != Some(what)).collect();
        let new: Vec<_> = after.keys().filter(|path| !before.contains_key(*path)).collect();
        assert!(differ.is_empty() && new.is_empty(), "{look:?} changed {differ:?}, made {new:?}");
    }
}

fn project() -> Project {
    let project = Project::new(ALL);
    project.write("src/a", "a");
    project.write("common/c", "c");
    project
}

#[test]
fn looking_at_what_was_never_built_changes_nothing() {
    looking_changes_nothing(&project());
}

#[test]
fn looking_at_what_is_fresh_changes_nothing() {
    let project = project();
    project.run();
    looking_changes_nothing(&project);
    project.is_fresh();
    looking_changes_nothing(&project);
}

#[test]
fn looking_at_what_is_stale_or_restorable_changes_nothing() {
    let project = project();
    project.run();
    project.write("src/a", "b");
    project.remove("package/c");
    project.remove("package/seed");
    looking_changes_nothing(&project);
    project.run();
    project.is_fresh();
}

#[test]
fn dry_run_names_what_the_run_then_does() {
    let project = project();
    project.run();
    project.write("common/c", "d");
    let output = project.osgraph(&["run", "--dry-run", "--color", "never"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("dist-native"), "{text}");
    project.runs(&["dist-native"]);
}
