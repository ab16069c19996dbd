//! Mistakes that one node cannot see: between nodes, and between nodes and the files around them.
//!
//! All checks are pure and cost time in proportion to the pipeline's size. Cycles are the graph's
//! business ([`crate::graph`]).

mod places;
mod references;

use crate::path::RelPath;
use crate::pipeline::diagnostic::{Diagnostic, Diagnostics, SourceFile};
use crate::pipeline::model::{Kind, NodeName, Pipeline, Spanned};

pub use places::{Published, PublishedPath, published_paths};

/// A node of the file, whether it could be read or not.
#[derive(Clone, Debug)]
pub struct Declared {
    pub name: Spanned<NodeName>,
    /// None when the kind is not known.
    pub kind: Option<Kind>,
    /// Whether the name is only the kind's word.
    pub unnamed: bool,
}

/// Files that a pipeline stands among. Paths are relative to the project.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// None when the file lies outside the project.
    pub pipeline_file: Option<RelPath>,
    /// None when the store lies outside the project.
    pub store: Option<RelPath>,
}

/// References, names and published places. `declared` also names the nodes that could not be
/// read, so that nobody hears of an unknown node that is only broken.
pub fn nodes(pipeline: &Pipeline, declared: &[Declared]) -> Vec<Diagnostic> {
    let mut mistakes = references::check(pipeline, declared);
    mistakes.extend(places::check(pipeline));
    mistakes
}

/// Outputs that would overwrite the pipeline file, a file that a parameter is read from, or the
/// store.
pub fn surroundings(
    pipeline: &Pipeline,
    source: &SourceFile,
    around: &Surroundings,
) -> Result<(), Diagnostics> {
    let mut mistakes = Vec::new();
    for published in published_paths(pipeline) {
        let path = &published.path;
        let mut refuse = |code, message: String, help: &str| {
            mistakes.push(Diagnostic::new(code, message, published.span, "written here").help(help));
        };
        let file =
            around.pipeline_file.iter().chain(pipeline.parameter_files()).find(|file| file.is_within(path));
        if let Some(file) = file {
            let message = format!("`{path}` would overwrite `{file}`, which the pipeline is read from");
            refuse("overwrites-pipeline", message, "name another place");
        }
        if let Some(store) =
            around.store.as_ref().filter(|store| path.is_within(store) || store.is_within(path))
        {
            let message = format!("`{path}` lies in the way of the store `{store}`");
            refuse("output-in-store", message, "name a place outside the store");
        }
    }
    if mistakes.is_empty() { Ok(()) } else { Err(Diagnostics::new(source, mistakes)) }
}

/// Outputs that would overwrite a file of the user's. `tracked` says whether version control
/// knows a file at exactly this path; other files of an output folder are never touched.
pub fn tracked_conflicts(pipeline: &Pipeline, tracked: &dyn Fn(&RelPath) -> bool) -> Vec<Diagnostic> {
    let outputs = published_paths(pipeline).into_iter().filter(|published| tracked(&published.path));
    outputs
        .map(|published| {
            let message = format!("`{}` is under version control and would be overwritten", published.path);
            let mistake = Diagnostic::new("overwrites-tracked", message, published.span, "written here");
            mistake.help(format!("name another place, or `git rm --cached {}`", published.path))
        })
        .collect()
}
