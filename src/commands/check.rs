//! `osgraph check` and `osgraph graph`: the pipeline file alone, without looking at inputs.

use crate::commands::args::{Format, Graph, Notation};
use crate::commands::exit::Exit;
use crate::commands::fault::Fault;
use crate::commands::ground::Ground;
use crate::commands::load;
use crate::commands::screen::Screen;
use crate::graph::render;
use crate::report::params::{self, Param};
use crate::report::quantity::count;
use crate::survey::snapshot::Snapshot;

pub fn check(ground: &Ground, screen: &Screen) -> Result<Exit, Fault> {
    let loaded = load::load(ground, &mut Snapshot::default())?;
    load::refuse_tracked(ground, &loaded)?;
    let pipeline = &loaded.pipeline;
    let params: Vec<Param> = pipeline.params.iter().map(Param::of).collect();
    if screen.format == Format::Json {
        let answer = serde_json::json!({
            "v": crate::event::VERSION,
            "pipeline": pipeline.name,
            "nodes": pipeline.nodes.iter().map(|node| &node.name).collect::<Vec<_>>(),
            "params": params,
        });
        screen.answer(&format!("{answer}\n"));
    } else if !screen.is_quiet() {
        let mut text = format!(
            "{}  pipeline `{}`: {}, {}\n",
            screen.palette.green("ok"),
            pipeline.name,
            count(pipeline.nodes.len(), "node"),
            count(pipeline.params.len(), "parameter"),
        );
        text.push_str(&params::text(&params, screen.palette));
        screen.answer(&text);
    }
    Ok(Exit::Done)
}

pub fn graph(ground: &Ground, args: &Graph, screen: &Screen) -> Result<Exit, Fault> {
    let loaded = load::load(ground, &mut Snapshot::default())?;
    let graph = &loaded.graph;
    let targets = graph.targets(&args.targets)?;
    let nodes = if args.targets.is_empty() { graph.order().to_vec() } else { graph.closure(&targets) };
    let text = match (screen.format, args.notation) {
        (Format::Json, _) => {
            let list: Vec<_> = nodes
                .iter()
                .map(|index| {
                    let node = &loaded.pipeline.nodes[index.index()];
                    let needs: Vec<_> =
                        graph.upstreams(*index).iter().map(|up| graph.name(up.node).clone()).collect();
                    serde_json::json!({ "node": node.name, "kind": node.kind(), "needs": needs })
                })
                .collect();
            format!("{}\n", serde_json::json!({ "v": crate::event::VERSION, "nodes": list }))
        }
        (_, Notation::Dot) => render::dot(graph, &nodes),
        (_, Notation::Mermaid) => render::mermaid(graph, &nodes),
        (_, Notation::Text) => {
            // Without targets everything is shown, also what the defaults leave out.
            let roots = if args.targets.is_empty() {
                nodes.iter().copied().filter(|node| graph.downstreams(*node).is_empty()).collect()
            } else {
                targets
            };
            render::text(graph, &roots)
        }
    };
    screen.answer(&text);
    Ok(Exit::Done)
}
