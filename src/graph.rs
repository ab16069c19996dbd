//! The graph: which node reads or follows which.
//!
//! An edge runs from the node that yields to the one that reads, and carries the [`Role`] in which
//! it is read: the label of that input in the reader's manifest. Knows nothing of keys, files or
//! whether anything is fresh.

mod cycle;
pub mod layout;
mod provenance;
pub mod render;
mod role;
pub mod svg;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use petgraph::Direction;
use petgraph::graph::DiGraph;
use petgraph::visit::EdgeRef;

use crate::path::RelPath;
use crate::pipeline::diagnostic::{Diagnostic, Diagnostics, SourceFile};
use crate::pipeline::model::{NodeName, Pipeline, Span};
use crate::pipeline::suggest;

pub use petgraph::graph::NodeIndex;
pub use role::Role;

/// A reference from one node to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    pub role: Role,
    /// Where the reader names it.
    pub span: Span,
}

/// A neighbour and how it is read.
#[derive(Clone, Copy, Debug)]
pub struct Neighbour<'g> {
    pub node: NodeIndex,
    pub role: &'g Role,
    pub span: Span,
}

/// The nodes of a pipeline; `NodeIndex::index` is a node's place in [`Pipeline::nodes`].
#[derive(Clone, Debug)]
pub struct Graph {
    graph: DiGraph<NodeName, Edge, u32>,
    names: HashMap<NodeName, NodeIndex>,
    defaults: Vec<NodeIndex>,
    /// Every node behind all that it reads; of several that could be next, the file's first.
    order: Vec<NodeIndex>,
}

/// Targets that no node is called.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", unknown_message(.0))]
pub struct UnknownTargets(pub Vec<UnknownTarget>);

/// A name that no node has, and the name that is nearest to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownTarget {
    pub name: String,
    pub suggestion: Option<String>,
}

fn unknown_message(unknown: &[UnknownTarget]) -> String {
    let each = unknown.iter().map(|target| match &target.suggestion {
        Some(near) => format!("no node is called `{}` (did you mean `{near}`?)", target.name),
        None => format!("no node is called `{}`", target.name),
    });
    each.collect::<Vec<_>>().join("; ")
}

impl Graph {
    /// Links the nodes of a checked pipeline. Mistakes: cycles, each reported once, two artifacts
    /// that one command wants in the same place, and a provenance that is none.
    pub fn build(pipeline: &Pipeline, source: &SourceFile) -> Result<Self, Diagnostics> {
        let mut graph = DiGraph::with_capacity(pipeline.nodes.len(), pipeline.nodes.len());
        let mut names = HashMap::with_capacity(pipeline.nodes.len());
        for node in &pipeline.nodes {
            let index = graph.add_node(node.name.clone());
            names.entry(node.name.clone()).or_insert(index);
        }
        let mut placed: HashMap<(NodeIndex, RelPath), Span> = HashMap::new();
        let mut mistakes = Vec::new();
        role::link(pipeline, &names, |upstream, reader, edge| {
            if let Role::From(places) = &edge.role {
                for place in places {
                    if let Some(first) = placed.insert((reader, place.clone()), edge.span) {
                        mistakes.push(same_place(place, first, edge.span));
                        break;
                    }
                }
            }
            graph.add_edge(upstream, reader, edge);
        });
        let order = order(&graph);
        if order.len() < graph.node_count() {
            mistakes.extend(cycle::report(&graph, &order));
        }
        mistakes.extend(provenance::check(&graph));
        if !mistakes.is_empty() {
            return Err(Diagnostics::new(source, mistakes));
        }
        let defaults = pipeline.defaults.iter().filter_map(|name| names.get(&name.value).copied()).collect();
        Ok(Self { graph, names, defaults, order })
    }

    pub fn len(&self) -> usize {
        self.graph.node_count()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn name(&self, node: NodeIndex) -> &NodeName {
        &self.graph[node]
    }

    pub fn find(&self, name: &str) -> Option<NodeIndex> {
        // NodeName borrows as no str, so that nobody looks up an unchecked text by accident.
        self.names.get(&NodeName(name.to_owned())).copied()
    }

    /// All nodes, upstreams first, in the order of the file where it is free.
    pub fn order(&self) -> &[NodeIndex] {
        &self.order
    }

    /// What `node` reads or follows, in the order it says so.
    pub fn upstreams(&self, node: NodeIndex) -> Vec<Neighbour<'_>> {
        self.neighbours(node, Direction::Incoming)
    }

