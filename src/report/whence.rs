//! `osgraph whence`: which run, commit and inputs made a file.

use serde::Serialize;

use crate::digest::Digest;
use crate::key::compose::{FACT, PROVENANCE};
use crate::key::{Component, Facet, Key};
use crate::path::RelPath;
use crate::pipeline::NodeName;
use crate::record::{Run, RunId};
use crate::report::colour::Palette;
use crate::report::json::answer;
use crate::report::quantity::{age, millis, size};
use crate::report::words;

/// A file and all that is known of where it comes from.
#[derive(Clone, Debug, Serialize)]
pub struct Whence {
    pub file: String,
    pub digest: Digest,
    /// Bytes.
    pub size: u64,
    /// What osgraph put at this very path last, if that is something else by now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub altered: Option<Published>,
    /// None where no record of this store has such a content.
    pub origin: Option<Origin>,
}

/// What was published at a path.
#[derive(Clone, Debug, Serialize)]
pub struct Published {
    pub node: NodeName,
    pub run: RunId,
}

/// The record that the content is from.
#[derive(Clone, Debug, Serialize)]
pub struct Origin {
    /// Where in the artifact it is; none for the artifact itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<RelPath>,
    /// Whether it is an archive of the artifact.
    pub is_archive: bool,
    /// Whether it is the checksum beside such an archive.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_checksum: bool,
    /// Packages that tell of their build and were made of the artifact: of each node the newest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub packed: Vec<Packed>,
    pub made: Made,
}

/// A package that something went into.
#[derive(Clone, Debug, Serialize)]
pub struct Packed {
    pub node: NodeName,
    pub run: RunId,
    /// Its facts and its provenance.
    pub told: Vec<Component>,
}

/// A node's record, and those of what it was made from.
#[derive(Clone, Debug, Serialize)]
pub struct Made {
    pub node: NodeName,
    pub key: Key,
    pub run: Option<Run>,
    pub duration_ms: u64,
    /// What counted, but for other nodes.
    pub inputs: Vec<Component>,
    pub from: Vec<Made>,
    /// Whether inputs and makers are left out because they stand further up.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_again: bool,
}

/// The text, with a line's end at its end.
pub fn text(whence: &Whence, now: i64, palette: Palette) -> String {
    let Whence { file, digest, size: bytes, altered, origin } = whence;
    let mut out = format!("{}  {}  {}\n", palette.bold(file), size(*bytes), palette.dim(digest.short()));
    if let Some(Published { node, run }) = altered {
        out.push_str(&format!(
            "{}\n",
            palette.yellow(format!("altered since `{node}` was published here in run {run}"))
        ));
    }
    let Some(Origin { member, is_archive, is_checksum, packed, made }) = origin else {
        out.push_str("nothing in this store has that content\n");
        return out;
    };
    let what = match (member, is_archive) {
        _ if *is_checksum => format!("the checksum of an archive of `{}`", made.node),
        (Some(member), _) => format!("`{member}` in the artifact of `{}`", made.node),
        (None, true) => format!("an archive of `{}`", made.node),
        (None, false) => format!("the artifact of `{}`", made.node),
    };
    out.push_str(&format!("is {what}\n"));
    for Packed { node, run, told } in packed {
        out.push_str(&format!("packed by `{node}` in run {run}\n"));
        told.iter().for_each(|one| out.push_str(&row("", one, palette)));
    }
    out.push('\n');
    tell(&mut out, made, 0, now, palette);
    out
}

fn tell(out: &mut String, made: &Made, depth: usize, now: i64, palette: Palette) {
    let indent = "  ".repeat(depth);
    let mut when = match &made.run {
        Some(run) => {
            let revision = run.revision.as_ref().map_or_else(String::new, |r| format!(", {r}"));
            format!("run {}{revision}, {}", run.id, age(run.started, now))
        }
        None => "a run that is no longer in the history".to_owned(),
    };
    when.push_str(&format!(", in {}", millis(made.duration_ms)));
    if made.is_again {
        when.push_str(" (told above)");
    }
    out.push_str(&format!("{indent}{}  {}\n", palette.bold(&made.node), palette.dim(when)));
    for input in &made.inputs {
        out.push_str(&row(&indent, input, palette));
    }
    for one in &made.from {
        tell(out, one, depth + 1, now, palette);
    }
}

fn row(indent: &str, one: &Component, palette: Palette) -> String {
    format!("{indent}  {}  {}\n", palette.dim(&one.label), words::value(&one.value))
}

/// `{"v":1,"file":…,"digest":…,"size":…,"altered"?,"origin":…}`
pub fn json(whence: &Whence) -> String {
    answer(whence)
}

/// What a package's build manifest tells by the pipeline file's wish.
pub fn told(components: &[Component]) -> Vec<Component> {
    let is_told = |label: &str| label.starts_with(FACT) || label.starts_with(PROVENANCE);
    components.iter().filter(|one| one.facet == Facet::Own && is_told(&one.label)).cloned().collect()
}

/// What counted in a record, but for other nodes.
pub fn own_inputs(components: &[Component]) -> Vec<Component> {
    components.iter().filter(|one| one.facet != Facet::Upstream).cloned().collect()
}
