//! `osgraph explain --last`: what the history says of why nodes ran.

use crate::commands::args::{Explain, Format};
use crate::commands::exit::Exit;
use crate::commands::explain::context;
use crate::commands::fault::Fault;
use crate::commands::ground::Ground;
use crate::commands::history;
use crate::commands::load;
use crate::commands::screen::Screen;
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
    let mut known = history::Known::new(&store);
    let mut told = Vec::new();
    for step in steps {
        let Some(run) = known.run(step.run)? else { continue };
        let baseline = step.why.baseline.map(|id| known.run(id)).transpose()?.flatten();
        told.push(Told { step, run, baseline });
    }
    if told.is_empty() {
        screen.remark("nothing has run yet\n");
        return Ok(Exit::Done);
    }
    let context = context(ground, screen, &[]);
    screen.answer(&text(&told, &context));
    Ok(Exit::Done)
}
