//! Syntax to typed nodes: what each word of a pipeline file means.
//!
//! One module per kind of node; what they share is in `scope`. A node with a mistake is
//! left out of the pipeline but stays known by name, so that one mistake is not reported again
//! wherever the node is named. Knows nothing of KDL, files or running.

mod app_embed;
mod archive;
mod base_image;
mod binary_extract;
mod command;
mod dist;
mod docker;
mod group;
mod host;
mod limits;
mod recipe;
mod secret;
mod source_archive;

use crate::pipeline::check::{self, Declared};
use crate::pipeline::diagnostic::{Diagnostic, Diagnostics, SourceFile};
use crate::pipeline::model::{Kind, Node, NodeName, NodeRef, Pipeline, Span, Spanned, Work};
use crate::pipeline::params::{self, Overrides};
use crate::pipeline::scope::{Scope, Seen};
use crate::pipeline::suggest;
use crate::pipeline::syntax::{Document, SyntaxNode};

impl Document {
    /// The pipeline that this file means under `overrides`, with all its mistakes reported at
    /// once: of parameters, of nodes, and between nodes. Cycles are found by
    /// [`crate::graph::Graph::build`], clashes with files by [`check::surroundings`].
    pub fn resolve(&self, source: &SourceFile, overrides: &Overrides) -> Result<Pipeline, Diagnostics> {
        let mut scope = Scope::new(&source.text);
        let mut pipeline = Pipeline { name: String::new(), defaults: vec![], nodes: vec![], params: vec![] };
        if let Some(header) = header(&scope, self) {
            let declared = params::declarations(&scope, &header);
            let (values, names) = params::values(&scope, &header, &declared, overrides);
            pipeline.params = values;
            // A parameter whose declaration is broken is not unknown as well.
            if declared.len() == header.children().filter(|child| child.name() == "param").count() {
                scope.set_names(names);
            }
            pipeline.name = pipeline_name(&scope, &header);
            pipeline.defaults = defaults(&scope, &header);
        }
        let mut declared = Vec::new();
        for node in self.nodes().filter(|node| node.name() != "pipeline") {
            let kind = kind(&scope, &node);
            let Some(name) = name(&scope, &node) else { continue };
            let mistakes = scope.count();
            let work = kind.and_then(|kind| work(&scope, &node, kind)).filter(|_| scope.count() == mistakes);
            declared.push(Declared { name: name.clone(), kind, unnamed: node.arguments().next().is_none() });
            if let Some(work) = work {
                let Spanned { value: name, span: name_span } = name;
                pipeline.nodes.push(Node { name, span: node.span(), name_span, work });
            }
        }
        let mut mistakes = check::nodes(&pipeline, &declared);
        mistakes.extend(scope.into_mistakes());
        if mistakes.is_empty() { Ok(pipeline) } else { Err(Diagnostics::new(source, mistakes)) }
    }
}

/// The one `pipeline` node.
fn header<'d>(scope: &Scope, document: &'d Document) -> Option<SyntaxNode<'d>> {
    let mut headers = document.nodes().filter(|node| node.name() == "pipeline");
    let Some(header) = headers.next() else {
        let message = "the file has no `pipeline` node";
        let mistake = Diagnostic::new("missing-pipeline", message, Span::default(), "belongs at the top");
        scope.report(mistake.help("begin with `pipeline \"name\"`"));
        return None;
    };
    for again in headers {
        let message = "a file describes one pipeline";
        let mistake = Diagnostic::new("repeated-pipeline", message, again.name_span(), "the second one");
        scope.report(mistake.label(header.name_span(), "the first one"));
    }
    const CHILDREN: [&str; 2] = ["param", "default"];
    scope.properties(&header, &[]);
    for child in header.children().filter(|child| !CHILDREN.contains(&child.name())) {
        if Kind::ALL.iter().any(|kind| kind.word() == child.name()) {
            let message = format!("`{}` is a node of its own", child.name());
            let mistake = Diagnostic::new("misplaced-node", message, child.name_span(), "inside `pipeline`");
            scope.report(mistake.help("move it out of the block of `pipeline`"));
        } else {
            scope.unknown_child(&header, &child, &CHILDREN);
        }
    }
    Some(header)
}

fn pipeline_name(scope: &Scope, header: &SyntaxNode) -> String {
    scope.argument(header).and_then(|name| scope.filled(name)).map(|name| name.value).unwrap_or_default()
}

fn defaults(scope: &Scope, header: &SyntaxNode) -> Vec<NodeRef> {
    let nodes = header.children().filter(|child| child.name() == "default");
    nodes
        .flat_map(|node| {
            scope.shape(&node, &[]);
            scope.references(&node)
        })
        .collect()
}

fn kind(scope: &Scope, node: &SyntaxNode) -> Option<Kind> {
    let word = node.name();
    let kind = Kind::ALL.into_iter().find(|kind| kind.word() == word);
    if kind.is_none() {
        let message = format!("`{word}` is no kind of node");
        let mistake = Diagnostic::new("unknown-kind", message, node.name_span(), "not known");
        let mut words: Vec<&str> = Kind::ALL.iter().map(|kind| kind.word()).collect();
        words.push("pipeline");
        scope.report(mistake.help(suggest::help(word, &words)));
    }
    kind
}

/// The node's name and where it is written; the kind and its place where there is none.
fn name(scope: &Scope, node: &SyntaxNode) -> Option<Spanned<NodeName>> {
    scope.at_most(node, 1);
    let Some(argument) = node.arguments().next() else {
        return Some(Spanned::new(NodeName(node.name().to_owned()), node.name_span()));
    };
    let name = scope.filled(scope.text(&argument)?)?;
    let odd = name.value.chars().find(|c| !c.is_alphanumeric() && !"-_.+".contains(*c));
    if let Some(odd) = odd {
        let message = format!("`{}` cannot be in the name of a node", odd.escape_debug());
        let mistake = Diagnostic::new("bad-node-name", message, name.span, "not accepted");
        scope.report(mistake.help("use letters, digits, `-`, `_`, `.` and `+`"));
        return None;
    }
    Some(Spanned::new(NodeName(name.value), name.span))
}

fn work(scope: &Scope, node: &SyntaxNode, kind: Kind) -> Option<Work> {
    if kind != Kind::Command {
        scope.properties(node, &[]);
    }
    match kind {
        Kind::SourceArchive => source_archive::decode(scope, node).map(Work::SourceArchive),
        Kind::BaseImage => base_image::decode(scope, node).map(Work::BaseImage),
        Kind::AppEmbed => app_embed::decode(scope, node).map(Work::AppEmbed),
        Kind::BinaryExtract => binary_extract::decode(scope, node).map(Work::BinaryExtract),
        Kind::DistDocker | Kind::DistNative => dist::decode(scope, node, kind).map(Work::Dist),
        Kind::Command => command::decode(scope, node).map(Work::Command),
        Kind::Group => group::decode(scope, node).map(Work::Group),
    }
}

/// Passes every child of `node` to `take`, noting it, and reports those that `take` refuses.
fn children<'d>(
    scope: &Scope,
    node: &SyntaxNode<'d>,
    allowed: &[&str],
    mut take: impl FnMut(&mut Seen<'d>, &SyntaxNode<'d>) -> bool,
) -> Seen<'d> {
    let mut seen = Seen::default();
    for child in node.children() {
        if !take(&mut seen, &child) {
            scope.unknown_child(node, &child, allowed);
        }
    }
    seen
}
