//! Options of recipes, and how a pipeline may be rewritten without anything running.

use super::project::Project;

const STEPS: &str = r##"
pipeline "options" {}
command "first" {
    input "src"
    run "sh" "-c" "printf 1 > out; cat src/a >> out"
    run "sh" "-c" "printf '%s' \"$COLOUR\" >> out"
    output "out"
    env "COLOUR" "red"
    pass-env "WORDS"
    timeout "1m"
}
command "second" {
    from "first" into="below"
    run "sh" "-c" "mkdir -p deep; cat below/out > deep/second"
    output "deep/second"
}
"##;

fn project() -> Project {
    let project = Project::new(STEPS);
    project.write("src/a", "a");
    project.runs(&["first", "second"]);
    assert_eq!(project.read("deep/second"), "1ared");
    project.is_fresh();
    project
}

#[test]
fn changed_argument_of_a_recipe_runs_it() {
    let project = project();
    project.edit_pipeline("printf 1 >", "printf 2 >");
    project.runs(&["first", "second"]);
    assert_eq!(project.read("deep/second"), "2ared");
    project.edit_pipeline("printf 2 >", "printf 1 >");
    project.restores(&["first", "second"]);
}

#[test]
fn argument_split_in_two_runs_the_recipe() {
    let project = Project::new(
        "pipeline \"split\" {}\ncommand \"a\" {\n    run \"sh\" \"-c\" \"echo \\\"$0,$1\\\" > out\" \"x y\"\n    output \"out\"\n}\n",
    );
    project.runs(&["a"]);
    project.edit_pipeline("\"x y\"", "\"x\" \"y\"");
    project.runs(&["a"]);
    assert_eq!(project.read("out"), "x,y\n");
}

#[test]
fn order_of_runs_counts() {
    let project = Project::new(
        "pipeline \"order\" {}\ncommand \"a\" {\n    run \"sh\" \"-c\" \"echo 1 >> out\"\n    run \"sh\" \"-c\" \"echo 2 >> out\"\n    output \"out\"\n}\n",
    );
    project.runs(&["a"]);
    assert_eq!(project.read("out"), "1\n2\n");
    project.edit_pipeline("echo 1", "echo 3");
    project.edit_pipeline("echo 2", "echo 1");
    project.edit_pipeline("echo 3", "echo 2");
    project.runs(&["a"]);
    assert_eq!(project.read("out"), "2\n1\n");
}

#[test]
fn declared_environment_counts() {
    let project = project();
    project.edit_pipeline("\"red\"", "\"blue\"");
    project.runs(&["first", "second"]);
    assert_eq!(project.read("out"), "1ablue");
}

#[test]
fn passed_environment_does_not_count() {
    let mut project = project();
    project.env.insert("WORDS".to_owned(), "many".to_owned());
    project.is_fresh();
    project.edit_pipeline("pass-env \"WORDS\"", "pass-env \"WORDS\" \"MORE\"");
    project.is_fresh();
}

#[test]
fn environment_that_is_not_declared_does_not_reach_a_recipe() {
    let mut project = Project::new(
        "pipeline \"env\" {}\ncommand \"a\" {\n    run \"sh\" \"-c\" \"echo \\\"$STRAY $LC_ALL $KEPT\\\" > out\"\n    output \"out\"\n    pass-env \"KEPT\"\n}\n",
    );
    project.env.insert("STRAY".to_owned(), "stray".to_owned());
    project.env.insert("LC_ALL".to_owned(), "tr_TR.UTF-8".to_owned());
    project.env.insert("KEPT".to_owned(), "kept".to_owned());
    project.runs(&["a"]);
    let seen = project.read("out");
    assert!(seen.contains("kept") && !seen.contains("stray") && !seen.contains("tr_TR"), "{seen}");
}

#[test]
fn timeout_and_retries_never_count() {
    let project = project();
    project.edit_pipeline("timeout \"1m\"", "timeout \"2m\"\n    retries 4");
    project.is_fresh();
    project.edit_pipeline("timeout \"2m\"\n    retries 4", "");
    project.is_fresh();
}

#[test]
fn renamed_node_does_not_run() {
    let project = project();
    project.edit_pipeline("\"first\"", "\"uno\"");
    project.edit_pipeline("\"second\"", "\"due\"");
    assert_eq!(project.run().ran, [] as [&str; 0]);
    project.is_fresh();
}

#[test]
fn comments_formatting_and_the_order_of_nodes_do_not_count() {
    let project = project();
    let text = project.read("pipeline.kdl");
    let (head, rest) = text.split_once("command \"first\"").unwrap();
    let (first, second) = rest.split_once("command \"second\"").unwrap();
    let moved =
        format!("// a comment\n{head}command second{second}\n\n/* and another */ command \"first\"{first}");
    let moved = moved.replace("    ", "\t").replace("output \"out\"\n", "output out; /- output \"other\"\n");
    project.write("pipeline.kdl", &moved);
    project.is_fresh();
    project.is_fresh();
}

#[test]
fn order_of_options_that_have_none_does_not_count() {
    let project = project();
    project.edit_pipeline("    env \"COLOUR\" \"red\"\n", "");
    project.edit_pipeline("    input \"src\"\n", "    env \"COLOUR\" \"red\"\n    input \"src\"\n");
    project.is_fresh();
}

#[test]
fn spelling_of_paths_does_not_count() {
    let project = project();
    project.edit_pipeline("input \"src\"", "input \"./src//\"");
    project.edit_pipeline("into=\"below\"", "into=\"./below/.\"");
    project.edit_pipeline("output \"deep/second\"", "output \"./deep//second\"");
    project.is_fresh();
}

#[test]
fn place_of_an_upstream_in_the_work_folder_counts() {
    let project = project();
    project.edit_pipeline("into=\"below\"", "into=\"beneath\"");
    project.edit_pipeline("cat below/out", "cat beneath/out");
    project.runs(&["second"]);
}

#[test]
fn order_of_nodes_that_must_be_done_before_does_not_count() {
    let project = project();
    project.edit_pipeline("from \"first\"", "after \"third\"\n    from \"first\"");
    let more = format!("{}command \"third\" {{ run \"true\"; }}\n", project.read("pipeline.kdl"));
    project.write("pipeline.kdl", &more);
    project.runs(&["third"]);
}

#[test]
fn isolation_counts() {
    let project = project();
    project.edit_pipeline("command \"second\"", "command \"second\" isolate=#false");
    project.edit_pipeline(" into=\"below\"", "");
    project.edit_pipeline("cat below/out", "cat out");
    project.runs(&["second"]);
}
