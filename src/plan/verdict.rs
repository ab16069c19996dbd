//! The four things that can be true of a node.

use serde::Serialize;

use crate::plan::reason::Reason;

/// A node's state. `W` names nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict<W> {
    /// A record matches and everything published is as it was left.
    Fresh,
    /// A record matches; published outputs must be put back. Never needs a run.
    Restorable(Vec<Reason>),
    /// No record matches: it must run.
    Stale(Vec<Reason>),
    /// Its own inputs match a record; whether it must run depends on these upstreams' artifacts.
    Waiting(Vec<W>),
}

impl<W> Verdict<W> {
    /// The stable word for machines.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Restorable(_) => "restorable",
            Self::Stale(_) => "stale",
            Self::Waiting(_) => "waiting",
        }
    }
}
