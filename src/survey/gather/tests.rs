use std::fs;
use std::process::Command;

use super::*;
use crate::digest::Digest;
use crate::inputs::Index;
use crate::inputs::git::User;
use crate::inputs::observe::Progress;
use crate::inputs::stat::Clock;
use crate::inputs::verify::verify;
use crate::key::Manifest;
use crate::pipeline::{Document, Overrides, SourceFile};
use crate::run::docker::{EngineError, ImageFacts};

/// A project whose `pipeline.kdl` has one source archive, of `auto "app"`.
struct Project {
    folder: tempfile::TempDir,
}

impl Project {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("app")).unwrap();
        fs::write(folder.path().join("app/index.html"), "committed").unwrap();
        Self { folder }
    }

    fn app(&self) -> PathBuf {
        fs::canonicalize(self.folder.path()).unwrap().join("app")
    }

    fn git(&self, folder: &Path, words: &[&str]) {
        let done = Command::new("git")
            .current_dir(folder)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .args(["-c", "user.name=a", "-c", "user.email=a@b"])
            .args(words)
            .output()
            .unwrap();
        assert!(done.status.success(), "git {words:?}: {}", String::from_utf8_lossy(&done.stderr));
    }

    fn commit(&self, folder: &Path) {
        self.git(folder, &["init", "-q", "-b", "main"]);
        self.git(folder, &["add", "-A"]);
        self.git(folder, &["commit", "-q", "-m", "a commit"]);
    }

    fn git_program(&self) -> GitProgram {
        let search_path = std::env::var_os("PATH").unwrap();
        GitProgram { program: "git".into(), search_path, user: User::default() }
    }

    /// The input of the one node, and the paths that the next idle check looks at.
    fn gathered(&self) -> Result<(Input, Index), Vec<Trouble>> {
        let text = "pipeline \"p\"\nsource-archive \"source\" { auto \"app\" }";
        let source = SourceFile { name: "pipeline.kdl".to_owned(), text: text.into() };
        let overrides = Overrides {
            set: Vec::new(),
            env: &|_| None,
            read_file: &|_| Err(std::io::ErrorKind::NotFound.into()),
            host_arch: "x86_64",
        };
        let pipeline =
            Document::parse(&source).and_then(|document| document.resolve(&source, &overrides)).unwrap();
        let project = fs::canonicalize(self.folder.path()).unwrap();
        let git = self.git_program();
        let published = BTreeMap::new();
        let around = Surroundings {
            project: &project,
            store: &project.join("cache"),
            git: &git,
            identify: &|_| Ok(None),
            resolve: &|_| Resolved { program: None, searched: Vec::new() },
            published: &published,
            images: &NoEngine,
            assumed: &HashSet::new(),
            obscured: &HashSet::new(),
        };
        let index = Arc::new(Index::default());
        let progress = Progress::default();
        let moved = verify(&index);
        let mut observer = Observer::new(index, moved, Clock::read(&project), &progress);
        let nodes: Vec<&Node> = pipeline.nodes.iter().collect();
        let mut gathered = gather(&pipeline, &nodes, &around, &mut observer)?;
        let input = gathered.nodes.remove(0).inputs.remove(0).input;
        Ok((input, observer.finish().into_index(&|| Clock::read(&project))))
    }

    fn input(&self) -> Input {
        self.gathered().unwrap().0
    }
}

/// For pipelines without images.
struct NoEngine;

impl Images for NoEngine {
    fn look(&self, _: &[&str]) -> Result<Vec<Option<ImageFacts>>, EngineError> {
        Err(EngineError::NoneFound { tried: Vec::new(), help: None })
    }

    fn platform(&self) -> Result<String, EngineError> {
        Err(EngineError::NoneFound { tried: Vec::new(), help: None })
    }

    fn locked(&self, _: &str, _: &str) -> Option<String> {
        None
    }

    fn is_refused(&self, _: &Digest) -> bool {
        false
    }

    fn latest(&self, _: &NodeName) -> Option<Manifest> {
        None
    }
}

#[test]
fn an_auto_source_is_the_commit_where_the_path_is_the_top_of_a_repository() {
    let project = Project::new();
    project.commit(&project.app());
    fs::write(project.app().join("index.html"), "changed").unwrap();
    let Input::Git(git) = project.input() else { panic!("not taken from git") };
    assert_eq!(git.question.reference, "HEAD");
    let note = git.uncommitted(&project.git_program()).unwrap();
    assert!(note.contains(&git.facts.commit[..9]) && note.ends_with("(`index.html`)"), "{note}");

    fs::write(project.app().join("index.html"), "committed").unwrap();
    assert_eq!(git.uncommitted(&project.git_program()), None);
}

#[test]
fn uncommitted_changes_are_beside_a_commit_that_is_checked_out_only() {
    let project = Project::new();
    project.commit(&project.app());
    let Input::Git(before) = project.input() else { panic!("not taken from git") };
    for name in ["a", "b", "c", "d"] {
        fs::write(project.app().join(name), name).unwrap();
    }
    let note = before.uncommitted(&project.git_program()).unwrap();
    assert!(note.ends_with("(`a`, `b`, `c`, …)"), "{note}");
    project.git(&project.app(), &["commit", "-q", "--allow-empty", "-m", "another"]);
    assert_eq!(before.uncommitted(&project.git_program()), None, "another commit is checked out");
}

#[test]
fn an_auto_source_is_the_folder_where_the_repository_lies_above_or_nowhere() {
    let project = Project::new();
    assert!(matches!(project.input(), Input::Folder(_)), "no repository");
    project.commit(project.folder.path());
    assert!(matches!(project.input(), Input::Folder(_)), "below the top");
    fs::create_dir(project.app().join(".git")).unwrap();
    assert!(matches!(project.input(), Input::Folder(_)), "a folder of that name is no repository");
}

#[test]
fn an_auto_source_is_the_commit_of_a_worktree_and_of_a_bare_repository() {
    let project = Project::new();
    let main = project.folder.path().join("main");
    fs::rename(project.app(), &main).unwrap();
    project.commit(&main);
    project.git(&main, &["worktree", "add", "-q", "-b", "other", project.app().to_str().unwrap()]);
    assert!(matches!(project.input(), Input::Git(_)), "a linked worktree");
    fs::remove_dir_all(project.app()).unwrap();
    project.git(&main, &["clone", "-q", "--bare", ".", project.app().to_str().unwrap()]);
    assert!(matches!(project.input(), Input::Git(_)), "a bare repository");
}

#[test]
fn a_folder_that_becomes_a_repository_is_looked_at_again() {
    // Longer than a file system's clock stands still: a file as old as the look is looked at again.
    let settle = || std::thread::sleep(std::time::Duration::from_millis(30));
    let project = Project::new();
    settle();
    let (_, index) = project.gathered().unwrap();
    assert!(verify(&index).is_empty());
    project.commit(&project.app());
    assert!(!verify(&index).is_empty());
    settle();

    let (_, index) = project.gathered().unwrap();
    assert!(verify(&index).is_empty());
    fs::remove_dir_all(project.app().join(".git")).unwrap();
    assert!(!verify(&index).is_empty());
}
