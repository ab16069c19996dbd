//! Two osgraphs at once on one project.

use std::process::Stdio;

use super::project::{Output, Project};

fn project(body: &str) -> Project {
    let project = Project::new("");
    let log = project.beside("ran");
    project.write("pipeline.kdl", body.replace("LOG", log.to_str().unwrap()));
    project
}

const PIPELINE: &str = r#"
pipeline "together" { param "word" default="one" }
command "made" {
    input "src"
    run "sh" "-c" "echo made-$(cat src)-${word} >> LOG; sleep 0.1; cat src > out/made; echo ${word} >> out/made"
    output "out/made"
}
command "placed" isolate=#false {
    input "out/made"
    run "sh" "-c" "echo placed-$(cat src)-${word} >> LOG; sleep 0.05; cat out/made > placed; echo placed >> placed"
    output "placed"
}
dist-native {
    output "dist-native"
    copy "common"
    binary "made" into="bin/made"
    archive "dist/together.tar.gz"
}
"#;

fn both(project: &Project, one: &[&str], two: &[&str]) -> [Output; 2] {
    let start =
        |args: &[&str]| project.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (one, two) = (start(one), start(two));
    [one, two].map(|run| Output::of(run.wait_with_output().unwrap()))
}

#[test]
fn two_runs_of_the_same_targets_run_each_step_once() {
    let project = project(PIPELINE);
    project.write("common/page", "page\n");
    for round in 0..10 {
        let text = format!("{round}");
        project.write("src", &text);
        let outputs = both(&project, &["run", "--json"], &["run", "--json"]);
        for output in &outputs {
            output.expect(0);
        }
        let ran = project.ran();
        let [one, two] = &outputs;
        assert_eq!(ran[&format!("made-{round}-one")], 1, "round {round}\n{one}\n{two}");
        assert_eq!(ran[&format!("placed-{round}-one")], 1, "round {round}\n{one}\n{two}");
        assert_eq!(project.read("placed"), format!("{round}one\nplaced\n"), "round {round}");
        assert_eq!(project.read("dist-native/bin/made"), format!("{round}one\n"), "round {round}");
        project.is_fresh();
        assert_eq!(project.litter(), Vec::<String>::new(), "round {round}");
    }
    project.ok(&["cache", "verify"]);
}

#[test]
fn two_runs_with_different_parameters_publish_one_or_the_other_whole() {
    let project = project(PIPELINE);
    project.write("common/page", "page\n");
    for round in 0..10 {
        project.write("src", format!("{round}"));
        let outputs = both(
            &project,
            &["run", "--set", "word=left", "--json"],
            &["run", "--set", "word=right", "--json"],
        );
        for output in &outputs {
            output.expect(0);
        }
        for word in ["left", "right"] {
            let args = ["run", "--set", &format!("word={word}"), "--json"];
            project.ok(&args);
            assert_eq!(project.read("placed"), format!("{round}{word}\nplaced\n"), "round {round}");
            assert_eq!(project.read("out/made"), format!("{round}{word}\n"), "round {round}");
            assert_eq!(project.read("dist-native/bin/made"), format!("{round}{word}\n"), "round {round}");
            let again = project.ok(&args);
            assert_eq!(again.finished()["outcome"], "fresh", "{again}");
        }
        let ran = project.ran();
        for word in ["left", "right"] {
            assert_eq!(ran[&format!("made-{round}-{word}")], 1, "round {round}: {ran:?}");
        }
    }
    project.ok(&["cache", "verify"]);
}

#[test]
fn collecting_beside_a_run_takes_nothing_from_it() {
    let project = project(PIPELINE);
    project.write("common/page", "page\n");
    for round in 0..6 {
        project.write("src", format!("{round}"));
        let gc = ["gc", "--max-size", "1KiB"];
        let outputs = both(&project, &["run"], if round % 2 == 0 { &gc } else { &["gc"] });
        for output in &outputs {
            output.expect(0);
        }
        project.ok(&["run"]);
        assert_eq!(project.read("placed"), format!("{round}one\nplaced\n"));
        assert_eq!(project.read("dist-native/bin/made"), format!("{round}one\n"));
        project.is_fresh();
        project.ok(&["cache", "verify"]);
    }
}

#[test]
fn cleaning_beside_a_run_leaves_the_project_mendable() {
    let project = project(PIPELINE);
    project.write("common/page", "page\n");
    for round in 0..8 {
        project.write("src", format!("{round}"));
        for output in both(&project, &["run"], &["clean"]) {
            output.expect(0);
        }
        project.ok(&["run"]);
        assert_eq!(project.read("placed"), format!("{round}one\nplaced\n"));
        assert_eq!(project.read("dist-native/bin/made"), format!("{round}one\n"));
        project.is_fresh();
        assert_eq!(project.ran()[&format!("made-{round}-one")], 1, "{:?}", project.ran());
    }
}
