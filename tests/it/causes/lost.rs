//! Content that the store has lost: it costs nothing until somebody needs it.

use std::fs;

use super::project::Project;

const CHAIN: &str = r##"
pipeline "lost" {}
base-image "base" {
    context "builder"
    host {
        run "sh" "-c" "mkdir sysroot; cat builder/a > sysroot/a; seq 1 400000 >> sysroot/a"
        output "sysroot"
    }
}
command "embed" {
    from "base"
    input "app"
    run "sh" "-c" "head -c 10 base/sysroot/a > embedded; cat app/x >> embedded"
    output "embedded"
}
"##;

fn project() -> Project {
    let project = Project::new(CHAIN);
    project.write("builder/a", "base------");
    project.write("app/x", "app");
    project.runs(&["base", "embed"]);
    project
}

fn lose(project: &Project) {
    for folder in ["cache/blobs", "cache/packs"] {
        for entry in fs::read_dir(project.path(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
        }
    }
}

/// Loses what lies alone: the base's large file.
fn lose_large(project: &Project) {
    let blobs = project.path("cache/blobs");
    assert!(blobs.read_dir().unwrap().next().is_some(), "the base's content lies alone");
    for folder in [blobs, project.path("cache/trees")] {
        fs::remove_dir_all(&folder).unwrap();
        fs::create_dir(&folder).unwrap();
    }
}

#[test]
fn lost_content_that_nobody_needs_costs_nothing() {
    let project = project();
    lose(&project);
    project.is_fresh();
}

#[test]
fn lost_base_behind_a_fresh_embed_costs_nothing_when_all_is_looked_at_anew() {
    let project = project();
    lose_large(&project);
    fs::remove_dir_all(project.path("cache/state")).unwrap();
    fs::create_dir(project.path("cache/state")).unwrap();
    project.is_fresh();
}

#[test]
fn lost_content_is_rebuilt_when_a_reader_runs() {
    let project = project();
    lose(&project);
    project.write("app/x", "new");
    project.runs(&["base", "embed"]);
    assert_eq!(project.read("embedded"), "base------new");
    project.is_fresh();
}

#[test]
fn lost_content_is_rebuilt_when_an_output_must_be_put_back() {
    let project = project();
    lose(&project);
    project.remove("embedded");
    project.runs(&["base", "embed"]);
    assert_eq!(project.read("embedded"), "base------app");
    project.is_fresh();
}

#[test]
fn lost_large_content_alone_is_rebuilt() {
    let project = project();
    lose_large(&project);
    project.write("app/x", "new");
    // It is found out when it is read; then the run starts over.
    let said = project.run();
    assert_eq!(said.ran, ["base", "embed"], "{}", said.text);
    assert_eq!(project.read("embedded"), "base------new");
}

#[test]
fn lost_store_builds_everything_again() {
    let project = project();
    project.remove("cache");
    project.runs(&["base", "embed"]);
    project.is_fresh();
}
