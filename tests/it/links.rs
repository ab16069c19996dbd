//! Links where files and folders are declared: what they lead to counts, under the declared name.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

struct Project {
    folder: tempfile::TempDir,
}

impl Project {
    fn new(nodes: &str) -> Self {
        let project = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir_all(project.at("project")).unwrap();
        project.write("project/pipeline.kdl", &format!("pipeline \"links\"\n{nodes}\n"));
        project
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn link(&self, target: impl AsRef<Path>, path: &str) {
        let path = self.at(path);
        let _ = fs::remove_file(&path);
        symlink(target, path).unwrap();
    }

    fn run(&self) -> Output {
        Command::new(env!("CARGO_BIN_EXE_osgraph"))
            .args(["run", "--json", "-C"])
            .arg(self.at("project"))
            .output()
            .unwrap()
    }

    /// How a run that succeeds ended: `ran`, `restored` or `fresh`.
    fn outcome(&self) -> String {
        let output = self.run();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        last["outcome"].as_str().unwrap().to_owned()
    }
}

#[test]
fn output_below_a_linked_folder_is_no_input() {
    let project = Project::new(
        r#"command "make" { run "sh" "-c" "mkdir -p common; echo made > common/made"; output "common/made" }
           dist-native "pack" { output "dist"; copy "common" }"#,
    );
    project.write("shared/config", "c");
    project.link("../shared", "project/common");
    assert_eq!(project.outcome(), "ran");
    assert_eq!(project.outcome(), "fresh");
    assert!(project.at("shared/made").exists());
    assert!(!project.at("project/dist/made").exists());
}

#[test]
fn copied_link_is_laid_down_under_its_own_name() {
    let project = Project::new(r#"dist-native "pack" { output "dist"; copy "current.conf" }"#);
    project.write("project/one.conf", "1");
    project.write("project/two.conf", "1");
    project.link("one.conf", "project/current.conf");
    assert_eq!(project.outcome(), "ran");
    assert_eq!(fs::read_to_string(project.at("project/dist/current.conf")).unwrap(), "1");
    assert!(!project.at("project/dist/one.conf").exists());
    // Another file with the same content is the same input.
    project.link("two.conf", "project/current.conf");
    assert_eq!(project.outcome(), "fresh");
}

#[test]
fn linked_pipeline_file_is_read_again_when_its_target_changes() {
    let project = Project::new("");
    let text = |word: &str| {
        format!(
            "pipeline \"links\"\ncommand \"c\" {{ run \"sh\" \"-c\" \"echo {word} > out\"; output \"out\" }}\n"
        )
    };
    project.write("shared.kdl", &text("one"));
    project.link("../shared.kdl", "project/pipeline.kdl");
    assert_eq!(project.outcome(), "ran");
    assert_eq!(project.outcome(), "fresh");
    project.write("shared.kdl", &text("two"));
    assert_eq!(project.outcome(), "ran");
}

#[test]
fn linked_parameter_file_is_read_again_when_its_target_changes() {
    let project = Project::new(
        r#"param "version" from-file="VERSION"
           command "c" { run "sh" "-c" "echo ${version} > out"; output "out" }"#,
    );
    let text = fs::read_to_string(project.at("project/pipeline.kdl")).unwrap();
    let text = text.replace(
        "pipeline \"links\"\nparam \"version\" from-file=\"VERSION\"",
        "pipeline \"links\" { param \"version\" from-file=\"VERSION\"; }",
    );
    project.write("project/pipeline.kdl", &text);
    project.write("version", "1");
    project.link("../version", "project/VERSION");
    assert_eq!(project.outcome(), "ran");
    assert_eq!(project.outcome(), "fresh");
    project.write("version", "2");
    assert_eq!(project.outcome(), "ran");
    assert_eq!(fs::read_to_string(project.at("project/out")).unwrap(), "2\n");
}

#[test]
fn source_folder_that_is_a_file_is_refused() {
    let project = Project::new(r#"source-archive "source" { dir "app"; output "out" }"#);
    project.write("project/app", "a file");
    let output = project.run();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("`app` is no folder"));
}
