//! Tools: what they say they are, or what their file holds.

use super::project::Project;

/// A folder on the search path, with a tool that prints `version`.
fn tool(project: &Project, folder: &str, version: &str) {
    let path = format!("../{folder}/compiler");
    project.write(&path, &format!("#!/bin/sh\necho compiler {version}\n"));
    project.chmod(&path, 0o755);
}

fn project(option: &str) -> Project {
    let mut project = Project::new(&format!(
        "pipeline \"tools\" {{}}\ncommand \"compile\" {{\n    tool \"compiler\"{option}\n    run \"sh\" \"-c\" \"compiler > out\"\n    output \"out\"\n}}\n"
    ));
    let folder = project.folder.path().canonicalize().unwrap();
    let system = std::env::var("PATH").unwrap();
    let path = format!("{}:{}:{system}", folder.join("first").display(), folder.join("second").display());
    project.env.insert("PATH".to_owned(), path);
    tool(&project, "second", "1");
    project.runs(&["compile"]);
    project.is_fresh();
    project
}

#[test]
fn tool_that_prints_another_version_runs_its_users() {
    let project = project(" identify=\"compiler --version\"");
    tool(&project, "second", "2");
    project.runs(&["compile"]);
    assert_eq!(project.read("out"), "compiler 2\n");
    project.is_fresh();
    tool(&project, "second", "1");
    project.restores(&["compile"]);
}

#[test]
fn tool_with_the_same_version_and_another_content_runs_nothing() {
    let project = project(" identify=\"compiler --version\"");
    project.write("../second/compiler", "#!/bin/sh\n# the same in other words\necho compiler 1\n");
    project.is_fresh();
}

#[test]
fn tool_without_identify_counts_by_its_content() {
    let project = project("");
    tool(&project, "second", "2");
    project.runs(&["compile"]);
}

#[test]
fn tool_found_earlier_on_the_search_path_counts() {
    let project = project("");
    tool(&project, "first", "3");
    project.runs(&["compile"]);
    project.remove("../first/compiler");
    assert_eq!(project.run().ran, [] as [&str; 0]);
}

#[test]
fn tool_behind_links_that_are_turned_counts() {
    let project = project("");
    tool(&project, "versions/2", "2");
    project.remove("../second/compiler");
    project.link("../middle", "../second/compiler");
    project.link("versions/2/compiler", "../middle");
    project.runs(&["compile"]);
    project.is_fresh();
    tool(&project, "versions/3", "3");
    project.link("versions/3/compiler", "../middle");
    project.runs(&["compile"]);
    assert_eq!(project.read("out"), "compiler 3\n");
}

#[test]
fn tool_that_is_not_there_ends_with_3() {
    let project = project(" identify=\"compiler --version\"");
    project.remove("../second/compiler");
    let said = project.try_run(&[]);
    assert_eq!(said.code, 3, "{}", said.text);
}
