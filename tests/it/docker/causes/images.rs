//! Images that lose their names or are cleared away, while records say what they were.

use std::time::Duration;

use super::super::engine::{docker, image, remove_image};
use super::super::fixture::Fixture;
use super::shop::Shop;

/// The reason for which a node will run or be put back.
#[track_caller]
fn code(shop: &Shop, node: &str, verdict: &str) -> String {
    let why = shop.explained(node);
    why["verdict"][verdict][0]["code"].as_str().unwrap_or_else(|| panic!("{why}")).to_owned()
}

#[test]
fn tag_that_is_gone_is_given_again_in_no_time() {
    let shop = Shop::base();
    let before = shop.id("base");
    docker(&["image", "rm", &shop.tag("base")]);
    assert_eq!(code(&shop, "base", "restorable"), "tag-missing");
    let said = shop.project.restores(&["base"]);
    assert_eq!(shop.id("base"), before);
    let took = Duration::from_millis(said.finished["duration_ms"].as_u64().unwrap());
    assert!(took < Duration::from_secs(2), "{took:?}");
    shop.project.is_fresh();
}

#[test]
fn tag_that_was_moved_is_moved_back() {
    let shop = Shop::base();
    let before = shop.id("base");
    docker(&["tag", Fixture::busybox(), &shop.tag("base")]);
    assert_eq!(code(&shop, "base", "restorable"), "tag-moved");
    shop.project.restores(&["base"]);
    assert_eq!(shop.id("base"), before);
    shop.project.is_fresh();
}

#[test]
fn embed_that_is_pruned_and_not_needed_costs_nothing() {
    let shop = Shop::whole();
    shop.prune("embed");
    assert_eq!(image(&shop.tag("embed")), None);
    let said = shop.project.run();
    assert!(said.failed.is_empty() && said.warnings.is_empty(), "{}", said.text);
    shop.project.is_fresh();
    shop.project.remove("build/app");
    shop.project.restores(&["binary"]);
    assert_eq!(image(&shop.tag("embed")), None);
}

#[test]
fn base_that_is_pruned_and_needed_is_built_again() {
    let shop = Shop::whole();
    shop.prune("base");
    shop.project.is_fresh();
    shop.edit("builder/embed.Dockerfile", "cat /word", "cat /word /word");
    assert_eq!(code(&shop, "base", "stale"), "image-missing");
    shop.project.runs(&["base", "binary", "embed"]);
    assert_eq!(shop.project.read("build/app"), "one\none\na\npage\n");
    shop.project.is_fresh();
}

/// Only while it runs does it come out that somebody needs the base.
#[test]
fn base_that_is_pruned_is_built_again_for_a_changed_application() {
    let shop = Shop::whole();
    shop.prune("base");
    shop.write("app/page.txt", "another\n");
    let said = shop.project.run();
    assert!(said.failed.is_empty(), "{}", said.text);
    assert_eq!(shop.project.read("build/app"), "one\na\nanother\n");
    shop.project.is_fresh();
}

#[test]
fn target_that_is_pruned_is_built_again() {
    let shop = Shop::whole();
    shop.prune("embed");
    shop.project.is_fresh();
    let said = shop.project.run_with(&["embed"]);
    assert_eq!(said.ran, ["embed"], "{}", said.text);
    assert!(said.text.contains("image-missing"), "{}", said.text);
    assert!(image(&shop.tag("embed")).is_some());
    let said = shop.project.run_with(&["embed"]);
    assert_eq!(said.finished["outcome"], "fresh", "{}", said.text);
}

/// The record that counts is not the latest one.
#[test]
fn target_that_is_pruned_after_switching_back_is_built_again() {
    let shop = Shop::of("FROM NAME-from\nARG WORD\nENV WORD=$WORD\n", "arg \"WORD\" \"one\"");
    let tag = format!("    tag \"{}\"\n", shop.tag("base"));
    shop.project.edit_pipeline(&tag, "");
    shop.project.run_with(&["base"]);
    let first = shop.images();
    shop.project.edit_pipeline("\"one\"", "\"two\"");
    shop.project.run_with(&["base"]);
    shop.project.edit_pipeline("\"two\"", "\"one\"");
    let said = shop.project.run_with(&["base"]);
    assert_eq!(said.finished["outcome"], "fresh", "{}", said.text);
    first.iter().for_each(|id| remove_image(id));
    let said = shop.project.run_with(&["base"]);
    assert_eq!(said.ran, ["base"], "{}", said.text);
}

#[test]
fn pruned_image_of_two_names_is_found_again_by_the_other() {
    let shop = Shop::base();
    let before = shop.id("base");
    // Only the name that means this image for ever is left.
    docker(&["image", "rm", &shop.tag("base")]);
    assert!(shop.images().contains(&before));
    let said = shop.project.run_with(&["base"]);
    assert_eq!((&*said.ran, &*said.restored), (&[] as &[String], &["base".to_owned()][..]), "{}", said.text);
}
