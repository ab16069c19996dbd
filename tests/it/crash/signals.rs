//! Ctrl-C and a polite request to end: everything that was started is gone, nothing half-made stays.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::project::{Output, Project};

/// A command line that only this test's processes have.
fn sleeper(tag: u32) -> String {
    format!("{}.{}{tag}", 1000, std::process::id())
}

fn sleeping(tag: &str) -> usize {
    fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter(|entry| {
            let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            line.split(|byte| *byte == 0).any(|word| word == tag.as_bytes())
        })
        .count()
}

/// Starts a run and reads what it says until a recipe has printed `ready`.
#[expect(clippy::zombie_processes, reason = "a test that panics here is over")]
fn until_ready(project: &Project) -> Child {
    let mut run =
        project.command(&["run", "--json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(run.stdout.take().unwrap());
    let mut line = String::new();
    loop {
        line.clear();
        assert!(lines.read_line(&mut line).unwrap() > 0, "the run ended without being ready");
        if line.contains(r#""line":"ready""#) {
            // Whoever writes on must not be stopped by a full or broken pipe.
            std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
            return run;
        }
    }
}

fn ended_by(run: Child, signal: Signal) -> (Output, Duration) {
    let started = Instant::now();
    kill_process(Pid::from_child(&run), signal).unwrap();
    (Output::of(run.wait_with_output().unwrap()), started.elapsed())
}

fn signalled(isolate: &str, signal: Signal, code: i32, tag: u32) {
    let tag = sleeper(tag);
    let project = Project::new(&format!(
        r#"
pipeline "signals"
command "slow" isolate={isolate} {{
    input "src"
    run "sh" "-c" "if grep -q quick src; then echo quick > out; exit 0; fi; echo half > out; sh -c 'sleep {tag} & sleep {tag}' & sleep {tag} & echo ready; wait"
    output "out"
}}
command "after" {{
    input "out"
    run "sh" "-c" "cat out > after"
    output "after"
}}
"#
    ));
    project.write("src", "quick\n");
    project.ok(&["run"]);
    let before = project.tree(&["out", "after"]);

    project.write("src", "slow\n");
    let run = until_ready(&project);
    let deadline = Instant::now() + Duration::from_secs(10);
    while sleeping(&tag) < 3 {
        assert!(Instant::now() < deadline, "the grandchildren do not begin");
        std::thread::sleep(Duration::from_millis(5));
    }
    let (output, took) = ended_by(run, signal);
    output.expect(code);
    assert!(took < Duration::from_secs(4), "{took:?}");
    assert_eq!(sleeping(&tag), 0, "the whole group is gone");
    assert_eq!(project.tree(&["out", "after"]), before, "the old outputs stand");
    assert_eq!(project.litter(), Vec::<String>::new());
    project.ok(&["runs"]).says("stopped");

    project.write("src", "quick too\n");
    project.ok(&["run"]);
    assert_eq!(project.read("after"), "quick\n");
    project.is_fresh();
}

#[test]
fn interrupt_ends_an_isolated_recipe_and_its_grandchildren() {
    signalled("#true", Signal::INT, 130, 1);
}

#[test]
fn interrupt_puts_back_the_outputs_of_a_recipe_in_place() {
    signalled("#false", Signal::INT, 130, 2);
}

#[test]
fn request_to_end_is_told_apart_from_an_interrupt() {
    signalled("#false", Signal::TERM, 143, 3);
}

/// A closed terminal ends osgraph; recipes lead groups of their own and would run on unseen.
#[test]
fn closed_terminal_ends_the_recipes_too() {
    signalled("#false", Signal::HUP, 143, 4);
}

#[test]
fn recipe_that_ignores_the_request_is_killed() {
    let tag = sleeper(5);
    let project = Project::new(&format!(
        r#"
pipeline "stubborn"
command "slow" {{
    run "sh" "-c" "trap '' TERM INT; echo ready; while true; do sleep {tag}; done"
    output "out"
}}
"#
    ));
    let run = until_ready(&project);
    let (output, took) = ended_by(run, Signal::INT);
    output.expect(130);
    assert!(took < Duration::from_secs(9), "{took:?}");
    assert_eq!(sleeping(&tag), 0);
    assert!(!project.exists("out"));
}
