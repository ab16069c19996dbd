//! Secrets of a build: needed before it starts, and nowhere to be found after it.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::engine::docker;
use super::shop::Shop;

const VALUE: &str = "hunter2-correct-horse-battery";

const DOCKERFILE: &str = "FROM NAME-from\n\
    RUN --mount=type=secret,id=token,required=true : NAME; echo got $(cat /run/secrets/token) && \
    wc -c < /run/secrets/token > /size\n";

fn shop(options: &str) -> Shop {
    let mut shop = Shop::of(DOCKERFILE, &format!("secret \"token\" env=\"TOKEN\" {options}"));
    shop.project.env.insert("TOKEN".to_owned(), VALUE.to_owned());
    shop
}

/// Files below `folder` that hold the secret.
fn holders(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holders(&path));
        } else if path.is_file()
            && fs::read(&path).unwrap().windows(VALUE.len()).any(|w| w == VALUE.as_bytes())
        {
            found.push(path);
        }
    }
    found
}

#[track_caller]
fn is_nowhere(shop: &Shop) {
    assert_eq!(holders(&shop.project.root), [] as [PathBuf; 0]);
    for args in [&["explain"][..], &["explain", "--json"], &["log", "base"], &["runs"], &["run", "-v"]] {
        let (_, text) = shop.says(args);
        assert!(!text.contains(VALUE), "{args:?}: {text}");
    }
}

#[test]
fn value_of_a_secret_appears_nowhere() {
    let shop = shop("");
    let said = shop.project.runs(&["base"]);
    assert!(said.text.contains("got "), "what it prints is shown: {}", said.text);
    assert!(!said.text.contains(VALUE), "{}", said.text);
    assert_eq!(shop.inside("base", "cat /size"), VALUE.len().to_string());
    is_nowhere(&shop);
    let tag = shop.tag("base");
    let history = docker(&["history", "--no-trunc", &tag]);
    assert!(history.contains("/run/secrets/token") && !history.contains(VALUE), "{history}");
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("image.tar");
    docker(&["save", "--output", archive.to_str().unwrap(), &tag]);
    assert_eq!(holders(folder.path()), [] as [PathBuf; 0]);
}

#[test]
fn value_of_a_secret_appears_nowhere_when_the_step_fails() {
    let shop = shop("");
    shop.edit("builder/Dockerfile", "wc -c", "false && wc -c");
    let said = shop.project.try_run(&[]);
    assert_eq!(said.code, 1, "{}", said.text);
    assert!(said.text.contains("got ") && !said.text.contains(VALUE), "{}", said.text);
    let (_, text) = shop.says(&["run"]);
    assert!(text.contains("got ") && !text.contains(VALUE), "{text}");
    is_nowhere(&shop);
}

#[test]
fn secret_that_is_required_and_missing_ends_with_3_before_the_build() {
    let mut shop = shop("");
    shop.project.env.clear();
    let said = shop.project.try_run(&[]);
    assert_eq!(said.code, 3, "{}", said.text);
    assert!(said.text.contains("`token`") && !said.text.contains("step 1 of"), "{}", said.text);
    assert_eq!(shop.images(), [] as [&str; 0]);
}

#[test]
fn secret_that_may_be_missing_and_is_needed_by_a_step_ends_with_3() {
    let mut shop = shop("required=#false");
    shop.project.env.clear();
    let said = shop.project.try_run(&[]);
    assert_eq!(said.code, 3, "{}", said.text);
    assert!(said.text.contains("`token`"), "{}", said.text);
}

#[test]
fn secret_comes_from_a_file_too() {
    let shop = Shop::of(DOCKERFILE, "secret \"token\" file=\"../token\"");
    fs::write(shop.project.folder.path().join("token"), VALUE).unwrap();
    shop.project.runs(&["base"]);
    assert_eq!(shop.inside("base", "cat /size"), VALUE.len().to_string());
    is_nowhere(&shop);
}

#[test]
fn a_new_version_of_a_secret_is_used_though_the_engine_has_the_step_cached() {
    let mut shop = shop("version=\"1\"");
    shop.project.runs(&["base"]);
    assert_eq!(shop.inside("base", "cat /size"), VALUE.len().to_string());
    shop.project.env.insert("TOKEN".to_owned(), "short-secret".to_owned());
    shop.project.edit_pipeline("version=\"1\"", "version=\"2\"");
    shop.project.runs(&["base"]);
    assert_eq!(shop.inside("base", "cat /size"), "short-secret".len().to_string());
    shop.project.is_fresh();
}
