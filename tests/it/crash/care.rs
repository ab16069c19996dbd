//! Looking after the store and what is published: gc, verify, clean, log, runs, init, completions.

use std::fs;

use serde_json::Value;

use super::project::{Output, Project};

fn project() -> Project {
    let project = Project::new("");
    let log = project.beside("ran");
    project.write(
        "pipeline.kdl",
        format!(
            r#"
pipeline "care"
command "made" {{ input "src"; run "sh" "-c" "echo said; echo made >> {log}; cat src > made; seq 1 50000 >> made"; output "made" }}
dist-native {{ output "dist-native"; copy "common"; binary "made" into="bin/made"; seed-once ".env" from=".env.example"; archive "dist/care.tar.gz" }}
"#,
            log = log.display()
        ),
    );
    project.write("src", "0\n");
    project.write("common/.env.example", "A=1\n");
    project
}

const OUTPUTS: [&str; 3] = ["made", "dist-native", "dist"];

fn answer(output: &Output) -> Value {
    serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output}"))
}

#[test]
fn dry_gc_foretells_what_gc_does() {
    for args in [
        &[][..],
        &["--max-size", "300KiB"],
        &["--max-size", "1"],
        &["--max-age", "0s"],
        &["--keep-cost", "1ms", "--max-size", "1"],
    ] {
        let project = project();
        for round in 0..4 {
            project.write("src", format!("{round}\n"));
            project.ok(&["run", "-q"]);
        }
        if args.contains(&"--max-age") {
            // Ages are whole seconds: all of them are past this one then.
            std::thread::sleep(std::time::Duration::from_millis(1100));
        }
        let gc = |extra: &[&str]| answer(&project.ok(&[&["gc", "--json"], args, extra].concat()));
        let mut told = gc(&["-n"]);
        assert_eq!(gc(&["-n"]), told, "a dry run changes nothing");
        let mut done = gc(&[]);
        for one in [&mut told, &mut done] {
            one.as_object_mut().unwrap().remove("dry_run");
        }
        assert_eq!(told, done, "{args:?}");
        project.ok(&["cache", "verify"]);
        let outputs = project.tree(&OUTPUTS);
        project.ok(&["run"]);
        assert_eq!(project.tree(&OUTPUTS), outputs, "{args:?}");
        project.is_fresh();
        // Switching back and forth works whatever was taken.
        for round in [1, 3] {
            project.write("src", format!("{round}\n"));
            project.ok(&["run"]);
            assert!(project.read("dist-native/bin/made").starts_with(&format!("{round}\n")), "{args:?}");
            project.is_fresh();
        }
    }
}

#[test]
fn gc_by_size_ends_below_the_size() {
    let project = project();
    for round in 0..5 {
        project.write("src", format!("{round}\n"));
        project.ok(&["run", "-q"]);
    }
    let before = answer(&project.ok(&["cache", "info", "--json"]));
    project.ok(&["gc", "--max-size", "400KiB"]);
    let after = answer(&project.ok(&["cache", "info", "--json"]));
    let bytes = |info: &Value| info["bytes"].as_u64().unwrap();
    assert!(bytes(&before) > 1 << 20 && bytes(&after) <= 400 << 10, "{before} {after}");
}

#[test]
fn clean_removes_outputs_and_a_run_restores_them_without_running() {
    let project = project();
    project.ok(&["run"]);
    let outputs = project.tree(&OUTPUTS);
    project.write("dist-native/.env", "A=mine\n");
    project.write("dist-native/notes", "mine\n");
    let dry = project.ok(&["clean", "-n", "--json"]);
    assert!(project.exists("made"));
    let done = project.ok(&["clean", "--json"]);
    assert_eq!(answer(&dry)["removed"], answer(&done)["removed"]);
    for gone in [
        "made",
        "dist/care.tar.gz",
        "dist/care.tar.gz.sha256",
        "dist-native/bin",
        "dist-native/build-manifest.json",
    ] {
        assert!(!project.exists(gone), "{gone}");
    }
    assert_eq!(
        (project.read("dist-native/.env"), project.read("dist-native/notes")),
        ("A=mine\n".into(), "mine\n".into())
    );
    fs::remove_file(project.path("dist-native/.env")).unwrap();
    fs::remove_file(project.path("dist-native/notes")).unwrap();
    project.ok(&["run"]);
    assert_eq!(project.tree(&OUTPUTS), outputs);
    assert_eq!(project.ran()["made"], 1, "restored, not run");
    project.is_fresh();
}

