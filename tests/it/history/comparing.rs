//! `stats` and `diff`.

use serde_json::json;

use crate::history::world::{World, has, one};

#[test]
fn the_ledger_counts_rebuilds_their_time_and_those_that_gave_nothing_new() {
    let world = World::shop();
    assert_eq!(world.json(&["stats"])["runs"], 0);
    assert_eq!(world.ok(&["stats"]), "nothing has run yet\n");
    world.run();
    has(&world.ok(&["stats"]), &["of work in 1 run, 0 ms of it", "every node ran once"]);
    for edit in ["2\n", "3\n", "4\n"] {
        world.edit("src/b", edit);
    }
    world.edit("src/a", "1\n2\n");
    // Put back, not built: no work and no waste.
    world.edit("src/a", "one\n");
    world.ok(&["-q", "run", "--force", "app"]);

    let json = world.json(&["stats"]);
    // The first, three edits of `b`, one of `a`, one by force.
    assert_eq!(json["runs"], 6, "{json}");
    let b = one(&json["causes"], "what", "b");
    assert_eq!((&b["node"], &b["rebuilds"], &b["identical"]), (&json!("source"), &json!(3), &json!(0)));
    let force = one(&json["causes"], "what", "--force");
    assert_eq!(
        (&force["node"], &force["rebuilds"], &force["identical"]),
        (&json!("app"), &json!(1), &json!(1))
    );
    let (work, identical) = (json["work_ms"].as_u64().unwrap(), json["identical_ms"].as_u64().unwrap());
    let causes = json["causes"].as_array().unwrap();
    let times: Vec<u64> = causes.iter().map(|cause| cause["time_ms"].as_u64().unwrap()).collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "the dearest first: {json}");
    // `lines` came out the same three times, `app` once.
    assert!(identical > 0 && identical < work && times.iter().sum::<u64>() <= work, "{json}");

    let text = world.ok(&["stats"]);
    has(&text, &["of work in 6 runs", "rebuilds", "identical"]);
    let line = |cause: &str| {
        let line = text.lines().find(|line| line.ends_with(cause)).unwrap_or_else(|| panic!("{text}"));
        line.split_whitespace().rev().take(4).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(line(" b"), ["b", "source", "0", "3"]);
    assert_eq!(line("--force"), ["--force", "app", "1", "1"]);
    has(&world.ok(&["stats", "--limit", "1"]), &["… and 2 more causes"]);
}

#[test]
fn two_runs_are_compared_node_by_node() {
    let world = World::shop();
    world.run();
    world.edit("src/b", "two more\n");
    world.edit("src/a", "1\n2\n");

    let text = world.ok(&["diff", "1", "2"]);
    has(
        &text,
        &[
            "run 1 (main@",
            "source  another artifact",
            "causes   `source` changed: `b` modified, 4 → 9 B",
            "results  M  b   4 → 9 B",
            "app     another artifact",
            "causes   upstream `source` changed: `b` modified, 4 → 9 B",
            "results  M  app/app   8 → 13 B",
            "lines   same artifact from other inputs",
            "causes   upstream `app` changed: `app/app` modified",
            "1 node is the same",
        ],
    );
    let json = world.json(&["diff", "1", "2"]);
    assert_eq!((&json["old"]["id"], &json["new"]["id"]), (&json!(1), &json!(2)));
    let change = |node: &str| one(&json["nodes"], "node", node)["change"].clone();
    assert_eq!(change("app"), "changed");
    assert_eq!(change("lines"), "same_artifact");
    assert_eq!(change("pack"), "same");
    assert_eq!(one(&json["nodes"], "node", "lines")["causes"][0]["node"], "app");

    // The other way round, what was added is removed.
    has(&world.ok(&["diff", "2", "1"]), &["M  b   9 → 4 B"]);
    assert_eq!(world.ok(&["diff", "2", "2"]).lines().nth(1), Some("nothing differs"));
}

#[test]
fn members_of_a_package_are_compared_with_their_causes() {
    let world = World::shop();
    world.run();
    world.write("files/new.txt", "new\n");
    std::fs::remove_file(world.path("files/read.me")).unwrap();
    world.edit("src/a", "1\n2\n");
    let text = world.ok(&["diff", "pack@1", "pack@2"]);
    has(
        &text,
        &[
            "pack  another artifact",
            "`copy 0 files` changed: `new.txt` and 1 more path",
            "upstream `lines` changed",
            "M  bin/lines   2 B",
            "M  build-manifest.json",
            "A  new.txt   4 B",
            "D  read.me   8 B",
        ],
    );
    let json = world.json(&["diff", "pack@1", "pack@2"]);
    let pack = one(&json["nodes"], "node", "pack");
    assert_eq!(one(&pack["members"], "path", "new.txt")["kind"], "added");
    assert_eq!(one(&pack["members"], "path", "bin/lines")["kind"], "modified");
    assert_eq!(one(&pack["causes"], "facet", "upstream")["node"], "lines");
    assert_eq!(pack["more"], false);
    // Two nodes may be compared with one another.
    has(&world.ok(&["diff", "app@1", "lines@2"]), &["lines  another artifact"]);
}

#[test]
fn nodes_that_only_one_run_knew_are_told() {
    let world = World::shop();
    world.ok(&["-q", "run", "app"]);
    world.run();
    has(&world.ok(&["diff", "1", "2"]), &["only in the second", "2 nodes are the same"]);
    has(&world.ok(&["diff", "2", "1"]), &["only in the first"]);
    let json = world.json(&["diff", "1", "2"]);
    assert_eq!(one(&json["nodes"], "node", "pack")["change"], "added");
}

#[test]
fn what_was_made_again_from_the_same_inputs_is_not_called_the_same() {
    let world = World::new(
        "pipeline \"p\"\ncommand \"odd\" { run \"sh\" \"-c\" \"head -c 16 /dev/urandom > o\"; output \"o\"; }\n\
         command \"even\" { run \"touch\" \"e\"; output \"e\"; }\n",
    );
    world.run();
    world.ok(&["-q", "run", "--force", "odd,even"]);
    let json = world.json(&["diff", "1", "2"]);
    assert_eq!(one(&json["nodes"], "node", "odd")["change"], "remade", "{json}");
    assert_eq!(one(&json["nodes"], "node", "even")["change"], "same", "{json}");
    has(&world.ok(&["diff", "1", "2"]), &["odd  made again from the same inputs, perhaps differently"]);
    // A run after both tells nothing of what they made.
    world.ok(&["-q", "run", "--force", "odd"]);
    assert_eq!(world.json(&["diff", "3", "3"])["nodes"][0]["change"], "same");
    has(&world.ok(&["diff", "1", "2"]), &["odd  made again"]);
}

#[test]
fn what_cannot_be_compared_is_refused_with_a_mend() {
    let world = World::shop();
    world.ok(&["-q", "run", "app"]);
    for (args, part) in [
        (["1", "app@1"], "a run and a node cannot be compared"),
        (["1", "77"], "there is no run 77"),
        (["1", "latest"], "`latest` is neither the number of a run nor NODE@RUN"),
        (["pack@1", "pack@1"], "`pack` had no record yet when run 1 was through"),
    ] {
        let (code, said) = world.refused(&["diff", args[0], args[1]]);
        assert!(code == 2 && said.contains(part), "{said}");
    }
}
