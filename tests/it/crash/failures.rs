//! Recipes that fail, and what is said and kept of it.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::project::Project;

#[test]
fn failing_recipe_shows_its_last_lines_and_keeps_its_log() {
    let project = Project::new(
        r#"
pipeline "fails"
command "loud" { run "sh" "-c" "seq 1 40; echo the reason >&2; exit 7"; output "out" }
"#,
    );
    let output = project.osgraph(&["run", "--json"]);
    output.expect(1);
    let failed = output.event("node_failed", "loud");
    assert!(failed["message"].as_str().unwrap().contains("exit code 7"), "{failed}");
    let tail = failed["tail"].as_array().unwrap();
    assert_eq!((tail.len(), &tail[19]), (20, &"the reason".into()), "{failed}");
    let log = std::fs::read_to_string(failed["log"].as_str().unwrap()).unwrap();
    assert!(log.starts_with("1\n2\n") && log.ends_with("40\nthe reason\n"), "{log}");
    assert!(!project.exists("out"));
    assert_eq!(project.ok(&["log", "loud"]).stdout, log);
    project.osgraph(&["run"]).expect(1).says("the reason").says(".log");
    assert_eq!(project.litter(), Vec::<String>::new());
}

#[test]
fn keep_going_builds_what_it_can_and_exits_with_the_lowest_code() {
    let project = Project::new(
        r#"
pipeline "going"
command "lacks" { run "no-such-program-anywhere"; output "lacks" }
command "fails" { run "sh" "-c" "exit 9"; output "fails" }
command "good" { run "sh" "-c" "sleep 0.2; echo good > good"; output "good" }
command "below" { from "fails"; run "sh" "-c" "echo below > below"; output "below" }
command "onward" { from "good"; run "sh" "-c" "cat good > onward"; output "onward" }
"#,
    );
    project.osgraph(&["run", "lacks"]).expect(3).says("no-such-program-anywhere");
    let output = project.osgraph(&["run", "-k", "--json"]);
    output.expect(1);
    assert_eq!(project.read("onward"), "good\n");
    let finished = output.finished();
    assert_eq!(
        (&finished["failed"], &finished["skipped"], &finished["ran"]),
        (&2.into(), &1.into(), &2.into())
    );
    assert_eq!(output.event("node_skipped", "below")["because"], "fails");
    project.osgraph(&["run", "-k", "lacks", "good"]).expect(3);
}

#[test]
fn without_keep_going_nothing_starts_after_a_failure() {
    let project = Project::new(
        r#"
pipeline "stops"
command "a" { run "sh" "-c" "exit 1"; output "a" }
command "b" { run "sh" "-c" "echo b > b"; output "b" }
command "c" { run "sh" "-c" "echo c > c"; output "c" }
"#,
    );
    project.osgraph(&["run", "c"]).expect(0);
    project.osgraph(&["run", "-j", "1"]).expect(1);
    assert!(!project.exists("b"));
    // History tells what was not come to from what was fresh.
    let told: Value = serde_json::from_str(&project.ok(&["runs", "2", "--json"]).stdout).unwrap();
    let steps = told["steps"].as_array().unwrap().iter();
    let steps: Vec<_> =
        steps.map(|step| (step["node"].as_str().unwrap(), step["outcome"].as_str().unwrap())).collect();
    assert_eq!(steps, [("a", "failed"), ("b", "skipped")]);
}

#[test]
fn timeout_kills_the_recipe_and_says_so() {
    for isolate in ["#true", "#false"] {
        let project = Project::new(&format!(
            r#"
pipeline "late"
command "slow" isolate={isolate} {{
    run "sh" "-c" "echo half > out; sleep 100 & sleep 100"
    output "out"
    timeout "300ms"
}}
"#
        ));
        let started = Instant::now();
        project
            .osgraph(&["run"])
            .expect(1)
            .says("still running after 300ms")
            .says("raise the node's `timeout`");
        assert!(started.elapsed() < Duration::from_secs(6));
        assert!(!project.exists("out"), "isolate={isolate}");
        assert_eq!(project.litter(), Vec::<String>::new());
    }
}

#[test]
fn retries_are_counted_and_the_last_failure_stands() {
    for isolate in ["#true", "#false"] {
        let project = Project::new("");
        let log = project.beside("ran");
        let pipeline = |limit: u32| {
            format!(
                r#"
pipeline "again"
command "flaky" isolate={isolate} {{
    run "sh" "-c" "echo try >> {log}; test ! -e out; echo half > out; test $(wc -l < {log}) -ge 3 && echo whole > out"
    output "out"
    retries {limit}
}}
"#,
                log = log.display()
            )
        };
        project.write("pipeline.kdl", pipeline(1));
        project.osgraph(&["run"]).expect(1);
        assert_eq!(project.ran()["try"], 2, "one run and one retry");
        assert!(!project.exists("out"));
        project.write("pipeline.kdl", pipeline(2));
        let output = project.ok(&["run", "--json"]);
        assert_eq!(project.ran()["try"], 3);
        assert_eq!(project.read("out"), "whole\n", "{output}");
        project.is_fresh();
    }
}

