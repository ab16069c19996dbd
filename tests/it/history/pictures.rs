//! `graph` and `report`: pictures of the pipeline and of a run.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::history::world::{World, has, one};

/// Fails unless the text is XML.
fn assert_xml(text: &str) {
    let mut python = Command::new("python3")
        .args(["-c", "import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.stdin.buffer)"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_graph_is_drawn_in_each_notation() {
    let world = World::shop();
    assert_eq!(
        world.ok(&["graph"]),
        "pack\n  lines [binary bin/lines]\n    app [from app]\n      source [from s]\n"
    );
    has(
        &world.ok(&["graph", "--as", "dot"]),
        &["digraph osgraph {", "\"source\" -> \"app\" [label=\"from s\"];"],
    );
    has(
        &world.ok(&["graph", "--as", "mermaid"]),
        &["flowchart LR", "n0[\"source\"]", "n0 -->|\"from s\"| n1"],
    );
    let svg = world.ok(&["graph", "--as", "svg"]);
    assert_xml(&svg);
    has(&svg, &["graph of 4 nodes", ">source<", ">pack<"]);
    let json = world.json(&["graph"]);
    assert_eq!(one(&json["nodes"], "node", "app")["needs"], json!(["source"]));
    assert!(json["nodes"][0].get("verdict").is_none());
    let part = world.json(&["graph", "app"]);
    assert_eq!(part["nodes"].as_array().unwrap().len(), 2);
}

#[test]
fn verdicts_in_the_graph_are_those_of_explain() {
    let world = World::shop();
    let verdicts = |world: &World| -> Vec<(String, String)> {
        let json = world.json(&["graph", "--verdicts"]);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        json["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| (text(&one["node"]), text(&one["verdict"])))
            .collect()
    };
    assert!(verdicts(&world).iter().all(|(_, verdict)| verdict == "rebuild"));
    world.run();
    assert!(verdicts(&world).iter().all(|(_, verdict)| verdict == "fresh"));
    has(&world.ok(&["graph", "--verdicts"]), &["pack  FRESH\n", "      source [from s]  FRESH\n"]);
    world.write("src/b", "2\n");
    std::fs::remove_file(world.path("lines.txt")).unwrap();
    let found = verdicts(&world);
    let of = |node: &str| found.iter().find(|(name, _)| name == node).unwrap().1.as_str();
    assert_eq!((of("source"), of("app"), of("pack")), ("rebuild", "perhaps", "perhaps"), "{found:?}");
    has(
        &world.ok(&["graph", "--verdicts", "--as", "dot"]),
        &["\"source\" [style=filled", "tooltip=\"rebuild\""],
    );
    has(
        &world.ok(&["graph", "--verdicts", "--as", "mermaid"]),
        &["n0[\"source\"]:::rebuild", "classDef perhaps"],
    );
    assert_xml(&world.ok(&["graph", "--verdicts", "--as", "svg"]));
    // Nothing was built by looking.
    assert!(!world.path("lines.txt").exists());
}

#[test]
fn a_report_is_one_page_that_loads_nothing() {
    let world = World::shop();
    world.run();
    world.edit("src/b", "two more\n");
    let (code, out, err) = world.say(&["report", "-o", "run.html"]);
    assert_eq!((code, out.as_str(), err.as_str()), (0, "", "wrote `run.html`\n"));
    let page = world.read("run.html");
    assert_eq!(page, world.ok(&["report", "2"]), "the latest run that did something");
    has(&page, &["<!doctype html>", "<title>shop: run 2</title>", "`b` modified, 4 → 9 B", "<svg "]);
    // A namespace is a name, and nothing is fetched for it; what begins with `#` is a place in the page.
    let rest = page.replace("http://www.w3.org/2000/svg", "").replace("href=\"#", "").to_lowercase();
    for outward in
        ["http:", "https:", "src=", "href=", "@import", "url(", "fetch(", "xmlhttprequest", "websocket"]
    {
        assert!(!rest.contains(outward), "the page has {outward}");
    }

    let json = world.json(&["report"]);
    assert_eq!((&json["pipeline"], &json["run"]["id"]), (&json!("shop"), &json!(2)));
    let app = one(&json["nodes"], "node", "app");
    assert_eq!((&app["outcome"], &app["same"], &app["baseline"]), (&json!("ran"), &json!(false), &json!(1)));
    assert_eq!(one(&json["nodes"], "node", "pack")["outcome"], "fresh");
    assert!(json["critical"].as_array().unwrap().len() >= 2, "{json}");
    let (code, said) = world.refused(&["report", "99"]);
    assert!(code == 2 && said.contains("there is no run 99"), "{said}");
}

#[test]
fn a_trace_has_the_form_that_chrome_reads() {
    let world = World::shop();
    world.run();
    let text = world.ok(&["report", "--as", "trace"]);
    let trace: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(trace["displayTimeUnit"], "ms");
    let events = trace["traceEvents"].as_array().unwrap();
    let (bars, others): (Vec<_>, Vec<_>) = events.iter().partition(|event| event["ph"] == "X");
    assert_eq!(bars.len(), 4);
    for bar in &bars {
        assert!(bar["name"].is_string() && bar["cat"].is_string(), "{bar}");
        for number in ["ts", "dur", "pid", "tid"] {
            assert!(bar[number].is_u64(), "{number} of {bar}");
        }
    }
    assert!(others.iter().all(|event| event["ph"] == "M" && event["name"] == "process_name"), "{trace}");
    // What needs another begins when that has ended.
    let bar = |name: &str| bars.iter().find(|bar| bar["name"] == name).unwrap();
    let end = |name: &str| bar(name)["ts"].as_u64().unwrap() + bar(name)["dur"].as_u64().unwrap();
    assert!(bar("lines")["ts"].as_u64().unwrap() + 1_000 >= end("app"), "{trace}");
}
