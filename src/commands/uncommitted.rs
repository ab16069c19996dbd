//! What git says of an explanation's changes: which are not committed, and which commit brought the
//! others. Asked once for each folder, and only where something changed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::inputs::git::{self, GitProgram};
use crate::inputs::input::Input;
use crate::key::compose::Placed;
use crate::plan::{Code, Committed, Explanation, Reason, Verdict};

/// Uncommitted paths of one folder that are looked at.
const MOST: usize = 1_000;

/// Git's answers so far.
pub struct Uncommitted<'a> {
    git: &'a GitProgram,
    /// By folder.
    known: HashMap<PathBuf, Vec<String>>,
    /// By folder and the commit from which on: the commits of paths.
    commits: HashMap<(PathBuf, String), HashMap<String, String>>,
}

impl<'a> Uncommitted<'a> {
    pub fn new(git: &'a GitProgram) -> Self {
        Self { git, known: HashMap::new(), commits: HashMap::new() }
    }

    /// Marks the changes of `explanation`, whose inputs these are.
    pub fn mark(&mut self, explanation: &mut Explanation, inputs: &[Placed<Input>]) {
        let revision = explanation.baseline.as_ref().and_then(|baseline| baseline.revision.as_deref());
        let since =
            revision.and_then(|revision| revision.rsplit_once('@')).map(|(_, commit)| commit.to_owned());
        let (Verdict::Stale(reasons) | Verdict::Restorable(reasons)) = &mut explanation.verdict else {
            return;
        };
        let is_of_file =
            |reason: &&mut Reason| matches!(reason.code, Code::InputChanged | Code::DockerfileChanged);
        for reason in reasons.iter_mut().filter(is_of_file) {
            match inputs.iter().find(|placed| placed.label == reason.label).map(|placed| &placed.input) {
                Some(Input::Folder(folder)) => {
                    let paths = reason.changes.iter().map(|change| change.path.to_string()).collect();
                    self.mark_paths(reason, &folder.root, paths, since.as_deref());
                }
                Some(Input::Leaf(path, _)) => self.mark_file(reason, path, since.as_deref()),
                Some(Input::Dockerfile(file)) => self.mark_file(reason, &file.path, since.as_deref()),
                // What comes out of git is committed.
                Some(Input::Git(_)) | None => {}
            }
        }
    }

    fn mark_file(&mut self, reason: &mut Reason, path: &Path, since: Option<&str>) {
        if let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) {
            self.mark_paths(reason, folder, vec![name.to_owned()], since);
        }
    }

    /// `paths`, below `root`, by their positions.
    fn mark_paths(&mut self, reason: &mut Reason, root: &Path, paths: Vec<String>, since: Option<&str>) {
        let found = self.ask(root);
        let is_uncommitted = |path: &str| {
            found
                .iter()
                .any(|one| one == path || one.is_empty() || one.ends_with('/') && path.starts_with(one))
        };
        let all = paths.iter().enumerate();
        reason.uncommitted = all.filter(|(_, path)| is_uncommitted(path)).map(|(at, _)| at).collect();
        let Some(since) = since.filter(|_| reason.uncommitted.len() < paths.len()) else { return };
        let commits = self.commits_since(root, since);
        let mut brought: Vec<Committed> = Vec::new();
        for (at, path) in paths.iter().enumerate() {
            let Some(commit) = commits.get(path).filter(|_| !reason.uncommitted.contains(&at)) else {
                continue;
            };
            match brought.iter_mut().find(|one| one.commit == *commit) {
                Some(one) => one.changes.push(at),
                None => brought.push(Committed { commit: commit.clone(), changes: vec![at] }),
            }
        }
        reason.commits = brought;
    }

    fn ask(&mut self, folder: &Path) -> &[String] {
        let git = self.git;
        self.known
            .entry(folder.to_path_buf())
            // Without git nothing can be told, and nothing depends on it.
            .or_insert_with(|| git::uncommitted(folder, MOST, git).unwrap_or_default())
    }

    fn commits_since(&mut self, folder: &Path, since: &str) -> &HashMap<String, String> {
        let git = self.git;
        self.commits
            .entry((folder.to_path_buf(), since.to_owned()))
            .or_insert_with(|| git::committed(folder, since, git).unwrap_or_default())
    }
}
