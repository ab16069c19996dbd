//! Content that the store has lost: it costs nothing until somebody needs it.

use std::fs;

use super::project::Project;

const CHAIN: &str = r##"
pipeline "lost" {}
base-image "base" {
    context "builder"
    host {
        run "sh" "-c" "mkdir sysroot; cat builder/a > sysroot/a; head -c 400000 /dev/zero >> sysroot/a"
        output "sysroot"
    }
}
command "embed" {
    from "base"
    input "app"
    run "sh" "-c" "head -c 10 sysroot/a > embedded; cat app/x >> embedded"
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

#[test]
fn lost_content_that_nobody_needs_costs_nothing() {
    let project = project();
    lose(&project);
    project.is_fresh();
    // The same when everything is looked at anew.
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
    fs::remove_dir_all(project.path("cache/blobs")).unwrap();
    fs::create_dir(project.path("cache/blobs")).unwrap();
    project.write("app/x", "new");
    project.runs(&["base", "embed"]);
    assert_eq!(project.read("embedded"), "base------new");
}

#[test]
fn lost_store_builds_everything_again() {
    let project = project();
    project.remove("cache");
    project.runs(&["base", "embed"]);
    project.is_fresh();
}
