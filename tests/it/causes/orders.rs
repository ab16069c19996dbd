//! `--force` and `--assume-fresh`.

use super::project::Project;

const CHAIN: &str = r##"
pipeline "orders" {}
command "base" {
    input "one"
    run "cp" "one" "based"
    output "based"
}
dist-native {
    output "package"
    binary "base" into="bin/app"
}
"##;

fn project() -> Project {
    let project = Project::new(CHAIN);
    project.write("one", "1");
    project
}

#[test]
fn forced_node_runs_again_and_followers_stay_fresh() {
    let project = project();
    project.run();
    let said = project.run_with(&["--force", "base"]);
    assert_eq!(said.ran, ["base"], "{}", said.text);
    assert_eq!(said.warnings, [] as [&str; 0]);
    project.is_fresh();
}

#[test]
fn forced_node_that_makes_something_else_warns_and_replaces_its_record() {
    let project = project();
    project.edit_pipeline("run \"cp\" \"one\" \"based\"", "run \"sh\" \"-c\" \"date +%s%N > based\"");
    project.run();
    let said = project.run_with(&["--force", "base"]);
    assert_eq!(said.ran, ["base", "dist-native"], "{}", said.text);
    assert!(said.warnings.iter().any(|warning| warning.contains("not deterministic")), "{}", said.text);
    assert_eq!(project.read("package/bin/app"), project.read("based"));
    project.is_fresh();
}

#[test]
fn force_of_an_unknown_node_ends_with_2() {
    let project = project();
    assert_eq!(project.try_run(&["--force", "bas"]).code, 2);
}

#[test]
fn assumed_node_does_not_run_and_marks_what_is_built_from_it() {
    let project = project();
    project.run();
    assert!(project.read("package/build-manifest.json").contains("\"assumed\": false"));
    project.write("one", "2");
    let said = project.run_with(&["--assume-fresh", "base"]);
    assert_eq!(said.ran, ["dist-native"], "{}", said.text);
    assert!(project.read("package/build-manifest.json").contains("\"assumed\": true"));
    assert_eq!(project.read("package/bin/app"), "1");
    let said = project.run();
    assert_eq!(said.ran, ["base", "dist-native"], "{}", said.text);
    assert_eq!(project.read("package/bin/app"), "2");
    assert!(project.read("package/build-manifest.json").contains("\"assumed\": false"));
}

#[test]
fn assumed_node_leaves_no_record() {
    let project = project();
    project.run();
    project.write("one", "2");
    project.run_with(&["--assume-fresh", "base"]);
    assert!(project.run().ran.contains(&"base".to_owned()));
}

#[test]
fn assuming_what_was_never_built_ends_with_3() {
    let project = project();
    let said = project.try_run(&["--assume-fresh", "base"]);
    assert_eq!((said.code, said.ran.len()), (3, 0), "{}", said.text);
}

#[test]
fn failed_node_leaves_no_record_and_runs_again() {
    let project = project();
    project.edit_pipeline("run \"cp\" \"one\" \"based\"", "run \"sh\" \"-c\" \"cp one based; test -s one\"");
    project.write("one", "");
    for _ in 0..2 {
        let said = project.try_run(&[]);
        assert_eq!((said.code, &*said.failed), (1, &["base".to_owned()][..]), "{}", said.text);
    }
    project.write("one", "1");
    project.runs(&["base", "dist-native"]);
}

#[test]
fn what_is_asked_of_a_group_is_asked_of_its_members() {
    let project = project();
    project.edit_pipeline(
        "command \"base\"",
        "group \"both\" { member \"base\" \"dist-native\" }\ncommand \"base\"",
    );
    project.run_with(&["both"]);
    project.run_with(&["both", "--expect-fresh", "both"]);
    let said = project.run_with(&["both", "--force", "both"]);
    assert_eq!(said.ran, ["base", "dist-native"], "{}", said.text);
    project.write("one", "2");
    let said = project.try_run(&["both", "--expect-fresh", "both"]);
    assert_eq!((said.code, said.ran.len()), (4, 0), "{}", said.text);
}
