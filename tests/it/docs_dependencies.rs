//! `docs/dependencies.md` has a line for every dependency of `Cargo.toml`, and for no other.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Names in the sections of `Cargo.toml` whose title `is_wanted`.
fn declared(is_wanted: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let mut on = false;
    let mut names = BTreeSet::new();
    for line in read("Cargo.toml").lines() {
        if let Some(title) = line.strip_prefix('[') {
            on = is_wanted(title.trim_end_matches(']'));
        } else if on && let Some((name, _)) = line.split_once('=') {
            names.insert(name.trim().to_owned());
        }
    }
    names
}

/// `clap, clap_complete` and `flate2 (zlib-rs)` as names.
fn names(text: &str) -> BTreeSet<String> {
    let bare = text.split(',').map(|one| one.split('(').next().unwrap_or("").trim().to_owned());
    bare.filter(|name| !name.is_empty()).collect()
}

#[test]
fn every_dependency_has_its_line_and_every_line_its_dependency() {
    let page = read("docs/dependencies.md");
    let table = page.split("| crate | what for |").nth(1).unwrap().split("\n\n").next().unwrap();
    let rows = table.lines().skip(2).filter_map(|line| line.split('|').nth(1));
    let documented: BTreeSet<String> = rows.flat_map(names).collect();
    assert!(!documented.is_empty());
    assert_eq!(documented, declared(|title| title == "dependencies"));

    let tests = page.split("Only for tests:").nth(1).unwrap().split("\n\n").next().unwrap();
    for name in declared(|title| title == "dev-dependencies") {
        assert!(tests.contains(&name), "`{name}` is not among those for tests");
    }
}

#[test]
fn the_number_of_packages_is_that_of_the_lock_file() {
    let packages = read("Cargo.lock").lines().filter(|line| *line == "[[package]]").count();
    let said = format!("`Cargo.lock` holds {packages} packages");
    assert!(read("docs/dependencies.md").contains(&said), "docs/dependencies.md does not say: {said}");
}
