//! What git has not committed of an explanation's changes: asked once for each folder, and only
//! where something changed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::inputs::git::{self, GitProgram};
use crate::inputs::input::Input;
use crate::key::compose::Placed;
use crate::plan::{Code, Explanation, Reason, Verdict};

/// Uncommitted paths of one folder that are looked at.
const MOST: usize = 1_000;

/// Git's answers so far, by folder.
pub struct Uncommitted<'a> {
    git: &'a GitProgram,
    known: HashMap<PathBuf, Vec<String>>,
}

impl<'a> Uncommitted<'a> {
    pub fn new(git: &'a GitProgram) -> Self {
        Self { git, known: HashMap::new() }
    }

    /// Marks the changes of `explanation`, whose inputs these are.
    pub fn mark(&mut self, explanation: &mut Explanation, inputs: &[Placed<Input>]) {
        let (Verdict::Stale(reasons) | Verdict::Restorable(reasons)) = &mut explanation.verdict else {
            return;
        };
        let is_of_file =
            |reason: &&mut Reason| matches!(reason.code, Code::InputChanged | Code::DockerfileChanged);
        for reason in reasons.iter_mut().filter(is_of_file) {
            match inputs.iter().find(|placed| placed.label == reason.label).map(|placed| &placed.input) {
                Some(Input::Folder(folder)) => self.mark_folder(reason, &folder.root),
                Some(Input::Leaf(path, _)) => self.mark_file(reason, path),
                Some(Input::Dockerfile(file)) => self.mark_file(reason, &file.path),
                // What comes out of git is committed.
                Some(Input::Git(_)) | None => {}
            }
        }
    }

    fn mark_folder(&mut self, reason: &mut Reason, root: &Path) {
        let found = self.ask(root);
        let is_uncommitted = |path: &str| {
            found
                .iter()
                .any(|one| one == path || one.is_empty() || one.ends_with('/') && path.starts_with(one))
        };
        let all = reason.changes.iter().enumerate();
        reason.uncommitted =
            all.filter(|(_, change)| is_uncommitted(change.path.as_str())).map(|(at, _)| at).collect();
    }

    fn mark_file(&mut self, reason: &mut Reason, path: &Path) {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str()))
        else {
            return;
        };
        if self.ask(folder).iter().any(|one| one == name || one.is_empty()) {
            reason.uncommitted = vec![0];
        }
    }

    fn ask(&mut self, folder: &Path) -> &[String] {
        let git = self.git;
        self.known
            .entry(folder.to_path_buf())
            // Without git nothing can be told, and nothing depends on it.
            .or_insert_with(|| git::uncommitted(folder, MOST, git).unwrap_or_default())
    }
}
