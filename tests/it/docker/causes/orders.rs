//! What is asked of a run beside building: force, rebuild, dry runs, explanations, events.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::engine::docker;
use super::shop::Shop;
use crate::causes::project::listing;

/// Every image and name in the engine that the test can have to do with.
fn engine(shop: &Shop) -> (Vec<String>, String) {
    let names =
        docker(&["image", "ls", "--format", "{{.ID}} {{.Repository}}:{{.Tag}}", &format!("{}-*", shop.name)]);
    (shop.images(), names)
}

#[test]
fn forced_node_runs_again_from_the_engines_cache() {
    let shop = Shop::whole();
    let before = shop.id("base");
    let said = shop.project.run_with(&["--force", "base"]);
    assert_eq!(said.ran, ["base"], "{}", said.text);
    assert_eq!(shop.id("base"), before);
    shop.project.is_fresh();
}

#[test]
fn rebuild_does_not_take_from_the_engines_cache() {
    let shop = Shop::of("FROM NAME-from\nRUN : NAME; echo at work; date +%s%N > /time\n", "");
    let said = shop.project.runs(&["base"]);
    assert!(said.text.contains("\"line\":\"at work\""), "{}", said.text);
    let first = shop.inside("base", "cat /time");
    let said = shop.project.run_with(&["--force", "base"]);
    assert!(!said.text.contains("\"line\":\"at work\""), "{}", said.text);
    assert_eq!(shop.inside("base", "cat /time"), first);
    let said = shop.project.run_with(&["--rebuild", "base"]);
    assert!(said.text.contains("\"line\":\"at work\""), "{}", said.text);
    assert_ne!(shop.inside("base", "cat /time"), first);
    assert!(said.warnings.iter().any(|warning| warning.contains("not deterministic")), "{:?}", said.warnings);
    shop.project.is_fresh();
}

#[test]
fn assumed_base_is_built_upon_though_it_is_stale() {
    let shop = Shop::whole();
    shop.project.edit_pipeline("\"WORD\" \"one\"", "\"WORD\" \"two\"");
    shop.write("app/page.txt", "another\n");
    let said = shop.project.run_with(&["--assume-fresh", "base"]);
    assert_eq!(said.ran, ["binary", "embed", "source"], "{}", said.text);
    assert_eq!(shop.project.read("build/app"), "one\na\nanother\n");
    shop.project.runs(&["base", "binary", "embed"]);
    assert_eq!(shop.project.read("build/app"), "two\na\nanother\n");
}

#[test]
fn explanations_and_dry_runs_tell_the_truth_and_change_nothing() {
    let shop = Shop::whole();
    let verdict = |node: &str| {
        let one = shop.explained(node);
        match &one["verdict"] {
            Value::String(word) => word.clone(),
            Value::Object(one) => one.keys().next().unwrap().clone(),
            other => panic!("{other}"),
        }
    };
    assert_eq!(["base", "embed", "binary"].map(verdict), ["fresh"; 3]);

    shop.write("builder/parts/a.txt", "A\n");
    shop.project.edit_pipeline("\"WORD\" \"one\"", "\"WORD\" \"two\"");
    let before = (engine(&shop), listing(&shop.project.root, false));
    assert_eq!(["base", "embed", "binary"].map(verdict), ["stale", "waiting", "waiting"]);
    let why = shop.explained("base");
    let reasons = why["verdict"]["stale"].as_array().unwrap();
    let labels: BTreeSet<&str> = reasons.iter().map(|one| one["label"].as_str().unwrap()).collect();
    assert_eq!(labels, BTreeSet::from(["arg WORD", "context"]), "{why}");
    let context = reasons.iter().find(|one| one["label"] == "context").unwrap();
    assert!(context["changes"].to_string().contains("parts/a.txt"), "{why}");
    for args in [&["explain"][..], &["run", "-n"]] {
        let (code, text) = shop.says(args);
        assert_eq!(code, 0, "{text}");
        for words in ["parts/a.txt", "`arg WORD`", "base", "REBUILD"] {
            assert!(text.contains(words), "{words} in {text}");
        }
    }
    let after = (engine(&shop), listing(&shop.project.root, false));
    assert_eq!(after, before);

    shop.project.runs(&["base", "binary", "embed"]);
    assert_eq!(["base", "embed", "binary"].map(verdict), ["fresh"; 3]);
}

#[test]
fn events_of_a_build_are_valid_and_tell_its_steps() {
    let shop = Shop::of("FROM NAME-from\nRUN printf 'one\\ntwo \\377 NAME\\n'\nRUN true\n", "");
    let said = shop.project.runs(&["base"]);
    let lines: Vec<&str> = said.text.lines().filter(|line| !line.is_empty()).collect();
    let events: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(events.iter().all(|event| event["v"] == 1 && event["event"].is_string()));
    let texts = |name: &str, field: &str| -> Vec<String> {
        let of = events.iter().filter(|event| event["event"] == name);
        of.map(|event| event[field].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(texts("node_printed", "line"), ["one".to_owned(), format!("two \u{fffd} {}", shop.name)]);
    let stages = texts("node_progressed", "stage");
    assert!(stages.iter().any(|stage| stage.contains("a context of")), "{stages:?}");
    let advanced = events.iter().filter(|event| event["event"] == "build_advanced");
    let places: Vec<_> = advanced.map(|event| (event["step"].as_u64(), event["steps"].as_u64())).collect();
    assert_eq!(places, [1, 2, 3].map(|step| (Some(step), Some(3))));
    let instructions = texts("build_advanced", "instruction");
    assert!(
        instructions[0].starts_with("FROM ") && instructions[1].starts_with("RUN printf"),
        "{instructions:?}"
    );
    let (code, text) = shop.says(&["log", "base"]);
    assert!(code == 0 && text.contains("two"), "{text}");
}
