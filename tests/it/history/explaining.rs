//! `explain --last`, `run --receipt` and `explain --against`.

use serde_json::json;

use crate::history::world::{World, has, one};

#[test]
fn the_last_work_on_each_node_is_told_as_it_was_told_then() {
    let world = World::shop();
    let (code, out, err) = world.say(&["explain", "--last"]);
    assert_eq!((code, out.as_str(), err.as_str()), (0, "", "nothing has run yet\n"));
    assert_eq!(world.json(&["explain", "--last"])["steps"], json!([]));

    world.run();
    world.edit("src/b", "two more\n");
    // What comes later is another matter.
    world.write("src/a", "edited since\n");
    let text = world.ok(&["explain", "--last"]);
    has(
        &text,
        &[
            "source  RAN  ",
            "in run 2, main@",
            "compared with run 1, main@",
            "another artifact than before",
            "M  b   4 → 9 B",
            "└ pipeline.kdl:7",
            "`source` changed: 1 path",
            "same artifact as before",
            "pack    RAN  ",
            "in run 1, main@",
            "never built",
        ],
    );
    assert!(!text.contains("edited") && !text.contains("M  a "), "{text}");

    let steps = world.json(&["explain", "--last"])["steps"].clone();
    let source = one(&steps, "node", "source");
    assert_eq!((&source["run"], &source["baseline"], &source["same"]), (&json!(2), &json!(1), &json!(false)));
    assert_eq!(source["reasons"][0]["code"], "input-changed");
    assert_eq!(source["reasons"][0]["changes"][0]["path"], "b");
    let lines = one(&steps, "node", "lines");
    assert_eq!((&lines["run"], &lines["same"]), (&json!(2), &json!(true)));
    assert_eq!(lines["reasons"][0]["node"], "app");
    let pack = one(&steps, "node", "pack");
    assert_eq!(
        (&pack["run"], &pack["same"]),
        (&json!(1), &json!(null)),
        "an identical upstream ended the cascade"
    );

    let of_one = world.json(&["explain", "--last", "source"]);
    assert_eq!(of_one["steps"].as_array().unwrap().len(), 1);
}

#[test]
fn a_failure_is_the_last_work_on_its_node() {
    let world = World::new("pipeline \"p\"\ncommand \"c\" { input \"a\"; run \"grep\" \"good\" \"a\"; }\n");
    world.write("a", "good\n");
    world.run();
    world.write("a", "bad\n");
    assert_eq!(world.say(&["run"]).0, 1);
    has(&world.ok(&["explain", "--last"]), &["c  FAILED  ", "in run 2", "`input a` changed: 5 → 4 B"]);
    assert_eq!(world.json(&["explain", "--last"])["steps"][0]["outcome"], "failed");
}

#[test]
fn a_receipt_compares_equal_here_and_in_a_clone() {
    let world = World::shop();
    world.ok(&["-q", "run", "--receipt", "r.json"]);
    has(
        &world.ok(&["explain", "--against", "r.json"]),
        &["nothing differs  compared with `r.json`: run 1, main@"],
    );

    let clone = world.cloned();
    let receipt = world.path("r.json");
    let receipt = receipt.to_str().unwrap();
    // Nothing is known there yet, and what can be compared is the same.
    let json = clone.json(&["explain", "--against", receipt]);
    for node in json["nodes"].as_array().unwrap() {
        assert_eq!((&node["known"], &node["reasons"]), (&json!(true), &json!([])), "{json}");
    }
    clone.run();
    has(&clone.ok(&["explain", "--against", receipt]), &["nothing differs", "run 1, main@"]);
    let json = clone.json(&["explain", "--against", receipt]);
    assert!(json["nodes"].as_array().unwrap().iter().all(|node| node["whole"] == true), "{json}");
}

#[test]
fn what_differs_from_a_receipt_is_named_to_the_file() {
    let world = World::shop();
    world.ok(&["-q", "run", "--receipt", "r.json"]);
    let clone = world.cloned();
    let receipt = world.path("r.json");
    clone.edit("src/b", "two more\n");
    let text = clone.ok(&["explain", "--against", receipt.to_str().unwrap()]);
    has(
        &text,
        &[
            "3 nodes differ",
            "source  DIFFERS",
            "M  b   4 → 9 B",
            "└ pipeline.kdl:7",
            "lines   DIFFERS",
            "M  app/app   8 → 13 B",
            "1 node is the same",
        ],
    );
    let json = clone.json(&["explain", "--against", receipt.to_str().unwrap()]);
    assert_eq!(json["against"]["run"], 1);
    let source = one(&json["nodes"], "node", "source");
    assert_eq!(source["reasons"][0]["changes"][0]["path"], "b");
    assert_eq!(one(&json["nodes"], "node", "pack")["reasons"], json!([]));
    assert_eq!(one(&json["nodes"], "node", "lines")["reasons"][0]["node"], "app");
}

#[test]
fn what_an_edit_would_change_is_told_before_it_is_built() {
    let world = World::shop();
    world.ok(&["-q", "run", "--receipt", "r.json"]);
    world.write("src/a", "one\nmore\n");
    let json = world.json(&["explain", "--against", "r.json"]);
    let source = one(&json["nodes"], "node", "source");
    assert_eq!(source["reasons"][0]["changes"][0]["path"], "a", "{json}");
    // What it reads is not there yet: its own side alone is compared, and that is the same.
    let app = one(&json["nodes"], "node", "app");
    assert_eq!((&app["whole"], &app["reasons"]), (&json!(false), &json!([])));
}

#[test]
fn a_receipt_tells_secrets_apart_and_gives_none_away() {
    let world = World::shop();
    world.ok(&["-q", "run", "--receipt", "r.json", "--set", "token=first-value"]);
    assert!(!world.read("r.json").contains("first-value"));
    world.ok(&["-q", "run", "--set", "token=other-value"]);
    let args = ["explain", "--against", "r.json", "--set", "token=other-value"];
    let text = world.ok(&args);
    has(&text, &["`env DEPLOY_TOKEN` changed: \"hidden "]);
    let json = world.ok(&[&args[..], &["--json"]].concat());
    for said in [&text, &json] {
        assert!(!said.contains("first-value") && !said.contains("other-value"), "{said}");
    }
}

#[test]
fn a_node_that_a_receipt_does_not_have_is_unknown_to_it() {
    let world = World::shop();
    world.ok(&["-q", "run", "app", "--receipt", "r.json"]);
    has(&world.ok(&["explain", "--against", "r.json"]), &["lines  UNKNOWN", "the receipt does not have it"]);
    let json = world.json(&["explain", "--against", "r.json"]);
    assert_eq!(one(&json["nodes"], "node", "pack")["known"], false);
}

#[test]
fn what_is_no_receipt_is_refused_with_a_mend() {
    let world = World::shop();
    let (code, said) = world.refused(&["explain", "--against", "nowhere.json"]);
    assert!(code == 3 && said.contains("there is no `nowhere.json`"), "{said}");
    let (code, said) = world.refused(&["explain", "--against", "pipeline.kdl"]);
    assert!(code == 2 && said.contains("`pipeline.kdl` cannot be compared with: it is no receipt"), "{said}");
    world.run();
    world.ok(&["run", "-q", "--receipt", "r.json"]);
    world.write("r.json", &world.read("r.json").replacen("\"v\":1", "\"v\":99", 1));
    let (code, said) = world.refused(&["explain", "--against", "r.json"]);
    assert!(code == 2 && said.contains("its version is 99"), "{said}");
}
