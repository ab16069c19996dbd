//! The state of every node of a run, and what each event lets happen next. Pure: a function of
//! the plan and of what is reported, without clock, threads or files.
//!
//! A node that runs in place and is stale whatever its upstreams yield may start as soon as their
//! outputs stand on disk, before these are hashed and stored: hashing leaves the critical path.
//! Its result is kept only when all its upstreams' artifacts are known and recorded.

use std::collections::BTreeSet;

use crate::plan::Verdict;
use crate::plan::judge::{Facts, Judged, Order, Subject, judge_one};
use crate::record::{Artifact, Outcome};

/// Where a node is in its run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Blocked,
    Queued,
    Making,
    /// Outputs stand; the artifact is not known yet.
    Produced,
    /// The artifact is known; upstreams are not done yet.
    Parked,
    Keeping,
    Restoring,
    Done,
    Failed,
    Skipped,
}

struct Seat {
    state: State,
    /// Upstreams that still hold it back.
    pending: usize,
    downstream: Vec<usize>,
    /// Starts on its upstreams' outputs rather than on their artifacts.
    eager: bool,
    outcome: Option<Outcome>,
    /// Whether it has let its eager followers go.
    released: bool,
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// Put these back, in one go.
    Restore(Vec<usize>),
    Make(usize),
    /// Record and publish what was made.
    Keep(usize),
    /// Settled without work.
    Settled(usize, Outcome),
    /// Will not run, because the second one failed.
    Skipped(usize, usize),
}

pub struct Board {
    subjects: Vec<Subject>,
    judged: Vec<Judged>,
    lost: Vec<bool>,
    seats: Vec<Seat>,
    /// Stale nodes that may start, the earliest first.
    queue: BTreeSet<usize>,
    /// Nodes whose upstreams are all done and that are to be judged again.
    undecided: Vec<usize>,
    restores: Vec<usize>,
    news: Vec<Next>,
    making: usize,
    busy: usize,
    jobs: usize,
    keep_going: bool,
    stopped: bool,
}

impl Board {
    /// `in_place[n]`: whether node n reads its upstreams where they are published.
    pub fn new(
        subjects: Vec<Subject>,
        judged: Vec<Judged>,
        in_place: &[bool],
        jobs: usize,
        keep_going: bool,
    ) -> Self {
        let mut seats: Vec<Seat> = judged
            .iter()
            .zip(in_place)
            .map(|(one, in_place)| Seat {
                state: State::Blocked,
                pending: 0,
                downstream: Vec::new(),
                eager: *in_place && matches!(one.verdict, Verdict::Stale(_)),
                outcome: None,
                released: false,
            })
            .collect();
        for (at, subject) in subjects.iter().enumerate() {
            let upstreams: BTreeSet<usize> =
                subject.reads.iter().map(|read| read.up).chain(subject.follows.iter().copied()).collect();
            seats[at].pending = upstreams.len();
            for up in upstreams {
                seats[up].downstream.push(at);
            }
        }
        let lost = vec![false; subjects.len()];
        let mut board = Self {
            subjects,
            judged,
            lost,
            seats,
            queue: BTreeSet::new(),
            undecided: Vec::new(),
            restores: Vec::new(),
            news: Vec::new(),
            making: 0,
            busy: 0,
            jobs: jobs.max(1),
            keep_going,
            stopped: false,
        };
        // A restorable node waits for nobody: its artifact is known.
        for at in 0..board.seats.len() {
            if matches!(board.judged[at].verdict, Verdict::Restorable(_)) {
                board.seats[at].state = State::Restoring;
                board.restores.push(at);
            }
        }
        let fresh: Vec<usize> = (0..board.seats.len())
            .filter(|at| {
                board.judged[*at].verdict == Verdict::Fresh && board.subjects[*at].order != Order::Nothing
            })
            .collect();
        // All are done before the first lets others go, or it would send a fresh one to be judged
        // again and so to be settled twice.
        for at in &fresh {
            board.seats[*at].state = State::Done;
        }
        for at in fresh {
            board.settle(at, Outcome::Fresh);
        }
        for at in 0..board.seats.len() {
            if board.seats[at].state == State::Blocked && board.seats[at].pending == 0 {
                board.enqueue(at);
            }
        }
        board
    }

    pub fn judged(&self, at: usize) -> &Judged {
        &self.judged[at]
    }

    pub fn subject(&self, at: usize) -> &Subject {
        &self.subjects[at]
    }

    pub fn outcome(&self, at: usize) -> Option<Outcome> {
        self.seats[at].outcome
    }

    /// The upstream artifacts of a node that is about to be made or kept, by label; none for those
    /// not known yet.
    pub fn upstreams(&self, at: usize) -> Vec<(String, usize, Option<Artifact>)> {
        let reads = &self.subjects[at].reads;
        let known = |up: usize| self.judged[up].artifact.clone();
        reads.iter().map(|read| (read.label.clone(), read.up, known(read.up))).collect()
    }

    /// Whether any work is under way.
    pub fn is_busy(&self) -> bool {
        self.busy > 0
    }

    /// Starts nothing more; what is under way is waited for.
    pub fn stop(&mut self) {
        self.stopped = true;
    }

