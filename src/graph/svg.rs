//! The graph as a picture: SVG that stands alone, in the reader's own light or dark. Pure.

use std::fmt::Write;

use crate::graph::layout::{Place, layout};
use crate::graph::render::Shade;
use crate::graph::{Graph, NodeIndex};

/// Pixels of a letter at the size used; boxes are as wide as their widest name.
const LETTER: usize = 8;
const BOX: usize = 30;
const ROW: usize = 46;
const GAP: usize = 70;
const EDGE: usize = 16;

/// Colours, which a page around the picture may set as well.
const STYLE: &str = "\
svg{--line:#8a8f98;--text:#1c1f23;--paper:#fff;--plain:#f1f3f5;\
--fresh:#d3f2dc;--restore:#d2ecf7;--rebuild:#ffe3b3;--perhaps:#fff4cc}\
@media(prefers-color-scheme:dark){svg{--line:#7d848e;--text:#e8eaed;--paper:#16181c;--plain:#2a2e35;\
--fresh:#1f4d2e;--restore:#17465a;--rebuild:#6b4508;--perhaps:#554a12}}\
.paper{fill:var(--paper)}text{font:13px ui-monospace,Menlo,Consolas,monospace;fill:var(--text)}\
rect.node{fill:var(--plain);stroke:var(--line)}path{fill:none;stroke:var(--line)}\
.after{stroke-dasharray:4 3}\
.fresh rect{fill:var(--fresh)}.restore rect{fill:var(--restore)}\
.rebuild rect{fill:var(--rebuild)}.perhaps rect{fill:var(--perhaps);stroke-dasharray:4 3}";

/// A picture of `nodes`, which come upstreams first; lines run from a node to its readers, dashed
/// where nothing is read.
pub fn svg(graph: &Graph, nodes: &[NodeIndex], shade: &dyn Fn(NodeIndex) -> Option<Shade>) -> String {
    let places = layout(graph, nodes);
    let columns = places.values().map(|place| place.column + 1).max().unwrap_or(0);
    let rows = places.values().map(|place| place.row + 1).max().unwrap_or(0);
    let mut widths = vec![0; columns];
    for node in nodes {
        let letters = graph.name(*node).as_ref().chars().count();
        let width = &mut widths[places[node].column];
        *width = (*width).max(letters * LETTER + 2 * EDGE);
    }
    let mut lefts = Vec::with_capacity(columns);
    let mut x = EDGE;
    for width in &widths {
        lefts.push(x);
        x += width + GAP;
    }
    let (width, height) = (x.saturating_sub(GAP) + EDGE, rows * ROW + 2 * EDGE - (ROW - BOX).min(rows * ROW));
    let at = |place: Place| (lefts[place.column], EDGE + place.row * ROW);

    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{}\">\n<style>{STYLE}</style>\n\
         <rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n",
        count(nodes.len()),
    );
    for reader in nodes {
        let (right, below) = at(places[reader]);
        for upstream in graph.upstreams(*reader) {
            let Some(place) = places.get(&upstream.node) else { continue };
            let (left, above) = at(*place);
            let (left, above, below) = (left + widths[place.column], above + BOX / 2, below + BOX / 2);
            let bend = (right.saturating_sub(left) / 2).max(20);
            let class = if upstream.role.is_read() { "" } else { " class=\"after\"" };
            let _ = writeln!(
                out,
                "<path{class} d=\"M{left} {above}C{} {above} {} {below} {right} {below}\"><title>{}</title></path>",
                left + bend,
                right.saturating_sub(bend),
                escaped(&format!(
                    "{} → {}: {}",
                    graph.name(upstream.node),
                    graph.name(*reader),
                    upstream.role
                )),
            );
        }
    }
    for node in nodes {
        let place = places[node];
        let (left, top) = at(place);
        let shade = shade(*node);
        let class = shade.map_or("", Shade::word);
        let name = escaped(graph.name(*node).as_ref());
        let title = shade.map_or_else(|| name.clone(), |shade| format!("{name}: {}", shade.word()));
        let _ = writeln!(
            out,
            "<g class=\"{class}\" data-node=\"{name}\"><title>{title}</title><rect class=\"node\" x=\"{left}\" \
             y=\"{top}\" width=\"{}\" height=\"{BOX}\" rx=\"6\"/><text x=\"{}\" y=\"{}\">{name}</text></g>",
            widths[place.column],
            left + EDGE,
            top + BOX / 2 + 5,
        );
    }
    out.push_str("</svg>\n");
    out
}

fn count(nodes: usize) -> String {
    if nodes == 1 { "graph of 1 node".to_owned() } else { format!("graph of {nodes} nodes") }
}

/// `text` where XML has character data or an attribute.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // Not allowed in XML, however it is written.
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
