//! The whole answer to "why", for one node: what `explain` shows and `--format json` prints.

use serde::Serialize;

use crate::pipeline::edit::Edit;
use crate::pipeline::{Kind, NodeName};
use crate::plan::{Estimate, Reason, Verdict};
use crate::record::RunId;

/// The record that a node is compared with, named so that nobody has to guess.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Baseline {
    pub run: RunId,
    /// `branch@commit` at the time.
    pub revision: Option<String>,
    /// Seconds since 1970.
    pub started: i64,
    /// Wall milliseconds that the node's own work took then.
    pub duration_ms: u64,
    /// Whether it is this node's own record; else the record with the nearest manifest.
    pub last_success: bool,
}

/// An instruction of a Dockerfile whose image is to be built.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Layer {
    pub line: u32,
    /// Its first line.
    pub text: String,
    /// What it is expected to take if the engine's cache has it not; none where no run timed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Estimate>,
}

/// One node explained. Hits are explained too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    pub node: NodeName,
    pub kind: Kind,
    pub verdict: Verdict<NodeName>,
    /// The action key, where all upstream artifacts are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Baseline>,
    /// How many components of each facet are the same: own, environment, upstream.
    pub unchanged: [usize; 3],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Estimate>,
    /// How often it came out as it was: where that happens, nothing follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identical: Option<Identical>,
    /// Those of its Dockerfile that make a layer, where an image may be built.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub instructions: Vec<Layer>,
    /// Direct upstreams with the word of their verdict.
    pub upstreams: Vec<(NodeName, &'static str)>,
    /// Every node that may run because of this one, if its artifact changes.
    pub downstream: Vec<NodeName>,
    /// What is worth knowing and is no cause: uncommitted changes, ignored declared files.
    pub notes: Vec<String>,
    /// What in the pipeline file would put an end to a note.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<Proposed>,
}

/// How many of some past runs gave the artifact that was there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Identical {
    pub same: u32,
    pub of: u32,
}

/// An edit, and the note that it answers, by position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proposed {
    pub note: usize,
    #[serde(flatten)]
    pub edit: Edit,
}

impl Explanation {
    /// The reasons behind a verdict that is not fresh.
    pub fn reasons(&self) -> &[Reason] {
        match &self.verdict {
            Verdict::Stale(reasons) | Verdict::Restorable(reasons) => reasons,
            Verdict::Fresh | Verdict::Waiting(_) => &[],
        }
    }
}