    /// Everything that may happen now, given `facts` for those whose upstreams are all known.
    pub fn next(&mut self, facts: &dyn Facts) -> Vec<Next> {
        while let Some(at) = self.undecided.pop() {
            self.judge_again(at, facts);
        }
        let mut out = std::mem::take(&mut self.news);
        if self.stopped {
            return out;
        }
        if !self.restores.is_empty() {
            self.busy += 1;
            out.push(Next::Restore(std::mem::take(&mut self.restores)));
        }
        while self.making < self.jobs {
            let Some(at) = self.queue.pop_first() else { break };
            self.seats[at].state = State::Making;
            self.making += 1;
            self.busy += 1;
            out.push(Next::Make(at));
        }
        out
    }

    fn judge_again(&mut self, at: usize, facts: &dyn Facts) {
        let one = judge_one(at, &self.subjects[at], &self.judged, self.lost[at], facts);
        self.judged[at] = one;
        match &self.judged[at].verdict {
            Verdict::Fresh => self.settle(at, Outcome::Fresh),
            Verdict::Restorable(_) => {
                self.seats[at].state = State::Restoring;
                self.restores.push(at);
            }
            Verdict::Stale(_) => {
                self.seats[at].state = State::Queued;
                self.queue.insert(at);
            }
            Verdict::Waiting(_) => self.seats[at].state = State::Blocked,
        }
    }

    fn enqueue(&mut self, at: usize) {
        if self.seats[at].state == State::Blocked {
            self.seats[at].state = State::Queued;
            if matches!(self.judged[at].verdict, Verdict::Stale(_)) {
                self.queue.insert(at);
            } else {
                self.undecided.push(at);
            }
        }
    }

    /// A node's outputs stand where eager followers read them; its slot is free.
    pub fn produced(&mut self, at: usize) {
        if self.seats[at].state != State::Making {
            return;
        }
        self.seats[at].state = State::Produced;
        self.making -= 1;
        self.seats[at].released = true;
        for down in self.seats[at].downstream.clone() {
            if self.seats[down].eager {
                self.let_go(down);
            }
        }
    }

    /// A node's artifact is known but not recorded.
    pub fn made(&mut self, at: usize) {
        if self.seats[at].state == State::Making {
            self.making -= 1;
        }
        self.seats[at].state = State::Parked;
        self.busy -= 1;
        self.unpark(at);
    }

    fn unpark(&mut self, at: usize) {
        if self.seats[at].state != State::Parked {
            return;
        }
        let reads = &self.subjects[at].reads;
        let is_off = |up: usize| matches!(self.seats[up].state, State::Failed | State::Skipped);
        if let Some(up) = reads.iter().map(|read| read.up).find(|up| is_off(*up)) {
            self.skip(at, up);
            return;
        }
        if reads.iter().all(|read| self.seats[read.up].state == State::Done) {
            self.seats[at].state = State::Keeping;
            self.busy += 1;
            self.news.push(Next::Keep(at));
        }
    }

    /// The manifest under which a made node is to be recorded: complete, now that all its
    /// upstreams are done.
    pub fn complete(&mut self, at: usize, facts: &dyn Facts) {
        let one = judge_one(at, &self.subjects[at], &self.judged, false, facts);
        self.judged[at].manifest = one.manifest;
        self.judged[at].assumed = one.assumed;
    }

    /// A node was recorded and published, or found to have been so by another run.
    pub fn kept(&mut self, at: usize, artifact: Artifact, outcome: Outcome) {
        self.busy -= 1;
        self.judged[at].artifact = Some(artifact);
        self.judged[at].present = true;
        self.judged[at].verdict = Verdict::Fresh;
        self.settle(at, outcome);
    }

    pub fn restored(&mut self, at: usize) {
        self.judged[at].verdict = Verdict::Fresh;
        self.settle(at, Outcome::Restored);
    }

    /// The batch handed out by [`Next::Restore`] is through.
    pub fn batch_ended(&mut self) {
        self.busy -= 1;
    }

    /// A node failed; `started` tells whether it counted as busy work of its own.
    pub fn failed(&mut self, at: usize, started: bool, outcome: Outcome) {
        if self.seats[at].state == State::Making {
            self.making -= 1;
        }
        if started {
            self.busy -= 1;
        }
        self.seats[at].state = State::Failed;
        self.seats[at].outcome = Some(outcome);
        if !self.keep_going {
            self.stopped = true;
        }
        self.skip_below(at, at);
    }

    fn skip_below(&mut self, from: usize, because: usize) {
        for down in self.seats[from].downstream.clone() {
            match self.seats[down].state {
                State::Blocked | State::Queued | State::Parked => self.skip(down, because),
                _ => {}
            }
        }
    }

    fn skip(&mut self, at: usize, because: usize) {
        self.queue.remove(&at);
        self.seats[at].state = State::Skipped;
        self.seats[at].outcome = Some(Outcome::Skipped);
        self.news.push(Next::Skipped(at, because));
        self.skip_below(at, because);
    }

    fn settle(&mut self, at: usize, outcome: Outcome) {
        self.seats[at].state = State::Done;
        self.seats[at].outcome = Some(outcome);
        if outcome == Outcome::Fresh {
            self.news.push(Next::Settled(at, outcome));
        }
        let released = self.seats[at].released;
        for down in self.seats[at].downstream.clone() {
            if !(released && self.seats[down].eager) {
                self.let_go(down);
            }
            self.unpark(down);
        }
    }

    fn let_go(&mut self, down: usize) {
        self.seats[down].pending -= 1;
        if self.seats[down].pending == 0 {
            self.enqueue(down);
        }
    }
}

#[cfg(test)]
mod tests;
