//! Parameters: four places a value may come from, one effect.

use super::project::Project;

const USES: &str = r##"
pipeline "params" {
    param "colour" default="red"
    param "size" from-file="SIZE" default="small"
    param "unused" default="nothing"
}
command "paint" {
    run "sh" "-c" "echo ${colour} > out"
    output "out"
}
command "cut" {
    run "sh" "-c" "echo ${size} > cut"
    output "cut"
}
"##;

fn project() -> Project {
    let project = Project::new(USES);
    project.runs(&["cut", "paint"]);
    project.is_fresh();
    project
}

#[test]
fn parameter_given_by_set_runs_its_user_only() {
    let project = project();
    let said = project.run_with(&["--set", "colour=blue"]);
    assert_eq!(said.ran, ["paint"], "{}", said.text);
    assert_eq!(project.read("out"), "blue\n");
    project.restores(&["paint"]);
    assert_eq!(project.read("out"), "red\n");
}

#[test]
fn parameter_given_by_the_environment_runs_its_user() {
    let mut project = project();
    project.env.insert("OSGRAPH_PARAM_COLOUR".to_owned(), "green".to_owned());
    project.runs(&["paint"]);
    assert_eq!(project.read("out"), "green\n");
    project.is_fresh();
    project.env.clear();
    project.restores(&["paint"]);
}

#[test]
fn parameter_file_that_appears_changes_and_goes_is_seen() {
    let project = project();
    project.write("SIZE", "large\n");
    project.runs(&["cut"]);
    assert_eq!(project.read("cut"), "large\n");
    project.is_fresh();
    project.write("SIZE", "huger\n");
    project.runs(&["cut"]);
    project.remove("SIZE");
    project.restores(&["cut"]);
    assert_eq!(project.read("cut"), "small\n");
}

#[test]
fn further_lines_of_a_parameter_file_do_not_count() {
    let project = project();
    project.write("SIZE", "small\nand more\n");
    project.is_fresh();
}

#[test]
fn unused_parameter_does_not_count() {
    let mut project = project();
    project.edit_pipeline("\"nothing\"", "\"something\"");
    project.is_fresh();
    project.env.insert("OSGRAPH_PARAM_UNUSED".to_owned(), "else".to_owned());
    project.is_fresh();
}

#[test]
fn the_same_value_from_elsewhere_does_not_count() {
    let project = project();
    let said = project.run_with(&["--set", "colour=red", "--set", "size=small"]);
    assert_eq!(said.finished["outcome"], "fresh");
}
