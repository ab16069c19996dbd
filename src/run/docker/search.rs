//! Finds an engine among the places where one may be, and remembers what was tried.

use std::io;

use crate::run::docker::endpoint::{Choice, Endpoint};
use crate::run::docker::engine::Engine;
use crate::run::docker::error::EngineError;

/// A place that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// Who named it: `DOCKER_HOST`, a context, `rootless Docker`.
    pub what: String,
    pub address: String,
    pub outcome: TryOutcome,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TryOutcome {
    /// Here is the engine.
    Answered,
    /// No such socket.
    Absent,
    /// Something is there, and this is what came of it.
    Failed(String),
}

/// An engine, and the places that were tried before it, it being the last.
pub struct Found {
    pub engine: Engine,
    pub tried: Vec<Tried>,
}

/// The chosen engine, or the first of the usual ones that answers.
///
/// # Errors
/// When the chosen one cannot be used: no other is taken in its place. When none of the usual ones
/// answers.
pub async fn find(choice: Choice) -> Result<Found, EngineError> {
    match choice {
        Choice::Chosen(endpoint) => {
            let mut tried = tried(&endpoint);
            match Engine::connect(endpoint).await {
                Ok(engine) => {
                    tried.outcome = TryOutcome::Answered;
                    Ok(Found { engine, tried: vec![tried] })
                }
                Err(error) => {
                    tried.outcome = TryOutcome::Failed(error.brief());
                    Err(EngineError::Chosen { tried, source: Box::new(error) })
                }
            }
        }
        Choice::Usual(endpoints) => usual(endpoints).await,
    }
}

async fn usual(endpoints: Vec<Endpoint>) -> Result<Found, EngineError> {
    let (mut all, mut help) = (Vec::new(), None);
    for endpoint in endpoints {
        let mut tried = tried(&endpoint);
        match Engine::connect(endpoint).await {
            Ok(engine) => {
                tried.outcome = TryOutcome::Answered;
                all.push(tried);
                return Ok(Found { engine, tried: all });
            }
            Err(EngineError::Unreachable { source, .. })
                if matches!(source.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
            Err(error) => {
                tried.outcome = TryOutcome::Failed(error.brief());
                help = help.or_else(|| error.help());
            }
        }
        all.push(tried);
    }
    Err(EngineError::NoneFound { tried: all, help })
}

fn tried(endpoint: &Endpoint) -> Tried {
    Tried {
        what: endpoint.origin.to_string(),
        address: endpoint.address.to_string(),
        outcome: TryOutcome::Absent,
    }
}
