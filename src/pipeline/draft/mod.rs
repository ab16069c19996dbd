//! Drafts a pipeline from what lies in a folder, as text with comments for people to go on from.
//!
//! Pure: what lies there is handed in as [`Folder`]. A draft is always a sound pipeline; what it
//! could not tell is listed beside it, and nothing is made up. Its recipes read the node `source`,
//! so that they see every file there is and none that is not committed.

mod builds;
mod folder;
mod images;
mod source;
mod words;

pub use folder::{Folder, is_told};

use words::{comment, header};

use crate::pipeline::edit::quoted;

/// A pipeline file, and what is to be said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    pub text: String,
    /// What was found, in the order of the file.
    pub found: Vec<String>,
    /// What is left for a person to decide or to provide.
    pub open: Vec<String>,
    pub nodes: Vec<String>,
}

/// A parameter to be declared.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Param {
    name: String,
    default: Value,
    comment: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Text(String),
    File(&'static str),
}

/// What one find comes to.
#[derive(Clone, Debug, Default)]
struct Part {
    params: Vec<Param>,
    /// The node's name, and whether it can be built on this machine.
    node: Option<(String, bool)>,
    /// The node, with its comments.
    text: String,
    found: String,
    open: Vec<String>,
}

/// None where nothing is found that a pipeline could begin with.
pub fn draft(folder: &Folder) -> Option<Draft> {
    let out = folder.output();
    let mut finds = images::images(folder);
    finds.extend(builds::builds(folder, out));
    if finds.is_empty() && !folder.committed {
        return None;
    }
    let mut parts = vec![source::source(folder, out)];
    parts.extend(finds);
    Some(assemble(folder, out, parts))
}

fn assemble(folder: &Folder, out: &str, parts: Vec<Part>) -> Draft {
    let mut params: Vec<Param> = Vec::new();
    let (mut blocks, mut found, mut open, mut nodes, mut here) =
        (String::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for part in parts {
        for param in part.params {
            if !params.iter().any(|known| known.name == param.name) {
                params.push(param);
            }
        }
        if let Some((name, runs)) = part.node {
            here.extend(runs.then(|| name.clone()));
            nodes.push(name);
            blocks.push('\n');
            blocks.push_str(&part.text);
        }
        found.push(part.found);
        open.extend(part.open);
    }
    if folder.has("cache/") && !folder.has("cache/CACHEDIR.TAG") {
        open.push("`cache/` is where the store goes, and something is there already: name another with `--store DIR`, or OSGRAPH_STORE".to_owned());
    }
    let ignored = folder
        .texts
        .get(".gitignore")
        .is_some_and(|text| text.lines().any(|line| line.trim().trim_matches('/') == out));
    if folder.committed && !ignored {
        open.push(format!("`{out}/` is made by this pipeline: add it to `.gitignore`"));
    }
    let mut text = header(&found);
    text.push_str(&format!("pipeline {} {{\n", quoted(&folder.slug())));
    for Param { name, default, comment: said } in &params {
        text.push_str(&comment("    ", said));
        let value = match default {
            Value::Text(text) => format!("default={}", quoted(text)),
            Value::File(path) => format!("from-file={}", quoted(path)),
        };
        text.push_str(&format!("    param {} {value}\n", quoted(name)));
    }
    let away: Vec<&String> = nodes.iter().filter(|node| !here.contains(node)).collect();
    let mut said = "What `osgraph run` builds when no target is named.".to_owned();
    if !away.is_empty() {
        let away: Vec<String> = away.iter().map(|node| format!("`{node}`")).collect();
        said.push_str(&format!(" Not yet, for want of what they need here: {}.", away.join(", ")));
    }
    text.push_str(&comment("    ", &said));
    let here: Vec<String> = here.iter().map(|node| quoted(node)).collect();
    text.push_str(&format!("    default {}\n}}\n", here.join(" ")));
    text.push_str(&blocks);
    Draft { text, found, open, nodes }
}

#[cfg(test)]
mod tests;
