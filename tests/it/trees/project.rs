//! A project in a folder of its own, and the binary that works on it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// A project folder with room beside it.
pub struct Project {
    folder: tempfile::TempDir,
    /// The project's own folder, without links.
    pub root: PathBuf,
}

/// What a command said.
pub struct Said {
    pub code: i32,
    pub stderr: String,
    pub events: Vec<Value>,
}

impl Project {
    pub fn new(pipeline: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap().join("project");
        fs::create_dir(&root).unwrap();
        let project = Self { folder, root };
        project.write("pipeline.kdl", pipeline);
        project
    }

    /// A place beside the project.
    pub fn beside(&self, name: &str) -> PathBuf {
        fs::canonicalize(self.folder.path()).unwrap().join(name)
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.root.join(below)
    }

    pub fn write(&self, below: &str, content: impl AsRef<[u8]>) {
        write(&self.path(below), content);
    }

    pub fn read(&self, below: &str) -> String {
        fs::read_to_string(self.path(below)).unwrap()
    }

    pub fn remove(&self, below: &str) {
        let path = self.path(below);
        let gone = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        gone.unwrap();
    }

    /// Any command, with its text output.
    pub fn say(&self, args: &[&str]) -> (i32, String, String) {
        let output = self.command(&[]).args(args).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
    }

    /// `osgraph run`, whatever comes of it.
    pub fn run(&self, args: &[&str]) -> Said {
        self.run_as(&[], args)
    }

    /// `osgraph run` by way of another program and its arguments.
    pub fn run_as(&self, by: &[&str], args: &[&str]) -> Said {
        let output = self.command(by).args(["run", "--format", "json"]).args(args).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let events = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        Said { code: output.status.code().unwrap_or_else(|| panic!("{stderr}")), stderr, events }
    }

    /// `osgraph run`, which must succeed.
    #[track_caller]
    pub fn build(&self, args: &[&str]) -> Said {
        let said = self.run(args);
        assert_eq!(said.code, 0, "{}\n{:#?}", said.stderr, said.events);
        said
    }

    fn command(&self, by: &[&str]) -> Command {
        let binary = env!("CARGO_BIN_EXE_osgraph");
        let mut command = match by {
            [] => Command::new(binary),
            [program, args @ ..] => {
                let mut command = Command::new(program);
                command.args(args).arg(binary);
                command
            }
        };
        command.arg("-C").arg(&self.root).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("OSGRAPH_")) {
                command.env_remove(name);
            }
        }
        // What the user of this machine ignores is not the tests' business.
        command.env("HOME", self.folder.path()).env_remove("XDG_CONFIG_HOME");
        command
    }
}

impl Said {
    fn named(&self, event: &str) -> impl Iterator<Item = &Value> {
        self.events.iter().filter(move |one| one["event"] == event)
    }

    /// Nodes by how they ended, `ran` or `restored`; those that were fresh are not among them.
    pub fn ended(&self) -> BTreeMap<String, String> {
        self.named("node_finished")
            .filter(|event| event["outcome"] != "fresh")
            .map(|event| (text(&event["node"]), text(&event["outcome"])))
            .collect()
    }

    /// The names of the nodes that ran, sorted.
    pub fn ran(&self) -> Vec<String> {
        self.ended().into_iter().filter(|(_, outcome)| outcome == "ran").map(|(node, _)| node).collect()
    }

    pub fn outcome(&self) -> String {
        text(&self.named("run_finished").last().unwrap()["outcome"])
    }

    pub fn warnings(&self) -> Vec<String> {
        self.named("warned").map(|event| text(&event["message"])).collect()
    }

    /// Everything that was said of what went wrong, to be searched.
    pub fn complaint(&self) -> String {
        let failed = self.named("node_failed");
        let lines = failed.map(|event| format!("{} {}", text(&event["message"]), event["help"]));
        lines.chain([self.stderr.clone()]).collect::<Vec<_>>().join("\n")
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

pub fn write(path: &Path, content: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// Git in `folder`, by nobody's configuration; its output.
pub fn git<S: AsRef<OsStr>>(folder: &Path, words: &[S]) -> Vec<u8> {
    let output = Command::new("git")
        .current_dir(folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .args(["-c", "user.name=a", "-c", "user.email=a@b", "-c", "protocol.file.allow=always"])
        .args(["-c", "safe.directory=*", "-c", "tar.umask=0022", "-c", "core.autocrlf=false"])
        .args(words)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Makes `folder` a repository whose one commit holds all of it.
pub fn commit_all(folder: &Path) {
    if !folder.join(".git").exists() {
        git(folder, &["init", "-q", "-b", "main"]);
    }
    git(folder, &["add", "-A"]);
    git(folder, &["commit", "-q", "--allow-empty", "-m", "a commit"]);
}