#[test]
fn clean_leaves_an_altered_output_alone() {
    let project = project();
    project.ok(&["run"]);
    project.write("made", "changed by hand\n");
    project.ok(&["clean"]).says("left alone").says("made");
    assert_eq!(project.read("made"), "changed by hand\n");
    project.ok(&["clean"]);
    assert_eq!(project.read("made"), "changed by hand\n");
}

#[test]
fn clean_of_a_project_that_was_never_built_is_no_error() {
    let project = project();
    project.ok(&["clean"]);
    project.ok(&["clean", "-n"]);
    project.ok(&["gc"]);
    project.ok(&["runs"]);
    project.ok(&["cache", "info"]);
    project.ok(&["cache", "verify"]);
}

#[test]
fn looking_before_the_first_run_is_no_error() {
    for args in [
        &["clean", "-n"][..],
        &["gc", "-n"],
        &["runs"],
        &["cache", "info"],
        &["cache", "verify"],
        &["explain"],
        &["run", "-n"],
    ] {
        let project = project();
        project.ok(args);
        assert!(!project.exists("cache"), "{args:?} makes no store");
    }
}

#[test]
fn runs_and_log_tell_what_happened() {
    let project = project();
    project.ok(&["run"]);
    project.is_fresh();
    project.write("src", "1\n");
    project.ok(&["run"]);
    assert_eq!(project.ok(&["log", "made"]).stdout, "said\n");
    project.ok(&["log", "1"]).says("made").says("said");
    let runs = answer(&project.ok(&["runs", "--json"]));
    let runs = runs["runs"].as_array().unwrap_or_else(|| runs.as_array().unwrap());
    assert_eq!(runs.len(), 3, "{runs:?}");
    project.ok(&["runs", "1"]).says("made").says("dist-native");
    project.ok(&["runs", "--limit", "1"]);
}

#[test]
fn completions_exist_for_each_shell() {
    let project = project();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = project.ok(&["completions", shell]).stdout;
        assert!(script.contains("osgraph"), "{shell}");
    }
    for shell in ["bash", "sh"] {
        let path = project.beside("completion");
        fs::write(&path, project.ok(&["completions", "bash"]).stdout).unwrap();
        let checked = std::process::Command::new("bash").arg("-n").arg(&path).output().unwrap();
        assert!(checked.status.success(), "{shell}: {checked:?}");
    }
    project.osgraph(&["completions", "tcsh"]).expect(2);
}

#[test]
fn init_and_run_work_in_any_folder() {
    for with_files in [false, true] {
        let project = Project::new("");
        fs::remove_file(project.path("pipeline.kdl")).unwrap();
        if with_files {
            project.write("src/main.c", "int main;\n");
            project.write("README.md", "# mine\n");
            project.write("common/x", "x\n");
        }
        let before = project.tree(&["src", "README.md", "common"]);
        project.ok(&["init"]);
        project.osgraph(&["init"]).expect(2).says("--force");
        project.ok(&["check"]);
        project.ok(&["run"]);
        project.is_fresh();
        project.ok(&["clean"]);
        project.ok(&["run"]);
        project.is_fresh();
        project.ok(&["init", "--force"]);
        project.is_fresh();
        assert_eq!(project.tree(&["src", "README.md", "common"]), before);
    }
}
