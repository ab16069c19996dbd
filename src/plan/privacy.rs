//! Values that are told to nobody: those of arguments, variables and parameters whose names speak of secrets.
//!
//! A secret belongs into `secret`, which has no value here at all. Where one is passed as an argument all the
//! same, it counts in the key, and what is said, written or recorded of it is that it differs.

use crate::digest::Digest;
use crate::key::{Component, Value};

/// Before what stands for a value.
const HIDDEN: &str = "hidden ";

/// A component's value as it may be told.
pub fn told(component: &Component) -> Value {
    match &component.value {
        Value::Text(text) if is_private(&component.label) => Value::Text(hidden(text)),
        value => value.clone(),
    }
}

/// A parameter's value as it may be told.
pub fn told_param(name: &str, value: &str) -> String {
    if speaks_of_secrets(name) && !value.is_empty() { hidden(value) } else { value.to_owned() }
}

/// Whether a component speaks of a secret: an argument or a variable with such a name.
pub fn is_private(label: &str) -> bool {
    let name = label.strip_prefix("env ").or_else(|| label.strip_prefix("arg "));
    name.is_some_and(speaks_of_secrets)
}

fn speaks_of_secrets(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["secret", "token", "passw", "key", "credential", "auth", "salt", "private"]
        .iter()
        .any(|word| name.contains(word))
}

/// Tells two values apart without giving either away: 32 bits of a digest fit too many texts. What is
/// hidden, as in a receipt, stays as it is.
fn hidden(text: &str) -> String {
    let is_hidden = |digits: &str| digits.len() == 8 && digits.bytes().all(|one| one.is_ascii_hexdigit());
    if text.strip_prefix(HIDDEN).is_some_and(is_hidden) {
        return text.to_owned();
    }
    format!("{HIDDEN}{}", &Digest::of(text.as_bytes()).to_string()[..8])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Facet;

    #[test]
    fn names_that_speak_of_secrets_hide_their_values() {
        let text = |label: &str| told(&Component::text(Facet::Environment, label, "planted"));
        for label in ["arg GITHUB_TOKEN", "env DB_PASSWORD", "arg api-key"] {
            let Value::Text(once) = text(label) else { panic!("{label}") };
            assert!(once.starts_with(HIDDEN) && !once.contains("planted"), "{once}");
            assert_eq!(hidden(&once), once);
        }
        for label in ["arg PHP_VERSION", "tool token", "run 0"] {
            assert_eq!(text(label), Value::Text("planted".into()), "{label}");
        }
        assert_ne!(hidden("one"), hidden("two"));
        assert_eq!(told_param("token", ""), "");
    }
}
