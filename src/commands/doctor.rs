//! `osgraph doctor`: which container engine would be used, and why none.

use crate::commands::args::Format;
use crate::commands::exit::Exit;
use crate::commands::ground::engine_service;
use crate::commands::screen::Screen;
use crate::report::doctor::{self, Doctor, Engine, Outcome, Tried};
use crate::report::json::answer;
use crate::run::docker::error::chain;
use crate::run::docker::{self, EngineError, EngineFacts, TryOutcome};

/// Answers in any folder: it needs no pipeline.
pub fn run(screen: &Screen) -> Exit {
    let report = examine();
    screen.answer(&match screen.format {
        Format::Json => answer(&report),
        Format::Text => doctor::doctor(&report, screen.palette),
    });
    if report.fault.is_none() { Exit::Done } else { Exit::Missing }
}

fn examine() -> Doctor {
    let service = engine_service();
    let (session, places) = match service.search() {
        Ok(found) => found,
        Err(error) => return with(&error, error.tried(), None),
    };
    match session.wait(session.engine().facts()) {
        Err(error) => with(&error, &places, None),
        Ok(facts) => match facts.require_buildkit() {
            Err(error) => with(&error, &places, Some(engine(facts))),
            Ok(()) => Doctor { tried: tried(&places), engine: Some(engine(facts)), fault: None, help: None },
        },
    }
}

fn with(error: &EngineError, places: &[docker::Tried], engine: Option<Engine>) -> Doctor {
    // What came of each place stands with it.
    let fault = if error.tried().is_empty() { chain(error) } else { error.to_string() };
    Doctor { tried: tried(places), engine, fault: Some(fault), help: error.help() }
}

fn tried(places: &[docker::Tried]) -> Vec<Tried> {
    let places = places.iter().map(|docker::Tried { what, address, outcome }| {
        let (outcome, message) = match outcome {
            TryOutcome::Answered => (Outcome::Answered, None),
            TryOutcome::Absent => (Outcome::Absent, None),
            TryOutcome::Failed(message) => (Outcome::Failed, Some(message.clone())),
        };
        Tried { what: what.clone(), address: address.clone(), outcome, message }
    });
    places.collect()
}

fn engine(facts: &EngineFacts) -> Engine {
    // Its address and origin are those of the place that answered.
    let EngineFacts { address: _, origin: _, kind, version, api, os, arch, store, buildkit, root, free_disk } =
        facts;
    Engine {
        kind: kind.to_string(),
        version: version.clone(),
        api: api.to_string(),
        os: os.clone(),
        arch: arch.clone(),
        store: store.to_string(),
        buildkit: *buildkit,
        root: root.clone(),
        free_disk: *free_disk,
    }
}
