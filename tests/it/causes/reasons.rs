//! Every reason that needs no container engine, provoked: its code, label, old and new value, and the
//! line that made it count. The others are provoked in `docker::causes::reasons`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::project::Project;
use crate::docker::causes::reasons as docker;

const PIPELINE: &str = r#"pipeline "p"
command "make" {
    input "in"
    run "sh" "-c" "cp in out; chmod +x out"
    env "COLOUR" "red"
    output "out"
}
command "next" {
    from "make"
    run "cp" "out" "next"
    output "next"
}
binary-extract "binary" {
    from "make"
    path "out"
    output "bin"
    expect max-size="1KiB"
}
"#;

/// A way to come by a reason.
pub struct Cause<P> {
    pub code: &'static str,
    /// What is asked: `explain`, or a dry run.
    pub ask: &'static [&'static str],
    pub node: &'static str,
    pub provoke: fn(&P),
    pub label: &'static str,
    /// As [`told`] tells them.
    pub old: &'static str,
    pub new: &'static str,
    /// In the pipeline file; 0 where nothing there made it count.
    pub line: u64,
}

/// A value of a reason without digests: `"red"`, `file 3`, `folder`, `image`, `-`.
pub fn told(value: &Value) -> String {
    let entry = &value["entry"];
    if let Some(text) = value["text"].as_str() {
        return format!("{text:?}");
    }
    match (entry["file"]["size"].as_u64(), entry["directory"].is_object(), value["image"].is_string()) {
        (Some(size), ..) => format!("file {size}"),
        (_, true, _) => "folder".to_owned(),
        (.., true) => "image".to_owned(),
        _ if value.is_null() => "-".to_owned(),
        _ => panic!("{value}"),
    }
}

/// The reasons of a node in an answer.
pub fn reasons(answer: &Value, node: &str) -> Vec<Value> {
    let nodes = answer["nodes"].as_array().unwrap_or_else(|| panic!("{answer}"));
    let one = nodes.iter().find(|one| one["node"] == node).unwrap_or_else(|| panic!("{answer}"));
    let verdict = &one["verdict"];
    let reasons = verdict["stale"].as_array().or(verdict["restorable"].as_array());
    reasons.unwrap_or_else(|| panic!("{node} is {verdict}")).clone()
}

impl<P> Cause<P> {
    /// The reason in an answer, which must be as it is said to be. `plain` puts names in for what is
    /// different in every run.
    pub fn check(&self, answer: &Value, plain: impl Fn(&str) -> String) -> Value {
        let all = reasons(answer, self.node);
        let one = all.iter().find(|one| one["code"] == self.code);
        let one = one.unwrap_or_else(|| panic!("{}: not in {all:?}", self.code));
        let found = [
            plain(one["label"].as_str().unwrap()),
            plain(&told(&one["old"])),
            plain(&told(&one["new"])),
            one["line"].as_u64().unwrap_or(0).to_string(),
        ];
        let line = self.line.to_string();
        assert_eq!(found, [self.label, self.old, self.new, &line], "{}: {one}", self.code);
        one.clone()
    }
}

fn edit(project: &Project, from: &str, to: &str) {
    project.edit_pipeline(from, to);
}

const EXPLAIN: &[&str] = &["explain"];

