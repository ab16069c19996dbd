//! What the store remembers of a node that ran: the record, and the run it belongs to.
//!
//! Plain data. How it is kept is the store's business; what it means for freshness, the plan's.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::key::{Key, Manifest, Value};
use crate::pipeline::NodeName;
use crate::tree::{Entry, TreeDigest};

/// What a node yields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Artifact {
    /// A file or a tree, kept in the store by digest.
    Entry(Entry),
    Image(Image),
}

/// A container image, kept by an engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// What counts downstream: layers, platform and runtime configuration.
    pub digest: Digest,
    /// The engine's id. Recorded, never counted.
    pub id: String,
    /// `os/arch[/variant]`.
    pub platform: String,
    /// The layers' digests before compression, the lowest first.
    pub diff_ids: Vec<String>,
    /// How the engine that made it keeps images, as `classic (overlay2)`. Recorded, never counted.
    pub store: String,
    /// The digest of its configuration, where that is known. Recorded, never counted.
    pub config: Option<String>,
    /// Its configuration and layers in the store, where they are kept. Recorded, never counted.
    pub kept: Option<TreeDigest>,
}

impl Artifact {
    /// What stands for this artifact in a consumer's manifest.
    pub fn value(&self) -> Value {
        match self {
            Self::Entry(entry) => Value::Entry(entry.clone()),
            Self::Image(image) => Value::Image(image.digest),
        }
    }
}

/// Identifies a run; a later run has a larger id, whatever the clock says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RunId(pub i64);

impl std::fmt::Display for RunId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A node's success: this manifest gave this artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub key: Key,
    /// [`Manifest::own_digest`] of `manifest`.
    pub own: Digest,
    pub node: NodeName,
    pub manifest: Manifest,
    pub artifact: Artifact,
    pub run: RunId,
    /// Wall milliseconds of the work itself.
    pub duration_ms: u64,
    /// The captured output, a content of the store; none when nothing was printed.
    pub log: Option<Digest>,
}

/// How a run, or a node in it, ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing had to be done.
    Fresh,
    /// Put back from the store.
    Restored,
    /// Ran and succeeded.
    Ran,
    Failed,
    /// Not tried, because an upstream failed.
    Skipped,
    Interrupted,
}

/// One run of osgraph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Run {
    pub id: RunId,
    /// Seconds since 1970. Shown, never compared.
    pub started: i64,
    pub duration_ms: u64,
    pub outcome: Outcome,
    /// As typed, without values of parameters.
    pub targets: Vec<String>,
    /// `branch@commit` of the project, where it is a repository.
    pub revision: Option<String>,
}

/// One node's part in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub run: RunId,
    pub node: NodeName,
    pub outcome: Outcome,
    /// Milliseconds into the run at which it began.
    pub began_ms: u64,
    pub duration_ms: u64,
    pub why: Why,
    /// Of the record that the node had from then on.
    pub key: Option<Key>,
    /// Whether it yielded what it had yielded before; none where there was nothing before.
    pub same: Option<bool>,
    pub log: Option<Digest>,
}

/// Why a node ran, as it was told when it did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Why {
    /// One line.
    pub cause: String,
    /// All of it: a JSON list of reasons, as in every other answer. Empty where there are none.
    pub reasons: String,
    /// The run whose record it was compared with.
    pub baseline: Option<RunId>,
}
