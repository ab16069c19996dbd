//! Secrets: their version counts; their value and presence do not, and are nowhere to be found.

use std::fs;
use std::path::Path;

use super::project::Project;

const VALUE: &str = "hunter2-correct-horse";

fn project() -> Project {
    let mut project = Project::new(
        r##"
pipeline "secrets" {}
command "fetch" {
    secret "token" env="FETCH_TOKEN" required=#false version="1"
    run "sh" "-c" "echo got $FETCH_TOKEN; echo said $FETCH_TOKEN >&2; printf done > out"
    output "out"
}
"##,
    );
    project.env.insert("FETCH_TOKEN".to_owned(), VALUE.to_owned());
    project
}

fn holds(folder: &Path, needle: &[u8]) -> Option<std::path::PathBuf> {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if let Some(found) = holds(&path, needle) {
                return Some(found);
            }
        } else if fs::read(&path).unwrap().windows(needle.len()).any(|window| window == needle) {
            return Some(path);
        }
    }
    None
}

#[test]
fn version_of_a_secret_counts() {
    let project = project();
    project.runs(&["fetch"]);
    project.edit_pipeline("version=\"1\"", "version=\"2\"");
    project.runs(&["fetch"]);
}

#[test]
fn value_and_presence_of_a_secret_do_not_count() {
    let mut project = project();
    project.runs(&["fetch"]);
    project.env.insert("FETCH_TOKEN".to_owned(), "another".to_owned());
    project.is_fresh();
    project.env.clear();
    project.is_fresh();
    project.edit_pipeline("required=#false", "required=#true");
    project.is_fresh();
}

#[test]
fn where_a_secret_comes_from_does_not_count() {
    let project = project();
    project.runs(&["fetch"]);
    project.edit_pipeline("env=\"FETCH_TOKEN\"", "file=\"../token\"");
    project.is_fresh();
}

#[test]
fn value_of_a_secret_appears_nowhere() {
    let project = project();
    let said = project.runs(&["fetch"]);
    assert!(said.text.contains("said"), "{}", said.text);
    assert!(!said.text.contains(VALUE), "{}", said.text);
    for args in [&["explain"][..], &["log", "fetch"], &["runs"], &["run", "--force", "fetch", "-v"]] {
        let output = project.osgraph(args);
        let all = [output.stdout, output.stderr].concat();
        assert!(!String::from_utf8_lossy(&all).contains(VALUE), "{args:?}");
    }
    assert_eq!(holds(&project.root, VALUE.as_bytes()), None);
    assert!(holds(&project.path("cache"), b"said").is_some(), "the log is kept");
}

#[test]
fn secret_that_is_required_and_missing_ends_with_3() {
    let mut project = project();
    project.edit_pipeline("required=#false", "");
    project.env.clear();
    assert_eq!(project.try_run(&[]).code, 3);
}

#[test]
fn a_value_whose_name_speaks_of_a_secret_counts_and_is_told_to_nobody() {
    let mut project = Project::new(
        r##"
pipeline "secrets" { param "api-token" default=""; param "level" default="low" }
command "fetch" {
    env "API_TOKEN" "${api-token}"
    env "LEVEL" "${level}"
    run "sh" "-c" "printf done > out"
    output "out"
}
"##,
    );
    let set = |project: &mut Project, token: &str, level: &str| {
        project.env.insert("OSGRAPH_PARAM_API_TOKEN".to_owned(), token.to_owned());
        project.env.insert("OSGRAPH_PARAM_LEVEL".to_owned(), level.to_owned());
    };
    set(&mut project, "planted-one", "low");
    project.runs(&["fetch"]);
    set(&mut project, "planted-two", "high");
    let asked: [&[&str]; 6] = [
        &["explain"],
        &["explain", "--json"],
        &["run", "-n"],
        &["check"],
        &["check", "--json"],
        &["run", "--verbose"],
    ];
    for args in asked.into_iter().chain([&["runs", "2"][..], &["explain", "--last", "--json"], &["report"]]) {
        let answer = project.osgraph(args);
        let said = [answer.stdout, answer.stderr].map(|one| String::from_utf8(one).unwrap()).concat();
        assert!(answer.status.success() && !said.contains("planted"), "{args:?}: {said}");
        let lists_all = matches!(args[0], "explain" | "check");
        assert!(!lists_all || said.contains("high"), "{args:?}: what is no secret is told: {said}");
    }
}
