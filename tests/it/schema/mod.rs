//! The published schemas against what the real binary answers: every answer of every command is what its
//! schema says, with nothing beside it, and the pages in `docs/schema` are what `osgraph schema` prints.

mod answers;
mod pages;

use serde_json::Value;

/// A schema by its name, which refuses fields that it does not name: what a reader should pass over is
/// what a test has to find.
fn strict(name: &str) -> jsonschema::Validator {
    let mut schema = osgraph::report::schema::schema(name).unwrap_or_else(|| panic!("no schema `{name}`"));
    close(&mut schema);
    jsonschema::draft202012::new(&schema).unwrap_or_else(|error| panic!("`{name}`: {error}"))
}

fn close(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            map.values_mut().for_each(close);
            let is_closed = map.contains_key("properties") && !map.contains_key("additionalProperties");
            if is_closed && map.get("type").is_some_and(|kind| kind == "object") {
                map.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
        }
        Value::Array(list) => list.iter_mut().for_each(close),
        _ => {}
    }
}

/// Fails unless `answer` is what the schema says.
fn assert_fits(name: &str, answer: &Value) {
    let errors: Vec<String> =
        strict(name).iter_errors(answer).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "no `{name}`: {errors:#?}\n{answer:#}");
}
