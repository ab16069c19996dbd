//! Where the nodes of a picture stand: in columns by what they need, each column ordered so that
//! lines cross little. Pure, and the same for the same graph.

use std::collections::HashMap;

use serde::Serialize;

use crate::graph::{Graph, NodeIndex};

/// How often every column is ordered anew by its neighbours: more changes little.
const PASSES: usize = 6;

/// A node's place in a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Place {
    /// From the left: one more than the furthest of what it needs.
    pub column: usize,
    /// From the top of the column.
    pub row: usize,
}

/// Places `nodes`, which come upstreams first, as [`Graph::order`] has them.
pub fn layout(graph: &Graph, nodes: &[NodeIndex]) -> HashMap<NodeIndex, Place> {
    let mut column: HashMap<NodeIndex, usize> = HashMap::new();
    for node in nodes {
        let above = graph.upstreams(*node).into_iter().filter_map(|up| column.get(&up.node).copied()).max();
        column.insert(*node, above.map_or(0, |above| above + 1));
    }
    let mut columns: Vec<Vec<NodeIndex>> = Vec::new();
    for node in nodes {
        let at = column[node];
        if columns.len() <= at {
            columns.resize_with(at + 1, Vec::new);
        }
        columns[at].push(*node);
    }
    let mut row: HashMap<NodeIndex, usize> = HashMap::new();
    let note = |columns: &[Vec<NodeIndex>], row: &mut HashMap<NodeIndex, usize>| {
        for (at, node) in columns.iter().flat_map(|column| column.iter().enumerate()) {
            row.insert(*node, at);
        }
    };
    note(&columns, &mut row);
    for pass in 0..PASSES {
        let forwards = pass % 2 == 0;
        let mut order: Vec<usize> = (0..columns.len()).collect();
        if !forwards {
            order.reverse();
        }
        for at in order {
            let mut weighed: Vec<(u64, usize, NodeIndex)> = columns[at]
                .iter()
                .enumerate()
                .map(|(stands, node)| {
                    let neighbours = if forwards { graph.upstreams(*node) } else { graph.downstreams(*node) };
                    let rows: Vec<usize> =
                        neighbours.iter().filter_map(|one| row.get(&one.node).copied()).collect();
                    // In thousandths, so that nothing hangs on how a machine rounds.
                    let middle = match rows.len() {
                        0 => stands as u64 * 1_000,
                        many => rows.iter().map(|row| *row as u64 * 1_000).sum::<u64>() / many as u64,
                    };
                    (middle, stands, *node)
                })
                .collect();
            weighed.sort_unstable_by_key(|(middle, stands, _)| (*middle, *stands));
            columns[at] = weighed.into_iter().map(|(_, _, node)| node).collect();
            for (at, node) in columns[at].iter().enumerate() {
                row.insert(*node, at);
            }
        }
    }
    nodes.iter().map(|node| (*node, Place { column: column[node], row: row[node] })).collect()
}
