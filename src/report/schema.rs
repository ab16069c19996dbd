//! JSON Schemas of everything that osgraph answers and writes as JSON.
//!
//! Written by hand in `schema/`: answers, events, and the parts that they share. A schema that is asked
//! for stands alone: it has all that it refers to. It lets unknown fields pass, as a reader should,
//! because new ones come without notice; the tests hold answers to the known ones.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::event::VERSION;
use crate::report::json::answer;
use crate::report::text::{pad, width};

const ANSWERS: &str = include_str!("schema/answers.json");
const EVENTS: &str = include_str!("schema/events.json");
const PARTS: &str = include_str!("schema/parts.json");

/// Before the name of what a schema refers to.
const REF: &str = "#/$defs/";

/// A schema's name, and what it is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Named {
    pub name: String,
    pub title: String,
}

/// All schemas, by name.
pub fn all() -> Vec<Named> {
    let title = |schema: &Value| schema["title"].as_str().unwrap_or_default().to_owned();
    read(ANSWERS).iter().map(|(name, schema)| Named { name: name.clone(), title: title(schema) }).collect()
}

/// A schema that stands alone.
pub fn schema(name: &str) -> Option<Value> {
    let Value::Object(mut schema) = read(ANSWERS).get(name)?.clone() else { return None };
    let mut known = read(PARTS);
    known.append(&mut read(EVENTS));
    let mut needed = BTreeSet::new();
    let mut open = vec![Value::Object(schema.clone())];
    while let Some(one) = open.pop() {
        let mut found = Vec::new();
        references(&one, &mut found);
        for name in found {
            if let Some(part) = known.get(&name)
                && needed.insert(name)
            {
                open.push(part.clone());
            }
        }
    }
    let parts: Map<String, Value> = known.into_iter().filter(|(name, _)| needed.contains(name)).collect();
    schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("$id".to_owned(), json!(format!("urn:osgraph:schema:{name}:{VERSION}")));
    if !parts.is_empty() {
        schema.insert("$defs".to_owned(), Value::Object(parts));
    }
    Some(Value::Object(schema))
}

/// A schema as a file has it.
pub fn text(schema: &Value) -> String {
    // No map with keys that are not text, the only thing that JSON refuses.
    serde_json::to_string_pretty(schema).unwrap_or_default() + "\n"
}

/// One line a schema.
pub fn list(all: &[Named]) -> String {
    let columns = all.iter().map(|one| width(&one.name)).max().unwrap_or(0);
    all.iter().map(|Named { name, title }| format!("{}  {title}\n", pad(name, columns))).collect()
}

/// `{"v":1,"schemas":[{"name","title"}]}`
pub fn list_json(all: &[Named]) -> String {
    #[derive(Serialize)]
    struct Document<'a> {
        schemas: &'a [Named],
    }
    answer(&Document { schemas: all })
}

fn read(text: &str) -> Map<String, Value> {
    match serde_json::from_str(text) {
        Ok(Value::Object(map)) => map,
        // A test reads all three.
        _ => Map::new(),
    }
}

/// Names that a schema refers to.
fn references(schema: &Value, out: &mut Vec<String>) {
    match schema {
        Value::Object(map) => {
            for (key, value) in map {
                match value.as_str().and_then(|text| text.strip_prefix(REF)) {
                    Some(name) if key == "$ref" => out.push(name.to_owned()),
                    _ => references(value, out),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|one| references(one, out)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_leads_somewhere_and_every_part_is_used() {
        let (answers, events, parts) = (read(ANSWERS), read(EVENTS), read(PARTS));
        assert!(!answers.is_empty() && !events.is_empty() && !parts.is_empty());
        let mut found = Vec::new();
        for map in [answers, events.clone(), parts.clone()] {
            references(&Value::Object(map), &mut found);
        }
        for name in &found {
            assert!(events.contains_key(name) || parts.contains_key(name), "`{name}` is not defined");
        }
        for name in events.keys().chain(parts.keys()) {
            assert!(found.contains(name), "nothing refers to `{name}`");
        }
    }

    #[test]
    fn a_schema_has_all_that_it_refers_to() {
        for Named { name, title } in all() {
            let schema = schema(&name).unwrap();
            assert!(!title.is_empty(), "{name}");
            let mut found = Vec::new();
            references(&schema, &mut found);
            for part in found {
                assert!(schema["$defs"].get(&part).is_some(), "`{name}` lacks `{part}`");
            }
        }
        assert_eq!(schema("nobody"), None);
    }
}
