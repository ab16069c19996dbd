//! `osgraph diff`: what two runs, or two records of one node, made differently, with the causes.

use serde::Serialize;

use crate::pipeline::NodeName;
use crate::plan::Reason;
use crate::record::Run;
use crate::report::colour::Palette;
use crate::report::json::answer;
use crate::report::quantity::{age, count};
use crate::report::text::{pad, width};
use crate::report::words;
use crate::tree::{Change, ChangeKind};

/// Changed members listed for one node; JSON has all that were looked for.
const MEMBERS: usize = 20;

/// What became of a node between the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Between {
    /// The same record.
    Same,
    /// Other inputs, and the same artifact all the same.
    SameArtifact,
    /// Another artifact.
    Changed,
    /// The same inputs, made again in between; what the first was like is not kept.
    Remade,
    /// Only the second has it.
    Added,
    /// Only the first has it.
    Removed,
    /// A record is no longer in the store.
    Forgotten,
}

/// One node of both.
#[derive(Clone, Debug, Serialize)]
pub struct Pair {
    pub node: NodeName,
    pub change: Between,
    /// What differs in what went in.
    pub causes: Vec<Reason>,
    /// What differs in what came out: paths in the artifact; the artifact itself has an empty path.
    pub members: Vec<Change>,
    /// Whether there are more than are listed.
    pub more: bool,
}

/// The text, with a line's end at its end.
pub fn text(old: &Run, new: &Run, pairs: &[Pair], now: i64, palette: Palette) -> String {
    let named = |run: &Run| {
        let revision = run.revision.as_ref().map_or_else(String::new, |r| format!("{r}, "));
        format!("run {} ({revision}{})", run.id, age(run.started, now))
    };
    let mut out = format!("{} → {}\n", named(old), named(new));
    let differ: Vec<&Pair> = pairs.iter().filter(|pair| pair.change != Between::Same).collect();
    let columns = differ.iter().map(|pair| width(pair.node.as_ref())).max().unwrap_or(0);
    for pair in &differ {
        let word = match pair.change {
            Between::Same | Between::SameArtifact => palette.green("same artifact from other inputs"),
            Between::Changed => palette.yellow("another artifact"),
            Between::Remade => palette.yellow("made again from the same inputs, perhaps differently"),
            Between::Added => palette.cyan("only in the second"),
            Between::Removed => palette.cyan("only in the first"),
            Between::Forgotten => palette.red("a record is no longer in the store"),
        };
        out.push_str(&format!("\n{}  {word}\n", palette.bold(pad(pair.node.as_ref(), columns))));
        for (at, cause) in pair.causes.iter().enumerate() {
            let name = if at == 0 { "causes" } else { "" };
            out.push_str(&format!("  {}  {}\n", palette.dim(pad(name, 7)), words::cause(cause)));
        }
        for (at, change) in pair.members.iter().take(MEMBERS).enumerate() {
            let name = if at == 0 { "results" } else { "" };
            let mark = words::mark(change.kind);
            let mark = match change.kind {
                ChangeKind::Added => palette.green(mark),
                ChangeKind::Removed => palette.red(mark),
                ChangeKind::Modified => palette.yellow(mark),
            };
            let path = if change.path.is_root() { "(itself)" } else { change.path.as_str() };
            let size = palette.dim(words::change_size(change));
            out.push_str(&format!("  {}  {mark}  {path}   {size}\n", palette.dim(pad(name, 7))));
        }
        match (pair.members.len().saturating_sub(MEMBERS), pair.more) {
            (0, _) => {}
            (more, false) => out.push_str(&format!("           … and {}\n", count(more, "more path"))),
            (more, true) => {
                out.push_str(&format!("           … and more than {}\n", count(more, "more path")))
            }
        }
    }
    let same = pairs.len() - differ.len();
    if differ.is_empty() {
        out.push_str("nothing differs\n");
    } else if same > 0 {
        let are = if same == 1 { "is" } else { "are" };
        out.push_str(&format!("\n{}\n", palette.dim(format!("{} {are} the same", count(same, "node")))));
    }
    out
}

/// `{"v":1,"old":{…},"new":{…},"nodes":[…]}`
pub fn json(old: &Run, new: &Run, pairs: &[Pair]) -> String {
    #[derive(Serialize)]
    struct Document<'a> {
        old: &'a Run,
        new: &'a Run,
        nodes: &'a [Pair],
    }
    answer(&Document { old, new, nodes: pairs })
}
