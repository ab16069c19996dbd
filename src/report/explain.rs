//! The answer of `osgraph explain`: root causes first, then what follows from them, then every
//! node in blocks of own, environment, upstream and downstream.
//!
//! Says nothing that the [`Explanation`]s do not hold; the JSON form is the same data.

use serde::Serialize;

use crate::pipeline::NodeName;
use crate::plan::{Estimate, Explanation, Verdict};
use crate::report::colour::Palette;
use crate::report::json::answer;
use crate::report::params::{self, Param};
use crate::report::words;

pub mod against;
pub mod last;
mod node;
pub mod oracle;
mod overview;

/// Changed paths listed for one reason; JSON has up to [`crate::plan::Reason::MOST`].
const PATHS: usize = 10;

/// What is expected of all nodes together that may run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Course {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Estimate>,
    /// Nodes that no past run timed: they are not in the estimate.
    pub untimed: usize,
    /// How many run at a time.
    pub jobs: usize,
    /// The nodes that the estimate hangs on, first to last.
    pub critical: Vec<NodeName>,
}

/// What the text needs beside the explanations.
pub struct Context<'a> {
    /// Seconds since 1970: ages are counted from here.
    pub now: i64,
    /// The pipeline file as it is named to the reader.
    pub file: &'a str,
    pub params: &'a [Param],
    pub palette: Palette,
    /// Of the terminal; none where nobody minds long lines.
    pub columns: Option<usize>,
}

/// The text, with a line's end at its end.
pub fn text(explanations: &[Explanation], course: &Course, context: &Context<'_>) -> String {
    let mut out = overview::text(explanations, course, context.palette);
    // A stable sort: nodes of one rank stay in the order of the plan.
    let mut sorted: Vec<&Explanation> = explanations.iter().collect();
    sorted.sort_by_key(|e| rank(e));
    let columns = sorted.iter().map(|e| crate::report::text::width(e.node.as_ref())).max().unwrap_or(0);
    let mut in_list = false;
    for explanation in sorted {
        // Nodes of which there is one line to tell stand close.
        let is_line = explanation.verdict == Verdict::Fresh && explanation.notes.is_empty();
        if !(is_line && in_list) {
            out.push('\n');
        }
        in_list = is_line;
        node::write(&mut out, explanation, columns, context);
    }
    if !context.params.is_empty() {
        out.push_str(&format!("\n{}\n", context.palette.bold("parameters")));
        out.push_str(&params::text(context.params, context.palette));
    }
    out
}

/// Root causes, what follows, what may follow, what is put back, what is fresh.
fn rank(explanation: &Explanation) -> u8 {
    match &explanation.verdict {
        Verdict::Stale(_) if is_root(explanation) => 0,
        Verdict::Stale(_) => 1,
        Verdict::Waiting(_) => 2,
        Verdict::Restorable(_) => 3,
        Verdict::Fresh => 4,
    }
}

/// Whether a node would run even if everything before it were fresh.
fn is_root(explanation: &Explanation) -> bool {
    matches!(&explanation.verdict, Verdict::Stale(reasons)
        if reasons.is_empty() || reasons.iter().any(|r| words::is_root(r.code)))
}

#[derive(Serialize)]
struct Document<'a> {
    file: &'a str,
    params: &'a [Param],
    course: &'a Course,
    nodes: &'a [Explanation],
}

/// `{"v":1,"file":…,"params":[…],"course":{…},"nodes":[…]}`, one line, nodes in the order of the plan.
pub fn json(explanations: &[Explanation], file: &str, params: &[Param], course: &Course) -> String {
    answer(&Document { file, params, course, nodes: explanations })
}

/// `base, dist-docker and 3 more`, at most `most` names.
fn names(nodes: &[NodeName], most: usize) -> String {
    let shown: Vec<&str> = nodes.iter().take(most).map(AsRef::as_ref).collect();
    match nodes.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests;
