//! `explain --path` and `--if-changed`: what is said of a path is what a change of it does.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use crate::causes::project::Project;

const PIPELINE: &str = r#"pipeline "p" {
    param "version" from-file="VERSION"
    default "pack" "last"
}
source-archive "source" {
    dir "app"
    exclude "docs/" "*.bak"
    overlay "extra" into="etc"
}
command "use" {
    from "source" into="s"
    input "in/a"
    input "current"
    tool "sh"
    secret "key" file="key.txt"
    run "sh" "-c" "cat in/a current/data s/main > out/made; echo ${version} >> out/made"
    output "out/made"
}
dist-native "pack" {
    output "dist"
    copy "targets"
    copy "out" into="made"
    archive "dist-${version}.tar.gz"
}
command "last" { from "use"; run "cp" "out/made" "last"; output "last"; }
command "aside" { input "app/main"; run "sh" "-c" "cat app/main > aside"; output "aside"; }
"#;

/// Every file of the project, and what lies there.
const FILES: &[(&str, &str)] = &[
    ("VERSION", "1\n"),
    ("app/main", "main"),
    ("app/docs/page", "page"),
    ("app/old.bak", "old"),
    ("app/deep/er/file", "file"),
    ("app/note.log", "log"),
    ("app/kept.log", "log"),
    ("extra/a.conf", "conf"),
    ("in/a", "a"),
    ("in/b", "b"),
    ("releases/1/data", "data"),
    ("releases/2/data", "other"),
    ("out/plain", "plain"),
    ("targets/run.sh", "run"),
    ("targets/cache/x", "x"),
    ("key.txt", "secret"),
    ("README.md", "read me"),
];

fn project() -> Project {
    let project = Project::new(PIPELINE);
    for (path, text) in FILES {
        project.write(path, text);
    }
    project.link("releases/1", "current");
    project.write(".gitignore", "# what tools leave\n*.log\n!kept.log\ncache/\n");
    project.git(&["init", "--quiet"]);
    project.git(&["add", "--force", "app/note.log"]);
    project.run_with(&["pack", "last", "aside"]);
    project
}

