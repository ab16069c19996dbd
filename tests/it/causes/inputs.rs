//! What is read: files, modes, links, empty folders.

use std::fs::{self, File, FileTimes};

use super::project::Project;

/// Writes down everything that it can see of its inputs.
pub const SEES: &str = r##"
pipeline "inputs" {}
command "see" {
    input "src" "one"
    run "sh" "-c" "mkdir -p out; { find src one | sort; find src one -type f -perm -u+x | sort; find src -type l | sort | xargs -r -n1 readlink; find src one -type f | sort | xargs cat; } > out/seen"
    output "out/seen"
}
command "follow" {
    from "see"
    run "sh" "-c" "wc -l < out/seen > out/lines"
    output "out/lines"
}
"##;

fn project() -> Project {
    let project = Project::new(SEES);
    project.write("src/a", "alpha\n");
    project.write("src/deep/b", "beta\n");
    project.link("a", "src/link");
    project.write("one", "1\n");
    project.runs(&["follow", "see"]);
    project.is_fresh();
    project
}

/// After `change` the reader runs and shows it; taking it back runs nothing.
#[track_caller]
fn counts(change: impl Fn(&Project), back: impl Fn(&Project)) {
    let project = project();
    let before = project.read("out/seen");
    change(&project);
    assert!(project.run().ran.contains(&"see".to_owned()));
    assert_ne!(project.read("out/seen"), before);
    project.is_fresh();
    back(&project);
    assert_eq!(project.run().ran, [] as [&str; 0], "a switch back runs nothing");
    assert_eq!(project.read("out/seen"), before);
    project.is_fresh();
}

#[test]
fn changed_input_file_runs_its_reader() {
    counts(|p| p.write("one", "2\n"), |p| p.write("one", "1\n"));
}

#[test]
fn changed_file_in_an_input_folder_runs_its_reader() {
    counts(|p| p.write("src/deep/b", "BETA\n"), |p| p.write("src/deep/b", "beta\n"));
}

#[test]
fn added_file_runs_its_reader() {
    counts(|p| p.write("src/deep/c", ""), |p| p.remove("src/deep/c"));
}

#[test]
fn removed_file_runs_its_reader() {
    counts(|p| p.remove("src/a"), |p| p.write("src/a", "alpha\n"));
}

#[test]
fn renamed_file_runs_its_reader() {
    counts(|p| p.rename("src/a", "src/z"), |p| p.rename("src/z", "src/a"));
}

#[test]
fn execute_bit_runs_its_reader() {
    counts(|p| p.chmod("src/a", 0o755), |p| p.chmod("src/a", 0o644));
}

#[test]
fn execute_bit_of_a_single_file_runs_its_reader() {
    counts(|p| p.chmod("one", 0o755), |p| p.chmod("one", 0o644));
}

#[test]
fn other_mode_bits_do_not_count() {
    let project = project();
    project.chmod("src/a", 0o600);
    project.chmod("one", 0o664);
    project.is_fresh();
}

#[test]
fn symlink_target_runs_its_reader() {
    counts(|p| p.link("deep/b", "src/link"), |p| p.link("a", "src/link"));
}

#[test]
fn file_that_becomes_a_symlink_to_the_same_content_runs_its_reader() {
    counts(
        |p| {
            p.rename("src/a", "src/deep/a");
            p.link("deep/a", "src/a");
        },
        |p| {
            p.remove("src/a");
            p.rename("src/deep/a", "src/a");
        },
    );
}

#[test]
fn empty_folder_runs_its_reader() {
    counts(|p| fs::create_dir(p.path("src/empty")).unwrap(), |p| p.remove("src/empty"));
}

#[test]
fn folder_replaced_by_a_file_of_its_name_runs_its_reader() {
    counts(
        |p| {
            p.rename("src/deep", "../aside");
            p.write("src/deep", "flat\n");
        },
        |p| {
            p.remove("src/deep");
            p.rename("../aside", "src/deep");
        },
    );
}

#[test]
fn edit_of_the_same_size_with_its_mtime_put_back_is_seen() {
    counts(
        |p| {
            let mtime = p.path("src/a").metadata().unwrap().modified().unwrap();
            p.write("src/a", "ALPHA\n");
            let file = File::options().write(true).open(p.path("src/a")).unwrap();
            file.set_times(FileTimes::new().set_modified(mtime)).unwrap();
            assert_eq!(p.path("src/a").metadata().unwrap().modified().unwrap(), mtime);
        },
        |p| p.write("src/a", "alpha\n"),
    );
}

