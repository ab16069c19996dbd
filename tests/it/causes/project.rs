//! A project in a temporary folder, and what a run of it said.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// A project in `work`, beside whatever else a test puts into the temporary folder.
pub struct Project {
    pub folder: tempfile::TempDir,
    pub root: PathBuf,
    /// Variables of the caller.
    pub env: BTreeMap<String, String>,
    /// Given to every command, before its name.
    pub general: Vec<String>,
}

/// What one `osgraph run --format json` said.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    /// Nodes by outcome, sorted.
    pub ran: Vec<String>,
    pub restored: Vec<String>,
    pub failed: Vec<String>,
    pub warnings: Vec<String>,
    pub finished: Value,
    pub text: String,
}

impl Project {
    pub fn new(pipeline: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // The project is known by its path without links.
        let root = folder.path().canonicalize().unwrap().join("work");
        fs::create_dir(&root).unwrap();
        fs::create_dir(folder.path().join("home")).unwrap();
        let project = Self { folder, root, env: BTreeMap::new(), general: Vec::new() };
        project.write("pipeline.kdl", pipeline);
        project
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.root.join(below)
    }

    pub fn write(&self, below: &str, text: &str) {
        let path = self.path(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn read(&self, below: &str) -> String {
        fs::read_to_string(self.path(below)).unwrap_or_else(|error| panic!("{below}: {error}"))
    }

    pub fn exists(&self, below: &str) -> bool {
        self.path(below).symlink_metadata().is_ok()
    }

    pub fn remove(&self, below: &str) {
        let path = self.path(below);
        if path.is_dir() && !path.is_symlink() {
            fs::remove_dir_all(path).unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
    }

    pub fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    pub fn chmod(&self, below: &str, mode: u32) {
        fs::set_permissions(self.path(below), fs::Permissions::from_mode(mode)).unwrap();
    }

    pub fn link(&self, target: &str, below: &str) {
        let path = self.path(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let _ = fs::remove_file(&path);
        symlink(target, path).unwrap();
    }

    /// Replaces text in the pipeline file; it must be there.
    pub fn edit_pipeline(&self, from: &str, to: &str) {
        let text = self.read("pipeline.kdl");
        assert!(text.contains(from), "{from} is not in the pipeline");
        self.write("pipeline.kdl", &text.replace(from, to));
    }

    pub fn git(&self, args: &[&str]) {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=a", "-c", "user.email=a@example.org"]).args(args);
        command.current_dir(&self.root).stdin(Stdio::null());
        command.env("HOME", self.folder.path().join("home")).env("GIT_CONFIG_NOSYSTEM", "1");
        let output = command.output().unwrap();
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    pub fn osgraph(&self, args: &[&str]) -> std::process::Output {
        self.command(args).output().unwrap()
    }

    /// As [`Self::osgraph`], not started.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_osgraph"));
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("OSGRAPH_") || name.starts_with("GIT_") || name.starts_with("XDG_") {
                command.env_remove(&*name);
            }
        }
        command.env("HOME", self.folder.path().join("home")).env("GIT_CONFIG_NOSYSTEM", "1");
        command.arg("-C").arg(&self.root).args(&self.general).args(args).envs(&self.env);
        command.stdin(Stdio::null());
        command
    }

    /// `osgraph run` with further arguments, whatever comes of it.
    pub fn try_run(&self, args: &[&str]) -> Said {
        let output = self.osgraph(&[&["run", "--format", "json"], args].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        let mut said = Said {
            code: output.status.code().unwrap_or(-1),
            ran: Vec::new(),
            restored: Vec::new(),
            failed: Vec::new(),
            warnings: Vec::new(),
            finished: Value::Null,
            text: format!("{text}\n{errors}"),
        };
        for line in text.lines() {
            let event: Value = serde_json::from_str(line).unwrap();
            let node = || event["node"].as_str().unwrap().to_owned();
            match (event["event"].as_str(), event["outcome"].as_str()) {
                (Some("node_finished"), Some("ran")) => said.ran.push(node()),
                (Some("node_finished"), Some("restored")) => said.restored.push(node()),
                (Some("node_failed"), _) => said.failed.push(node()),
                (Some("warned"), _) => said.warnings.push(event["message"].as_str().unwrap().to_owned()),
                (Some("run_finished"), _) => said.finished = event,
                _ => {}
            }
        }
        for list in [&mut said.ran, &mut said.restored, &mut said.failed] {
            list.sort();
        }
        said
    }

    /// A run that must succeed.
    pub fn run_with(&self, args: &[&str]) -> Said {
        let said = self.try_run(args);
        assert_eq!(said.code, 0, "{}", said.text);
        said
    }

    pub fn run(&self) -> Said {
        self.run_with(&[])
    }

    /// Runs, which must run exactly `nodes` and end well.
    #[track_caller]
    pub fn runs(&self, nodes: &[&str]) -> Said {
        let said = self.run();
        assert_eq!(said.ran, nodes, "{}", said.text);
        said
    }

    /// Runs, which must find that everything stands as it should; twice, because the first run
    /// may have looked at what was too new to be trusted, and the second then goes by stats alone.
    #[track_caller]
    pub fn is_fresh(&self) {
        for _ in 0..2 {
            let said = self.run();
            assert_eq!(said.finished["outcome"], "fresh", "{}", said.text);
            assert!(said.ran.is_empty() && said.restored.is_empty(), "{}", said.text);
        }
    }

    /// Runs, which must publish `nodes` again and run none.
    #[track_caller]
    pub fn restores(&self, nodes: &[&str]) -> Said {
        let said = self.run();
        assert_eq!((&*said.ran, &*said.restored), (&[] as &[String], &*owned(nodes)), "{}", said.text);
        said
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Everything below `root`: paths with kind, mode and content. `times` adds mtime and inode.
pub fn listing(root: &Path, times: bool) -> BTreeMap<String, String> {
    use std::os::unix::fs::MetadataExt;
    let mut all = BTreeMap::new();
    let mut todo = vec![root.to_path_buf()];
    while let Some(path) = todo.pop() {
        let Ok(meta) = path.symlink_metadata() else { continue };
        let what = if meta.is_dir() {
            todo.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            "folder".to_owned()
        } else if meta.is_symlink() {
            format!("link to {}", fs::read_link(&path).unwrap().display())
        } else {
            let bytes = fs::read(&path).unwrap();
            format!("{:o} {} {}", meta.mode() & 0o7777, bytes.len(), osgraph::digest::Digest::of(&bytes))
        };
        let times = if times { format!(" {} {}", meta.mtime_nsec(), meta.ino()) } else { String::new() };
        all.insert(path.strip_prefix(root).unwrap().display().to_string(), what + &times);
    }
    all
}
