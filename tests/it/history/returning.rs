//! A node that comes back to a record it had before, by being put back or by being fresh at once: that
//! is what it has from then on, and everything that looks back knows it.

use serde_json::json;

use crate::history::world::{World, has, one};

/// `check` publishes nothing, so there is nothing to put back: it is fresh at once.
const BOTH: &str = r#"pipeline "both" { default "check" "copy"; }
command "check" { input "a"; run "grep" "-q" "." "a"; }
command "copy" { input "a"; run "cp" "a" "o"; output "o"; }
"#;

/// Built with `1`, then with `2`, then back at `1`.
fn returned() -> World {
    let world = World::new(BOTH);
    for text in ["1\n", "2\n", "1\n"] {
        world.edit("a", text);
    }
    world
}

#[test]
fn a_receipt_has_what_the_nodes_came_back_to() {
    let world = returned();
    world.ok(&["-q", "run", "--receipt", "r.json"]);
    has(&world.ok(&["explain", "--against", "r.json"]), &["nothing differs"]);
    world.edit("a", "2\n");
    has(&world.ok(&["explain", "--against", "r.json"]), &["2 nodes differ"]);
    // Also where nothing but a fresh node moved, in a run that does nothing.
    world.edit("a", "1\n");
    world.write("a", "2\n");
    world.ok(&["-q", "run", "check", "--receipt", "r.json"]);
    let json = world.json(&["explain", "--against", "r.json", "check"]);
    assert_eq!(json["nodes"][0]["reasons"], json!([]), "{json}");
}

#[test]
fn an_edit_after_it_is_compared_with_what_was_there_last() {
    let world = returned();
    world.write("a", "three\n");
    let text = world.ok(&["explain"]);
    // The record that was made in run 1, which is what stands there, and not the newest.
    has(&text, &["check  REBUILD", "copy   REBUILD"]);
    assert_eq!(text.matches("compared with run 1").count(), 2, "{text}");
}

#[test]
fn what_is_made_again_after_it_is_the_same() {
    let world = returned();
    world.ok(&["-q", "run", "--force", "copy,check"]);
    let steps = world.json(&["runs", "4"])["steps"].clone();
    for node in ["copy", "check"] {
        assert_eq!(one(&steps, "node", node)["same"], true, "{steps}");
    }
}

#[test]
fn runs_are_compared_by_what_nodes_had_then() {
    let world = returned();
    has(&world.ok(&["diff", "1", "3"]), &["nothing differs"]);
    let json = world.json(&["diff", "2", "3"]);
    assert_eq!(one(&json["nodes"], "node", "copy")["change"], "changed");
    assert_eq!(one(&json["nodes"], "node", "check")["causes"][0]["label"], "input a");
    let steps = world.json(&["runs", "3"])["steps"].clone();
    assert_eq!(one(&steps, "node", "copy")["outcome"], "restored");
    assert_eq!(one(&steps, "node", "copy")["same"], false, "it had another artifact in run 2");
    assert_eq!(one(&steps, "node", "check")["outcome"], "fresh");
    // Nothing moved: no step, and no run but in the log of those that did nothing.
    world.run();
    assert_eq!(world.json(&["runs", "4"])["steps"], json!([]));
}

#[test]
fn what_is_assumed_fresh_is_what_the_node_has() {
    let world = returned();
    world.write("a", "3\n");
    world.write(
        "pipeline.kdl",
        &format!("{BOTH}command \"use\" {{ from \"copy\"; run \"cp\" \"o\" \"p\"; output \"p\"; }}\n"),
    );
    world.ok(&["-q", "run", "use", "--assume-fresh", "copy"]);
    assert_eq!(world.read("p"), "1\n");
}

#[test]
fn a_shared_result_is_what_the_node_has() {
    let world = returned();
    // The clone of the project is another one in the same store.
    let other = World::new(BOTH);
    let store = world.path("cache");
    let store = store.to_str().unwrap();
    other.write("a", "2\n");
    other.ok(&["-q", "run", "--store", store]);
    assert_eq!(other.json(&["explain", "--store", store])["nodes"][0]["verdict"], "fresh");
    other.write("a", "1\n");
    other.ok(&["-q", "run", "--store", store, "--receipt", "r.json"]);
    has(&other.ok(&["explain", "--store", store, "--against", "r.json"]), &["nothing differs"]);
}
