//! `osgraph run`: build targets, or say that nothing has to be done.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::commands::args::{Format, Run};
use crate::commands::exit::Exit;
use crate::commands::explain;
use crate::commands::fault::Fault;
use crate::commands::ground::{Ground, environment, keyring};
use crate::commands::load;
use crate::commands::needs;
use crate::commands::prepare::{self, Orders, Prepared};
use crate::commands::receipt;
use crate::commands::screen::{Screen, now, step_summary};
use crate::event::{Event, Sink};
use crate::inputs::git;
use crate::inputs::observe::{Known, Progress};
use crate::inputs::stat::Clock;
use crate::pipeline::{Archive, NodeName, Work};
use crate::plan::Verdict;
use crate::plan::judge::{Judged, Order, judge};
use crate::plan::outlook::Outlook;
use crate::plan::schedule::Expected;
use crate::record::{Outcome, RunId, Why};
use crate::report::{fresh_line, words};
use crate::run::board::Board;
use crate::run::dispatch::{self, Ended, Preview};
use crate::run::gates;
use crate::run::host::Cancel;
use crate::run::image::Sweeper;
use crate::run::moves::Before;
use crate::run::pulse::Pulse;
use crate::run::retention::Pattern;
use crate::run::task::{Context, Severity, Task};
use crate::run::wanted;
use crate::store::{IdleRun, NewRun, Publication, Store, append_idle_run};
use crate::survey::facts::{Cache, loose};
use crate::survey::idle::Idle;
use crate::survey::snapshot::{self, Answer};
use crate::tree::Entry;

pub mod expect;

use expect::{expectations, outlook, slots};

/// How often a run starts over when the store turns out to have lost what it was believed to hold.
const ROUNDS: usize = 4;

pub fn run(ground: &Ground, args: &Run, screen: &Screen, start: Instant) -> Result<Exit, Fault> {
    let orders = Orders {
        targets: &args.targets,
        force: &args.force,
        rebuild: &args.rebuild,
        assume_fresh: &args.assume_fresh,
        no_archive: args.no_archive,
    };
    let plain = args.force.is_empty() && args.rebuild.is_empty() && args.assume_fresh.is_empty();
    let mut round = 0;
    loop {
        round += 1;
        let mut doubt = match ground.idle(&args.targets, args.no_archive) {
            // Only a survey knows names: those that `--verbose` shows and those that are asked for.
            Idle::Fresh(settled)
                if plain
                    && round == 1
                    && !screen.is_verbose()
                    && args.expect_fresh.is_empty()
                    && args.receipt.is_none() =>
            {
                return Ok(nothing_to_do(ground, args, settled.answer, screen, start));
            }
            Idle::Fresh(_) => ground.doubt(),
            Idle::Doubtful(doubt) => *doubt,
        };
        let loaded = load::load(ground, &mut doubt.snapshot)?;
        load::refuse_tracked(ground, &loaded)?;
        let store = Arc::new(if args.dry_run {
            Store::open_read_only(&ground.store)?
        } else {
            Store::open(&ground.store)?
        });
        let sink: Arc<dyn Sink> = Arc::from(screen.sink(args.log_style, &ground.project));
        for warning in store.warnings() {
            sink.emit(Event::Warned { node: None, message: warning, help: None });
        }
        let progress = Progress::default();
        let prepared = watched(&progress, &*sink, || {
            prepare::prepare(ground, loaded, doubt, store, &orders, &progress)
        })?;
        let facts = prepared.facts(ground, Cache::default());
        let judged = judge(&prepared.subjects, &facts);
        let seen = facts.into_seen();
        expectations(args, &prepared, &judged)?;
        if args.dry_run {
            return explain::show(ground, &prepared, &judged, slots(args), screen);
        }
        needs::engine(ground, &prepared, &judged)?;
        let outcome = build(ground, args, prepared, judged, seen, sink, start, &orders)?;
        match outcome {
            Round::Ended(exit) => return Ok(exit),
            Round::Lost if round < ROUNDS => {}
            Round::Lost => {
                return Err(Fault::KeepsLosing(ground.store.clone()));
            }
        }
    }
}

enum Round {
    Ended(Exit),
    /// Content was lost; the judge knows now.
    Lost,
}

