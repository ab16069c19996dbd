//! How one node stands in the manifest of another, and who reads whom.

use std::collections::HashMap;
use std::fmt;

use crate::graph::{Edge, NodeIndex};
use crate::path::RelPath;
use crate::pipeline::check::{Published, published_paths};
use crate::pipeline::model::{Node, NodeName, Pipeline, Span, Work};

/// In what role a node is read. Shown as its label in the reader's manifest, which names places
/// and never nodes: renaming a node rebuilds nobody.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The image an application is put into.
    Base,
    /// The application's tree.
    App,
    /// The artifact a binary is taken out of.
    Image,
    /// A file of a dist, at this place in it.
    Binary(RelPath),
    /// What a dist's build manifest tells of a node that went into it.
    Provenance,
    /// An artifact laid into a command's work folder, at these places.
    From(Vec<RelPath>),
    /// The content of a declared input path, which the other node publishes.
    Input(RelPath),
    /// Part of a group.
    Member,
    /// Only to be done before: nothing is read.
    After,
}

impl Role {
    /// Whether the reader's key depends on the other node's artifact.
    pub const fn is_read(&self) -> bool {
        !matches!(self, Self::Member | Self::After)
    }

    /// Whether something of the other node's content goes into the reader.
    pub const fn goes_in(&self) -> bool {
        self.is_read() && !matches!(self, Self::Provenance)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Base => f.write_str("base"),
            Self::App => f.write_str("app"),
            Self::Image => f.write_str("image"),
            Self::Binary(into) => write!(f, "binary {into}"),
            Self::Provenance => f.write_str("provenance"),
            Self::From(places) => {
                let places: Vec<String> = places.iter().map(ToString::to_string).collect();
                write!(f, "from {}", places.join(", "))
            }
            Self::Input(path) => write!(f, "input {path}"),
            Self::Member => f.write_str("member"),
            Self::After => f.write_str("after"),
        }
    }
}

/// Where an artifact stands for a reader that names no place.
fn natural_places(node: &Node) -> Vec<RelPath> {
    match (node.natural_place(), &node.work) {
        (None, Work::Command(command)) => {
            command.recipe.outputs.iter().map(|output| output.value.clone()).collect()
        }
        (place, _) => place.into_iter().collect(),
    }
}

/// Calls `edge` with upstream, reader and how, for everything that some node reads or follows.
/// Names that mean no node are passed over: the checks have reported them.
pub(super) fn link(
    pipeline: &Pipeline,
    names: &HashMap<NodeName, NodeIndex>,
    mut edge: impl FnMut(NodeIndex, NodeIndex, Edge),
) {
    let published = published_paths(pipeline);
    let outputs: HashMap<&str, usize> = published
        .iter()
        .filter(|place| place.what == Published::Output && !place.path.is_root())
        .map(|place| (place.path.as_str(), place.node))
        .collect();
    for (index, node) in pipeline.nodes.iter().enumerate() {
        let reader = NodeIndex::new(index);
        let mut reads = |name: &NodeName, role: Role, span: Span| {
            if let Some(upstream) = names.get(name) {
                edge(*upstream, reader, Edge { role, span });
            }
        };
        match &node.work {
            Work::SourceArchive(_) | Work::BaseImage(_) => {}
            Work::AppEmbed(embed) => {
                if let Some(base) = &embed.base {
                    reads(&base.value, Role::Base, base.span);
                }
                reads(&embed.app.value, Role::App, embed.app.span);
            }
            Work::BinaryExtract(extract) => reads(&extract.from.value, Role::Image, extract.from.span),
            Work::Dist(dist) => {
                for binary in &dist.binaries {
                    reads(&binary.node.value, Role::Binary(binary.into.clone()), binary.node.span);
                }
                for node in &dist.provenance {
                    reads(&node.value, Role::Provenance, node.span);
                }
            }
            Work::Command(command) => {
                for from in &command.froms {
                    let name = &from.node.value;
                    let places = match (&from.into, names.get(name)) {
                        (Some(into), _) => vec![into.clone()],
                        (None, Some(upstream)) => natural_places(&pipeline.nodes[upstream.index()]),
                        (None, None) => continue,
                    };
                    reads(name, Role::From(places), from.node.span);
                }
                for after in &command.after {
                    reads(&after.value, Role::After, after.span);
                }
            }
            Work::Group(group) => {
                for member in &group.members {
                    reads(&member.value, Role::Member, member.span);
                }
            }
        }
        for input in node.host().into_iter().flat_map(|recipe| &recipe.inputs) {
            // A node that reads what it writes is refused by the checks.
            if let Some(writer) = writer(&outputs, &input.value).filter(|writer| *writer != index) {
                let role = Role::Input(input.value.clone());
                edge(NodeIndex::new(writer), reader, Edge { role, span: input.span });
            }
        }
    }
}

/// The node whose output is `path` or holds it.
fn writer(outputs: &HashMap<&str, usize>, path: &RelPath) -> Option<usize> {
    let text = path.as_str();
    let ends = text.match_indices('/').map(|(end, _)| end).chain([text.len()]);
    ends.filter_map(|end| outputs.get(&text[..end]).copied()).next()
}
