//! `osgraph check`: the pipeline file alone, without looking at inputs.

use crate::commands::args::Format;
use crate::commands::exit::Exit;
use crate::commands::fault::Fault;
use crate::commands::ground::Ground;
use crate::commands::load;
use crate::commands::screen::Screen;
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
