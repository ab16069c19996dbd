//! What stands published: put back when it was altered, left alone when it is not osgraph's.

use std::fs;

use super::project::Project;

const TREE: &str = r##"
pipeline "outputs" {}
command "tree" {
    input "one"
    run "sh" "-c" "mkdir -p out/deep out/empty; cp one out/deep/file; echo x > out/run; chmod 755 out/run; ln -s deep/file out/link"
    output "out"
}
dist-native {
    output "package"
    copy "common"
    archive "dist/app.tar.gz"
}
"##;

fn project() -> Project {
    let project = Project::new(TREE);
    project.write("one", "1");
    project.write("common/a", "a");
    project.write("common/sub/b", "b");
    project.runs(&["dist-native", "tree"]);
    project.is_fresh();
    project
}

/// After `damage` the output of `node` is put back as it was, without running.
#[track_caller]
fn put_back(node: &str, damage: impl Fn(&Project)) {
    let project = project();
    let look = |p: &Project| {
        ["out", "package", "dist"].map(|folder| super::project::listing(&p.path(folder), false))
    };
    let before = look(&project);
    damage(&project);
    assert_ne!(look(&project), before);
    project.restores(&[node]);
    assert_eq!(look(&project), before);
    project.is_fresh();
}

#[test]
fn altered_file_is_put_back() {
    put_back("tree", |p| p.write("out/deep/file", "2"));
    put_back("dist-native", |p| p.write("package/a", "longer"));
}

#[test]
fn deleted_file_is_put_back() {
    put_back("tree", |p| p.remove("out/run"));
    put_back("dist-native", |p| p.remove("package/sub"));
}

#[test]
fn deleted_output_is_put_back() {
    put_back("tree", |p| p.remove("out"));
    put_back("dist-native", |p| p.remove("package"));
}

#[test]
fn changed_mode_is_put_back() {
    put_back("tree", |p| p.chmod("out/run", 0o644));
    put_back("tree", |p| p.chmod("out/deep/file", 0o755));
    put_back("dist-native", |p| p.chmod("package/a", 0o600));
    put_back("dist-native", |p| p.chmod("package/a", 0o666));
}

#[test]
fn deleted_empty_folder_is_put_back() {
    put_back("tree", |p| p.remove("out/empty"));
}

#[test]
fn turned_link_is_put_back() {
    put_back("tree", |p| p.link("run", "out/link"));
}

#[test]
fn file_in_the_place_of_a_link_is_put_back() {
    put_back("tree", |p| {
        p.remove("out/link");
        p.write("out/link", "1");
    });
}

#[test]
fn altered_archive_is_put_back() {
    put_back("dist-native", |p| p.write("dist/app.tar.gz", "no archive"));
    put_back("dist-native", |p| p.remove("dist/app.tar.gz.sha256"));
}

#[test]
fn touched_output_is_fresh() {
    let project = project();
    let file = fs::File::options().write(true).open(project.path("out/deep/file")).unwrap();
    file.set_modified(std::time::UNIX_EPOCH).unwrap();
    project.is_fresh();
    project.is_fresh();
}

#[test]
fn file_that_another_made_in_an_output_folder_is_left_alone_and_reported() {
    let project = project();
    project.write("package/mine", "m");
    project.write("package/a", "altered");
    let said = project.restores(&["dist-native"]);
    assert!(said.warnings.iter().any(|warning| warning.contains("package/mine")), "{}", said.text);
    project.write("common/c", "c");
    let said = project.runs(&["dist-native"]);
    assert!(said.warnings.iter().any(|warning| warning.contains("package/mine")), "{}", said.text);
    assert_eq!(project.read("package/mine"), "m");
    assert!(project.osgraph(&["clean"]).status.success());
    assert_eq!(project.read("package/mine"), "m");
    assert!(!project.exists("package/a"));
}

#[test]
fn file_that_left_the_artifact_leaves_the_output() {
    let project = project();
    project.remove("common/sub");
    project.runs(&["dist-native"]);
    assert!(!project.exists("package/sub") && project.exists("package/a"));
}

#[test]
fn file_that_became_a_folder_and_back_is_published_both_ways() {
    let project = project();
    project.remove("common/a");
    project.write("common/a/inner", "i");
    project.runs(&["dist-native"]);
    assert_eq!(project.read("package/a/inner"), "i");
    project.is_fresh();
    project.remove("common/a");
    project.write("common/a", "a");
    project.restores(&["dist-native"]);
    assert_eq!(project.read("package/a"), "a");
    project.is_fresh();
}

#[test]
fn file_in_the_place_of_an_output_folder_gives_way_and_is_kept() {
    let project = project();
    project.remove("package");
    project.write("package", "the user's");
    let said = project.restores(&["dist-native"]);
    assert_eq!(project.read("package/a"), "a");
    assert!(!said.warnings.is_empty(), "{}", said.text);
    let kept = super::project::listing(&project.path("cache/displaced"), false);
    assert!(kept.keys().any(|path| path.ends_with("package")), "{kept:?}");
}
