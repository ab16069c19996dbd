//! A run for CI machines that fold their logs: what a node printed goes into one section.
//!
//! Nodes that run side by side would tear sections apart, so theirs are written when they end. A
//! node that runs alone (a base image that takes half an hour, say) is written as it prints.
//!
//! What a section looks like is the dialect's business: [`crate::report::github`],
//! [`crate::report::gitlab`].

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::event::{Event, Place, Sink};
use crate::pipeline::NodeName;
use crate::report::colour::Palette;
use crate::report::heartbeat::Heartbeat;
use crate::report::lines;
use crate::report::output::{Output, Writer};
use crate::report::plain;
use crate::report::quantity::count;
use crate::report::sink::{Clock, Verbosity};
use crate::report::text;
use crate::report::words;

/// Lines kept of one node's output until it ends: the memory of a run stays bounded, and the whole
/// is in its log.
const KEPT: usize = 5_000;

/// How one CI machine writes sections and annotations.
pub trait Dialect: Send + Sync {
    /// Lines that open a section; `started` and `now` are seconds since 1970.
    fn open(&self, id: &str, title: &str, started: i64) -> String;
    /// Lines that close it.
    fn close(&self, id: &str, now: i64) -> String;
    /// A recipe's line so that the machine cannot take it for a command.
    fn guard(&self, line: &str) -> String;
    /// A mark on the run's page, and at a line of a file, where the machine has such marks.
    fn annotate(&self, severity: Severity, title: &str, message: &str, at: Option<&Place>) -> Option<String>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    Warning,
    Error,
}

#[derive(Default)]
struct Pending {
    lines: VecDeque<String>,
    dropped: usize,
    /// Elapsed time at its start.
    started: Duration,
}

struct State {
    output: Output,
    /// Every running node.
    pending: HashMap<NodeName, Pending>,
    /// The node that is written as it prints, and its section's id.
    open: Option<(NodeName, String)>,
    /// Sections opened in that way: a node's may be torn by other nodes' lines, and ids are unique.
    opened: usize,
    heartbeat: Heartbeat,
}

pub struct Sections<D> {
    dialect: D,
    palette: Palette,
    verbosity: Verbosity,
    clock: Clock,
    state: Mutex<State>,
}

impl Pending {
    fn keep(&mut self, line: String) {
        if self.lines.len() == KEPT {
            self.lines.pop_front();
            self.dropped += 1;
        }
        self.lines.push_back(line);
    }
}

impl<D: Dialect> Sections<D> {
    pub fn new(dialect: D, palette: Palette, verbosity: Verbosity, writer: Writer, clock: Clock) -> Self {
        let (output, heartbeat) = (Output::new(writer), Heartbeat::default());
        let state = State { output, pending: HashMap::new(), open: None, opened: 0, heartbeat };
        Self { dialect, palette, verbosity, clock, state: Mutex::new(state) }
    }

    /// Writes a line at once if nothing else runs, else keeps it.
    fn printed(&self, state: &mut State, node: &NodeName, line: String) {
        state.pending.entry(node.clone()).or_default();
        let alone = state.pending.len() == 1 && self.verbosity != Verbosity::Quiet;
        let is_open = state.open.as_ref().is_some_and(|(open, _)| open == node);
        if !alone && !is_open {
            if let Some(pending) = state.pending.get_mut(node) {
                pending.keep(line);
            }
            return;
        }
        let mut out = String::new();
        if !is_open {
            out = self.close_open(state);
            state.opened += 1;
            let id = format!("{node}.{}", state.opened);
            out.push_str(&self.dialect.open(&id, &format!("output of {node}"), (self.clock.now)()));
            state.open = Some((node.clone(), id));
            if let Some(pending) = state.pending.get_mut(node) {
                out.push_str(&self.lines(node, pending));
                (pending.lines, pending.dropped) = (VecDeque::new(), 0);
            }
        }
        out.push_str(&self.dialect.guard(&line));
        out.push('\n');
        state.output.write(&out);
    }

