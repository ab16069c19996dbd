//! `osgraph graph`: the nodes and who needs whom; with `--verdicts` also what would become of them.

use std::collections::HashMap;

use crate::commands::args::{Format, Graph, Notation};
use crate::commands::exit::Exit;
use crate::commands::fault::Fault;
use crate::commands::ground::Ground;
use crate::commands::load::{self, Loaded};
use crate::commands::prepare::{self};
use crate::commands::screen::Screen;
use crate::graph::NodeIndex;
use crate::graph::render::{self, Shade};
use crate::graph::svg::svg;
use crate::inputs::observe::Progress;
use crate::pipeline::NodeName;
use crate::plan::Verdict;
use crate::plan::judge::Order;
use crate::survey::snapshot::Snapshot;

pub fn run(ground: &Ground, args: &Graph, screen: &Screen) -> Result<Exit, Fault> {
    let loaded = load::load(ground, &mut Snapshot::default())?;
    let graph = &loaded.graph;
    let targets = graph.targets(&args.targets)?;
    let nodes = if args.targets.is_empty() { graph.order().to_vec() } else { graph.closure(&targets) };
    let verdicts = if args.verdicts { verdicts(ground, &loaded, &nodes)? } else { HashMap::new() };
    let shade = |node: NodeIndex| verdicts.get(graph.name(node)).copied();
    let text = match (screen.format, args.notation) {
        (Format::Json, _) => json(&loaded, &nodes, &shade),
        (_, Notation::Dot) => render::dot(graph, &nodes, &shade),
        (_, Notation::Mermaid) => render::mermaid(graph, &nodes, &shade),
        (_, Notation::Svg) => svg(graph, &nodes, &shade),
        (_, Notation::Text) => {
            // Without targets everything is shown, also what the defaults leave out.
            let roots: Vec<NodeIndex> = if args.targets.is_empty() {
                nodes.iter().copied().filter(|node| graph.downstreams(*node).is_empty()).collect()
            } else {
                targets
            };
            render::text(graph, &roots, &|node, name| match shade(node) {
                Some(shade) => format!("{name}  {}", painted(shade, screen)),
                None => name.to_owned(),
            })
        }
    };
    screen.answer(&text);
    Ok(Exit::Done)
}

/// The verdict's word, as `explain` writes it.
fn painted(shade: Shade, screen: &Screen) -> String {
    let word = shade.word().to_uppercase();
    let palette = screen.palette;
    match shade {
        Shade::Fresh => palette.green(word),
        Shade::Restore => palette.cyan(word),
        Shade::Rebuild | Shade::Perhaps => palette.yellow(word),
    }
    .to_string()
}

fn json(loaded: &Loaded, nodes: &[NodeIndex], shade: &dyn Fn(NodeIndex) -> Option<Shade>) -> String {
    let graph = &loaded.graph;
    let list: Vec<_> = nodes
        .iter()
        .map(|index| {
            let node = &loaded.pipeline.nodes[index.index()];
            let needs: Vec<_> =
                graph.upstreams(*index).iter().map(|up| graph.name(up.node).clone()).collect();
            let mut one = serde_json::json!({ "node": node.name, "kind": node.kind(), "needs": needs });
            if let Some(shade) = shade(*index) {
                one["verdict"] = shade.word().into();
            }
            one
        })
        .collect();
    format!("{}\n", serde_json::json!({ "v": crate::event::VERSION, "nodes": list }))
}

/// What `explain` would say of each of `nodes`, in one word. Groups have none.
fn verdicts(
    ground: &Ground,
    loaded: &Loaded,
    nodes: &[NodeIndex],
) -> Result<HashMap<NodeName, Shade>, Fault> {
    let mut doubt = ground.doubt();
    let again = load::load(ground, &mut doubt.snapshot)?;
    let names: Vec<String> = nodes.iter().map(|node| loaded.graph.name(*node).0.clone()).collect();
    let (prepared, judged) = prepare::judged(ground, again, doubt, &names, &Progress::default())?;
    let shade = |verdict: &Verdict<usize>| match verdict {
        Verdict::Fresh => Shade::Fresh,
        Verdict::Restorable(_) => Shade::Restore,
        Verdict::Stale(_) => Shade::Rebuild,
        Verdict::Waiting(_) => Shade::Perhaps,
    };
    let all = prepared.names.iter().zip(&prepared.subjects).zip(&judged);
    let all = all.filter(|((_, subject), _)| subject.order != Order::Nothing);
    Ok(all.map(|((name, _), one)| (name.clone(), shade(&one.verdict))).collect())
}
