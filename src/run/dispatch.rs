//! The loop that owns a run: asks the board what may happen, hands it to worker threads, tells
//! the board what came of it. Everything a run does passes through here in one order.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::digest::Digest;
use crate::event::Event;
use crate::key::Key;
use crate::pipeline::NodeName;
use crate::plan::judge::{Facts, Order};
use crate::plan::{Estimate, Reason};
use crate::record::{Artifact, Outcome, Step, Why};
use crate::run::board::{Board, Next};
use crate::run::failed;
use crate::run::gates::{self, Unproven};
use crate::run::moves::stands_on;
use crate::run::signals::StopSignals;
use crate::run::task::{Context, Severity, Standing, Task, TaskError, Upstream};
use crate::run::wanted;
use crate::run::worker::{self, Kept, Product, PutBack, ReadInPlace, Told};
use crate::store::Lease;

/// What is shown of a node before it starts.
#[derive(Clone, Debug, Default)]
pub struct Preview {
    pub reasons: Vec<Reason>,
    /// The same, as recorded with the step.
    pub why: Why,
    pub estimate: Option<Estimate>,
}

/// Answers what a node is run for; asked right before it starts.
pub type Previews<'a> = dyn Fn(usize, &Board) -> Preview + 'a;

/// How the whole ended.
#[derive(Debug, Default)]
pub struct Ended {
    pub fresh: usize,
    /// Those that were fresh, with their records.
    pub settled: Vec<(NodeName, Key)>,
    pub restored: usize,
    pub ran: usize,
    pub failed: usize,
    pub skipped: usize,
    /// Of every failure, in the order in which they happened.
    pub severities: Vec<Severity>,
    /// What stands published, by node position.
    pub standing: HashMap<usize, Vec<Standing>>,
    /// Binaries whose checks this machine could not run, now or when they were verified.
    pub unproven: Vec<Unproven>,
    /// The key of each node, as far as it is known.
    pub keys: Vec<Option<Key>>,
    /// Whether every node's inputs are still those that its key was made from.
    pub inputs_stood: bool,
    pub interrupted: bool,
    /// By a request to end rather than by Ctrl-C.
    pub terminated: bool,
}

enum Message {
    Produced(usize),
    Made(usize, Box<Result<(Product, Vec<Lease>), TaskError>>),
    Kept(usize, Box<Result<Kept, TaskError>>),
    Restored(Vec<(usize, Result<PutBack, TaskError>)>),
}

/// Runs the board to its end on a runtime of its own. `interrupted` resolves when the user asks to
/// stop; what is under way is then ended and waited for.
pub fn dispatch(
    board: Board,
    tasks: Vec<Option<Arc<Task>>>,
    names: &[NodeName],
    context: Arc<Context>,
    facts: &dyn Facts,
    previews: &Previews<'_>,
) -> std::io::Result<Ended> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let ended = runtime.block_on(async {
        let mut run = Run {
            board,
            tasks,
            names,
            context,
            facts,
            previews,
            ended: Ended { inputs_stood: true, ..Ended::default() },
            products: HashMap::new(),
            whys: HashMap::new(),
            started: HashMap::new(),
        };
        run.drive().await?;
        run.ended.keys = (0..run.names.len()).map(|at| run.board.judged(at).key()).collect();
        run.note_what_was_left();
        Ok::<_, std::io::Error>(run.ended)
    });
    // Worker threads have all come back: nothing is left to wait for.
    runtime.shutdown_timeout(Duration::from_millis(100));
    ended
}

struct Run<'a> {
    board: Board,
    tasks: Vec<Option<Arc<Task>>>,
    names: &'a [NodeName],
    context: Arc<Context>,
    facts: &'a dyn Facts,
    previews: &'a Previews<'a>,
    ended: Ended,
    /// Made, not yet kept; the leases are held until then.
    products: HashMap<usize, (Product, Vec<Lease>)>,
    whys: HashMap<usize, Why>,
    started: HashMap<usize, Instant>,
}

