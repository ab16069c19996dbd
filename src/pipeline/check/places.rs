//! Published places: no two nodes write one, none is written into another, none is a source.

use std::collections::HashMap;

use crate::path::RelPath;
use crate::pipeline::diagnostic::Diagnostic;
use crate::pipeline::model::{Archive, Dist, Node, Pipeline, Source, Span, Spanned, Work};

/// What stands at a published path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// A node's artifact, or a part of it.
    Output,
    Archive,
    /// An archive's SHA-256, beside it.
    Checksum,
}

/// A path in the project that a node writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedPath {
    pub path: RelPath,
    /// Its place in [`Pipeline::nodes`].
    pub node: usize,
    pub span: Span,
    pub what: Published,
}

/// Every path that some node writes, in the order of the file. Outputs of an isolated `base-image`
/// or `app-embed` stay in the store and are not among them.
pub fn published_paths(pipeline: &Pipeline) -> Vec<PublishedPath> {
    let mut list = Vec::new();
    for (node, declared) in pipeline.nodes.iter().enumerate() {
        let mut output = |place: &Spanned<RelPath>| {
            list.push(PublishedPath {
                path: place.value.clone(),
                node,
                span: place.span,
                what: Published::Output,
            });
        };
        let archives: &[Archive] = match &declared.work {
            Work::SourceArchive(source) => {
                source.output.iter().for_each(output);
                &source.archives
            }
            Work::Dist(dist) => {
                output(&dist.output);
                &dist.archives
            }
            Work::BinaryExtract(extract) => {
                extract.output.iter().for_each(output);
                &[]
            }
            Work::Command(command) => {
                command.recipe.outputs.iter().for_each(output);
                &[]
            }
            Work::BaseImage(_) | Work::AppEmbed(_) => {
                let in_place = declared.host().filter(|recipe| !recipe.isolate);
                in_place.into_iter().flat_map(|recipe| &recipe.outputs).for_each(output);
                &[]
            }
            Work::Group(_) => &[],
        };
        for archive in archives {
            let Spanned { value: path, span } = archive.path.clone();
            let checksum = checksum(&path);
            list.push(PublishedPath { path, node, span, what: Published::Archive });
            list.push(PublishedPath { path: checksum, node, span, what: Published::Checksum });
        }
    }
    list
}

/// Where an archive's checksum stands.
fn checksum(archive: &RelPath) -> RelPath {
    match (archive.parent(), archive.file_name()) {
        (Some(parent), Some(name)) => parent.child(&format!("{name}.sha256")),
        // An archive's path ends in a known ending, so it is not the root.
        _ => archive.clone(),
    }
}

/// A path that a node reads, as its author wrote it.
struct Declaration {
    path: RelPath,
    span: Span,
    /// Whether another node's output may stand there and is then taken from that node.
    implies: bool,
}

fn declared_sources(node: &Node) -> Vec<Declaration> {
    let mut list = Vec::new();
    let mut add = |place: &Spanned<RelPath>, implies| {
        list.push(Declaration { path: place.value.clone(), span: place.span, implies });
    };
    match &node.work {
        Work::SourceArchive(archive) => {
            archive.overlays.iter().for_each(|placed| add(&placed.from, false));
            let (Source::Git { path, .. } | Source::Dir { path } | Source::Auto { path, .. }) =
                &archive.source;
            // One outside the project cannot be reached by any output.
            if let Ok(inside) = RelPath::parse(&path.value) {
                add(&Spanned::new(inside, path.span), false);
            }
        }
        Work::Dist(dist) => dist.copies.iter().for_each(|placed| add(&placed.from, false)),
        Work::BaseImage(_) | Work::AppEmbed(_) | Work::Command(_) => {
            node.host().into_iter().flat_map(|host| &host.inputs).for_each(|input| add(input, true));
            if let Some(docker) = node.docker() {
                docker.context.iter().for_each(|context| add(context, false));
                add(&docker.dockerfile, false);
            }
        }
        Work::BinaryExtract(_) | Work::Group(_) => {}
    }
    list
}

