//! A declared input as it was found on disk, whatever its kind.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::inputs::git::{GitFacts, GitSource};
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
