//! The one stream that a run speaks: past-tense events, read by the terminal, the JSON log and
//! the record of the run alike.
//!
//! The JSON form (`osgraph run --format json`) is one event a line, `{"v":1,"event":…}`; a
//! changed meaning needs a new `v`.

use std::time::Duration;

use serde::Serialize;

use crate::pipeline::{Kind, NodeName};
use crate::plan::{Estimate, Reason};
use crate::record::{Outcome, RunId};

/// The version of the JSON form.
pub const VERSION: u32 = 1;

/// Something that happened.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    RunStarted {
        pipeline: String,
        targets: Vec<NodeName>,
        nodes: usize,
    },
    /// Reading of inputs takes long enough to be shown.
    SurveyProgressed {
        files: u64,
        bytes: u64,
    },
    /// Before anything runs: how many nodes are in each state.
    Planned {
        fresh: usize,
        restorable: usize,
        stale: usize,
        waiting: usize,
        /// Wall time of all that may run, side by side as far as the run allows.
        #[serde(skip_serializing_if = "Option::is_none")]
        estimate: Option<Estimate>,
        /// Nodes that may run and that no past run timed: they are not in the estimate.
        untimed: usize,
        /// The nodes that the estimate hangs on, first to last.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        critical: Vec<NodeName>,
    },
    /// What is left of all that may run, told again when something changed, and now and then.
    RunProgressed {
        #[serde(skip_serializing_if = "Option::is_none")]
        left: Option<Estimate>,
        /// Nodes still to end that no past run timed: they are not in `left`.
        untimed: usize,
        /// The nodes that the end hangs on, first to last; at most [`CRITICAL`].
        critical: Vec<NodeName>,
    },
    NodeStarted {
        node: NodeName,
        kind: Kind,
        reasons: Vec<Reason>,
        #[serde(skip_serializing_if = "Option::is_none")]
        estimate: Option<Estimate>,
        attempt: u32,
    },
    /// One line of a recipe's output, secrets already replaced.
    NodePrinted {
        node: NodeName,
        line: String,
    },
    /// A stage inside a node: `isolated in a mount namespace`, `storing`, `compressing`.
    NodeProgressed {
        node: NodeName,
        stage: String,
    },
    /// An instruction of the Dockerfile of a node begins.
    BuildAdvanced {
        node: NodeName,
        /// Instructions that have begun, of how many.
        step: usize,
        steps: usize,
        instruction: String,
        /// What is left of the build, by what its instructions took before.
        #[serde(skip_serializing_if = "Option::is_none")]
        left: Option<Estimate>,
        /// Instructions still to end that no past build timed: they are not in `left`.
        untimed: usize,
    },
    /// Something long copies, hashes, compresses or sends. The last one of a kind has all that was done.
    BytesMoved {
        node: NodeName,
        /// `packing x.tar.gz`
        what: String,
        done: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        total: Option<u64>,
    },
    /// Another run holds this node's lease; this one waits and shares the result.
    NodeWaited {
        node: NodeName,
    },
    NodeRetried {
        node: NodeName,
        attempt: u32,
        error: String,
    },
    NodeFinished {
        node: NodeName,
        outcome: Outcome,
        #[serde(rename = "duration_ms", serialize_with = "millis")]
        duration: Duration,
        /// Whether the artifact equals that of the record it was compared with.
        same_artifact: bool,
    },
    /// Before the end of a node whose binary this machine cannot run: its checks have neither
    /// passed nor failed. Said in every run, for as long as that is so.
    ChecksNotRun {
        node: NodeName,
        /// Each as its arguments.
        checks: Vec<String>,
        reason: String,
    },
    NodeFailed {
        node: NodeName,
        message: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        help: Option<String>,
        /// What of the pipeline file or the Dockerfile failed.
        #[serde(skip_serializing_if = "Option::is_none")]
        at: Option<Place>,
        /** The last lines it printed. */
        tail: Vec<String>,
        log: Option<String>,
    },
    NodeSkipped {
        node: NodeName,
        because: NodeName,
    },
    Warned {
        #[serde(skip_serializing_if = "Option::is_none")]
        node: Option<NodeName>,
        message: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        help: Option<String>,
    },
    RunFinished {
        #[serde(skip_serializing_if = "Option::is_none")]
        run: Option<RunId>,
        outcome: Outcome,
        fresh: usize,
        restored: usize,
        ran: usize,
        failed: usize,
        skipped: usize,
        #[serde(rename = "duration_ms", serialize_with = "millis")]
        duration: Duration,
    },
}

/// How many names [`Event::RunProgressed`] lists.
pub const CRITICAL: usize = 20;

/// A line that somebody wrote, with those around it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// As it is named to people: from the project's root.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// Numbers and texts of it and its neighbours.
    pub around: Vec<(u32, String)>,
}

impl Place {
    /// Line `line` of `text`.
    pub fn of(file: impl Into<String>, text: &str, line: u32) -> Self {
        const NEIGHBOURS: u32 = 1;
        let numbered = (1_u32..).zip(text.lines());
        let near = numbered.filter(|(number, _)| number.abs_diff(line) <= NEIGHBOURS);
        let around = near.map(|(number, text)| (number, text.trim_end().to_owned())).collect();
        Self { file: file.into(), line, around }
    }
}

fn millis<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(duration.as_millis() as u64)
}

/// Takes events. Called from many threads, in the order of one run's loop.
pub trait Sink: Send + Sync {
    fn emit(&self, event: Event);
}

/// Takes nothing: tests, and callers that only want the result.
pub struct Silent;

impl Sink for Silent {
    fn emit(&self, _: Event) {}
}