/// The whole of a run that does nothing, after the check: one line to the run log, one to the
/// reader.
fn nothing_to_do(ground: &Ground, args: &Run, answer: Answer, screen: &Screen, start: Instant) -> Exit {
    let Answer { nodes, unproven, .. } = answer;
    let took = start.elapsed();
    if !args.dry_run {
        let run = IdleRun {
            started: now() - took.as_secs() as i64,
            duration_ms: took.as_millis() as u64,
            project: ground.project_id(),
            targets: args.targets.clone(),
        };
        // A store that cannot be written to is no reason to fail: nothing was to be done.
        let _ = append_idle_run(&ground.store, &run);
    }
    if !unproven.is_empty() {
        let sink = screen.sink(args.log_style, &ground.project);
        unproven.into_iter().for_each(|one| sink.emit(one.into()));
    }
    let finished = Event::RunFinished {
        run: None,
        outcome: Outcome::Fresh,
        fresh: nodes,
        restored: 0,
        ran: 0,
        failed: 0,
        skipped: 0,
        duration: took,
    };
    match screen.format {
        Format::Text => {
            if !screen.is_quiet() {
                // Where every other run ends, too.
                screen.remark(&format!("{}\n", fresh_line(nodes, took)));
            }
            if let Some(summary) = step_summary() {
                summary.emit(finished);
            }
        }
        Format::Json => screen.sink(args.log_style, &ground.project).emit(finished),
    }
    Exit::Done
}

/// Does `work` while another thread shows how far reading has come, if it takes long.
fn watched<T>(progress: &Progress, sink: &dyn Sink, work: impl FnOnce() -> T) -> T {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let shown = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                std::thread::park_timeout(Duration::from_millis(300));
                let (files, (bytes, _)) = (progress.files.load(Ordering::Relaxed), progress.bytes.look());
                if (files > 0 || bytes > 0) && !done.load(Ordering::Relaxed) {
                    sink.emit(Event::SurveyProgressed { files, bytes });
                }
            }
        });
        let result = work();
        done.store(true, Ordering::Relaxed);
        shown.thread().unpark();
        result
    })
}

#[expect(clippy::too_many_arguments, reason = "everything that one round of a run goes on with")]
fn build(
    ground: &Ground,
    args: &Run,
    mut prepared: Prepared,
    judged: Vec<Judged>,
    seen: Cache,
    sink: Arc<dyn Sink>,
    start: Instant,
    orders: &Orders<'_>,
) -> Result<Round, Fault> {
    let store = prepared.store.clone();
    let facts = prepared.facts(ground, seen);
    let work = judged.iter().filter(|one| !matches!(one.verdict, Verdict::Fresh)).count();
    let count = |test: fn(&Verdict<usize>) -> bool| {
        let own = |(at, one): &(usize, &Judged)| {
            prepared.subjects[*at].order != Order::Nothing && test(&one.verdict)
        };
        judged.iter().enumerate().filter(own).count()
    };
    let targets: Vec<NodeName> =
        prepared.targets.iter().map(|index| prepared.loaded.graph.name(*index).clone()).collect();
    sink.emit(Event::RunStarted {
        pipeline: prepared.loaded.pipeline.name.clone(),
        targets: targets.clone(),
        nodes: prepared.subjects.iter().filter(|subject| subject.order != Order::Nothing).count(),
    });
    let outlook = if work > 0 { outlook(&prepared, &judged, slots(args)) } else { Outlook::default() };
    let Expected { estimate, untimed, critical } = outlook.look(0);
    sink.emit(Event::Planned {
        fresh: count(|verdict| *verdict == Verdict::Fresh),
        restorable: count(|verdict| matches!(verdict, Verdict::Restorable(_))),
        stale: count(|verdict| matches!(verdict, Verdict::Stale(_))),
        waiting: count(|verdict| matches!(verdict, Verdict::Waiting(_))),
        estimate,
        untimed,
        critical: critical.into_iter().map(|at| outlook.name(at).clone()).collect(),
    });
    // A node may be fresh by a record that it had before its last: nothing is done, and yet it moved.
    let before = Before::read(&store, &prepared.project_id)?;
    let is_moved = |(at, one): (usize, &Judged)| {
        let is_own = prepared.subjects[at].order == Order::Judge && one.verdict == Verdict::Fresh;
        is_own && one.key().is_some_and(|key| before.is_moved(&prepared.names[at], &key))
    };
    let moved = !store.is_read_only() && judged.iter().enumerate().any(is_moved);
    let mut run = None;
    let mut ended = Ended { inputs_stood: true, ..Ended::default() };
    if work == 0 && !moved {
        ended.fresh = count(|verdict| *verdict == Verdict::Fresh);
        for (at, subject) in prepared.subjects.iter().enumerate() {
            if let Some(artifact) = &judged[at].artifact
                && let Some(unproven) = gates::unproven(&prepared.nodes[at], artifact, &store)
            {
                sink.emit(unproven.clone().into());
                ended.unproven.push(unproven);
            }
            if subject.order != Order::Nothing {
                sink.emit(Event::NodeFinished {
                    node: prepared.names[at].clone(),
                    outcome: Outcome::Fresh,
                    duration: Duration::ZERO,
                    same_artifact: true,
                });
            }
        }
    } else {
        let _lease = store.shared_lease(&mut || true)?;
        store.import_idle_runs()?;
        store.start_barrier()?;
        let names: Vec<String> = args.targets.clone();
        let id = store.begin_run(&NewRun {
            project: &prepared.project_id,
            started: now() - start.elapsed().as_secs() as i64,
            targets: &names,
            revision: git::revision(&ground.project, &ground.git).as_deref(),
        })?;
        run = Some(id);
        let pulse = Pulse::new(sink.clone(), outlook, start);
        ended = drive(ground, args, &prepared, &judged, &facts, sink.clone(), pulse, id)?;
        before.note(&ended.settled, id, &store, &prepared.project_id)?;
    }
    let lost = ended.severities.contains(&Severity::Lost);
    let exit = exit_of(&ended);
    let outcome = match exit {
        Exit::Done if ended.ran > 0 => Outcome::Ran,
        Exit::Done if ended.restored > 0 => Outcome::Restored,
        Exit::Done => Outcome::Fresh,
        Exit::Interrupted | Exit::Terminated => Outcome::Interrupted,
        _ => Outcome::Failed,
    };
    if work == 0 {
        ended.keys = judged.iter().map(Judged::key).collect();
    }
    let Cache { standing, asked, .. } = facts.into_seen();
    let all_fresh = exit == Exit::Done && !lost && ended.inputs_stood && orders.is_plain();
    save(ground, &mut prepared, standing, asked, &ended, all_fresh, orders);
    if let Some(id) = run {
        store.finish_run(id, outcome, start.elapsed().as_millis() as u64)?;
        store.finish_trash();
    }
    if lost && !ended.interrupted && exit == Exit::Done {
        return Ok(Round::Lost);
    }
    if let Some(file) = args.receipt.as_ref().filter(|_| exit == Exit::Done) {
        receipt::write(&ground.here.join(file), ground, &prepared, run)?;
    }
    sink.emit(Event::RunFinished {
        run,
        outcome,
        fresh: ended.fresh,
        restored: ended.restored,
        ran: ended.ran,
        failed: ended.failed,
        skipped: ended.skipped,
        duration: start.elapsed(),
    });
    Ok(Round::Ended(exit))
}

