//! What `osgraph explain --path` and `--if-changed` say: a path's uses, and what it would cost.

use crate::pipeline::NodeName;
use crate::plan::oracle::{Effect, Expected, Form, Note, Oracle, Passed, Place, Sight, Use, Why};
use crate::report::colour::Palette;
use crate::report::explain::names;
use crate::report::json::answer;
use crate::report::quantity::{about, count, estimate};
use crate::report::text::{pad, width};

/// Which question is answered first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Path,
    IfChanged,
}

/// Nodes that are named in one line; more are counted.
const NAMES: usize = 8;

/// `{"v":1,"file":…,"paths":[…],"runs":[…],"follow":[…],"restored":[…],"notes":[…]}`
pub fn json(oracle: &Oracle) -> String {
    answer(oracle)
}

/// The text, with a line's end at its end.
pub fn text(oracle: &Oracle, asked: Asked, palette: Palette) -> String {
    let mut out = String::new();
    if asked == Asked::IfChanged {
        out.push_str(&format!("{}\n", palette.bold(cost(oracle))));
        nodes(&mut out, oracle, palette);
        out.push('\n');
    }
    for (at, sight) in oracle.paths.iter().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        path(&mut out, sight, &oracle.file, palette);
    }
    if asked == Asked::Path && !oracle.runs.is_empty() {
        let changed = if oracle.paths.len() == 1 { "if it changed" } else { "if they changed" };
        out.push_str(&format!("\n{changed}: {}\n", cost(oracle)));
        nodes(&mut out, oracle, palette);
    }
    for note in &oracle.notes {
        out.push_str(&format!("{}\n", palette.dim(format!("note: {note}"))));
    }
    out
}

/// `1 node runs (~29m41s), up to 4 may follow (~3m more)`
fn cost(oracle: &Oracle) -> String {
    let mut parts = Vec::new();
    if !oracle.runs.is_empty() {
        let verb = if oracle.runs.len() == 1 { "runs" } else { "run" };
        parts.push(format!("{} {verb}{}", count(oracle.runs.len(), "node"), time(&oracle.runs, "")));
    }
    if !oracle.follow.is_empty() {
        parts.push(format!("up to {} may follow{}", oracle.follow.len(), time(&oracle.follow, " more")));
    }
    if !oracle.restored.is_empty() {
        let verb = if oracle.restored.len() == 1 { "is" } else { "are" };
        parts.push(format!("{} {verb} restored", count(oracle.restored.len(), "node")));
    }
    if parts.is_empty() { "nothing runs".to_owned() } else { parts.join(", ") }
}

/// ` (~2m05s)`, the sum of what is known; nodes that never ran are counted.
fn time(nodes: &[Expected], more: &str) -> String {
    let known: u64 = nodes.iter().filter_map(|one| one.estimate).map(|one| one.median_ms).sum();
    let unknown = nodes.iter().filter(|one| one.estimate.is_none()).count();
    match (nodes.len() - unknown, unknown) {
        (0, _) => String::new(),
        (_, 0) => format!(" ({}{more})", about(known)),
        (_, unknown) => format!(" ({}{more}, {unknown} never timed)", about(known)),
    }
}

/// Those that run, each with its time; those that follow in one line.
fn nodes(out: &mut String, oracle: &Oracle, palette: Palette) {
    let columns = oracle.runs.iter().map(|one| width(one.node.as_ref())).max().unwrap_or(0);
    for one in &oracle.runs {
        let name = palette.yellow(pad(one.node.as_ref(), columns)).to_string();
        let time = one.estimate.as_ref().map_or_else(|| "never timed".to_owned(), estimate);
        let aside = if one.by_default { "" } else { "  not among the defaults" };
        out.push_str(&format!("  {name}  {}\n", palette.dim(format!("{time}{aside}"))));
    }
    if !oracle.follow.is_empty() {
        let all: Vec<NodeName> = oracle.follow.iter().map(|one| one.node.clone()).collect();
        let text = format!("then {} — fresh if what they read comes out identical", names(&all, NAMES));
        out.push_str(&format!("  {}\n", palette.dim(text)));
    }
    if !oracle.restored.is_empty() {
        out.push_str(&format!(
            "  {}\n",
            palette.dim(format!("restored: {}", names(&oracle.restored, NAMES)))
        ));
    }
}

