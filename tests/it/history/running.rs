//! `ps`, and a run that joins another.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::history::world::{World, has};

/// Its first node works until `go` is there; each time it works, it adds a line to `count`.
const GATED: &str = r#"pipeline "gated"
command "slow" isolate=#false {
    run "sh" "-c" "echo x >> count; echo begun; while [ ! -e go ]; do sleep 0.05; done; echo ended; echo out > slow.txt"
    output "slow.txt"
    timeout "2m"
}
command "next" {
    from "slow"
    run "cp" "slow.txt" "next.txt"
    output "next.txt"
}
"#;

/// A run that is under way, with its events.
struct Running {
    child: Child,
    events: BufReader<std::process::ChildStdout>,
}

impl Running {
    fn start(world: &World, args: &[&str]) -> Self {
        let mut child = world.command(args).stdout(Stdio::piped()).spawn().unwrap();
        let events = BufReader::new(child.stdout.take().unwrap());
        Self { child, events }
    }

    /// Reads until an event of that name; it must come.
    fn until(&mut self, name: &str) -> Value {
        loop {
            let mut line = String::new();
            assert_ne!(self.events.read_line(&mut line).unwrap(), 0, "`{name}` did not come");
            let event: Value = serde_json::from_str(&line).unwrap();
            if event["event"] == name {
                return event;
            }
        }
    }

    fn end(mut self) -> i32 {
        let mut line = String::new();
        while self.events.read_line(&mut line).unwrap() > 0 {}
        self.child.wait().unwrap().code().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_is_being_made_is_listed_and_a_second_run_shares_it() {
    let world = World::new(GATED);
    assert_eq!(world.ok(&["ps"]), "nothing is being made\n");
    assert_eq!(world.json(&["ps"])["running"], json!([]));

    let mut first = Running::start(&world, &["run", "--json"]);
    assert_eq!(first.until("node_printed")["line"], "begun");
    let listed = world.ok(&["ps"]);
    has(&listed, &["node", "expected", "slow", "no history yet", "pipeline.kdl"]);
    let running = world.json(&["ps"])["running"].clone();
    assert_eq!(running.as_array().unwrap().len(), 1, "{running}");
    assert_eq!((&running[0]["node"], &running[0]["run"]), (&json!("slow"), &json!(1)));
    assert_eq!(running[0]["pid"], first.child.id());
    let log = std::fs::read_to_string(running[0]["log"].as_str().unwrap()).unwrap();
    assert!(log.contains("begun"), "{log}");

    // The second run waits, and shows what the first prints while it prints it.
    let mut second = Running::start(&world, &["run", "--json"]);
    assert_eq!(second.until("node_waited")["node"], "slow");
    assert_eq!(second.until("node_printed")["line"], "begun");
    world.write("go", "");
    assert_eq!(second.until("node_printed")["line"], "ended");
    let shared = second.until("node_finished");
    assert_eq!((&shared["node"], &shared["outcome"]), (&json!("slow"), &json!("restored")));
    let end = second.until("run_finished");
    assert_eq!((&end["failed"], &end["skipped"]), (&json!(0), &json!(0)), "{end}");
    assert_eq!((first.end(), second.end()), (0, 0));

    assert_eq!(world.read("count"), "x\n", "it was made once");
    assert_eq!(world.read("next.txt"), "out\n");
    assert_eq!(world.ok(&["ps"]), "nothing is being made\n");
    // What it takes is known now.
    std::fs::remove_file(world.path("go")).unwrap();
    let mut third = Running::start(&world, &["run", "--json", "--force", "slow"]);
    third.until("node_printed");
    assert_eq!(world.json(&["ps"])["running"][0]["estimate"]["samples"], 1);
    world.write("go", "");
    assert_eq!(third.end(), 0);
}

#[test]
fn what_a_killed_run_was_making_is_not_listed() {
    let world = World::new(GATED);
    let mut run = Running::start(&world, &["run", "--json"]);
    run.until("node_printed");
    run.child.kill().unwrap();
    run.child.wait().unwrap();
    let started = Instant::now();
    while world.ok(&["ps"]) != "nothing is being made\n" {
        assert!(started.elapsed() < Duration::from_secs(30), "{}", world.ok(&["ps"]));
        std::thread::sleep(Duration::from_millis(50));
    }
    // What it left behind ends by itself.
    world.write("go", "");
}

#[test]
fn logs_are_found_by_node_and_by_run_for_programs_too() {
    let world = World::shop();
    world.run();
    assert_eq!(world.ok(&["log", "app"]), "made\n");
    let json = world.json(&["log", "app"]);
    assert_eq!(json["logs"], json!([{ "run": 1, "node": "app", "text": "made\n" }]));
    assert_eq!(world.json(&["log", "1"])["logs"], json["logs"]);
    let silent = world.json(&["log", "lines"]);
    assert_eq!((&silent["logs"], &silent["silent"]), (&json!([]), &json!({ "run": 1, "node": "lines" })));
}