#[test]
fn output_that_is_not_made_fails_the_node() {
    for isolate in ["#true", "#false"] {
        let project = Project::new(&format!(
            "pipeline \"p\"\ncommand \"lazy\" isolate={isolate} {{ run \"sh\" \"-c\" \"echo one > one\"; output \"one\" \"two\" }}\n"
        ));
        project.write("one", "old, mine\n");
        project.osgraph(&["run"]).expect(1).says("did not make `two`");
        assert_eq!(project.read("one"), "old, mine\n", "isolate={isolate}");
    }
}

#[test]
fn output_that_is_a_fifo_or_a_socket_fails_the_node() {
    for isolate in ["#true", "#false"] {
        for (output, make) in [
            ("out", "mkfifo out"),
            ("out", "mkdir out; mkfifo out/pipe"),
            ("out", "ln -s loop out/x || mknod out c 1 3"),
        ] {
            let project = Project::new(&format!(
                "pipeline \"p\"\ncommand \"odd\" isolate={isolate} {{ run \"sh\" \"-c\" \"{make}\"; output \"{output}\" }}\n"
            ));
            project.osgraph(&["run"]).expect(1).says("out");
            assert!(!project.exists("out"), "{make} isolate={isolate}");
        }
    }
}

#[test]
fn recipe_cannot_delete_or_change_its_inputs() {
    let project = Project::new(
        r#"
pipeline "p"
command "rude" {
    input "src" "single"
    run "sh" "-c" "rm -rf src single; echo broken > src/a; echo broken > single; echo done > out"
    output "out"
}
"#,
    );
    project.write("src/a", "a\n");
    project.write("single", "single\n");
    // Whatever becomes of the recipe, the sources stand.
    project.osgraph(&["run"]);
    assert_eq!((project.read("src/a"), project.read("single")), ("a\n".to_owned(), "single\n".to_owned()));
    let copies =
        project.command(&["run", "--force", "rude"]).env("OSGRAPH_ISOLATION", "copy").output().unwrap();
    assert_eq!(project.read("src/a"), "a\n", "{copies:?}");
    assert_eq!(project.read("single"), "single\n", "{copies:?}");
}

/// Its outputs' leases are its own: it must not wait for itself.
#[test]
fn recipe_in_place_may_make_nothing_but_an_empty_folder() {
    let project = Project::new(
        "pipeline \"p\"\ncommand \"hollow\" isolate=#false { run \"mkdir\" \"-p\" \"out/in\"; output \"out\" }\n",
    );
    let mut run = project.command(&["run", "-q"]).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    let status = loop {
        if let Some(status) = run.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > deadline {
            run.kill().unwrap();
            panic!("the run waits for itself");
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    assert!(status.success());
    assert!(project.path("out/in").is_dir());
    project.is_fresh();
}

#[test]
fn binary_that_fails_its_gate_is_not_published() {
    let pipeline = |gate: &str| {
        format!(
            r#"
pipeline "gate"
command "made" {{ input "tool"; run "sh" "-c" "mkdir bin; cp tool bin/tool"; output "bin" }}
binary-extract "binary" {{ image "made"; path "bin/tool"; output "published"; {gate} }}
dist-native {{ output "dist-native"; copy "common"; binary "binary" into="tool" }}
"#
        )
    };
    let project = Project::new(&pipeline("check \"ok\""));
    project.write("tool", "#!/bin/sh\ntest \"$1\" = ok || { echo no such thing >&2; exit 3; }\n");
    project.write("common/page", "page\n");
    project.ok(&["run"]);
    let before = project.tree(&["published", "dist-native"]);
    for gate in
        ["check \"bad\"", "expect elf=#true", "expect min-size=\"1MiB\"", "check \"ok\"; expect max-size=3"]
    {
        project.write("pipeline.kdl", pipeline(gate));
        project.osgraph(&["run"]).expect(1);
        project.osgraph(&["run"]).expect(1);
        assert_eq!(project.tree(&["published", "dist-native"]), before, "{gate}");
    }
    project.write("pipeline.kdl", pipeline("check \"ok\""));
    project.ok(&["run"]);
    project.is_fresh();
    // A new binary that fails leaves the old one published.
    project.write("tool", "#!/bin/sh\nexit 1\n");
    project.osgraph(&["run"]).expect(1);
    assert_eq!(project.tree(&["published", "dist-native"]), before);
}
