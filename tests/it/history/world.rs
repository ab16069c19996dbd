//! A small shop in a git repository: a source, two commands and a package.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// `lines` counts the lines of `src/a` only: what changes in `src/b` reaches it and changes nothing.
pub const SHOP: &str = r#"pipeline "shop" {
    param "version" default="1.0"
    param "token" default="planted"
    default "pack"
}
source-archive "source" {
    dir "src"
    archive "dist/source-${version}.tar.gz"
}
command "app" {
    from "source" into="s"
    env "DEPLOY_TOKEN" "${token}"
    run "sh" "-c" "mkdir app; cat s/a s/b > app/app; wc -l < s/a > app/lines; echo made"
    output "app"
}
command "lines" {
    from "app"
    run "cp" "app/lines" "lines.txt"
    output "lines.txt"
}
dist-native "pack" {
    output "pack"
    copy "files"
    binary "lines" into="bin/lines"
    archive "dist/shop-${version}.tar.gz"
}
"#;

pub struct World {
    folder: TempDir,
}

impl World {
    pub fn new(pipeline: &str) -> Self {
        // Isolated recipes do not see what lies below /tmp.
        let world = Self { folder: tempfile::tempdir_in("/var/tmp").unwrap() };
        world.write("pipeline.kdl", pipeline);
        world
    }

    /// The shop, committed.
    pub fn shop() -> Self {
        let world = Self::new(SHOP);
        for (path, text) in [("src/a", "one\n"), ("src/b", "two\n"), ("files/read.me", "read me\n")] {
            world.write(path, text);
        }
        world.write(".gitignore", "cache/\ndist/\npack/\napp/\nlines.txt\n*.json\n");
        world.git(&["init", "-q", "-b", "main"]);
        world.commit();
        world
    }

    /// A clone of the last commit, with a store of its own.
    pub fn cloned(&self) -> Self {
        let folder = tempfile::tempdir_in("/var/tmp").unwrap();
        self.git(&["clone", "-q", ".", folder.path().to_str().unwrap()]);
        Self { folder }
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.root().join(below)
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    pub fn git(&self, words: &[&str]) {
        let mut git = Command::new("git");
        git.current_dir(self.root()).args(["-c", "user.name=n", "-c", "user.email=n@x"]).args(words);
        let output = git.output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    pub fn commit(&self) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-qm", "more"]);
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_osgraph"));
        command.current_dir(self.root()).args(args).stdin(Stdio::null());
        for name in ["OSGRAPH_FILE", "OSGRAPH_STORE", "GITHUB_ACTIONS", "GITLAB_CI", "CLICOLOR_FORCE"] {
            command.env_remove(name);
        }
        command
    }

    /// Exit code, standard output, standard error.
    pub fn say(&self, args: &[&str]) -> (i32, String, String) {
        let Output { status, stdout, stderr } = self.command(args).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (status.code().expect("not ended by a signal"), text(stdout), text(stderr))
    }

    /// The answer.
    pub fn ok(&self, args: &[&str]) -> String {
        let (code, out, err) = self.say(args);
        assert_eq!(code, 0, "{args:?}: {out}{err}");
        out
    }

    /// The answer for programs.
    pub fn json(&self, args: &[&str]) -> Value {
        let text = self.ok(&[args, &["--json"]].concat());
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["v"], 1, "{text}");
        value
    }

    /// What a mistake is answered with: its exit code and what is said, which has a mend.
    pub fn refused(&self, args: &[&str]) -> (i32, String) {
        let (code, out, err) = self.say(args);
        assert!(code != 0 && out.is_empty(), "{args:?}: {out}{err}");
        assert!(err.contains("help: "), "{args:?} has no mend: {err}");
        (code, err)
    }

    pub fn run(&self) {
        self.ok(&["-q", "run"]);
    }

    /// Writes a source file and builds.
    pub fn edit(&self, path: &str, text: &str) {
        self.write(path, text);
        self.run();
    }
}

/// Asserts that every part is in the text.
pub fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
}

/// The element of a list whose field is `value`.
pub fn one<'a>(list: &'a Value, field: &str, value: &str) -> &'a Value {
    let mut found = list.as_array().unwrap().iter().filter(|item| item[field] == value);
    let one = found.next().unwrap_or_else(|| panic!("no `{field}` is `{value}` in {list}"));
    assert!(found.next().is_none(), "several are `{value}` in {list}");
    one
}