/// Runs what is not fresh.
#[expect(clippy::too_many_arguments, reason = "everything that one round of a run goes on with")]
fn drive(
    ground: &Ground,
    args: &Run,
    prepared: &Prepared,
    judged: &[Judged],
    facts: &crate::survey::facts::StoreFacts<'_>,
    sink: Arc<dyn Sink>,
    pulse: Pulse,
    id: RunId,
) -> Result<Ended, Fault> {
    let io = |source| Fault::Io { action: "start the run".to_owned(), source };
    let context = Arc::new(context(ground, args, prepared, sink, pulse, id).map_err(io)?);
    let in_place: Vec<bool> = prepared.nodes.iter().map(wanted::runs_in_place).collect();
    let tasks: Vec<Option<Arc<Task>>> = prepared
        .nodes
        .iter()
        .zip(&prepared.composed)
        .map(|(node, composed)| {
            let is_group = matches!(node.work, Work::Group(_));
            (!is_group).then(|| Arc::new(Task { node: node.clone(), composed: composed.clone() }))
        })
        .collect();
    let slots = slots(args);
    let board = Board::new(prepared.subjects.clone(), judged.to_vec(), &in_place, slots, args.keep_going);
    let historian = prepared.historian();
    let previews = |at: usize, board: &Board| {
        let (reasons, baseline) = historian.reasons(&prepared.case_of(at, board.judged(at), judged));
        let why = Why {
            cause: words::headline(&reasons),
            // No map with keys that are not text, the only thing that JSON refuses.
            reasons: serde_json::to_string(&reasons).unwrap_or_default(),
            baseline: baseline.map(|record| record.run),
        };
        Preview { why, estimate: historian.estimate(&prepared.names[at]), reasons }
    };
    let ended = dispatch::dispatch(board, tasks, &prepared.names, context.clone(), facts, &previews);
    context.sweeper.finish();
    ended.map_err(io)
}

