//! What git ignores, and what it tracks all the same.

use super::project::Project;

const SEES: &str = r##"
pipeline "ignoring" {}
command "see" {
    input "src"
    run "sh" "-c" "find src -type f | sort > seen"
    output "seen"
}
"##;

fn project() -> Project {
    let project = Project::new(SEES);
    project.git(&["init", "-q"]);
    project.write("src/a", "a");
    project.write("src/x.log", "l");
    project.write(".gitignore", "*.log\n/cache/\n/seen\n");
    project.runs(&["see"]);
    assert_eq!(project.read("seen"), "src/a\n");
    project.is_fresh();
    project
}

#[test]
fn ignored_file_does_not_count() {
    let project = project();
    project.write("src/x.log", "longer");
    project.write("src/y.log", "new");
    project.is_fresh();
    project.is_fresh();
}

#[test]
fn changed_gitignore_above_the_input_counts_what_it_now_lets_in() {
    let project = project();
    project.write(".gitignore", "/cache/\n/seen\n");
    project.runs(&["see"]);
    assert_eq!(project.read("seen"), "src/a\nsrc/x.log\n");
    project.is_fresh();
    project.write(".gitignore", "/cache/\n/seen\n/src/a\n");
    project.runs(&["see"]);
    assert_eq!(project.read("seen"), "src/x.log\n");
}

#[test]
fn new_gitignore_inside_the_input_is_read() {
    let project = project();
    project.write("src/.gitignore", "/a\n!*.log\n");
    project.runs(&["see"]);
    assert_eq!(project.read("seen"), "src/.gitignore\nsrc/x.log\n");
    project.remove("src/.gitignore");
    project.run();
    assert_eq!(project.read("seen"), "src/a\n");
}

#[test]
fn gitignore_rewritten_with_another_comment_runs_nothing() {
    let project = project();
    project.write(".gitignore", "# quiet\n*.log\n/cache/\n/seen\n");
    project.is_fresh();
}

#[test]
fn info_exclude_counts_what_it_lets_in() {
    let project = project();
    project.write(".git/info/exclude", "/src/a\n");
    project.write("src/b", "b");
    project.runs(&["see"]);
    assert_eq!(project.read("seen"), "src/b\n");
    project.is_fresh();
    project.write(".git/info/exclude", "");
    project.runs(&["see"]);
    assert_eq!(project.read("seen"), "src/a\nsrc/b\n");
}

#[test]
fn tracked_file_that_is_ignored_counts() {
    let project = project();
    project.git(&["add", "-f", "src/x.log"]);
    project.runs(&["see"]);
    assert_eq!(project.read("seen"), "src/a\nsrc/x.log\n");
    project.is_fresh();
    project.write("src/x.log", "changed");
    project.runs(&["see"]);
    project.git(&["rm", "-q", "-f", "--cached", "src/x.log"]);
    project.run();
    assert_eq!(project.read("seen"), "src/a\n");
    project.is_fresh();
}

#[test]
fn tracked_file_in_an_ignored_folder_counts() {
    let project = project();
    project.write("src/made/kept", "k");
    project.write("src/made/other", "o");
    project.write(".gitignore", "*.log\n/cache/\n/seen\nmade/\n");
    project.git(&["add", "-f", "src/made/kept"]);
    project.runs(&["see"]);
    assert_eq!(project.read("seen"), "src/a\nsrc/made/kept\n");
    project.write("src/made/other", "oo");
    project.is_fresh();
}

#[test]
fn git_commands_that_change_no_file_run_nothing() {
    let project = project();
    project.git(&["add", "src/a", ".gitignore", "pipeline.kdl"]);
    project.is_fresh();
    project.git(&["commit", "-q", "-m", "one"]);
    project.is_fresh();
    project.git(&["checkout", "-q", "-b", "other"]);
    project.is_fresh();
}

#[test]
fn branch_switched_to_and_back_is_restored_without_running() {
    let project = project();
    project.git(&["add", "src/a", ".gitignore", "pipeline.kdl"]);
    project.git(&["commit", "-q", "-m", "one"]);
    project.git(&["checkout", "-q", "-b", "other"]);
    project.write("src/b", "b");
    project.git(&["add", "src/b"]);
    project.git(&["commit", "-q", "-m", "two"]);
    project.runs(&["see"]);
    project.git(&["checkout", "-q", "-"]);
    project.restores(&["see"]);
    assert_eq!(project.read("seen"), "src/a\n");
}

#[test]
fn ignore_rules_of_a_repository_made_later_count() {
    let project = Project::new(SEES);
    project.write("src/a", "a");
    project.write("src/b", "b");
    project.runs(&["see"]);
    project.is_fresh();
    project.git(&["init", "-q"]);
    project.write(".git/info/exclude", "/src/b\n/cache/\n");
    project.runs(&["see"]);
    assert_eq!(project.read("seen"), "src/a\n");
}

#[test]
fn gitignore_that_changes_while_the_reader_runs_is_seen_by_the_next_run() {
    let project = project();
    project.write(
        "pipeline.kdl",
        r##"
pipeline "ignoring" {}
command "see" {
    input "src"
    host isolate=#false {
        run "sh" "-c" "find src -type f | sort > seen; printf '/cache/\\n' > .gitignore"
        output "seen"
    }
}
command "look" {
    input "src"
    run "sh" "-c" "find src -type f | sort > looked"
    output "looked"
    after "see"
}
"##,
    );
    project.run();
    project.run();
    assert_eq!(project.read("looked"), "src/a\nsrc/x.log\n");
    project.is_fresh();
}

#[test]
fn excludes_file_of_the_user_counts_what_it_lets_in() {
    let project = project();
    let file = project.folder.path().join("home/.config/git/ignore");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, "/src/a\n").unwrap();
    project.write("src/b", "b");
    project.runs(&["see"]);
    assert_eq!(project.read("seen"), "src/b\n");
    project.is_fresh();
    std::fs::remove_file(&file).unwrap();
    project.runs(&["see"]);
    assert_eq!(project.read("seen"), "src/a\nsrc/b\n");
}
