//! `explain --path` of what Dockerfiles copy: what is said of a path is what a change of it does.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use super::shop::Shop;

fn ask(shop: &Shop, path: &str) -> Value {
    let output = shop.project.osgraph(&["explain", "--path", path, "--json"]);
    assert!(output.status.success(), "{path}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn names(list: &Value) -> BTreeSet<String> {
    list.as_array().unwrap().iter().map(|one| one["node"].as_str().unwrap().to_owned()).collect()
}

/// Nodes that `explain` says are stale by themselves.
fn stale(shop: &Shop) -> BTreeSet<String> {
    let output = shop.project.osgraph(&["explain", "--json"]);
    let all: Value = serde_json::from_slice(&output.stdout).unwrap();
    let is_own = |reason: &Value| !reason["code"].as_str().unwrap().starts_with("upstream-");
    let nodes = all["nodes"].as_array().unwrap().iter();
    let stale =
        nodes.filter(|one| one["verdict"]["stale"].as_array().is_some_and(|all| all.iter().any(is_own)));
    stale.map(|one| one["node"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_file_of_a_context_does_what_is_said_of_it() {
    let shop = Shop::whole();
    shop.write("builder/x.tmp", "left behind\n");
    shop.write("builder/package/page.txt", "covered\n");
    let mut counted = 0;
    for path in [
        "builder/base.Dockerfile",
        "builder/embed.Dockerfile",
        "builder/parts/a.txt",
        "builder/parts/secret.txt",
        "builder/releases/1/data.txt",
        "builder/releases/2/data.txt",
        "builder/tool.sh",
        "builder/notes.txt",
        "builder/x.tmp",
        "builder/package/page.txt",
        "app/page.txt",
    ] {
        let said = ask(&shop, path);
        let before = fs::read(shop.project.path(path)).unwrap();
        // Of a Dockerfile another instruction, not a comment alone.
        fs::write(shop.project.path(path), [&before[..], b"RUN true\n"].concat()).unwrap();
        let found = stale(&shop);
        fs::write(shop.project.path(path), before).unwrap();
        counted += found.len();
        assert_eq!(found, names(&said["runs"]), "{path}: {said}");
    }
    assert_eq!(counted, 6);
}

#[test]
fn path_of_a_context_has_the_line_that_copies_or_drops_it() {
    let shop = Shop::whole();
    shop.edit("builder/base.Dockerfile", "RUN echo spare > /spare", "COPY notes.txt /spare");
    let place = |said: &Value, list: &str| said["paths"][0][list][0]["place"].clone();
    let file = "builder/base.Dockerfile";
    let said = ask(&shop, "builder/parts/a.txt");
    assert_eq!(place(&said, "counts"), json!({ "file": file, "line": 8, "text": "COPY parts" }), "{said}");
    assert_eq!(said["paths"][0]["counts"][0]["line"], 4, "{said}");
    assert_eq!(names(&said["follow"]), BTreeSet::from(["binary".to_owned(), "embed".to_owned()]), "{said}");
    let said = ask(&shop, "builder/current/data.txt");
    assert_eq!(place(&said, "counts")["line"], 9, "{said}");
    let why = |said: &Value, node: &str| {
        let passed = said["paths"][0]["passed"].as_array().unwrap();
        passed.iter().find(|one| one["node"] == node).unwrap_or_else(|| panic!("{said}")).clone()
    };
    let said = ask(&shop, "builder/parts/secret.txt");
    let one = why(&said, "base");
    assert_eq!(one["why"], "docker-ignored", "{said}");
    let rule = json!({ "file": "builder/.dockerignore", "line": 2, "text": "parts/secret.txt" });
    assert_eq!(one["place"], rule, "{said}");
    let said = ask(&shop, "builder/notes.txt");
    let one = why(&said, "base");
    assert_eq!(one["why"], "idle-stage", "{said}");
    assert_eq!(
        (&one["place"]["line"], why(&said, "embed")["why"].as_str()),
        (&json!(4), Some("not-copied")),
        "{said}"
    );
    let said = ask(&shop, "builder/package/page.txt");
    let one = why(&said, "embed");
    assert_eq!((&one["why"], &one["other"]), (&json!("covered"), &json!("source")), "{said}");
    let said = ask(&shop, "builder/.dockerignore");
    assert_eq!(names(&said["runs"]), BTreeSet::from(["base".to_owned(), "embed".to_owned()]), "{said}");
    assert_eq!(said["paths"][0]["counts"][0]["effect"], "decide", "{said}");
    let said = ask(&shop, "pipeline.lock");
    assert_eq!(names(&said["runs"]), BTreeSet::from(["base".to_owned()]), "{said}");
    assert_eq!(place(&said, "counts")["line"], 6, "{said}");
}
