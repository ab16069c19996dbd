//! `docs/schema`, `osgraph schema`, and the events of `docs/events.md`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use osgraph::report::schema::{all, schema, text};
use serde_json::{Value, json};

use crate::history::world::World;
use crate::schema::strict;

fn docs(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(path)
}

#[test]
fn the_pages_are_what_is_printed() {
    let update = std::env::var_os("UPDATE_DOCS").is_some();
    let mut names = BTreeSet::new();
    for one in all() {
        let file = format!("{}.json", one.name);
        let wanted = text(&schema(&one.name).unwrap());
        if update {
            fs::write(docs("schema").join(&file), &wanted).unwrap();
        }
        let page = fs::read_to_string(docs("schema").join(&file)).unwrap_or_default();
        assert!(
            page == wanted,
            "`docs/schema/{file}` is out of date: UPDATE_DOCS=1 cargo test --test it schema"
        );
        names.insert(file);
    }
    let there = fs::read_dir(docs("schema")).unwrap().map(|entry| entry.unwrap().file_name());
    let there: BTreeSet<String> = there.map(|name| name.into_string().unwrap()).collect();
    assert_eq!(there, names, "docs/schema holds a page of no schema");
}

#[test]
fn every_schema_is_one_of_its_draft() {
    for one in all() {
        let schema = schema(&one.name).unwrap();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        jsonschema::draft202012::meta::validate(&schema)
            .unwrap_or_else(|error| panic!("{}: {error}", one.name));
    }
}

#[test]
fn they_are_printed_and_a_misspelt_name_gets_a_suggestion() {
    let world = World::new("nothing that is read");
    for one in all() {
        let printed: Value = serde_json::from_str(&world.ok(&["schema", &one.name])).unwrap();
        assert_eq!(Some(printed), schema(&one.name));
    }
    let list = world.ok(&["schema"]);
    assert!(list.lines().any(|line| line.starts_with("explain-last  ")), "{list}");
    let (code, said) = world.refused(&["schema", "explian"]);
    assert!(code == 2 && said.contains("did you mean `explain`?"), "{said}");
}

/// Names in backticks at the beginning of rows between two headings of a page.
fn rows(page: &str, from: &str, to: &str) -> BTreeSet<String> {
    let part = page.split(from).nth(1).unwrap().split(to).next().unwrap();
    let cells =
        part.lines().filter(|line| line.starts_with("| `")).map(|line| line.split('|').nth(1).unwrap());
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned)).collect()
}

#[test]
fn events_and_codes_are_those_of_the_documents() {
    let page = fs::read_to_string(docs("events.md")).unwrap();
    let event = schema("event").unwrap();
    let named: BTreeSet<String> = event["oneOf"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["$ref"].as_str().unwrap().rsplit('/').next().unwrap().to_owned())
        .collect();
    assert_eq!(named, rows(&page, "\n## Events", "\n## Explanations"));
    for name in &named {
        assert_eq!(event["$defs"][name]["properties"]["event"]["const"], *name);
    }
    let codes: BTreeSet<String> = event["$defs"]["code"]["enum"]
        .as_array()
        .unwrap()
        .iter()
        .map(|code| code.as_str().unwrap().to_owned())
        .collect();
    assert_eq!(codes, rows(&page, "\n### Reasons", "\n## "));
}

#[test]
fn what_does_not_fit_is_refused() {
    let sound = json!({ "v": 1, "runs": [] });
    assert!(strict("runs").is_valid(&sound));
    for wrong in [
        json!({ "v": 2, "runs": [] }),
        json!({ "v": 1 }),
        json!({ "v": 1, "runs": [], "more": 0 }),
        json!({ "v": 1, "runs": [{ "id": 1 }] }),
        json!({ "v": 1, "runs": [{ "id": "1", "started": 0, "duration_ms": 0, "outcome": "ran", "targets": [], "revision": null }] }),
        json!({ "v": 1, "runs": [{ "id": 1, "started": 0, "duration_ms": 0, "outcome": "well", "targets": [], "revision": null }] }),
    ] {
        assert!(!strict("runs").is_valid(&wrong), "{wrong}");
    }
    // An event is exactly one of them.
    let event = json!({ "v": 1, "time_ms": 0, "event": "node_waited", "node": "a" });
    assert!(strict("event").is_valid(&event));
    let mut other = event.clone();
    other["event"] = "node_printed".into();
    assert!(!strict("event").is_valid(&other));
    // As printed, what a reader does not know passes.
    let lenient = jsonschema::draft202012::new(&schema("runs").unwrap()).unwrap();
    assert!(lenient.is_valid(&json!({ "v": 1, "runs": [], "more": 0 })));
}
