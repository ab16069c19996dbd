//! What one path counts for, and what would run if it changed: data, without words.

use serde::Serialize;

use crate::pipeline::{NodeName, Span};
use crate::plan::Estimate;

/// The whole answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Oracle {
    /// The pipeline file as it is named to the reader.
    pub file: String,
    pub paths: Vec<Sight>,
    /// Nodes that run if the paths change, upstreams first.
    pub runs: Vec<Expected>,
    /// Nodes that run only if the artifact of one before them changes.
    pub follow: Vec<Expected>,
    /// Nodes whose outputs are put back.
    pub restored: Vec<NodeName>,
    /// What could not be found out.
    pub notes: Vec<String>,
}

/// A path, and every use that is made of it or not made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sight {
    /// As the reader named it.
    pub path: String,
    pub form: Form,
    pub counts: Vec<Use>,
    pub passed: Vec<Passed>,
}

/// What is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    Absent,
    File,
    Folder,
    Link,
}

/// What comes of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// The node runs.
    Run,
    /// The node runs if something else counts then, or something else is meant.
    Decide,
    /// The node's output is put back.
    Restore,
}

/// A path that counts for a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Use {
    pub node: NodeName,
    /// The component of the manifest, or the output.
    pub label: String,
    pub effect: Effect,
    /// What in the pipeline file makes it count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// Its line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// What beside the pipeline file makes it count: an instruction of a Dockerfile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
}

/// What has to be said of a use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Note {
    /// A link on the way to what is declared.
    LeadsThere,
    /// A folder that holds what is declared.
    HoldsIt,
    /// A folder that counts only when something in it does.
    MayHold,
    /// As it is in this commit.
    Committed(String),
    /// As it is in this commit, and left out of what is made of it, by this pattern.
    LeftOutLater(String),
    /// The node could not be looked at, for this.
    Trouble(String),
}

/// A line of a file that is not the pipeline's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// From the project's root where it lies there.
    pub file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The line, or as much of it as says what it does.
    pub text: String,
}

/// Why a path does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// An ignore rule leaves it out.
    Ignored,
    /// An `exclude` leaves it out.
    Excluded,
    /// `.dockerignore` leaves it out.
    DockerIgnored,
    /// No instruction copies it.
    NotCopied,
    /// Only stages that are not built copy it.
    IdleStage,
    /// It is an output.
    Output,
    /// It is the store's.
    Store,
    /// It is not in the commit that is taken.
    Uncommitted,
    /// Another node's tree stands in its place.
    Covered,
    /// It is git's own.
    Repository,
    /// A link or a file is on the way.
    Behind,
    /// It is a secret: neither value nor presence counts.
    Secret,
    /// It is the pipeline file, whose options count each by itself.
    Pipeline,
    /// No node declares it or a folder above it.
    Undeclared,
}

/// A path that does not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Passed {
    pub why: Why,
    /// The node that declares a folder above it; none where it is nobody's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// In the pipeline file: what declares the folder, or the `exclude`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The folder above it that is left out with all in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// The node whose output it is, or whose tree stands there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other: Option<NodeName>,
}

/// A node that runs or may run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Expected {
    pub node: NodeName,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Estimate>,
    /// Whether a `run` without targets builds it.
    pub by_default: bool,
}
