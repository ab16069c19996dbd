//! A declared input as it was found on disk, whatever its kind.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::inputs::git::{self, GitFacts, GitProgram, GitSource};
use crate::inputs::observe::{Observation, Seen};

#[derive(Clone, Debug)]
pub enum Input {
    Folder(Arc<Observation>),
    /// The absolute path and what is there.
    Leaf(PathBuf, Seen),
    Git(Arc<GitInput>),
}

/// A git reference that was looked up.
#[derive(Debug)]
pub struct GitInput {
    pub source: GitSource,
    pub facts: GitFacts,
    pub question: GitQuestion,
    /// Patterns for what is left out of the archive.
    pub excludes: Vec<String>,
}

impl GitInput {
    /// That changes lie uncommitted beside the commit that is taken, in one sentence; none when
    /// there are none, or when the commit is not the one that is checked out. Starts processes.
    pub fn uncommitted(&self, git: &GitProgram) -> Option<String> {
        const SHOWN: usize = 3;
        if self.source.resolve("HEAD").ok()?.commit != self.facts.commit {
            return None;
        }
        let paths = git::uncommitted(&self.question.path, SHOWN + 1, git).ok()?;
        if paths.is_empty() {
            return None;
        }
        let shown: Vec<String> = paths.iter().take(SHOWN).map(|path| format!("`{path}`")).collect();
        let commit = &self.facts.commit[..self.facts.commit.len().min(9)];
        let more = if paths.len() > SHOWN { ", …" } else { "" };
        Some(format!(
            "built from the commit {commit}: uncommitted changes do not count ({}{more})",
            shown.join(", ")
        ))
    }
}

/// What git is asked, again in every run.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GitQuestion {
    /// Absolute.
    pub path: PathBuf,
    pub reference: String,
    pub submodules: bool,
}

/// What a tool is asked, again in every run.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ToolQuestion {
    pub program: String,
    pub identify: Vec<String>,
    /// Names of the caller's environment that it gets.
    pub pass: Vec<String>,
}