fn path(out: &mut String, sight: &Sight, file: &str, palette: Palette) {
    let form = match sight.form {
        Form::Absent => ", which does not exist,",
        _ => "",
    };
    let mut users: Vec<&NodeName> = sight.counts.iter().map(|one| &one.node).collect();
    users.dedup();
    let verdict = match users.len() {
        0 => "counts for nothing".to_owned(),
        number => format!("counts for {}", count(number, "node")),
    };
    out.push_str(&format!("{}{form} {verdict}\n", palette.bold(format!("`{}`", sight.path))));
    let of_counts = sight.counts.iter().map(|one| width(one.node.as_ref()));
    let of_passed = sight.passed.iter().filter_map(|one| one.node.as_ref()).map(|one| width(one.as_ref()));
    let columns = of_counts.chain(of_passed).max().unwrap_or(0);
    for one in &sight.counts {
        let name = palette.yellow(pad(one.node.as_ref(), columns)).to_string();
        out.push_str(&format!("  {name}  {}\n", used(one, file)));
    }
    for one in &sight.passed {
        let name = one.node.as_ref().map(|name| format!("{}  ", pad(name.as_ref(), columns)));
        let name = name.unwrap_or_default();
        out.push_str(&format!("  {}{}\n", palette.dim(name), passed(one, file)));
    }
}

/// `` `context` at pipeline.kdl:12, by `COPY a` at builder/Dockerfile:3 ``
fn used(one: &Use, file: &str) -> String {
    let what = match one.effect {
        Effect::Run => format!("`{}`", one.label),
        Effect::Decide => format!("decides of `{}`", one.label),
        Effect::Restore => format!("output `{}`, put back when it is altered", one.label),
    };
    let mut out = what;
    if let Some(line) = one.line {
        out.push_str(&format!(" at {file}:{line}"));
    }
    if let Some(place) = &one.place {
        out.push_str(&format!(", by {}", spelled(place)));
    }
    let note = match &one.note {
        None => return out,
        Some(Note::LeadsThere) => "a link on the way".to_owned(),
        Some(Note::HoldsIt) => "it holds what is declared".to_owned(),
        Some(Note::MayHold) => "what in it counts, not the folder itself".to_owned(),
        Some(Note::Committed(commit)) => {
            format!("as it is in the commit {commit}; what is not committed does not count")
        }
        Some(Note::LeftOutLater(pattern)) => {
            format!("as it is committed; `exclude` leaves it out by `{pattern}`, so what follows stays fresh")
        }
        Some(Note::Trouble(error)) => format!("the node cannot be looked at: {error}"),
    };
    format!("{out} ({note})")
}

/// Why a path counts for nothing.
fn passed(one: &Passed, file: &str) -> String {
    let rule = one.place.as_ref().map(spelled).unwrap_or_default();
    let at = one.at.as_ref().map_or_else(String::new, |at| format!(" with `{at}`"));
    let other = one.other.as_ref().map(|other| format!("`{other}`"));
    let line = one.line.map_or_else(String::new, |line| format!(" at {file}:{line}"));
    let text = match one.why {
        Why::Ignored => format!("left out{at} by {rule}"),
        Why::Excluded => {
            let pattern = one.place.as_ref().map(|place| format!(" `{}`", place.text)).unwrap_or_default();
            return format!("left out{at} by `exclude`{pattern}{line}");
        }
        Why::DockerIgnored => format!("left out of the context by {rule}"),
        Why::NotCopied => match &one.place {
            Some(place) => format!("in the context, and nothing in `{}` copies it", place.file),
            None => format!("left out{at}"),
        },
        Why::IdleStage => format!("only copied by a stage that is not built: {rule}"),
        Why::Output => match other {
            Some(node) => format!("an output of {node}, which never counts as an input"),
            None => "was published by an earlier run, and so never counts as an input".to_owned(),
        },
        Why::Store => "in the store, which never counts".to_owned(),
        Why::Uncommitted => match &one.place {
            Some(Place { file, text, .. }) => {
                format!("not in the commit {file} (`{text}`): it counts when it is committed")
            }
            None => "not committed".to_owned(),
        },
        Why::Covered => format!("the tree of {} stands there", other.unwrap_or_default()),
        Why::Repository => "git's own files never count".to_owned(),
        Why::Behind => format!("behind `{}`, which is no folder", one.at.clone().unwrap_or_default()),
        Why::Secret => "a secret: neither its value nor its presence counts".to_owned(),
        Why::Pipeline => "the pipeline file: each option in it counts by itself, for its node".to_owned(),
        Why::Undeclared => "no node declares it or a folder above it".to_owned(),
    };
    match &one.label {
        Some(label) => format!("`{label}`{line}: {text}"),
        None => text,
    }
}

/// `` `*.md` at builder/.dockerignore:2 ``
fn spelled(place: &Place) -> String {
    let line = place.line.map_or_else(String::new, |line| format!(":{line}"));
    match (place.file.is_empty(), place.text.is_empty()) {
        (true, _) => format!("`{}`", place.text),
        (false, true) => format!("{}{line}", place.file),
        (false, false) => format!("`{}` at {}{line}", place.text, place.file),
    }
}

#[cfg(test)]
mod tests;