/// What the oracle says of one path.
fn ask(project: &Project, path: &str) -> Value {
    let output = project.osgraph(&["explain", "--path", path, "--json"]);
    assert!(output.status.success(), "{path}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn names(list: &Value) -> BTreeSet<String> {
    let name = |one: &Value| one.as_str().or(one["node"].as_str()).unwrap().to_owned();
    list.as_array().unwrap().iter().map(name).collect()
}

/// Nodes that `explain` says are stale by themselves, and those that are to be put back.
fn explained(project: &Project) -> (BTreeSet<String>, BTreeSet<String>) {
    let output = project.osgraph(&["explain", "pack", "last", "aside", "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let all: Value = serde_json::from_slice(&output.stdout).unwrap();
    let (mut stale, mut restored) = (BTreeSet::new(), BTreeSet::new());
    for node in all["nodes"].as_array().unwrap() {
        let name = node["node"].as_str().unwrap().to_owned();
        if let Some(reasons) = node["verdict"]["stale"].as_array() {
            let is_own = |reason: &Value| !reason["code"].as_str().unwrap().starts_with("upstream-");
            if reasons.iter().any(is_own) {
                stale.insert(name);
            }
        } else if node["verdict"]["restorable"].is_array() {
            restored.insert(name);
        }
    }
    (stale, restored)
}

#[test]
fn every_file_does_what_is_said_of_it() {
    let project = project();
    let outputs = ["out/made", "dist/run.sh", "dist/made/plain", "aside"];
    let all = FILES.iter().map(|(path, _)| *path).chain(outputs);
    let mut counted = 0;
    for path in all {
        let said = ask(&project, path);
        let before = fs::read(project.path(path)).unwrap();
        fs::write(project.path(path), [&before[..], b"2"].concat()).unwrap();
        let (stale, restored) = explained(&project);
        fs::write(project.path(path), before).unwrap();
        counted += stale.len();
        let uses = said["paths"][0]["counts"].as_array().unwrap();
        if uses.iter().any(|one| one["effect"] == "decide") {
            assert!(stale.is_subset(&names(&said["runs"])), "{path}: {stale:?}, {said}");
        } else {
            assert_eq!(stale, names(&said["runs"]), "{path}: {said}");
        }
        assert!(restored.is_subset(&names(&said["restored"])), "{path}: {restored:?}, {said}");
        let passed = said["paths"][0]["passed"].as_array().unwrap();
        assert!(!uses.is_empty() || !passed.is_empty(), "{path}: nothing is said");
    }
    assert!(counted > 8, "{counted}");
}

#[test]
fn path_that_counts_has_its_line() {
    let project = project();
    let said = ask(&project, "app/main");
    let uses = &said["paths"][0]["counts"];
    assert_eq!(names(uses), BTreeSet::from(["aside".to_owned(), "source".to_owned()]), "{said}");
    let source = uses.as_array().unwrap().iter().find(|one| one["node"] == "source").unwrap();
    assert_eq!((&source["label"], &source["line"]), (&json!("source"), &json!(6)), "{said}");
    assert_eq!(names(&said["follow"]), BTreeSet::from(["last".to_owned(), "use".to_owned()]));
    let runs = said["runs"].as_array().unwrap();
    let default = |name: &str| runs.iter().find(|one| one["node"] == name).unwrap()["by_default"].clone();
    assert_eq!((default("source"), default("aside")), (json!(true), json!(false)));
    assert!(runs.iter().all(|one| one["estimate"]["samples"] == 1), "{said}");
}

/// Code, rule and line of the one reason why a path does not count.
#[track_caller]
fn passed(project: &Project, path: &str) -> (String, Value) {
    let said = ask(project, path);
    assert_eq!(said["paths"][0]["counts"], json!([]), "{said}");
    let all = said["paths"][0]["passed"].as_array().unwrap();
    assert_eq!(all.len(), 1, "{said}");
    (all[0]["why"].as_str().unwrap().to_owned(), all[0].clone())
}

#[test]
fn path_that_does_not_count_has_the_rule_that_drops_it() {
    let project = project();
    project.write("app/new.log", "log");
    let (why, one) = passed(&project, "app/new.log");
    assert_eq!(why, "ignored", "{one}");
    assert_eq!(one["place"], json!({ "file": ".gitignore", "line": 2, "text": "*.log" }), "{one}");
    let (why, one) = passed(&project, "targets/cache/x");
    assert_eq!((&*why, &one["at"]), ("ignored", &json!("targets/cache")), "{one}");
    assert_eq!(one["place"]["line"], 4, "{one}");
    let (why, one) = passed(&project, "app/docs/page");
    assert_eq!((&*why, &one["line"], &one["at"]), ("excluded", &json!(7), &json!("app/docs")), "{one}");
    assert_eq!(one["place"]["text"], "docs/", "{one}");
    assert_eq!(passed(&project, "in/b").0, "undeclared");
    assert_eq!(passed(&project, "key.txt").0, "secret");
    assert_eq!(passed(&project, "cache/osgraph.db").0, "store");
    assert_eq!(passed(&project, "pipeline.kdl").0, "pipeline");
    assert_eq!(passed(&project, "app/main/below").0, "behind");
    project.git(&["add", "app/new.log", "--force"]);
    assert_eq!(names(&ask(&project, "app/new.log")["runs"]), BTreeSet::from(["source".to_owned()]));
}

#[test]
fn outputs_and_links_and_folders_are_told_apart() {
    let project = project();
    let said = ask(&project, "out/made");
    assert_eq!(names(&said["restored"]), BTreeSet::from(["use".to_owned()]), "{said}");
    let passed = &said["paths"][0]["passed"];
    assert_eq!((&passed[0]["why"], &passed[0]["node"]), (&json!("output"), &json!("pack")), "{said}");
    assert_eq!(passed[0]["other"], "use", "{said}");
    let said = ask(&project, "current");
    let uses = said["paths"][0]["counts"].as_array().unwrap();
    assert_eq!((uses.len(), &uses[0]["note"]), (1, &json!("leads-there")), "{said}");
    assert_eq!(said["paths"][0]["form"], "link");
    // By the way that a person would name it.
    for path in ["current/data", "releases/1/data", "releases/../current/data"] {
        assert_eq!(names(&ask(&project, path)["runs"]), BTreeSet::from(["use".to_owned()]), "{path}");
    }
    let said = ask(&project, ".");
    assert_eq!(said["paths"][0]["form"], "folder");
    assert_eq!(names(&said["runs"]).len(), 4, "{said}");
    let said = ask(&project, "VERSION");
    let lines: Vec<&Value> =
        said["paths"][0]["counts"].as_array().unwrap().iter().map(|one| &one["line"]).collect();
    assert_eq!(lines, [16, 23], "{said}");
}

#[test]
fn path_that_is_not_there_yet_is_told_about() {
    let project = project();
    let said = ask(&project, "app/new/file");
    assert_eq!((&said["paths"][0]["form"], names(&said["runs"]).len()), (&json!("absent"), 1), "{said}");
    // Not even what must be there.
    project.remove("in/a");
    let said = ask(&project, "in/a");
    let one = &said["paths"][0]["counts"][0];
    assert_eq!((&one["node"], &one["line"]), (&json!("use"), &json!(12)), "{said}");
    assert!(one["note"]["trouble"].as_str().unwrap().ends_with("/in/a` does not exist"), "{said}");
    let output = project.osgraph(&["explain", "--path", ""]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn what_is_committed_counts_for_a_git_source() {
    let project = Project::new(
        "pipeline \"p\"\nsource-archive \"source\" { git \"repo\"; exclude \"tests/\"; }\n\
         command \"use\" { from \"source\"; run \"sh\" \"-c\" \"ls source > out\"; output \"out\"; }\n",
    );
    let git = |args: &[&str]| project.git(&[&["-C", "repo"], args].concat());
    project.write("repo/a", "a");
    project.write("repo/tests/t", "t");
    project.write("repo/.gitignore", "*.tmp\n");
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "-m", "one"]);
    project.write("repo/new", "new");
    project.write("repo/x.tmp", "x");
    let said = ask(&project, "repo/a");
    assert_eq!(names(&said["runs"]), BTreeSet::from(["source".to_owned()]), "{said}");
    assert!(said["paths"][0]["counts"][0]["note"]["committed"].is_string(), "{said}");
    let said = ask(&project, "repo/tests/t");
    assert_eq!(said["paths"][0]["counts"][0]["note"], json!({ "left-out-later": "tests/" }), "{said}");
    assert_eq!(passed(&project, "repo/new").0, "uncommitted");
    let (why, one) = passed(&project, "repo/x.tmp");
    assert_eq!((&*why, &one["place"]["file"]), ("ignored", &json!("repo/.gitignore")), "{one}");
    assert_eq!(ask(&project, "repo/.git/HEAD")["paths"][0]["counts"][0]["effect"], "decide");
    git(&["add", "new"]);
    git(&["commit", "--quiet", "-m", "two"]);
    assert_eq!(names(&ask(&project, "repo/new")["runs"]).len(), 1);
}

#[test]
fn what_would_run_is_told_in_words_and_nothing_is_written() {
    let project = project();
    // What readers of the database tell one another is no part of it.
    let all = || {
        let mut all = crate::causes::project::listing(&project.root, true);
        all.retain(|path, _| !path.ends_with(".db-shm"));
        all
    };
    let before = all();
    let output = project.osgraph(&["explain", "--if-changed", "in/a", "--if-changed", "app/new.log"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("1 node runs ("), "{text}");
    assert!(lines[0].contains(", up to 1 may follow ("), "{text}");
    assert!(lines[1].starts_with("  use  "), "{text}");
    assert_eq!(lines[2], "  then last — fresh if what they read comes out identical");
    let pipeline = project.path("pipeline.kdl").display().to_string();
    assert_eq!(
        &lines[3..],
        [
            "",
            "`in/a` counts for 1 node",
            &format!("  use  `input in/a` at {pipeline}:12"),
            "",
            "`app/new.log`, which does not exist, counts for nothing",
            &format!("  source  `source` at {pipeline}:6: left out by `*.log` at .gitignore:2"),
        ],
        "{text}"
    );
    let output = project.osgraph(&["explain", "aside", "--if-changed", "in/a"]);
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("nothing runs\n"));
    assert!(all() == before, "something was written");
}

#[test]
fn rules_and_what_they_drop_are_told_apart() {
    let project = project();
    let said = ask(&project, ".gitignore");
    let uses = said["paths"][0]["counts"].as_array().unwrap();
    assert!(uses.iter().all(|one| one["effect"] == "decide"), "{said}");
    assert!(
        names(&said["runs"]).is_superset(&BTreeSet::from(["pack".to_owned(), "source".to_owned()])),
        "{said}"
    );
    project.write("app/.gitignore", "main\n");
    let said = ask(&project, "app/.gitignore");
    let effects: Vec<&Value> =
        said["paths"][0]["counts"].as_array().unwrap().iter().map(|one| &one["effect"]).collect();
    assert_eq!(effects, ["decide", "run"], "it says what counts, and counts itself: {said}");
}

#[test]
fn explain_of_a_settled_state_says_what_a_look_at_everything_says() {
    let project = project();
    project.edit_pipeline("default \"pack\" \"last\"", "default \"all\"");
    let more = "group \"all\" { member \"pack\" \"last\" \"both\"; }\n\
        command \"both\" { from \"source\" into=\"s\"; from \"use\"; after \"pack\"; input \"aside\"; \
        run \"sh\" \"-c\" \"cat s/main out/made aside > both\"; output \"both\"; }\n";
    project.write("pipeline.kdl", &(project.read("pipeline.kdl") + more));
    project.run();
    project.is_fresh();
    let ask = || {
        let output = project.osgraph(&["explain", "--json"]);
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let settled = ask();
    let nodes = settled["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 6, "{settled}");
    assert!(
        nodes.iter().all(|node| node["verdict"] == "fresh" && node["baseline"]["run"].is_u64()),
        "{settled}"
    );
    project.remove("cache/state");
    assert_eq!(settled, ask());
    // Another question has no answer ready.
    project.run();
    project.write("in/a", "b");
    assert!(ask()["nodes"].as_array().unwrap().iter().any(|node| node["verdict"]["stale"].is_array()));
}
