//! The answer of `osgraph explain --against`: what differs from a receipt, node by node.

use serde::Serialize;

use crate::pipeline::{Kind, NodeName};
use crate::plan::Reason;
use crate::record::RunId;
use crate::report::explain::{Context, node};
use crate::report::json::answer;
use crate::report::quantity::{age, count};
use crate::report::text::{pad, width};

/// Where the receipt comes from.
#[derive(Clone, Debug, Serialize)]
pub struct Origin {
    pub file: String,
    pub run: Option<RunId>,
    pub revision: Option<String>,
    /// Seconds since 1970.
    pub started: i64,
}

/// One node compared.
#[derive(Clone, Debug, Serialize)]
pub struct Compared {
    pub node: NodeName,
    pub kind: Kind,
    /// Whether the receipt knows the node at all.
    pub known: bool,
    /// Whether all upstreams are known here; else only the node's own side is compared.
    pub whole: bool,
    /// Empty where nothing differs.
    pub reasons: Vec<Reason>,
}

/// The text, with a line's end at its end. Nodes that differ come first, the rest in one line.
pub fn text(origin: &Origin, nodes: &[Compared], context: &Context<'_>) -> String {
    let palette = context.palette;
    let mut from = match origin.run {
        Some(run) => format!("run {run}"),
        None => "a run that did nothing".to_owned(),
    };
    if let Some(revision) = &origin.revision {
        from.push_str(&format!(", {revision}"));
    }
    let differ: Vec<&Compared> = nodes.iter().filter(|one| !one.is_same()).collect();
    let mut out = format!(
        "{}  compared with `{}`: {from}, {}\n",
        palette.bold(match differ.len() {
            0 => "nothing differs".to_owned(),
            1 => "1 node differs".to_owned(),
            more => format!("{more} nodes differ"),
        }),
        origin.file,
        age(origin.started, context.now),
    );
    let columns = differ.iter().map(|one| width(one.node.as_ref())).max().unwrap_or(0);
    for one in &differ {
        let name = palette.bold(pad(one.node.as_ref(), columns));
        let word = palette.yellow(if one.known { "DIFFERS" } else { "UNKNOWN" });
        let note = match (one.known, one.whole) {
            (false, _) => "the receipt does not have it",
            (true, false) => "its own side; what it reads from others is not known yet",
            (true, true) => "",
        };
        out.push_str(format!("\n{name}  {word}  {}", palette.dim(note)).trim_end());
        out.push('\n');
        node::blocks(&mut out, &one.reasons, [0; 3], &[], context);
    }
    let same = nodes.len() - differ.len();
    if same > 0 && !differ.is_empty() {
        let are = if same == 1 { "is" } else { "are" };
        out.push_str(&format!("\n{}\n", palette.dim(format!("{} {are} the same", count(same, "node")))));
    }
    out
}

/// `{"v":1,"against":{…},"nodes":[…]}`
pub fn json(origin: &Origin, nodes: &[Compared]) -> String {
    #[derive(Serialize)]
    struct Document<'a> {
        against: &'a Origin,
        nodes: &'a [Compared],
    }
    answer(&Document { against: origin, nodes })
}

impl Compared {
    pub fn is_same(&self) -> bool {
        self.known && self.reasons.is_empty()
    }
}
