//! What a run needs of the machine and is looked for before any work begins.

use crate::commands::fault::Fault;
use crate::commands::ground::Ground;
use crate::commands::prepare::Prepared;
use crate::plan::Verdict;
use crate::plan::judge::Judged;
use crate::run::docker::EngineError;
use crate::survey::gather::{GatherError, Trouble};

/// A container engine that builds, when an image is to be built or may have to be: half an hour of
/// other nodes' work shall not end by its absence.
pub fn engine(ground: &Ground, prepared: &Prepared, judged: &[Judged]) -> Result<(), Fault> {
    let may_run = |at: &usize| matches!(judged[*at].verdict, Verdict::Stale(_) | Verdict::Waiting(_));
    let image = (0..judged.len()).filter(may_run).find_map(|at| Some((at, prepared.nodes[at].docker()?)));
    let Some((at, recipe)) = image else { return Ok(()) };
    let asked = || -> Result<(), EngineError> {
        let session = ground.engine.session()?;
        session.wait(session.engine().facts())?.require_buildkit()
    };
    asked().map_err(|error| {
        let (node, span) = (prepared.names[at].clone(), Some(recipe.dockerfile.span));
        let trouble = Trouble { node, span, error: GatherError::Engine(error) };
        Fault::inputs(&prepared.loaded.source, vec![trouble])
    })
}