    /// Who reads or follows `node`, in the order of the file.
    pub fn downstreams(&self, node: NodeIndex) -> Vec<Neighbour<'_>> {
        self.neighbours(node, Direction::Outgoing)
    }

    fn neighbours(&self, node: NodeIndex, direction: Direction) -> Vec<Neighbour<'_>> {
        let edges = self.graph.edges_directed(node, direction);
        let mut list: Vec<Neighbour> = edges
            .map(|edge| {
                let node = if direction == Direction::Incoming { edge.source() } else { edge.target() };
                Neighbour { node, role: &edge.weight().role, span: edge.weight().span }
            })
            .collect();
        // petgraph lists the newest edge first.
        list.reverse();
        list
    }

    /// The nodes that `names` mean; none given, the pipeline's defaults, or every node that no
    /// other one reads.
    pub fn targets(&self, names: &[String]) -> Result<Vec<NodeIndex>, UnknownTargets> {
        if names.is_empty() {
            return Ok(if self.defaults.is_empty() { self.sinks() } else { self.defaults.clone() });
        }
        let (mut targets, mut unknown) = (Vec::new(), Vec::new());
        for name in names {
            match self.find(name) {
                Some(node) if targets.contains(&node) => {}
                Some(node) => targets.push(node),
                None => {
                    let known = self.graph.node_weights().map(AsRef::as_ref);
                    let suggestion = suggest::nearest(name, known).map(str::to_owned);
                    unknown.push(UnknownTarget { name: name.clone(), suggestion });
                }
            }
        }
        if unknown.is_empty() { Ok(targets) } else { Err(UnknownTargets(unknown)) }
    }

    fn sinks(&self) -> Vec<NodeIndex> {
        self.graph.externals(Direction::Outgoing).collect()
    }

    /// `targets` and all that they need, upstreams first, in the order of the file where it is free.
    pub fn closure(&self, targets: &[NodeIndex]) -> Vec<NodeIndex> {
        self.reachable(targets, Direction::Incoming)
    }

    /// `nodes` and all that read them, directly or not, upstreams first.
    pub fn affected(&self, nodes: &[NodeIndex]) -> Vec<NodeIndex> {
        self.reachable(nodes, Direction::Outgoing)
    }

    fn reachable(&self, from: &[NodeIndex], direction: Direction) -> Vec<NodeIndex> {
        let mut reached = vec![false; self.len()];
        let mut open = from.to_vec();
        while let Some(node) = open.pop() {
            if !std::mem::replace(&mut reached[node.index()], true) {
                open.extend(self.graph.neighbors_directed(node, direction));
            }
        }
        self.order.iter().copied().filter(|node| reached[node.index()]).collect()
    }
}

fn same_place(place: &RelPath, first: Span, again: Span) -> Diagnostic {
    let message = format!("two artifacts would stand at `{place}`");
    let mistake =
        Diagnostic::new("same-place", message, again, "the second one").label(first, "the first one");
    mistake.help("give one of them another place with `into=\"folder\"`")
}

/// A topological order, shorter than the graph if that has a cycle.
fn order(graph: &DiGraph<NodeName, Edge, u32>) -> Vec<NodeIndex> {
    let mut waiting: Vec<usize> = vec![0; graph.node_count()];
    for edge in graph.raw_edges() {
        waiting[edge.target().index()] += 1;
    }
    let mut ready: BinaryHeap<Reverse<NodeIndex>> =
        graph.node_indices().filter(|node| waiting[node.index()] == 0).map(Reverse).collect();
    let mut order = Vec::with_capacity(graph.node_count());
    while let Some(Reverse(node)) = ready.pop() {
        order.push(node);
        for reader in graph.neighbors(node) {
            waiting[reader.index()] -= 1;
            if waiting[reader.index()] == 0 {
                ready.push(Reverse(reader));
            }
        }
    }
    order
}

#[cfg(test)]
mod tests;