pub(super) fn check(pipeline: &Pipeline) -> Vec<Diagnostic> {
    let published = published_paths(pipeline);
    let mut mistakes = Vec::new();
    let mut places: HashMap<&str, &PublishedPath> = HashMap::with_capacity(published.len());
    for place in &published {
        if place.path.is_root() {
            let message = "the project itself cannot be an output";
            let mistake = Diagnostic::new("output-is-project", message, place.span, "the whole project");
            mistakes.push(mistake.help("name a folder in it"));
            continue;
        }
        match places.get(place.path.as_str()) {
            // Said already: of the recipe itself, or of the archives that both belong to.
            Some(first)
                if first.node == place.node
                    && first.what == place.what
                    && place.what == Published::Output => {}
            Some(first) if first.what == place.what && place.what == Published::Checksum => {}
            Some(first) => {
                let who = if first.node == place.node { "written twice" } else { "written by two nodes" };
                let message = format!("`{}` is {who}", place.path);
                let mistake = Diagnostic::new("same-output", message, place.span, "written again");
                mistakes.push(mistake.label(first.span, "first written here"));
            }
            None => {
                places.insert(place.path.as_str(), place);
            }
        }
    }
    for place in &published {
        if let Some(outer) = around(&places, &place.path).filter(|outer| outer.path != place.path) {
            if place.what == Published::Checksum {
                continue; // Its archive lies there too.
            }
            let message = format!("`{}` lies inside the output `{}`", place.path, outer.path);
            let mistake =
                Diagnostic::new("nested-output", message, place.span, "written into another output");
            mistakes.push(
                mistake
                    .label(outer.span, "written here")
                    .help("outputs lie beside one another, never inside"),
            );
        }
    }
    for (index, node) in pipeline.nodes.iter().enumerate() {
        for source in declared_sources(node) {
            if let Some(output) = around(&places, &source.path) {
                mistakes.extend(overwritten(&source, output, index, pipeline));
            }
        }
        if let Work::Dist(dist) = &node.work {
            seeds(dist, &places, &mut mistakes);
        }
    }
    tags(pipeline, &mut mistakes);
    mistakes
}

/// The published path that is `path` or holds it.
fn around<'p>(places: &HashMap<&str, &'p PublishedPath>, path: &RelPath) -> Option<&'p PublishedPath> {
    let text = path.as_str();
    let ends = text.match_indices('/').map(|(end, _)| end).chain([text.len()]);
    ends.filter_map(|end| places.get(&text[..end]).copied()).next()
}

fn overwritten(
    source: &Declaration,
    output: &PublishedPath,
    reader: usize,
    pipeline: &Pipeline,
) -> Option<Diagnostic> {
    let writer = &pipeline.nodes[output.node].name;
    if source.implies && output.node != reader {
        if output.what == Published::Output {
            return None;
        }
        let message = format!("`{}` is an archive of `{writer}`, which no node can read", source.path);
        let mistake = Diagnostic::new("input-is-archive", message, source.span, "read here");
        let mistake = mistake.label(output.span, "written here");
        return Some(mistake.help(format!("read what is in it: `from \"{writer}\"`")));
    }
    let message = format!("`{}` is read here and overwritten by `{writer}`", source.path);
    let mistake = Diagnostic::new("overwrites-source", message, source.span, "a source");
    let mistake = mistake.label(output.span, "overwritten here");
    Some(if output.node == reader {
        mistake.help("a node cannot write over what it reads: name another output")
    } else {
        mistake.help(format!("name the node instead of the path, where `{writer}` is meant"))
    })
}

/// Files of one dist that would stand in one place.
fn seeds(dist: &Dist, places: &HashMap<&str, &PublishedPath>, mistakes: &mut Vec<Diagnostic>) {
    let mut taken: HashMap<&RelPath, (Span, &str)> = HashMap::new();
    taken.insert(&dist.manifest, (dist.output.span, "the build manifest"));
    let binaries = dist.binaries.iter().map(|binary| (&binary.into, binary.node.span, "a binary"));
    let seeds = dist.seeds.iter().map(|seed| (&seed.path.value, seed.path.span, "a seed"));
    for (path, span, what) in binaries.chain(seeds) {
        if let Some((first, other)) = taken.get(path) {
            let message = format!("`{path}` is both {other} and {what} of this folder");
            let message = if *other == what { format!("`{path}` is {what} twice") } else { message };
            let mistake = Diagnostic::new("same-place", message, span, "placed again");
            mistakes.push(mistake.label(*first, "first placed here"));
        } else {
            taken.insert(path, (span, what));
        }
    }
    for seed in &dist.seeds {
        let place = dist.output.value.join(&seed.path.value);
        if let Some(archive) = places.get(place.as_str()) {
            let message = format!("`{place}` is seeded and written");
            let mistake = Diagnostic::new("same-place", message, seed.path.span, "seeded here");
            mistakes.push(mistake.label(archive.span, "written here"));
        }
    }
}

/// A tag that two nodes give would be the last one's.
fn tags(pipeline: &Pipeline, mistakes: &mut Vec<Diagnostic>) {
    let mut first: HashMap<&str, (Span, usize)> = HashMap::new();
    for (index, node) in pipeline.nodes.iter().enumerate() {
        for tag in node.docker().into_iter().flat_map(|docker| &docker.tags) {
            let (span, owner) = *first.entry(&tag.value).or_insert((tag.span, index));
            if owner != index {
                let message = format!("two nodes are tagged `{}`", tag.value);
                let mistake = Diagnostic::new("same-tag", message, tag.span, "tagged again");
                mistakes.push(mistake.label(span, "first tagged here"));
            }
        }
    }
}
