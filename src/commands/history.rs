//! `osgraph ps`, `runs`, `stats` and `log`: what happens, and what happened before.

use std::collections::HashMap;

use serde::Serialize;

use crate::commands::args::{Format, Log, Runs, Stats};
use crate::commands::exit::Exit;
use crate::commands::fault::Fault;
use crate::commands::ground::Ground;
use crate::commands::load;
use crate::commands::screen::{Screen, now};
use crate::pipeline::NodeName;
use crate::plan::ledger;
use crate::record::{Outcome, Run, RunId, Step};
use crate::report::json::answer;
use crate::report::{running, runs as report, stats};
use crate::store::{Announcement, Store, StoreError};
use crate::survey::snapshot::Snapshot;
use crate::survey::why;

/// How many runs back a node's log is looked for.
const FAR: usize = 1000;

/// Steps that the ledger is drawn from: months of daily work.
const MOST_STEPS: usize = 50_000;

/// Runs by their ids, each read once.
pub struct Known<'a> {
    store: &'a Store,
    runs: HashMap<RunId, Option<Run>>,
}

impl<'a> Known<'a> {
    pub fn new(store: &'a Store) -> Self {
        Self { store, runs: HashMap::new() }
    }

    pub fn run(&mut self, id: RunId) -> Result<Option<Run>, StoreError> {
        if let Some(found) = self.runs.get(&id) {
            return Ok(found.clone());
        }
        let found = self.store.run(id)?;
        self.runs.insert(id, found.clone());
        Ok(found)
    }
}

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
            let run = store.run(RunId(id))?.ok_or_else(|| Fault::no_run(id))?;
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
    let logs = match args.of.parse::<i64>() {
        Ok(id) => whole(id, &store, ground)?,
        Err(_) => latest(&NodeName(args.of.clone()), &store, ground)?,
    };
    match screen.format {
        Format::Json => screen.answer(&answer(&logs)),
        Format::Text => show(&logs, screen),
    }
    Ok(Exit::Done)
}

/// What nodes printed.
#[derive(Serialize)]
struct Logs {
    logs: Vec<Printed>,
    /// The last run of the node, if it printed nothing in that one.
    #[serde(skip_serializing_if = "Option::is_none")]
    silent: Option<Silent>,
    /// Whether it is the whole log of a run that was asked for.
    #[serde(skip)]
    is_whole: bool,
}

#[derive(Serialize)]
struct Printed {
    run: RunId,
    node: NodeName,
    text: String,
}

#[derive(Serialize)]
struct Silent {
    run: RunId,
    node: NodeName,
}

/// All logs of a run.
fn whole(id: i64, store: &Store, ground: &Ground) -> Result<Logs, Fault> {
    let run = store.run(RunId(id))?.ok_or_else(|| Fault::no_run(id))?;
    let printed =
        |step: Step| Some(Printed { run: step.run, text: text(store, ground, &step)?, node: step.node });
    let logs = store.steps(run.id)?.into_iter().filter_map(printed).collect();
    Ok(Logs { logs, silent: None, is_whole: true })
}

/// What a node printed when it last printed anything.
fn latest(node: &NodeName, store: &Store, ground: &Ground) -> Result<Logs, Fault> {
    let mut found = Logs { logs: Vec::new(), silent: None, is_whole: false };
    for run in store.runs(Some(&ground.project_id()), FAR)? {
        for step in store.steps(run.id)? {
            // Only work prints: a node that was put back says nothing of its own, unless it was checked.
            let has_run = matches!(step.outcome, Outcome::Ran | Outcome::Failed | Outcome::Interrupted);
            if step.node != *node || !(has_run || step.log.is_some()) {
                continue;
            }
            if let Some(text) = text(store, ground, &step) {
                found.logs.push(Printed { run: run.id, node: node.clone(), text });
                return Ok(found);
            }
            found.silent.get_or_insert(Silent { run: run.id, node: node.clone() });
        }
    }
    if found.silent.is_some() {
        return Ok(found);
    }
    // A misspelt name gets a suggestion, where the pipeline can be read at all.
    if let Ok(loaded) = load::load(ground, &mut Snapshot::default()) {
        loaded.graph.targets(std::slice::from_ref(&node.0))?;
    }
    Err(Fault::not_found(format!("`{node}` has not run yet"), format!("build it with `osgraph run {node}`")))
}

fn show(found: &Logs, screen: &Screen) {
    match (&found.silent, found.logs.first()) {
        (Some(Silent { run, .. }), Some(Printed { run: earlier, .. })) => {
            screen.remark(&format!("it printed nothing in run {run}; this is from run {earlier}\n"));
        }
        (Some(Silent { run, node }), None) => {
            screen.remark(&format!("`{node}` printed nothing, last in run {run}\n"));
        }
        (None, _) => {}
    }
    for Printed { node, text, .. } in &found.logs {
        if found.is_whole {
            screen.answer(&format!("{}\n", screen.palette.bold(format!("== {node}"))));
        }
        screen.answer(text);
    }
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
