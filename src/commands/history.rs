//! `osgraph ps`, `runs`, `stats` and `log`: what happens, and what happened before.

use crate::commands::args::{Format, Log, Runs, Stats};
use crate::commands::exit::Exit;
use crate::commands::fault::Fault;
use crate::commands::ground::Ground;
use crate::commands::load;
use crate::commands::screen::{Screen, now};
use crate::pipeline::NodeName;
use crate::plan::ledger;
use crate::record::{Outcome, RunId, Step};
use crate::report::{running, runs as report, stats};
use crate::store::{Announcement, Store};
use crate::survey::snapshot::Snapshot;
use crate::survey::why;

/// How many runs back a node's log is looked for.
const FAR: usize = 1000;

/// Steps that the ledger is drawn from: months of daily work.
const MOST_STEPS: usize = 50_000;

/// Runs that did nothing are only in a log until the store takes them in; a store that cannot be
/// written shows what it has.
pub fn open(ground: &Ground) -> Result<Store, Fault> {
    if ground.store.join("osgraph.db").exists()
        && let Ok(store) = Store::open(&ground.store)
        && !store.is_read_only()
    {
        store.import_idle_runs()?;
        return Ok(store);
    }
    Ok(Store::open_read_only(&ground.store)?)
}

pub fn runs(ground: &Ground, args: &Runs, screen: &Screen) -> Result<Exit, Fault> {
    let store = open(ground)?;
    let text = match args.run {
        None => {
            let list = store.runs(Some(&ground.project_id()), args.limit.get())?;
            match screen.format {
                Format::Json => report::list_json(&list),
                Format::Text => report::list(&list, now(), screen.palette),
            }
        }
        Some(id) => {
            let run = store.run(RunId(id))?.ok_or(Fault::NoRun(id))?;
            let steps = store.steps(run.id)?;
            match screen.format {
                Format::Json => report::one_json(&run, &steps),
                Format::Text => report::one(&run, &steps, now(), screen.columns(), screen.palette),
            }
        }
    };
    screen.answer(&text);
    Ok(Exit::Done)
}

pub fn ps(ground: &Ground, screen: &Screen) -> Result<Exit, Fault> {
    let store = Store::open_read_only(&ground.store)?;
    let line = |one: Announcement| running::Line {
        estimate: why::estimate(&store, &one.project, &one.node),
        node: one.node.0,
        project: one.project,
        run: one.run.0,
        pid: one.pid,
        since: one.since,
        log: one.log.display().to_string(),
    };
    let lines: Vec<running::Line> = store.running().into_iter().map(line).collect();
    screen.answer(&match screen.format {
        Format::Json => running::json(&lines),
        Format::Text => running::text(&lines, now(), screen.palette),
    });
    Ok(Exit::Done)
}

pub fn stats(ground: &Ground, args: &Stats, screen: &Screen) -> Result<Exit, Fault> {
    let ledger = ledger::ledger(&open(ground)?.work(&ground.project_id(), MOST_STEPS)?);
    screen.answer(&match screen.format {
        Format::Json => stats::json(&ledger),
        Format::Text => stats::text(&ledger, args.limit.get(), screen.palette),
    });
    Ok(Exit::Done)
}

pub fn log(ground: &Ground, args: &Log, screen: &Screen) -> Result<Exit, Fault> {
    let store = open(ground)?;
    if let Ok(id) = args.of.parse::<i64>() {
        let run = store.run(RunId(id))?.ok_or(Fault::NoRun(id))?;
        for step in store.steps(run.id)? {
            if let Some(text) = text(&store, ground, &step) {
                screen.answer(&format!("{}\n{text}", screen.palette.bold(format!("== {}", step.node))));
            }
        }
        return Ok(Exit::Done);
    }
    let node = NodeName(args.of.clone());
    let mut silent = None;
    for run in store.runs(Some(&ground.project_id()), FAR)? {
        for step in store.steps(run.id)? {
            // Only work prints: a node that was put back says nothing of its own, unless it was checked.
            let has_run = matches!(step.outcome, Outcome::Ran | Outcome::Failed | Outcome::Interrupted);
            if step.node != node || !(has_run || step.log.is_some()) {
                continue;
            }
            if let Some(text) = text(&store, ground, &step) {
                if let Some(later) = silent {
                    screen
                        .remark(&format!("it printed nothing in run {later}; this is from run {}\n", run.id));
                }
                screen.answer(&text);
                return Ok(Exit::Done);
            }
            silent = silent.or(Some(run.id));
        }
    }
    if let Some(run) = silent {
        screen.remark(&format!("`{node}` printed nothing, last in run {run}\n"));
        return Ok(Exit::Done);
    }
    // A misspelt name gets a suggestion, where the pipeline can be read at all.
    if let Ok(loaded) = load::load(ground, &mut Snapshot::default()) {
        loaded.graph.targets(std::slice::from_ref(&args.of))?;
    }
    Err(Fault::NotFound(format!("`{node}` has not run yet")))
}

/// A step's captured output: from the store, or where a failed recipe left it.
pub fn text(store: &Store, ground: &Ground, step: &Step) -> Option<String> {
    let bytes = match &step.log {
        Some(digest) => store.read(digest).ok()?,
        None => std::fs::read(crate::run::task::log_path(&ground.store, step.run, &step.node)).ok()?,
    };
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Some(text)
}
