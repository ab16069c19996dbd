//! `osgraph report [RUN]`: a past run as one HTML page, or as a trace.

use std::collections::HashMap;
use std::path::Path;

use crate::commands::args::{Format, Report, ReportAs};
use crate::commands::exit::Exit;
use crate::commands::fault::Fault;
use crate::commands::ground::Ground;
use crate::commands::history;
use crate::commands::load::{self, Loaded};
use crate::commands::screen::Screen;
use crate::graph::layout::layout;
use crate::graph::{Neighbour, NodeIndex};
use crate::pipeline::{Node, NodeName, Work};
use crate::plan::Reason;
use crate::plan::timeline::{Bar, critical_path, lanes};
use crate::record::{Artifact, Outcome, Run, RunId, Step};
use crate::report::json::answer;
use crate::report::page::{self, Page, Row};
use crate::report::{quantity, text, trace, words};
use crate::run::gates;
use crate::store::Store;
use crate::survey::snapshot::Snapshot;
use crate::survey::why;
use crate::tree::{Entry, TreeDigest};

/// Lines of a failed node's output.
const TAIL: usize = 40;

/// Changed paths that are listed for one reason.
const PATHS: usize = 20;

pub fn run(ground: &Ground, args: &Report, screen: &Screen) -> Result<Exit, Fault> {
    let loaded = load::load(ground, &mut Snapshot::default())?;
    let store = history::open(ground)?;
    let run = match args.run {
        Some(id) => store.run(RunId(id))?.ok_or_else(|| Fault::no_run(id))?,
        None => worked(&store, &ground.project_id())?,
    };
    let wanted = wanted(&loaded, &run)?;
    let page = page(ground, &loaded, &wanted, &store, run)?;
    let text = match args.notation {
        ReportAs::Html if screen.format == Format::Json => answer(&page),
        ReportAs::Html => page::html(&page),
        ReportAs::Trace => trace::json(&page),
    };
    match &args.output {
        Some(file) if file != Path::new("-") => {
            let path = ground.here.join(file);
            std::fs::write(&path, text)
                .map_err(|source| Fault::Io { action: format!("write `{}`", file.display()), source })?;
            screen.remark(&format!("wrote `{}`\n", file.display()));
        }
        _ => screen.answer(&text),
    }
    Ok(Exit::Done)
}

/// The latest run in which anything was done.
fn worked(store: &Store, project: &str) -> Result<Run, Fault> {
    const FAR: usize = 1_000;
    let runs = store.runs(Some(project), FAR)?;
    for run in &runs {
        if run.outcome != Outcome::Fresh && !store.steps(run.id)?.is_empty() {
            return Ok(run.clone());
        }
    }
    runs.into_iter()
        .next()
        .ok_or_else(|| Fault::not_found("there is no run yet", "build something with `osgraph run`"))
}

/// What the run was to build, upstreams first, as far as the pipeline still has it.
fn wanted(loaded: &Loaded, run: &Run) -> Result<Vec<NodeIndex>, Fault> {
    let graph = &loaded.graph;
    let named: Vec<String> = run.targets.iter().filter(|name| graph.find(name).is_some()).cloned().collect();
    let all = if named.is_empty() && !run.targets.is_empty() {
        graph.order().to_vec()
    } else {
        graph.closure(&graph.targets(&named)?)
    };
    let is_group = |index: &NodeIndex| matches!(loaded.pipeline.nodes[index.index()].work, Work::Group(_));
    Ok(all.into_iter().filter(|index| !is_group(index)).collect())
}