    fn close_open(&self, state: &mut State) -> String {
        let Some((_, id)) = state.open.take() else { return String::new() };
        self.dialect.close(&id, (self.clock.now)())
    }

    /// What was kept of a node's output.
    fn lines(&self, node: &NodeName, pending: &Pending) -> String {
        let mut out = String::new();
        if pending.dropped > 0 {
            let earlier = count(pending.dropped, "earlier line");
            out.push_str(&format!("… {earlier}, see `osgraph log {node}`\n"));
        }
        for line in &pending.lines {
            out.push_str(&self.dialect.guard(line));
            out.push('\n');
        }
        out
    }

    /// The section of a node that ended, empty when it printed nothing.
    fn section(&self, node: &NodeName, title: &str, pending: Option<Pending>) -> String {
        let Some(pending) = pending.filter(|p| !p.lines.is_empty()) else { return String::new() };
        let now = (self.clock.now)();
        let took = (self.clock.elapsed)().saturating_sub(pending.started);
        let mut out = self.dialect.open(node.as_ref(), title, now - took.as_secs() as i64);
        out.push_str(&self.lines(node, &pending));
        out.push_str(&self.dialect.close(node.as_ref(), now));
        out
    }

    fn show(&self, event: &Event, pending: Option<Pending>) -> String {
        let mut out = String::new();
        let plain = plain::line(event, self.palette, self.verbosity);
        match event {
            Event::NodeFinished { node, outcome, duration, same_artifact } => {
                // Titles are shown by the machine's own means, which know no colours.
                let title = lines::finished(Palette::PLAIN, node, *outcome, *duration, *same_artifact, "");
                let section = match self.verbosity {
                    Verbosity::Quiet => String::new(),
                    _ => self.section(node, &title, pending),
                };
                if !section.is_empty() {
                    return section;
                }
            }
            Event::NodeFailed { node, .. } => {
                out = self.section(node, &format!("output of {node}"), pending);
            }
            _ => {}
        }
        if let Some(plain) = plain {
            out.push_str(&plain);
            out.push('\n');
        }
        let mark = match event {
            Event::NodeFailed { node, message, at, .. } => {
                self.dialect.annotate(Severity::Error, &format!("{node} failed"), message, at.as_ref())
            }
            Event::Warned { node, message, .. } if self.verbosity != Verbosity::Quiet => {
                let title = node.as_ref().map_or("osgraph", |node| node.as_ref());
                self.dialect.annotate(Severity::Warning, title, message, None)
            }
            Event::ChecksNotRun { node, checks, reason } if self.verbosity != Verbosity::Quiet => {
                let message = words::not_run(checks, reason);
                self.dialect.annotate(Severity::Warning, node.as_ref(), &message, None)
            }
            _ => None,
        };
        if let Some(mark) = mark {
            out.push_str(&mark);
            out.push('\n');
        }
        out
    }
}

impl<D: Dialect> Sink for Sections<D> {
    fn emit(&self, event: Event) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let sign = state.heartbeat.take(&event, (self.clock.elapsed)(), self.palette);
        if let Some(sign) = sign.filter(|_| self.verbosity != Verbosity::Quiet) {
            // It stands in a section that is open: to close that for it would tear the output apart.
            state.output.write(&format!("{sign}\n"));
        }
        let pending = match &event {
            Event::NodeStarted { node, .. } => {
                let started = (self.clock.elapsed)();
                state.pending.entry(node.clone()).or_insert(Pending { started, ..Pending::default() });
                None
            }
            Event::NodePrinted { node, line } => {
                self.printed(&mut state, node, text::clean(line).into_owned());
                return;
            }
            Event::NodeFinished { node, .. } | Event::NodeFailed { node, .. } => state.pending.remove(node),
            _ => None,
        };
        let text = self.show(&event, pending);
        if !text.is_empty() {
            let closing = self.close_open(&mut state);
            state.output.write(&format!("{closing}{text}"));
        }
    }
}
