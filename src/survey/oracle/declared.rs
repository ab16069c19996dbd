//! The paths that a node declares, as the pipeline file has them.

use std::path::PathBuf;

use crate::pipeline::{DockerRecipe, HostRecipe, Node, Recipe, Source, Span, Work};
use crate::survey::gather::Surroundings;

/// A declared path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// The label of its input, as the composer gives it.
    pub label: String,
    pub span: Span,
    /// Absolute, with links as they are.
    pub path: PathBuf,
    /// Whether it is a program whose file counts.
    pub is_tool: bool,
}

/// Where the first one of a label stands.
pub fn span_of(all: &[Declared], label: &str) -> Option<Span> {
    all.iter().find(|one| one.label == label).map(|one| one.span)
}

/// All that a node declares.
pub fn declared(node: &Node, around: &Surroundings<'_>) -> Vec<Declared> {
    let project = around.project;
    let one = |label: String, path: PathBuf, span: Span| Declared { label, span, path, is_tool: false };
    let host = |recipe: &HostRecipe| {
        let inputs = recipe.inputs.iter();
        let mut all: Vec<Declared> = inputs
            .map(|input| one(format!("input {}", input.value), input.value.under(project), input.span))
            .collect();
        for tool in recipe.tools.iter().filter(|tool| tool.identify.is_none()) {
            let label = format!("tool {}", tool.program.value);
            let found = (around.resolve)(&tool.program.value);
            let places = found.program.into_iter().chain(found.searched);
            all.extend(places.map(|path| Declared {
                label: label.clone(),
                span: tool.program.span,
                path,
                is_tool: true,
            }));
        }
        all
    };
    let docker = |recipe: &DockerRecipe| {
        let file = &recipe.dockerfile;
        let mut all = vec![one("dockerfile".to_owned(), file.value.under(project), file.span)];
        if let Some(context) = &recipe.context {
            all.push(one("context".to_owned(), context.value.under(project), context.span));
        }
        all
    };
    let recipe = |recipe: &Recipe| match recipe {
        Recipe::Host(recipe) => host(recipe),
        Recipe::Docker(recipe) => docker(recipe),
    };
    match &node.work {
        Work::SourceArchive(archive) => {
            let (Source::Git { path, .. } | Source::Dir { path } | Source::Auto { path, .. }) =
                &archive.source;
            let mut all = vec![one("source".to_owned(), project.join(&path.value), path.span)];
            for (order, placed) in archive.overlays.iter().enumerate() {
                let label = format!("overlay {order} {}", placed.from.value);
                all.push(one(label, placed.from.value.under(project), placed.from.span));
            }
            all
        }
        Work::Dist(dist) => {
            let copies = dist.copies.iter().enumerate();
            copies
                .map(|(order, placed)| {
                    let label = format!("copy {order} {}", placed.from.value);
                    one(label, placed.from.value.under(project), placed.from.span)
                })
                .collect()
        }
        Work::BaseImage(image) => recipe(&image.recipe),
        Work::AppEmbed(embed) => recipe(&embed.recipe),
        Work::Command(command) => host(&command.recipe),
        Work::BinaryExtract(_) | Work::Group(_) => Vec::new(),
    }
}
