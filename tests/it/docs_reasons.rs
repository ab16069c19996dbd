//! `docs/reasons.md` has an entry for every code of `plan::reason`, and for no other.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// `InputChanged` as `input-changed`.
fn kebab(name: &str) -> String {
    let mut out = String::new();
    for char in name.chars() {
        if char.is_ascii_uppercase() && !out.is_empty() {
            out.push('-');
        }
        out.push(char.to_ascii_lowercase());
    }
    out
}

/// The variants of `enum Code`, as the JSON has them.
fn codes() -> BTreeSet<String> {
    let source = read("src/plan/reason.rs");
    let body = source.split("pub enum Code {").nth(1).unwrap().split("\n}").next().unwrap();
    let lines = body.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"));
    lines.map(|line| kebab(line.trim_end_matches(','))).collect()
}

/// Title and text of each entry.
fn entries(page: &str) -> Vec<(&str, &str)> {
    page.split("\n## `").skip(1).map(|entry| entry.split_once("`\n").unwrap()).collect()
}

#[test]
fn every_code_has_one_entry_and_every_entry_its_code() {
    let page = read("docs/reasons.md");
    let entries = entries(&page);
    let documented: BTreeSet<String> = entries.iter().map(|(title, _)| (*title).to_owned()).collect();
    assert!(!documented.is_empty());
    assert_eq!(documented.len(), entries.len(), "a code has two entries");
    assert_eq!(documented, codes());
}

#[test]
fn every_entry_has_a_meaning_an_example_and_a_mend() {
    let page = read("docs/reasons.md");
    for (title, text) in entries(&page) {
        let parts: Vec<&str> = text.split("```").collect();
        assert_eq!(parts.len(), 3, "`{title}` has not one example");
        assert!(!parts[0].trim().is_empty(), "`{title}` has no meaning");
        let example = parts[1].strip_prefix("text\n").unwrap_or("");
        assert!(!example.trim().is_empty(), "`{title}` has no example");
        let mend = parts[2].trim().strip_prefix("Mend: ").unwrap_or("");
        assert!(!mend.is_empty(), "`{title}` has no mend");
    }
}