const CAUSES: &[Cause<Project>] = &[
    Cause {
        code: "never-built",
        ask: EXPLAIN,
        node: "make",
        provoke: |project| fs::remove_dir_all(project.path("cache")).unwrap(),
        label: "record",
        old: "-",
        new: "-",
        line: 0,
    },
    Cause {
        code: "input-changed",
        ask: EXPLAIN,
        node: "make",
        provoke: |project| project.write("in", "longer\n"),
        label: "input in",
        old: "file 4",
        new: "file 7",
        line: 3,
    },
    Cause {
        code: "option-changed",
        ask: EXPLAIN,
        node: "next",
        provoke: |project| edit(project, "run \"cp\"", "run \"mv\""),
        label: "run 0",
        old: r#""\"cp\" \"out\" \"next\"""#,
        new: r#""\"mv\" \"out\" \"next\"""#,
        line: 10,
    },
    Cause {
        code: "environment-changed",
        ask: EXPLAIN,
        node: "make",
        provoke: |project| edit(project, "\"red\"", "\"blue\""),
        label: "env COLOUR",
        old: "\"red\"",
        new: "\"blue\"",
        line: 5,
    },
    Cause {
        code: "component-added",
        ask: EXPLAIN,
        node: "make",
        provoke: |project| edit(project, "    output \"out\"", "    env \"SIZE\" \"2\"\n    output \"out\""),
        label: "env SIZE",
        old: "-",
        new: "\"2\"",
        line: 6,
    },
    Cause {
        code: "component-removed",
        ask: EXPLAIN,
        node: "make",
        provoke: |project| edit(project, "    env \"COLOUR\" \"red\"\n", ""),
        label: "env COLOUR",
        old: "\"red\"",
        new: "-",
        line: 0,
    },
    Cause {
        code: "upstream-changed",
        ask: EXPLAIN,
        node: "next",
        provoke: |project| {
            project.write("in", "longer\n");
            project.run_with(&["make"]);
        },
        label: "from 0",
        old: "folder",
        new: "folder",
        line: 9,
    },
    Cause {
        code: "upstream-stale",
        ask: EXPLAIN,
        node: "next",
        provoke: |project| {
            project.write("in", "longer\n");
            edit(project, "run \"cp\"", "run \"mv\"");
        },
        label: "from 0",
        old: "-",
        new: "-",
        line: 9,
    },
    Cause {
        code: "artifact-missing",
        ask: &["explain", "make"],
        node: "make",
        provoke: |project| {
            for folder in ["cache/blobs", "cache/packs", "cache/trees"] {
                let _ = fs::remove_dir_all(project.path(folder));
                fs::create_dir(project.path(folder)).unwrap();
            }
        },
        label: "artifact",
        old: "-",
        new: "-",
        line: 0,
    },
    Cause {
        code: "forced",
        ask: &["run", "-n", "--force", "make"],
        node: "make",
        provoke: |_| (),
        label: "run",
        old: "-",
        new: "-",
        line: 0,
    },
    Cause {
        code: "rebuild",
        ask: &["run", "-n", "--rebuild", "next"],
        node: "next",
        provoke: |_| (),
        label: "run",
        old: "-",
        new: "-",
        line: 0,
    },
    Cause {
        code: "output-missing",
        ask: EXPLAIN,
        node: "next",
        provoke: |project| project.remove("next"),
        label: "next",
        old: "-",
        new: "-",
        line: 11,
    },
    Cause {
        code: "output-altered",
        ask: EXPLAIN,
        node: "binary",
        provoke: |project| project.write("bin", "altered"),
        label: "bin",
        old: "-",
        new: "-",
        line: 16,
    },
    Cause {
        code: "publishing-changed",
        ask: EXPLAIN,
        node: "binary",
        provoke: |project| edit(project, "output \"bin\"", "output \"elsewhere\""),
        label: "elsewhere",
        old: "-",
        new: "-",
        line: 16,
    },
    Cause {
        code: "gate-changed",
        ask: EXPLAIN,
        node: "binary",
        provoke: |project| edit(project, "1KiB", "2KiB"),
        label: "expect",
        old: "-",
        new: "-",
        line: 13,
    },
];

#[test]
fn every_reason_is_told_with_its_values_and_its_line() {
    for cause in CAUSES {
        let project = Project::new(PIPELINE);
        project.write("in", "one\n");
        project.run();
        (cause.provoke)(&project);
        let output = project.osgraph(&[cause.ask, &["--json"]].concat());
        assert!(output.status.success(), "{}: {}", cause.code, String::from_utf8_lossy(&output.stderr));
        cause.check(&serde_json::from_slice(&output.stdout).unwrap(), str::to_owned);
    }
}

#[test]
fn every_documented_code_is_provoked_here_or_with_an_engine() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reasons.md")).unwrap();
    let documented: BTreeSet<&str> =
        page.split("\n## `").skip(1).map(|entry| entry.split_once('`').unwrap().0).collect();
    let here = CAUSES.iter().map(|cause| cause.code);
    let there = docker::CAUSES.iter().map(|cause| cause.code);
    assert_eq!(here.chain(there).collect::<BTreeSet<_>>(), documented);
}

#[test]
fn changed_file_is_told_with_its_commit_and_how_often_nothing_followed() {
    let project = Project::new(PIPELINE);
    project.write("in", "one\n");
    project.write(".gitignore", "cache/\nout\nnext\nbin\n");
    project.edit_pipeline("input \"in\"", "input \"in\"; input \"more\"");
    project.write("more/a", "a\n");
    project.git(&["init", "--quiet"]);
    project.git(&["add", "."]);
    project.git(&["commit", "--quiet", "-m", "one"]);
    project.run();
    project.write("more/a", "b\n");
    // What comes out is the same.
    project.runs(&["make"]);
    project.write("in", "two\n");
    project.write("more/a", "c\n");
    project.write("more/b", "b\n");
    project.git(&["add", "in", "more/a"]);
    project.git(&["commit", "--quiet", "-m", "two"]);
    let output = project.osgraph(&["explain", "--json"]);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let all = reasons(&answer, "make");
    let find = |label: &str| all.iter().find(|one| one["label"] == label).unwrap();
    let commit = find("input in")["commits"][0]["commit"].as_str().unwrap();
    assert_eq!(find("input in")["commits"], serde_json::json!([{ "commit": commit, "changes": [0] }]));
    assert_eq!(find("input more")["commits"], find("input in")["commits"], "{all:?}");
    assert_eq!(find("input more")["uncommitted"], serde_json::json!([1]), "{all:?}");
    let make = answer["nodes"].as_array().unwrap().iter().find(|one| one["node"] == "make").unwrap();
    assert_eq!(make["identical"], serde_json::json!({ "same": 1, "of": 1 }), "{make}");
    let text = String::from_utf8(project.osgraph(&["explain"]).stdout).unwrap();
    assert!(text.contains("M  a   2 B, ") && text.contains(&format!("   in {commit}\n")), "{text}");
    assert!(text.contains(" — fresh if `make` comes out identical (1 of the last 1)\n"), "{text}");
}