#[test]
fn swapped_files_with_equal_size_and_mtime_are_seen() {
    let project = Project::new(SEES);
    for (name, text) in [("src/a", "11\n"), ("src/b", "22\n"), ("one", "")] {
        project.write(name, text);
        let old = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
        let file = File::options().write(true).open(project.path(name)).unwrap();
        file.set_times(FileTimes::new().set_modified(old)).unwrap();
    }
    project.run();
    project.is_fresh();
    project.rename("src/a", "src/t");
    project.rename("src/b", "src/a");
    project.rename("src/t", "src/b");
    project.runs(&["see"]);
    assert!(project.read("out/seen").ends_with("22\n11\n"));
}

#[test]
fn touch_alone_runs_nothing() {
    let project = project();
    for path in ["src/a", "src/deep/b", "one", "pipeline.kdl"] {
        let file = File::options().write(true).open(project.path(path)).unwrap();
        file.set_modified(std::time::SystemTime::now()).unwrap();
    }
    project.is_fresh();
    project.is_fresh();
}

#[test]
fn file_rewritten_with_the_same_content_runs_nothing() {
    let project = project();
    project.remove("src/a");
    project.write("src/a", "alpha\n");
    project.is_fresh();
}

#[test]
fn undeclared_file_is_invisible_and_does_not_count() {
    let project = Project::new(
        r##"
pipeline "hidden" {}
command "look" {
    input "src/a"
    run "sh" "-c" "mkdir -p out; { find . | sort; cat src/secret one 2>/dev/null; } > out/seen; true"
    output "out/seen"
}
"##,
    );
    project.write("src/a", "alpha\n");
    project.write("src/secret", "hush\n");
    project.write("one", "1\n");
    project.runs(&["look"]);
    let seen = project.read("out/seen");
    assert!(seen.contains("./src/a") && !seen.contains("secret") && !seen.contains("one"), "{seen}");
    project.write("src/secret", "hush hush\n");
    project.write("one", "2\n");
    project.is_fresh();
}

#[test]
fn path_of_the_project_is_not_visible_to_an_isolated_recipe() {
    let project = Project::new(
        r##"
pipeline "hidden" {}
command "look" {
    input "src"
    run "sh" "-c" "mkdir -p out; { pwd; env; ls -al . src; cat /proc/self/mountinfo | wc -l > /dev/null; } > out/seen"
    output "out/seen"
}
"##,
    );
    project.write("src/a", "alpha\n");
    project.runs(&["look"]);
    let seen = project.read("out/seen");
    let root = project.root.display().to_string();
    assert!(!seen.contains(&root), "{seen}");
}

#[test]
fn project_cannot_be_read_by_its_absolute_path_from_a_namespace() {
    let project = Project::new("pipeline \"masked\" {}\n");
    let path = project.path("src/secret").display().to_string();
    project.write("src/secret", "hush\n");
    project.write("in/a", "");
    project.write(
        "pipeline.kdl",
        &format!(
            "pipeline \"masked\" {{}}\ncommand \"look\" {{\n    input \"in\"\n    run \"sh\" \"-c\" \"cat {path} > seen 2>/dev/null; true\"\n    output \"seen\"\n}}\n"
        ),
    );
    let said = project.runs(&["look"]);
    // Where the machine refuses namespaces the run says so, and copies hide nothing by path.
    if said.text.contains("in a mount namespace") {
        assert_eq!(project.read("seen"), "");
    } else {
        assert!(said.text.contains("cop") || said.text.contains("clone"), "{}", said.text);
    }
}

#[test]
fn followers_stay_fresh_when_the_same_artifact_comes_out() {
    let project = Project::new(
        r##"
pipeline "cutoff" {}
command "sort" {
    input "list"
    run "sh" "-c" "sort list > sorted"
    output "sorted"
}
command "count" {
    from "sort"
    run "sh" "-c" "wc -l < sorted > count"
    output "count"
}
command "last" {
    from "count"
    run "cp" "count" "last"
    output "last"
}
"##,
    );
    project.write("list", "b\na\n");
    project.runs(&["count", "last", "sort"]);
    project.write("list", "a\nb\n");
    let said = project.runs(&["sort"]);
    assert_eq!(said.finished["fresh"], 2, "{}", said.text);
    project.write("list", "a\nc\n");
    project.runs(&["count", "sort"]);
    project.is_fresh();
}