fn context(
    ground: &Ground,
    args: &Run,
    prepared: &Prepared,
    sink: Arc<dyn Sink>,
    pulse: Pulse,
    run: RunId,
) -> std::io::Result<Context> {
    let store = prepared.store.clone();
    let project_id = prepared.project_id.clone();
    let owned = (store.clone(), project_id.clone(), std::sync::Mutex::new((None, Default::default())));
    let known: Arc<Known> = prepared.known.clone();
    let archives: Vec<(&NodeName, &Archive)> = prepared
        .loaded
        .pipeline
        .nodes
        .iter()
        .flat_map(|node| node.work.archives().iter().map(|one| (&node.name, one)))
        .collect();
    let by_node = {
        let mut map: HashMap<NodeName, Vec<Publication>> = HashMap::new();
        for one in store.publications(&project_id).unwrap_or_default() {
            map.entry(one.node.clone()).or_default().push(one);
        }
        map
    };
    let history = (store.clone(), project_id.clone());
    Ok(Context {
        project: ground.project.clone(),
        begun: pulse.begun(),
        sink,
        pulse,
        declared: prepared.loaded.source.clone(),
        cancel: Cancel::new()?,
        run,
        git: ground.git.clone(),
        environment: Box::new(environment),
        search_path: ground.search_path.clone(),
        copies: ground.copies,
        owned: Box::new(move |path| {
            let (store, project_id, cache) = &owned;
            let mut cache = cache.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            // Another run may have published since this one looked.
            let version = store.version().ok();
            if version.is_none() || cache.0 != version {
                *cache = (version, owned_paths(store, project_id));
            }
            cache.1.contains(path)
        }),
        published: Box::new(move |node| by_node.get(node).cloned().unwrap_or_default()),
        archives: Box::new(move || history.0.archive_history(&history.1).unwrap_or_default()),
        archive_patterns: archives.iter().map(|(_, one)| Pattern::new(&one.pattern)).collect(),
        archive_paths: archives.iter().map(|(node, one)| ((*node).clone(), one.path.value.clone())).collect(),
        known: Box::new(move |path, stat| known.digest(path, stat)),
        engine: ground.engine.clone(),
        pulls: prepared
            .nodes
            .iter()
            .filter_map(|node| Some((node.name.clone(), node.docker()?.pull.as_ref()?.value.clone())))
            .collect(),
        keyring: Box::new(keyring),
        engine_mark: ground.engine_mark(),
        sweeper: Sweeper::default(),
        no_archive: args.no_archive,
        store,
        project_id,
    })
}

/// Every path that osgraph itself put there: outputs, and the files in output folders.
fn owned_paths(store: &Store, project: &str) -> std::collections::HashSet<crate::path::RelPath> {
    let mut owned: std::collections::HashSet<_> =
        store.ever_published(project).unwrap_or_default().into_iter().collect();
    for one in store.publications(project).unwrap_or_default() {
        let Some(entry) = one.entry else {
            // A seed is the user's from the moment it stands.
            owned.remove(&one.path);
            continue;
        };
        let wanted = wanted::Wanted { path: one.path, what: one.what, entry };
        if matches!(wanted.entry, Entry::Directory { .. }) {
            // Of a folder its files are ours, and what else stands in its place is not.
            owned.remove(&wanted.path);
        }
        if let Ok(leaves) = wanted::leaves(&wanted, store) {
            owned.extend(leaves.into_keys());
        }
    }
    owned
}

fn exit_of(ended: &Ended) -> Exit {
    if ended.interrupted {
        return if ended.terminated { Exit::Terminated } else { Exit::Interrupted };
    }
    Exit::of_all(ended.severities.iter().map(|severity| match severity {
        Severity::Failed => Exit::NodeFailed,
        Severity::Missing => Exit::Missing,
        Severity::Internal => Exit::Internal,
        Severity::Interrupted => Exit::Interrupted,
        Severity::Lost => Exit::Done,
    }))
}

/// Keeps what was seen for the next run. A state that cannot be written costs time, nothing else.
fn save(
    ground: &Ground,
    prepared: &mut Prepared,
    mut standing: HashMap<usize, Vec<(crate::path::RelPath, crate::inputs::index::Loose)>>,
    images: BTreeSet<String>,
    ended: &Ended,
    all_fresh: bool,
    orders: &Orders<'_>,
) {
    if prepared.store.is_read_only() {
        return;
    }
    let meta = prepared.meta(ground, orders, all_fresh, images, &ended.unproven);
    let sightings = prepared.take_sightings();
    let Some(mut sightings) = sightings else { return };
    for at in 0..prepared.nodes.len() {
        if let Some(rows) = ended.standing.get(&at) {
            standing.remove(&at);
            for row in rows {
                sightings.add(&row.path.under(&ground.project), loose(row));
            }
            for path in prepared.seeds(at) {
                let path = path.under(&ground.project);
                sightings.add(&path, prepare::present(&path));
            }
        }
        for (path, found) in standing.remove(&at).unwrap_or_default() {
            sightings.add(&path.under(&ground.project), found);
        }
    }
    let clock = || Clock::read(&prepared.store.root().join("tmp"));
    let index = sightings.into_index(&clock);
    let _ = snapshot::write(&ground.state(), &meta, &index, &prepared.loaded.document, &ended.keys);
}
