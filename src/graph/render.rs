//! The graph as text, as DOT and as a Mermaid flow chart, nodes coloured by verdict where that is
//! known. Pure.

use std::fmt::Write;

use crate::graph::{Graph, NodeIndex};

/// Nodes deeper than this are not indented further; a chain of thousands stays readable.
const MAX_INDENT: usize = 40;

/// A node's verdict, as far as a picture shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shade {
    Fresh,
    Restore,
    Rebuild,
    Perhaps,
}

impl Shade {
    /// The word that `explain` has for it, in small letters.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Restore => "restore",
            Self::Rebuild => "rebuild",
            Self::Perhaps => "perhaps",
        }
    }

    /// Paper and line, for notations that name colours.
    const fn colours(self) -> (&'static str, &'static str) {
        match self {
            Self::Fresh => ("#d3f2dc", "#2b8a3e"),
            Self::Restore => ("#d2ecf7", "#1971c2"),
            Self::Rebuild => ("#ffe3b3", "#b35c00"),
            Self::Perhaps => ("#fff4cc", "#b35c00"),
        }
    }
}

/// Tells a node's verdict, where it is known.
pub type Shades<'a> = &'a dyn Fn(NodeIndex) -> Option<Shade>;

/// An indented tree of what each of `targets` needs. What a node needs is shown once; where it
/// comes up again it is marked.
pub fn text(graph: &Graph, targets: &[NodeIndex], paint: &dyn Fn(NodeIndex, &str) -> String) -> String {
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
                "{:indent$}{}{mark}",
                "",
                paint(node, &format!("{}{label}", graph.name(node))),
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
pub fn dot(graph: &Graph, nodes: &[NodeIndex], shade: Shades<'_>) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let mut out = String::from("digraph osgraph {\n    rankdir=LR;\n    node [shape=box];\n");
    for node in nodes {
        let style = shade(*node).map_or_else(String::new, |shade| {
            let (paper, line) = shade.colours();
            format!(" [style=filled, fillcolor=\"{paper}\", color=\"{line}\", tooltip=\"{}\"]", shade.word())
        });
        let _ = writeln!(out, "    {}{style};", quoted(graph.name(*node).as_ref()));
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
pub fn mermaid(graph: &Graph, nodes: &[NodeIndex], shade: Shades<'_>) -> String {
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
        let class = shade(*node).map_or_else(String::new, |shade| format!(":::{}", shade.word()));
        let _ = writeln!(out, "    n{}[{}]{class}", node.index(), quoted(graph.name(*node).as_ref()));
    }
    edges(graph, nodes, |from, to, label, read| {
        let arrow = if read { "-->" } else { "-.->" };
        let _ = writeln!(out, "    n{} {arrow}|{}| n{}", from.index(), quoted(label), to.index());
    });
    let mut used: Vec<Shade> = Vec::new();
    for one in nodes.iter().filter_map(|node| shade(*node)) {
        if !used.contains(&one) {
            used.push(one);
        }
    }
    for one in used {
        let (paper, line) = one.colours();
        let _ = writeln!(out, "    classDef {} fill:{paper},stroke:{line},color:#1c1f23", one.word());
    }
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
