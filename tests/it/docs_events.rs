//! `docs/events.md` against what the program says: every field and event that comes out is in the
//! page, and every code and event in the page exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

fn page() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/events.md")).unwrap()
}

/// Rows of the tables: the words in backticks of the first and second column.
fn rows(page: &str) -> Vec<(Vec<String>, Vec<String>)> {
    let ticked = |cell: &str| {
        cell.split('`').skip(1).step_by(2).map(|word| word.trim_matches('"').to_owned()).collect::<Vec<_>>()
    };
    let cells = |line: &str| line.split('|').map(str::to_owned).collect::<Vec<_>>();
    let tables = page.lines().filter(|line| line.starts_with("| `"));
    tables.map(cells).map(|cells| (ticked(&cells[1]), ticked(&cells[2]))).collect()
}

fn run(folder: &Path, args: &[&str]) -> Vec<Value> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_osgraph"));
    command.arg("-C").arg(folder).args(args).arg("--json").stdin(Stdio::null());
    command.env_remove("OSGRAPH_FILE").env_remove("OSGRAPH_STORE");
    let text = String::from_utf8(command.output().unwrap().stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

const PIPELINE: &str = r#"pipeline "p" { param "word" default="a"; param "version" from-file="VERSION"; }
source-archive "source" { dir "src"; archive "dist/s.tar.gz"; }
command "use" {
    from "source" into="s"
    tool "sh"
    run "sh" "-c" "echo ${word}; ls s > o"
    output "o"
}
command "after" { from "use"; run "sh" "-c" "cp o p"; output "p"; }
command "bad" { run "sh" "-c" "echo no; exit 1"; output "q"; retries 1; }
command "skipped" { from "bad"; run "true"; output "r"; }
"#;

/// One run of everything that a small pipeline can show, with the explanations before and after.
fn said() -> (Vec<Value>, Vec<Value>) {
    let folder = tempfile::tempdir().unwrap();
    let at = |path: &str| folder.path().join(path);
    fs::write(at("pipeline.kdl"), PIPELINE).unwrap();
    fs::write(at("VERSION"), "1\n").unwrap();
    fs::create_dir(at("src")).unwrap();
    fs::write(at("src/a"), "one").unwrap();
    let mut explained = run(folder.path(), &["explain"]);
    let mut events = run(folder.path(), &["run", "-k"]);
    fs::write(at("src/a"), "two").unwrap();
    fs::write(at("src/b"), "new").unwrap();
    explained.extend(run(folder.path(), &["explain", "after", "--set", "word=b"]));
    events.extend(run(folder.path(), &["run", "after"]));
    fs::remove_file(at("dist/s.tar.gz")).unwrap();
    explained.extend(run(folder.path(), &["explain", "after"]));
    events.extend(run(folder.path(), &["run", "after"]));
    (events, explained)
}

#[test]
fn every_event_and_field_is_documented_and_the_other_way_round() {
    let page = page();
    let rows = rows(&page);
    let (events, _) = said();
    let mut seen = BTreeSet::new();
    for event in &events {
        let fields = event.as_object().unwrap();
        assert_eq!(event["v"], 1);
        let name = event["event"].as_str().unwrap();
        let (_, documented) = rows
            .iter()
            .find(|(first, _)| first.iter().any(|word| word == name))
            .unwrap_or_else(|| panic!("`{name}` is not in docs/events.md"));
        for field in fields.keys().filter(|key| !["v", "time_ms", "event"].contains(&key.as_str())) {
            assert!(documented.contains(field), "`{field}` of `{name}` is not in docs/events.md");
        }
        seen.insert(name.to_owned());
    }
    for name in [
        "run_started",
        "planned",
        "node_started",
        "node_printed",
        "node_retried",
        "node_finished",
        "node_failed",
        "node_skipped",
        "run_finished",
    ] {
        assert!(seen.contains(name), "`{name}` did not come: {seen:?}");
    }
}

#[test]
fn every_field_of_an_explanation_is_documented() {
    let page = page();
    let rows = rows(&page);
    let (_, explained) = said();
    let fields: BTreeSet<&str> = rows.iter().flat_map(|(first, _)| first).map(String::as_str).collect();
    let form = page.lines().find(|line| line.starts_with("`{\"code\"")).unwrap();
    let (mut verdicts, mut codes) = (BTreeSet::new(), BTreeSet::new());
    for document in &explained {
        assert_eq!(
            document.as_object().unwrap().keys().collect::<Vec<_>>(),
            ["course", "file", "nodes", "params", "v"]
        );
        for node in document["nodes"].as_array().unwrap() {
            for field in node.as_object().unwrap().keys() {
                assert!(fields.contains(field.as_str()), "`{field}` of a node is not in docs/events.md");
            }
            let verdict = &node["verdict"];
            let word = verdict.as_str().or_else(|| Some(verdict.as_object()?.keys().next()?)).unwrap();
            verdicts.insert(word.to_owned());
            let reasons = verdict[word].as_array().cloned().unwrap_or_default();
            for reason in reasons.iter().filter(|reason| reason.is_object()) {
                for field in reason.as_object().unwrap().keys() {
                    assert!(form.contains(&format!("\"{field}\"")), "`{field}` of a reason: {form}");
                }
                codes.insert(reason["code"].as_str().unwrap().to_owned());
            }
        }
    }
    assert_eq!(
        verdicts.iter().map(String::as_str).collect::<Vec<_>>(),
        ["fresh", "restorable", "stale", "waiting"]
    );
    for code in &codes {
        assert!(fields.contains(code.as_str()), "`{code}` is not in docs/events.md");
    }
    for code in ["never-built", "input-changed", "option-changed", "output-missing"] {
        assert!(codes.contains(code), "`{code}` did not come: {codes:?}");
    }
}

#[test]
fn the_sample_is_json_of_documented_events() {
    let page = page();
    let sample = page.split("<!-- sample: run -->\n```json\n").nth(1).unwrap().split("```").next().unwrap();
    let rows = rows(&page);
    for line in sample.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        let name = event["event"].as_str().unwrap();
        let (_, documented) = rows.iter().find(|(first, _)| first.iter().any(|word| word == name)).unwrap();
        for field in event.as_object().unwrap().keys() {
            assert!(
                ["v", "time_ms", "event"].contains(&field.as_str()) || documented.contains(field),
                "{line}"
            );
        }
    }
}