fn page(
    ground: &Ground,
    loaded: &Loaded,
    wanted: &[NodeIndex],
    store: &Store,
    run: Run,
) -> Result<Page, Fault> {
    let project = ground.project_id();
    let mut steps: HashMap<NodeName, Step> = HashMap::new();
    for step in store.steps(run.id)? {
        // Of a node that was tried again the last try counts.
        steps.insert(step.node.clone(), step);
    }
    let keys: HashMap<NodeName, _> = store.keys_at(&project, run.id)?.into_iter().collect();
    let all: Vec<_> = keys.values().copied().collect();
    let hits = store.records_by_keys(&all)?;
    let places = layout(&loaded.graph, wanted);
    let position: HashMap<NodeIndex, usize> =
        wanted.iter().enumerate().map(|(at, index)| (*index, at)).collect();
    let mut sizes = Sizes { store, known: HashMap::new() };
    let mut saved_ms = 0;
    // The page is read elsewhere: the file is named from the project, wherever this was asked.
    let file = ground.file.strip_prefix(&ground.project).unwrap_or(&ground.file).display().to_string();
    let mut nodes = Vec::with_capacity(wanted.len());
    for index in wanted {
        let node = &loaded.pipeline.nodes[index.index()];
        let step = steps.get(&node.name);
        let outcome = step.map_or(Outcome::Fresh, |step| step.outcome);
        // What it had before is not what a run that did not get there left it with.
        let has_record = matches!(outcome, Outcome::Fresh | Outcome::Restored | Outcome::Ran);
        let key = keys.get(&node.name).filter(|_| has_record);
        let hit = key.and_then(|key| hits.get(key));
        if matches!(outcome, Outcome::Fresh | Outcome::Restored) {
            saved_ms += hit.map_or(0, |hit| hit.duration_ms);
        }
        let up = loaded.graph.upstreams(*index);
        let at = |up: &Neighbour| position.get(&up.node).copied();
        nodes.push(Row {
            node: node.name.0.clone(),
            kind: node.kind(),
            outcome,
            began_ms: step.map_or(0, |step| step.began_ms),
            duration_ms: step.map_or(0, |step| step.duration_ms),
            lane: 0,
            place: places.get(index).copied().unwrap_or_default(),
            same: step.and_then(|step| step.same),
            cause: step.map(|step| step.why.cause.clone()).unwrap_or_default(),
            reasons: step.map(|step| lines(step, &file)).unwrap_or_default(),
            notes: hit.and_then(|hit| note(node, &hit.artifact, store)).into_iter().collect(),
            usual: why::estimate(store, &project, &node.name).as_ref().map(quantity::estimate),
            baseline: step.and_then(|step| step.why.baseline).map(|run| run.0),
            key: key.map(ToString::to_string),
            size: hit.and_then(|hit| sizes.of(&hit.artifact)),
            up: up.iter().filter_map(at).collect(),
            after: up.iter().filter(|up| !up.role.is_read()).filter_map(at).collect(),
            tail: step
                .filter(|step| step.outcome == Outcome::Failed)
                .map(|step| tail(ground, store, step))
                .unwrap_or_default(),
        });
    }
    tell_skipped(&mut nodes);
    let idle = |row: &Row| matches!(row.outcome, Outcome::Fresh | Outcome::Skipped);
    let worked: Vec<usize> = (0..nodes.len()).filter(|at| !idle(&nodes[*at])).collect();
    let bars: Vec<Bar> = worked
        .iter()
        .map(|at| Bar { began_ms: nodes[*at].began_ms, duration_ms: nodes[*at].duration_ms })
        .collect();
    for (at, lane) in worked.iter().zip(lanes(&bars)) {
        nodes[*at].lane = lane;
    }
    let among: HashMap<usize, usize> = worked.iter().enumerate().map(|(bar, at)| (*at, bar)).collect();
    let upstreams: Vec<Vec<usize>> = worked
        .iter()
        .map(|at| nodes[*at].up.iter().filter_map(|up| among.get(up).copied()).collect())
        .collect();
    let critical = critical_path(&bars, &upstreams).into_iter().map(|bar| worked[bar]).collect();
    Ok(Page { pipeline: loaded.pipeline.name.clone(), run, nodes, critical, saved_ms })
}

/// Says of each node that the run did not come to which failure kept it from there.
fn tell_skipped(nodes: &mut [Row]) {
    let mut failures: Vec<Option<usize>> = Vec::with_capacity(nodes.len());
    for at in 0..nodes.len() {
        let row = &nodes[at];
        let because = row.up.iter().find_map(|up| failures.get(*up).copied().flatten());
        failures.push(match row.outcome {
            Outcome::Failed | Outcome::Interrupted => Some(at),
            Outcome::Skipped => because,
            _ => None,
        });
        if row.outcome == Outcome::Skipped {
            let cause = because.map(|failed| match nodes[failed].outcome {
                Outcome::Interrupted => format!("`{}` was interrupted", nodes[failed].node),
                _ => format!("`{}` failed", nodes[failed].node),
            });
            let cause = cause.unwrap_or_else(|| "the run ended before".to_owned());
            nodes[at].reasons.insert(0, format!("skipped: {cause}"));
            nodes[at].cause = cause;
        }
    }
}

/// A step's reasons in lines.
fn lines(step: &Step, file: &str) -> Vec<String> {
    let reasons: Vec<Reason> = serde_json::from_str(&step.why.reasons).unwrap_or_default();
    let mut lines = Vec::new();
    for reason in &reasons {
        lines.push(words::cause(reason));
        for change in reason.changes.iter().take(PATHS) {
            let mark = words::mark(change.kind);
            lines.push(format!("  {mark}  {}   {}", change.path, words::change_size(change)));
        }
        if reason.changes.len() > PATHS {
            lines.push(format!("  … and {} more", reason.changes.len() - PATHS));
        }
        lines.extend(reason.line.map(|line| format!("  └ {file}:{line}")));
    }
    if lines.is_empty() && !step.why.cause.is_empty() {
        lines.push(step.why.cause.clone());
    }
    lines
}

/// Which checks of a binary no machine like this one could run, as far as is known now.
fn note(node: &Node, artifact: &Artifact, store: &Store) -> Option<String> {
    gates::unproven(node, artifact, store).map(|one| words::not_run(&one.checks, &one.reason))
}

fn tail(ground: &Ground, store: &Store, step: &Step) -> Vec<String> {
    let printed = history::text(store, ground, step).unwrap_or_default();
    let lines: Vec<&str> = printed.lines().collect();
    lines[lines.len().saturating_sub(TAIL)..].iter().map(|line| text::clean(line).into_owned()).collect()
}

/// Sizes of artifacts; folders that are in several trees are added up once.
struct Sizes<'a> {
    store: &'a Store,
    known: HashMap<TreeDigest, Option<u64>>,
}

impl Sizes<'_> {
    /// Bytes; none of an image, whose size only its engine knows.
    fn of(&mut self, artifact: &Artifact) -> Option<u64> {
        match artifact {
            Artifact::Entry(entry) => self.entry(entry),
            Artifact::Image(_) => None,
        }
    }

    fn entry(&mut self, entry: &Entry) -> Option<u64> {
        match entry {
            Entry::File { size, .. } => Some(*size),
            Entry::Symlink { .. } => Some(0),
            Entry::Directory { digest } => {
                if let Some(known) = self.known.get(digest) {
                    return *known;
                }
                let directory = self.store.directory(*digest)?;
                let size = directory.entries().iter().map(|(_, entry)| self.entry(entry)).sum();
                self.known.insert(*digest, size);
                size
            }
        }
    }
}