impl Run<'_> {
    async fn drive(&mut self) -> std::io::Result<()> {
        let (sender, mut messages) = unbounded_channel();
        let mut stop = StopSignals::listen()?;
        loop {
            self.start_what_may(&sender);
            if !self.board.is_busy() {
                // Settling may have let others go.
                if self.start_what_may(&sender) {
                    continue;
                }
                return Ok(());
            }
            tokio::select! {
                message = messages.recv() => {
                    let Some(message) = message else { return Ok(()) };
                    self.take(message);
                }
                terminated = stop.asked(), if !self.ended.interrupted => {
                    self.ended.interrupted = true;
                    self.ended.terminated = terminated;
                    self.board.stop();
                    self.context.cancel.cancel();
                }
            }
        }
    }

    /// Does everything the board allows; tells whether there was anything.
    fn start_what_may(&mut self, sender: &UnboundedSender<Message>) -> bool {
        let mut any = false;
        loop {
            let next = self.board.next(self.facts);
            if next.is_empty() {
                return any;
            }
            any = true;
            for one in next {
                match one {
                    Next::Restore(nodes) => self.restore(nodes, sender),
                    Next::Make(at) => self.make(at, sender),
                    Next::Keep(at) => self.keep(at, sender),
                    Next::Settled(at, outcome) => {
                        if self.board.subject(at).order != Order::Nothing {
                            self.ended.fresh += 1;
                            // What is only assumed stands on no record.
                            let judges = self.board.subject(at).order == Order::Judge;
                            let key = self.board.judged(at).key().filter(|_| judges);
                            self.ended.settled.extend(key.map(|key| (self.names[at].clone(), key)));
                            self.finished(at, outcome, Duration::ZERO, true);
                        }
                    }
                    Next::Skipped(at, because) => {
                        self.products.remove(&at);
                        // After a loss alone all of it is judged anew.
                        let is_over = self.ended.severities.iter().any(|one| *one != Severity::Lost);
                        if self.tasks[at].is_some() && is_over {
                            self.ended.skipped += 1;
                            let (node, because) = (self.names[at].clone(), self.names[because].clone());
                            self.context.say(Event::NodeSkipped { node, because });
                        }
                    }
                }
            }
        }
    }

    fn upstreams(&self, at: usize) -> Vec<Upstream> {
        let named = |(label, up, artifact): (String, usize, Option<Artifact>)| Upstream {
            label,
            node: self.names[up].clone(),
            artifact,
        };
        self.board.upstreams(at).into_iter().map(named).collect()
    }

    fn make(&mut self, at: usize, sender: &UnboundedSender<Message>) {
        let Some(task) = self.tasks[at].clone() else {
            self.board.failed(at, true, Outcome::Failed);
            return;
        };
        let preview = (self.previews)(at, &self.board);
        self.started.insert(at, Instant::now());
        self.whys.insert(at, preview.why);
        self.context.say(Event::NodeStarted {
            node: task.node.name.clone(),
            kind: task.node.kind(),
            reasons: preview.reasons,
            estimate: preview.estimate,
            attempt: 1,
        });
        let upstreams = self.upstreams(at);
        let all_known = upstreams.iter().all(|upstream| upstream.artifact.is_some());
        if all_known && self.board.judged(at).manifest.is_none() {
            // Judged stale by its own side alone, when an upstream was still to come.
            self.board.complete(at, self.facts);
        }
        let judged = self.board.judged(at);
        let key = if all_known { judged.key() } else { None };
        let assumed = judged.assumed;
        let order = self.board.subject(at).order.clone();
        let (context, sender) = (self.context.clone(), sender.clone());
        tokio::task::spawn_blocking(move || {
            let mut produced = || drop(sender.send(Message::Produced(at)));
            let made =
                worker::make(&task, key.as_ref(), &order, &upstreams, assumed, &context, &mut produced);
            drop(sender.send(Message::Made(at, Box::new(made))));
        });
    }

    fn keep(&mut self, at: usize, sender: &UnboundedSender<Message>) {
        self.board.complete(at, self.facts);
        let parts =
            (self.tasks[at].clone(), self.products.remove(&at), self.board.judged(at).manifest.clone());
        let (Some(task), Some((product, leases)), Some(manifest)) = parts else {
            self.board.failed(at, true, Outcome::Failed);
            return;
        };
        let why = self.whys.get(&at).cloned().unwrap_or_default();
        let began_ms = self.began_ms(at);
        let reads = self.reads_in_place(at, &task);
        let (context, sender) = (self.context.clone(), sender.clone());
        tokio::task::spawn_blocking(move || {
            let kept = worker::keep(&task, product, &reads, &manifest, Told { began_ms, why }, &context);
            drop(leases);
            drop(sender.send(Message::Kept(at, Box::new(kept))));
        });
    }

    /// What a recipe in place read where it is published.
    fn reads_in_place(&self, at: usize, task: &Task) -> Vec<ReadInPlace> {
        if !wanted::runs_in_place(&task.node) {
            return Vec::new();
        }
        let read = |(_, up, artifact): (String, usize, Option<Artifact>)| {
            let standing = self.ended.standing.get(&up).cloned().unwrap_or_default();
            Some(ReadInPlace { task: self.tasks[up].clone()?, artifact: artifact?, standing })
        };
        self.board.upstreams(at).into_iter().filter_map(read).collect()
    }

    fn restore(&mut self, nodes: Vec<usize>, sender: &UnboundedSender<Message>) {
        let mut batch = Vec::with_capacity(nodes.len());
        for at in nodes {
            self.started.insert(at, Instant::now());
            let parts = (self.tasks[at].clone(), self.board.judged(at).artifact.clone());
            if let (Some(task), Some(artifact)) = parts {
                let Preview { reasons, estimate: _, why } = (self.previews)(at, &self.board);
                self.whys.insert(at, why);
                self.context.say(Event::NodeStarted {
                    node: task.node.name.clone(),
                    kind: task.node.kind(),
                    reasons,
                    estimate: None,
                    attempt: 1,
                });
                batch.push((at, task, artifact));
            }
        }
        let (context, sender) = (self.context.clone(), sender.clone());
        tokio::task::spawn_blocking(move || {
            let nodes: Vec<(&Task, &Artifact)> =
                batch.iter().map(|(_, task, artifact)| (&**task, artifact)).collect();
            let done = worker::restore(&nodes, &context);
            let done = batch.iter().map(|(at, ..)| *at).zip(done).collect();
            drop(sender.send(Message::Restored(done)));
        });
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Produced(at) => self.board.produced(at),
            Message::Made(at, made) => match *made {
                Ok(product) => {
                    self.products.insert(at, product);
                    self.board.made(at);
                }
                Err(error) => self.failed(at, true, &error),
            },
            Message::Kept(at, kept) => match *kept {
                Ok(kept) => {
                    let Kept { artifact, standing, outcome, duration, same_artifact, inputs_stood } = kept;
                    let duration = match outcome {
                        Outcome::Ran => {
                            self.ended.ran += 1;
                            duration
                        }
                        // Another run's work: what it took here is the waiting for it.
                        _ => {
                            self.ended.restored += 1;
                            self.started.get(&at).map(Instant::elapsed).unwrap_or_default()
                        }
                    };
                    self.ended.inputs_stood &= inputs_stood;
                    self.ended.standing.insert(at, standing);
                    self.board.kept(at, artifact, outcome);
                    self.finished(at, outcome, duration, same_artifact);
                }
                Err(error) => self.failed(at, true, &error),
            },
            Message::Restored(done) => {
                for (at, result) in done {
                    match result {
                        Ok(PutBack { standing, log }) => {
                            self.ended.restored += 1;
                            self.ended.standing.insert(at, standing);
                            self.board.restored(at);
                            let took = self.started.get(&at).map(Instant::elapsed).unwrap_or_default();
                            self.note(at, Outcome::Restored, took, log);
                            self.finished(at, Outcome::Restored, took, true);
                        }
                        Err(error) => self.failed(at, false, &error),
                    }
                }
                self.board.batch_ended();
            }
        }
    }

    fn finished(&mut self, at: usize, outcome: Outcome, duration: Duration, same_artifact: bool) {
        if let (Some(task), Some(artifact)) = (&self.tasks[at], &self.board.judged(at).artifact)
            && outcome != Outcome::Interrupted
            && let Some(unproven) = gates::unproven(&task.node, artifact, &self.context.store)
        {
            self.context.say(unproven.clone().into());
            self.ended.unproven.push(unproven);
        }
        let node = self.names[at].clone();
        self.context.say(Event::NodeFinished { node, outcome, duration, same_artifact });
    }

    /// Milliseconds of the run that were over when the node began.
    fn began_ms(&self, at: usize) -> u64 {
        let began = self.started.get(&at).copied().unwrap_or_else(Instant::now);
        began.saturating_duration_since(self.context.begun).as_millis() as u64
    }

    /// Writes down what a run that failed or was interrupted did not come to, so that nobody takes
    /// it for fresh later.
    fn note_what_was_left(&self) {
        // After a loss alone all of it is judged anew.
        let is_over = self.ended.severities.iter().any(|one| *one != Severity::Lost);
        if !is_over && !self.ended.interrupted {
            return;
        }
        let left = |at: &usize| {
            self.tasks[*at].is_some()
                && self.board.subject(*at).order != Order::Nothing
                && matches!(self.board.outcome(*at), None | Some(Outcome::Skipped))
        };
        let all = (0..self.tasks.len()).filter(left);
        let steps: Vec<Step> = all.map(|at| self.step(at, Outcome::Skipped, Duration::ZERO, None)).collect();
        // As in `note`.
        let _ = self.context.store.insert_steps(&self.context.project_id, &steps);
    }

    /// Writes a step that no record goes with into the run's history.
    fn note(&self, at: usize, outcome: Outcome, duration: Duration, log: Option<Digest>) {
        let step = self.step(at, outcome, duration, log);
        // History is a comfort: a run does not fail for want of it.
        let _ = self.context.store.commit(&[stands_on(&step, &self.context.project_id)]);
    }

    fn step(&self, at: usize, outcome: Outcome, duration: Duration, log: Option<Digest>) -> Step {
        Step {
            run: self.context.run,
            node: self.names[at].clone(),
            outcome,
            began_ms: self.began_ms(at),
            duration_ms: duration.as_millis() as u64,
            why: self.whys.get(&at).cloned().unwrap_or_default(),
            // What was put back stands by its record; what failed has none.
            key: if outcome == Outcome::Restored { self.board.judged(at).key() } else { None },
            same: (outcome == Outcome::Restored).then(|| self.same_as_before(at)).flatten(),
            log,
        }
    }

    /// Whether a node has the artifact that it had before this run; none where it had none.
    fn same_as_before(&self, at: usize) -> Option<bool> {
        let before = self.context.store.latest_record(&self.context.project_id, &self.names[at]).ok()??;
        Some(self.board.judged(at).artifact.as_ref() == Some(&before.artifact))
    }

    fn failed(&mut self, at: usize, started: bool, error: &TaskError) {
        let severity = error.severity();
        let outcome = if severity == Severity::Interrupted { Outcome::Interrupted } else { Outcome::Failed };
        self.board.failed(at, started, outcome);
        self.ended.severities.push(severity);
        self.products.remove(&at);
        if severity == Severity::Lost {
            return;
        }
        let took = self.started.get(&at).map(Instant::elapsed).unwrap_or_default();
        self.note(at, outcome, took, None);
        if severity == Severity::Interrupted {
            // It did not fail: somebody stopped it.
            self.finished(at, outcome, took, false);
            return;
        }
        self.ended.failed += 1;
        self.context.say(failed::told(&self.names[at], self.tasks[at].as_deref(), error, &self.context));
    }
}
