//! A project in a folder of its own, and the real binary at work in it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

pub struct Project {
    pub root: PathBuf,
    /// Not below `/tmp`, of which an isolated recipe has its own.
    beside: tempfile::TempDir,
    _folder: tempfile::TempDir,
}

/// What a command came to.
#[derive(Debug)]
pub struct Output {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Project {
    pub fn new(pipeline: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap().join("project");
        fs::create_dir(&root).unwrap();
        let beside = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let project = Self { root, beside, _folder: folder };
        project.write("pipeline.kdl", pipeline);
        project
    }

    /// A place beside the project, where recipes may write too.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.beside.path().join(name)
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.root.join(below)
    }

    pub fn write(&self, below: &str, text: impl AsRef<[u8]>) {
        let path = self.path(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn read(&self, below: &str) -> String {
        let path = self.path(below);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    pub fn exists(&self, below: &str) -> bool {
        self.path(below).symlink_metadata().is_ok()
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_osgraph"));
        command.arg("-C").arg(&self.root);
        prepare(&mut command, args);
        command
    }

    pub fn osgraph(&self, args: &[&str]) -> Output {
        Output::of(self.command(args).output().unwrap())
    }

    /// Must end with 0.
    pub fn ok(&self, args: &[&str]) -> Output {
        let output = self.osgraph(args);
        output.expect(0);
        output
    }

    /// A further run must have nothing to do.
    pub fn is_fresh(&self) {
        let output = self.ok(&["run", "--json"]);
        assert_eq!(output.finished()["outcome"], "fresh", "{output}");
    }

    /// Every file, link and empty folder below `paths`, with modes and content.
    pub fn tree(&self, paths: &[&str]) -> BTreeMap<String, (u32, Vec<u8>)> {
        let mut found = BTreeMap::new();
        for path in paths {
            list(&self.root, &self.path(path), &mut found);
        }
        found
    }

    /// Names below the project that only a step in the middle of its work leaves behind.
    pub fn litter(&self) -> Vec<String> {
        let mut found = BTreeMap::new();
        list(&self.root, &self.root, &mut found);
        let usual = ["cache/tmp/", "cache/tmp/clock", "cache/trash/"];
        let store = |name: &str| name.starts_with("cache/tmp/") || name.starts_with("cache/trash/");
        found
            .into_keys()
            .filter(|name| name.contains(".osgraph-") || store(name))
            .filter(|name| !usual.contains(&name.as_str()))
            .collect()
    }

    /// How often each word was written to the log beside the project by recipes.
    pub fn ran(&self) -> BTreeMap<String, usize> {
        let text = fs::read_to_string(self.beside("ran")).unwrap_or_default();
        let mut counts = BTreeMap::new();
        for word in text.split_whitespace() {
            *counts.entry(word.to_owned()).or_default() += 1;
        }
        counts
    }
}

/// No colours, no variables of whoever runs the tests.
fn prepare(command: &mut Command, args: &[&str]) {
    command.args(args).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        let strange = ["OSGRAPH_", "GITHUB_", "GITLAB_", "CI"];
        if name.to_str().is_some_and(|name| strange.iter().any(|prefix| name.starts_with(prefix))) {
            command.env_remove(name);
        }
    }
    command.env("NO_COLOR", "1");
}

fn list(root: &Path, path: &Path, found: &mut BTreeMap<String, (u32, Vec<u8>)>) {
    let Ok(metadata) = path.symlink_metadata() else { return };
    let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
    let mode = metadata.permissions().mode() & 0o7777;
    if metadata.is_symlink() {
        found.insert(name, (0, fs::read_link(path).unwrap().into_os_string().into_encoded_bytes()));
    } else if metadata.is_dir() {
        let mut entries = fs::read_dir(path).unwrap().peekable();
        if entries.peek().is_none() {
            found.insert(format!("{name}/"), (mode, Vec::new()));
        }
        for entry in entries.flatten() {
            list(root, &entry.path(), found);
        }
    } else if metadata.is_file() {
        found.insert(name, (mode, fs::read(path).unwrap()));
    } else {
        found.insert(name, (mode, Vec::new()));
    }
}

impl Output {
    pub fn of(output: std::process::Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    #[track_caller]
    pub fn expect(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Both streams say it, one of them or the other.
    #[track_caller]
    pub fn says(&self, text: &str) -> &Self {
        // Long messages are wrapped where the terminal ends.
        let flat = |text: &str| {
            let blank = |c: char| c.is_whitespace() || "│".contains(c);
            text.split(blank).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
        };
        let all = flat(&format!("{}\n{}", self.stdout, self.stderr));
        assert!(all.contains(&flat(text)), "nothing says {text:?}:\n{self}");
        self
    }

    pub fn events(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub fn finished(&self) -> Value {
        let last = self.events().into_iter().rfind(|event| event["event"] == "run_finished");
        last.unwrap_or_else(|| panic!("the run did not finish: {self}"))
    }

    /// The first event of that name for that node.
    pub fn event(&self, name: &str, node: &str) -> Value {
        let found = self.events().into_iter().find(|event| event["event"] == name && event["node"] == node);
        found.unwrap_or_else(|| panic!("no {name} of {node}: {self}"))
    }
}

impl std::fmt::Display for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit {:?}\n--- stdout\n{}--- stderr\n{}", self.code, self.stdout, self.stderr)
    }
}

/// Numbers that look random and are the same each time.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }
}
