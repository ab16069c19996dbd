//! `osgraph explain --last`: what the history says of why nodes ran.

use std::collections::HashMap;

use crate::commands::args::{Explain, Format};
use crate::commands::exit::Exit;
use crate::commands::fault::Fault;
use crate::commands::ground::Ground;
use crate::commands::history;
use crate::commands::load;
use crate::commands::screen::{Screen, now};
use crate::record::{Run, RunId};
use crate::report::explain::Context;
use crate::report::explain::last::{Told, text};
use crate::report::runs;
use crate::survey::snapshot::Snapshot;

pub fn run(ground: &Ground, args: &Explain, screen: &Screen) -> Result<Exit, Fault> {
    let loaded = load::load(ground, &mut Snapshot::default())?;
    let graph = &loaded.graph;
    let wanted = graph.closure(&graph.targets(&args.targets)?);
    let store = history::open(ground)?;
    let mut steps = store.last_worked(&ground.project_id())?;
    steps.retain(|step| wanted.iter().any(|index| *graph.name(*index) == step.node));
    if screen.format == Format::Json {
        screen.answer(&runs::steps_json(&steps));
        return Ok(Exit::Done);
    }
    let mut known: HashMap<RunId, Option<Run>> = HashMap::new();
    let mut find = |id: RunId| match known.get(&id) {
        Some(found) => Ok(found.clone()),
        None => store.run(id).inspect(|found| drop(known.insert(id, found.clone()))),
    };
    let mut told = Vec::new();
    for step in steps {
        let Some(run) = find(step.run)? else { continue };
        let baseline = step.why.baseline.map(&mut find).transpose()?.flatten();
        told.push(Told { step, run, baseline });
    }
    if told.is_empty() {
        screen.remark("nothing has run yet\n");
        return Ok(Exit::Done);
    }
    let context = Context {
        now: now(),
        file: &ground.shown,
        params: &[],
        palette: screen.palette,
        columns: screen.columns(),
    };
    screen.answer(&text(&told, &context));
    Ok(Exit::Done)
}
