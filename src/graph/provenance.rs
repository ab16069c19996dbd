//! Whether a dist tells only of what went into it.

use petgraph::Direction;
use petgraph::graph::DiGraph;
use petgraph::visit::EdgeRef;

use crate::graph::{Edge, NodeIndex, Role};
use crate::pipeline::diagnostic::Diagnostic;
use crate::pipeline::model::NodeName;

/// A mistake for each node that is named as provenance of what it has no part in.
pub(super) fn check(graph: &DiGraph<NodeName, Edge, u32>) -> Vec<Diagnostic> {
    let mut mistakes = Vec::new();
    for reader in graph.node_indices() {
        let named: Vec<_> = graph
            .edges_directed(reader, Direction::Incoming)
            .filter(|edge| edge.weight().role == Role::Provenance)
            .collect();
        if named.is_empty() {
            continue;
        }
        let parts = parts(graph, reader);
        // petgraph lists the newest edge first.
        for edge in named.into_iter().rev().filter(|edge| !parts[edge.source().index()]) {
            let message = format!("`{}` does not go into `{}`", graph[edge.source()], graph[reader]);
            let mistake = Diagnostic::new("not-in-dist", message, edge.weight().span, "named here");
            mistakes.push(mistake.help("name a node that one of its `binary` nodes is made from"));
        }
    }
    mistakes
}

/// The nodes whose content goes into `reader`, directly or not.
fn parts(graph: &DiGraph<NodeName, Edge, u32>, reader: NodeIndex) -> Vec<bool> {
    let mut reached = vec![false; graph.node_count()];
    let mut open = vec![reader];
    while let Some(node) = open.pop() {
        for edge in graph.edges_directed(node, Direction::Incoming) {
            let source = edge.source();
            if edge.weight().role.goes_in() && !std::mem::replace(&mut reached[source.index()], true) {
                open.push(source);
            }
        }
    }
    reached
}
