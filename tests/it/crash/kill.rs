//! Killed without warning at any moment, the next run makes everything right.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::project::{Project, Random};

const OUTPUTS: [&str; 4] = ["out", "placed", "dist-native", "dist"];

fn pipeline(log: &str) -> String {
    format!(
        r#"
pipeline "killed" {{ param "version" default="1" }}
command "made" {{
    input "src"
    run "sh" "-c" "echo made >> {log}; mkdir -p out; cat src/* > out/made; seq 1 30000 >> out/made"
    output "out/made"
}}
command "many" {{
    input "src/text"
    run "sh" "-c" "mkdir -p out/many; for i in 1 2 3 4 5 6 7 8 9; do cat src/text > out/many/$i; echo $i >> out/many/$i; done"
    output "out/many"
}}
command "placed" isolate=#false {{
    input "src" "out/made"
    run "sh" "-c" "mkdir -p placed/dir; head -c 50000 src/big > placed/one; cat src/text > placed/dir/text; cat out/made >> placed/one; echo more >> placed/dir/text"
    output "placed/one" "placed/dir"
}}
dist-native {{
    output "dist-native"
    copy "common"
    binary "made" into="bin/made"
    seed-once ".env" from=".env.example"
    archive "dist/killed-${{version}}.tar.gz"
    archive "dist/killed-${{version}}.tar.zst"
}}
"#
    )
}

fn project() -> Project {
    let project = Project::new("");
    project.write("pipeline.kdl", pipeline(project.beside("ran").to_str().unwrap()));
    project.write("src/big", Random(7).bytes(400_000));
    project.write("common/asset", Random(8).bytes(300_000));
    project.write("common/.env.example", "A=1\n");
    for number in 0..20 {
        project.write(&format!("common/pages/{number}"), format!("page {number}\n"));
    }
    project.write("src/text", "a\n");
    project
}

#[test]
fn killed_at_any_moment_the_next_run_makes_everything_right() {
    let project = project();
    let started = Instant::now();
    project.ok(&["run"]);
    let length = started.elapsed();
    let first = project.tree(&OUTPUTS);
    project.write("src/text", "b\n");
    project.ok(&["run"]);
    let second = project.tree(&OUTPUTS);
    assert_ne!(first, second);

    let mut random = Random(20_240_917);
    let mut killed = 0;
    for round in 0..36 {
        let (text, wanted) = if round % 2 == 0 { ("a\n", &first) } else { ("b\n", &second) };
        project.write("src/text", text);
        let mut args = vec!["run", "-q"];
        match round % 4 {
            // From nothing.
            0 => {
                fs::remove_dir_all(project.path("cache")).unwrap();
                for output in OUTPUTS {
                    let _ = fs::remove_dir_all(project.path(output));
                }
            }
            1 => {}
            2 => args.extend(["--force", "made,placed,many,dist-native"]),
            // A restore.
            _ => {
                for output in &OUTPUTS[..3] {
                    let _ = fs::remove_dir_all(project.path(output));
                }
            }
        }
        let mut run = project.command(&args).spawn().unwrap();
        sleep(Duration::from_micros(random.next() % (length.as_micros() as u64)));
        run.kill().unwrap();
        killed += usize::from(run.wait().unwrap().code().is_none());

        let context = format!("round {round}, {args:?}");
        project.ok(&["run", "-q"]);
        let stands = project.tree(&OUTPUTS);
        let differing: Vec<&String> = wanted
            .keys()
            .chain(stands.keys())
            .filter(|path| wanted.get(*path) != stands.get(*path))
            .collect();
        assert!(differing.is_empty(), "{context}: {differing:?}");
        project.is_fresh();
        let beside: Vec<String> =
            project.litter().into_iter().filter(|path| !path.starts_with("cache/")).collect();
        assert!(beside.is_empty(), "{context}: {beside:?}");
        if round % 6 == 5 {
            // An orphan that still writes keeps its folder from being swept, and a run that does
            // nothing does not look into the store: what opens it next finishes the work.
            sleep(Duration::from_millis(100));
            project.ok(&["gc"]);
            project.ok(&["cache", "verify"]);
            assert_eq!(project.litter(), Vec::<String>::new(), "{context}");
        }
    }
    assert!(killed > 8, "only {killed} runs were killed in the middle of their work");
}

/// A recipe that outlives its osgraph holds the lease: nobody works beside it on one output.
#[test]
fn a_run_after_a_kill_waits_for_an_orphaned_recipe() {
    for isolate in ["#true", "#false"] {
        let project = Project::new("");
        let log = project.beside("ran");
        project.write(
            "pipeline.kdl",
            format!(
                r#"
pipeline "orphan"
command "slow" isolate={isolate} {{
    run "sh" "-c" "echo begin >> {log}; echo half > out; sleep 1.2; echo whole > out; echo end >> {log}"
    output "out"
}}
"#,
                log = log.display()
            ),
        );
        let mut run = project.command(&["run", "-q"]).spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while project.ran().is_empty() {
            assert!(Instant::now() < deadline, "the recipe does not begin");
            sleep(Duration::from_millis(5));
        }
        run.kill().unwrap();
        run.wait().unwrap();
        project.ok(&["run", "-q"]);
        assert_eq!(project.read("out"), "whole\n", "isolate={isolate}");
        let words = fs::read_to_string(&log).unwrap();
        let words: Vec<&str> = words.split_whitespace().collect();
        if isolate == "#false" {
            assert_eq!(words, ["begin", "end", "begin", "end"], "nobody works beside the orphan");
        } else {
            // Its folder was swept away, so it may have ended without an end.
            assert_eq!(words.iter().filter(|word| **word == "begin").count(), 2);
            assert_eq!(words.last(), Some(&"end"));
        }
        project.is_fresh();
        assert_eq!(project.litter(), Vec::<String>::new());
    }
}

/// What stood at an output's place and is not osgraph's is nowhere else: a kill must not lose it.
#[test]
fn killed_in_place_recipe_does_not_lose_a_foreign_file() {
    let project = Project::new("");
    let log = project.beside("ran");
    project.write(
        "pipeline.kdl",
        format!(
            r#"
pipeline "foreign"
command "slow" isolate=#false {{
    run "sh" "-c" "echo begin >> {log}; sleep 0.5; echo made > out"
    output "out"
}}
"#,
            log = log.display()
        ),
    );
    project.write("out", "mine, and nowhere else\n");
    let mut run = project.command(&["run", "-q"]).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while project.ran().is_empty() {
        assert!(Instant::now() < deadline, "the recipe does not begin");
        sleep(Duration::from_millis(5));
    }
    run.kill().unwrap();
    run.wait().unwrap();
    project.ok(&["run", "-q"]);
    assert_eq!(project.read("out"), "made\n");
    let kept = project.tree(&["cache/displaced"]);
    assert!(kept.values().any(|(_, bytes)| bytes == b"mine, and nowhere else\n"), "{kept:?}");
}
