//! Why a node is not fresh, as data. The words are chosen in one place, `report::words`.

use serde::{Deserialize, Serialize};

use crate::key::{Component, Facet, Manifest, Value};
use crate::pipeline::{NodeName, Span};
use crate::plan::privacy;
use crate::tree::Change;

/// A stable code: part of the JSON contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// No record of this node, under any manifest.
    NeverBuilt,
    /// A source file or folder differs.
    InputChanged,
    /// An option of the node differs: recipe, arguments, exclude patterns.
    OptionChanged,
    /// Tool, declared environment, build argument or a secret's version differs.
    EnvironmentChanged,
    /// Instructions of a Dockerfile that are carried out differ.
    DockerfileChanged,
    /// An image that is built on, or copied from, is another one.
    FromMoved,
    /// What is built for, or on, differs.
    PlatformChanged,
    /// Another node's artifact differs.
    UpstreamChanged,
    /// A component is new in the manifest.
    ComponentAdded,
    /// A component is gone from the manifest.
    ComponentRemoved,
    /// The record is there, its content is not (evicted or damaged), and something needs it.
    ArtifactMissing,
    /// The engine has not got the image any more.
    ImageMissing,
    /// An image lacks a name that it should have.
    TagMissing,
    /// A name that an image should have is another one's.
    TagMoved,
    /// `--force`.
    Forced,
    /// `--rebuild`.
    Rebuild,
    /// A published output is gone.
    OutputMissing,
    /// A published output is not what was published.
    OutputAltered,
    /// The place of publication is new: output path, archive name, seed.
    PublishingChanged,
    /// An expectation or check is new or was never verified.
    GateChanged,
    /// The upstream must run first, and no record could match whatever it yields.
    UpstreamStale,
}

/// One cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    pub code: Code,
    pub facet: Facet,
    /// The component's label, or the path of an output.
    pub label: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<Value>,
    /// Changed paths below a changed folder, at most [`Self::MOST`] of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// Whether there were more than are listed.
    pub more: bool,
    /// What in the pipeline file made it count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// The line of `span` in the pipeline file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Those of `changes` that git has not committed, by position; 0 for a single file, which has
    /// no list. Empty where git was not asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uncommitted: Vec<usize>,
    /// The commits that brought the others of `changes`, the newest for each; for a single file 0.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commits: Vec<Committed>,
    /// Instructions of a Dockerfile that have to do with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instructions: Vec<Instruction>,
    /// What mends it at the least cost, where there is something to be said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
    /// The other node, for upstream causes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeName>,
}

/// A commit since the run that is compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Committed {
    /// Shortened.
    pub commit: String,
    /// Positions in the reason's changes.
    pub changes: Vec<usize>,
}

/// An instruction of a Dockerfile: one that differs, or one that reads what differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instruction {
    /// From the project's root.
    pub file: String,
    /// From 1; none for one that is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// What it was, where that is known and differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// What it is; none for one that is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
    /// Those of the reason's changes that it copies, by position.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<usize>,
}

impl Reason {
    /// How many changed paths a reason lists.
    pub const MOST: usize = 100;

    pub fn new(code: Code, facet: Facet, label: impl Into<String>) -> Self {
        Self {
            code,
            facet,
            label: label.into(),
            old: None,
            new: None,
            changes: Vec::new(),
            more: false,
            span: None,
            line: None,
            uncommitted: Vec::new(),
            commits: Vec::new(),
            instructions: Vec::new(),
            mend: None,
            node: None,
        }
    }
}

/// The difference of two manifests as reasons, in the order own, environment, upstream.
/// Folder contents are filled in by whoever can fetch directories.
pub fn between(old: &Manifest, new: &Manifest) -> Vec<Reason> {
    let mut out = Vec::new();
    if old.kind() != new.kind() {
        let mut reason = Reason::new(Code::OptionChanged, Facet::Own, "kind");
        reason.old = Some(Value::Text(old.kind().to_owned()));
        reason.new = Some(Value::Text(new.kind().to_owned()));
        out.push(reason);
    }
    let id = |c: &Component| (c.facet, c.label.clone());
    let (mut a, mut b) = (old.components().iter().peekable(), new.components().iter().peekable());
    loop {
        let order = match (a.peek(), b.peek()) {
            (None, None) => break,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(x), Some(y)) => id(x).cmp(&id(y)),
        };
        let (gone, come) = match order {
            std::cmp::Ordering::Less => (a.next(), None),
            std::cmp::Ordering::Greater => (None, b.next()),
            std::cmp::Ordering::Equal => (a.next(), b.next()),
        };
        let Some(any) = come.or(gone) else { break };
        let code = match (gone, come) {
            (Some(x), Some(y)) if x.value == y.value => continue,
            (Some(_), None) => Code::ComponentRemoved,
            (None, _) => Code::ComponentAdded,
            _ => match (any.facet, &any.value) {
                (Facet::Upstream, _) => Code::UpstreamChanged,
                (Facet::Environment, _) if any.label == "platform" => Code::PlatformChanged,
                (Facet::Environment, _) if any.label.starts_with("from ") => Code::FromMoved,
                (Facet::Environment, _) => Code::EnvironmentChanged,
                (Facet::Own, Value::Text(_)) if any.label == "dockerfile" => Code::DockerfileChanged,
                (Facet::Own, Value::Text(_)) => Code::OptionChanged,
                (Facet::Own, _) => Code::InputChanged,
            },
        };
        let mut reason = Reason::new(code, any.facet, any.label.clone());
        reason.old = gone.map(privacy::told);
        reason.new = come.map(privacy::told);
        out.push(reason);
    }
    out
}
