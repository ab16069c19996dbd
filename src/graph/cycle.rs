//! Cycles, said so that they can be found in the file.

use std::collections::{HashMap, VecDeque};

use petgraph::Direction;
use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;
use petgraph::visit::EdgeRef;

use crate::graph::{Edge, NodeIndex};
use crate::pipeline::diagnostic::Diagnostic;
use crate::pipeline::model::{NodeName, Span};

/// More steps than this are not written out.
const SHOWN: usize = 12;

type Links = DiGraph<NodeName, Edge, u32>;

/// One mistake for each knot of nodes that need one another: its shortest cycle through the node
/// that stands first in the file. `done` are the nodes outside all cycles and behind none.
pub(super) fn report(graph: &Links, done: &[NodeIndex]) -> Vec<Diagnostic> {
    let mut left = vec![true; graph.node_count()];
    done.iter().for_each(|node| left[node.index()] = false);
    let rest = graph
        .filter_map(|node, name| left[node.index()].then(|| (node, name.clone())), |_, edge| Some(edge.span));
    // Kosaraju's algorithm keeps its own stack; Tarjan's recurses, and chains may be long.
    let mut knots: Vec<Vec<NodeIndex>> = kosaraju_scc(&rest)
        .into_iter()
        .map(|knot| knot.into_iter().map(|node| rest[node].0).collect())
        .collect();
    knots.iter_mut().for_each(|knot: &mut Vec<NodeIndex>| knot.sort_unstable());
    knots.sort_unstable();
    knots.iter().filter_map(|knot| shortest(graph, knot)).map(|cycle| describe(graph, &cycle)).collect()
}

/// A cycle as its readers, each with the place where it names the next; none if `knot` has none.
fn shortest(graph: &Links, knot: &[NodeIndex]) -> Option<Vec<(NodeIndex, Span)>> {
    let start = *knot.first()?;
    // Per node: who was seen reading it, and where.
    let mut reader: HashMap<NodeIndex, (NodeIndex, Span)> = HashMap::new();
    let mut open = VecDeque::from([start]);
    while let Some(node) = open.pop_front() {
        let mut edges: Vec<_> = graph.edges_directed(node, Direction::Incoming).collect();
        edges.reverse();
        for edge in edges {
            let upstream = edge.source();
            let found = (node, edge.weight().span);
            if upstream == start {
                let mut cycle = vec![found];
                while let Some(step) = reader.get(&cycle[cycle.len() - 1].0) {
                    cycle.push(*step);
                }
                cycle.reverse();
                return Some(cycle);
            }
            // Steps that lead out of the knot never come back, and cost no more than a look.
            if knot.binary_search(&upstream).is_ok() && !reader.contains_key(&upstream) {
                reader.insert(upstream, found);
                open.push_back(upstream);
            }
        }
    }
    None
}

fn describe(graph: &Links, cycle: &[(NodeIndex, Span)]) -> Diagnostic {
    let name = |at: usize| graph[cycle[at % cycle.len()].0].0.as_str();
    let shown = if cycle.len() <= SHOWN { cycle.len() } else { SHOWN / 2 };
    let mut path: Vec<&str> = (0..shown).map(name).collect();
    let left_out = format!("… {} more …", cycle.len() - shown);
    if shown < cycle.len() {
        path.push(&left_out);
    }
    path.push(name(0));
    let message = format!("nodes need one another: {}", path.join(" → "));
    let label = |at: usize| format!("`{}` needs `{}`", name(at), name(at + 1));
    let mut mistake = Diagnostic::new("cycle", message, cycle[0].1, label(0));
    for (at, (_, span)) in cycle.iter().enumerate().take(shown).skip(1) {
        mistake = mistake.label(*span, label(at));
    }
    mistake.help("remove one of these references")
}
