//! The graph as text, as DOT and as a Mermaid flow chart. Pure.

use std::fmt::Write;

use crate::graph::{Graph, NodeIndex};

/// Nodes deeper than this are not indented further; a chain of thousands stays readable.
const MAX_INDENT: usize = 40;

/// An indented tree of what each of `targets` needs. What a node needs is shown once; where it
/// comes up again it is marked.
pub fn text(graph: &Graph, targets: &[NodeIndex]) -> String {
    let mut out = String::new();
    let mut shown = vec![false; graph.len()];
    for target in targets {
        let mut open = vec![(*target, 0_usize, String::new())];
        while let Some((node, depth, label)) = open.pop() {
            let upstreams = graph.upstreams(node);
            let again = std::mem::replace(&mut shown[node.index()], true) && !upstreams.is_empty();
            let mark = if again { " (shown above)" } else { "" };
            let _ = writeln!(
                out,
                "{:indent$}{}{label}{mark}",
                "",
                graph.name(node),
                indent = 2 * depth.min(MAX_INDENT)
            );
            if !again {
                let needs = upstreams.iter().rev();
                open.extend(needs.map(|need| (need.node, depth + 1, format!(" [{}]", need.role))));
            }
        }
    }
    out
}

/// A Graphviz digraph of `nodes`; arrows run from a node to its readers, dashed where nothing
/// is read.
pub fn dot(graph: &Graph, nodes: &[NodeIndex]) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let mut out = String::from("digraph osgraph {\n    rankdir=LR;\n    node [shape=box];\n");
    for node in nodes {
        let _ = writeln!(out, "    {};", quoted(graph.name(*node).as_ref()));
    }
    edges(graph, nodes, |from, to, label, read| {
        let (from, to) = (quoted(graph.name(from).as_ref()), quoted(graph.name(to).as_ref()));
        let style = if read { "" } else { ", style=dashed" };
        let _ = writeln!(out, "    {from} -> {to} [label={}{style}];", quoted(label));
    });
    out.push_str("}\n");
    out
}

/// A Mermaid flow chart of `nodes`.
pub fn mermaid(graph: &Graph, nodes: &[NodeIndex]) -> String {
    // Mermaid knows HTML entities, written with `#`; names become ids only by number, because
    // words such as `end` break its parser.
    let quoted = |text: &str| {
        let mut out = String::from("\"");
        for c in text.chars() {
            match c {
                '"' | '#' | '<' | '>' | '&' | '`' | '\\' | '|' => {
                    let _ = write!(out, "#{};", u32::from(c));
                }
                c => out.push(c),
            }
        }
        out + "\""
    };
    let mut out = String::from("flowchart LR\n");
    for node in nodes {
        let _ = writeln!(out, "    n{}[{}]", node.index(), quoted(graph.name(*node).as_ref()));
    }
    edges(graph, nodes, |from, to, label, read| {
        let arrow = if read { "-->" } else { "-.->" };
        let _ = writeln!(out, "    n{} {arrow}|{}| n{}", from.index(), quoted(label), to.index());
    });
    out
}

/// Every edge between two of `nodes`, reader by reader.
fn edges(graph: &Graph, nodes: &[NodeIndex], mut each: impl FnMut(NodeIndex, NodeIndex, &str, bool)) {
    let mut among = vec![false; graph.len()];
    nodes.iter().for_each(|node| among[node.index()] = true);
    for reader in nodes {
        for upstream in graph.upstreams(*reader).into_iter().filter(|upstream| among[upstream.node.index()]) {
            each(upstream.node, *reader, &upstream.role.to_string(), upstream.role.is_read());
        }
    }
}
