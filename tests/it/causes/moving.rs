//! Inputs that move while a node runs.

use super::project::Project;

/// Runs in place, so that it can change its own input once.
const MOVES: &str = r##"
pipeline "moving" {}
command "read" {
    input "src"
    host isolate=#false {
        run "sh" "-c" "cat src/a > out; if test -e ../once; then rm ../once; echo new > src/a; fi"
        output "out"
    }
}
command "follow" {
    from "read"
    run "sh" "-c" "cp out copied"
    output "copied"
}
"##;

#[test]
fn input_that_moves_during_a_run_is_reported_and_built_again_by_the_next() {
    let project = Project::new(MOVES);
    project.write("src/a", "old\n");
    project.write("../once", "");
    let said = project.run();
    assert_eq!(said.ran, ["follow", "read"], "{}", said.text);
    assert!(said.warnings.iter().any(|warning| warning.contains("changed while")), "{}", said.text);
    assert_eq!(project.read("copied"), "old\n", "the result is used");
    let said = project.run();
    assert_eq!(said.ran, ["follow", "read"], "{}", said.text);
    assert_eq!(project.read("copied"), "new\n");
    project.is_fresh();
    // Nothing was recorded for the old content, so that it is built when it comes back.
    project.write("src/a", "old\n");
    assert!(project.run().ran.contains(&"read".to_owned()));
}

#[test]
fn file_that_appears_during_a_run_is_built_by_the_next() {
    let project = Project::new(MOVES);
    project.edit_pipeline("echo new > src/a", "echo more > src/b");
    project.edit_pipeline("cat src/a", "cat src/*");
    project.write("src/a", "old\n");
    project.write("../once", "");
    let said = project.run();
    assert!(!said.warnings.is_empty(), "{}", said.text);
    assert_eq!(project.run().ran, ["follow", "read"]);
    assert_eq!(project.read("copied"), "old\nmore\n");
    project.is_fresh();
}

#[test]
fn input_of_another_node_that_moves_after_it_was_read_is_built_by_the_next() {
    let project = Project::new(MOVES);
    let text = project.read("pipeline.kdl").replace("echo new > src/a", "echo new > other/b");
    let more = "command \"other\" {\n    input \"other\"\n    run \"cp\" \"other/b\" \"others\"\n    output \"others\"\n}\n";
    project.write("pipeline.kdl", &format!("{text}{more}"));
    project.write("src/a", "old\n");
    project.write("other/b", "1\n");
    project.write("../once", "");
    project.run();
    project.run();
    assert_eq!(project.read("others"), "new\n");
    project.is_fresh();
}

#[test]
fn pipeline_that_changes_during_a_run_is_read_by_the_next() {
    let project = Project::new(MOVES);
    project.edit_pipeline("echo new > src/a", "sed -i s/copied/other/ pipeline.kdl");
    project.write("src/a", "old\n");
    project.write("../once", "");
    project.run();
    project.runs(&["follow", "read"]);
    assert_eq!(project.read("other"), "old\n");
}
