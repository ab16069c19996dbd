//! A declared input as it was found on disk, whatever its kind.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::dockerfile::Analysis;
use crate::inputs::git::{self, GitFacts, GitProgram, GitSource, Traits};
use crate::inputs::observation::Observation;
use crate::inputs::observe::Seen;

#[derive(Clone, Debug)]
pub enum Input {
    Folder(Arc<Observation>),
    /// The absolute path and what is there.
    Leaf(PathBuf, Seen),
    Git(Arc<GitInput>),
    Dockerfile(Arc<DockerfileInput>),
}

/// What stands for an image that neither the engine nor a lock nor a record knows.
pub const UNRESOLVED: &str = "as the registry has it";

/// A Dockerfile as it was read, and what was found out of it.
#[derive(Debug)]
pub struct DockerfileInput {
    /// Absolute.
    pub path: PathBuf,
    pub seen: Seen,
    pub text: String,
    pub analysis: Analysis,
    /// What is built for: `linux/amd64`.
    pub platform: String,
    /// How the node's base is named in it; empty where it has none.
    pub base: Vec<String>,
    /// References of the file and the digests that they are locked to.
    pub locked: Vec<(String, String)>,
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

/// What git answered, kept so that asking again costs one process: all that a tree says of its own
/// archive is a function of its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GitAnswer {
    pub tree: String,
    pub traits: Traits,
    /// Of all that may count.
    pub facts: Digest,
}

impl GitAnswer {
    /// The digest of all that may count: what two answers are compared by. A commit with the tree
    /// of the one before is another one, because a package may name it.
    pub fn digest(facts: &GitFacts) -> Digest {
        let mut text = format!("commit={}\n", facts.commit);
        text.extend(facts.counts.iter().map(|(label, value)| format!("{label}={value}\n")));
        Digest::of(text.as_bytes())
    }
}

/// What a tool is asked, again in every run.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ToolQuestion {
    pub program: String,
    pub identify: Vec<String>,
    /// Names of the caller's environment that it gets.
    pub pass: Vec<String>,
}
