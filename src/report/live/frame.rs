//! The redrawn part of the live display: which nodes run, for how long, and what they said last.
//!
//! Writes nothing and asks no clock: time and width are arguments.

use std::time::Duration;

use crate::event::Event;
use crate::pipeline::NodeName;
use crate::plan::Estimate;
use crate::record::Outcome;
use crate::report::colour::Palette;
use crate::report::quantity;
use crate::report::text;
use crate::report::words;

/// Rows of running nodes; more are counted.
const ROWS: usize = 10;

/// Columns that a node's name may take before it is cut.
const NAME: usize = 32;

const SPINNER: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/// One line of the frame, with its styles, and the columns that it takes.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    pub text: String,
    pub columns: usize,
}

/// What goes on in a run.
#[derive(Default)]
pub struct Board {
    running: Vec<Running>,
    total: usize,
    done: usize,
    /// Files and bytes read so far, until the plan is made.
    survey: Option<(u64, u64)>,
    turn: usize,
}

struct Running {
    node: NodeName,
    since: Duration,
    estimate: Option<Estimate>,
    cause: String,
    /// What it printed or does, whichever came last.
    last: String,
}

impl Board {
    /// The spinner's next step.
    pub fn turn(&mut self) {
        self.turn = (self.turn + 1) % SPINNER.len();
    }

    /// Why a running node runs.
    pub fn cause(&self, node: &NodeName) -> &str {
        self.running.iter().find(|r| r.node == *node).map_or("", |r| &r.cause)
    }

    pub fn take(&mut self, event: Event, now: Duration) {
        match event {
            Event::RunStarted { nodes, .. } => self.total = nodes,
            Event::SurveyProgressed { files, bytes } => self.survey = Some((files, bytes)),
            Event::Planned { .. } => self.survey = None,
            Event::NodeStarted { node, kind: _, reasons, estimate, attempt: _ } => {
                self.survey = None;
                let row = self.row(node, now);
                row.since = now;
                row.estimate = estimate;
                row.cause = words::headline(&reasons);
                row.last.clear();
            }
            Event::NodePrinted { node, line } => {
                let line = text::clean(&line);
                if !line.trim().is_empty() {
                    self.row(node, now).last = line.trim().to_owned();
                }
            }
            Event::NodeProgressed { node, stage } => self.row(node, now).last = stage,
            Event::NodeWaited { node } => {
                self.row(node, now).last = "waiting for another run that is building it".to_owned();
            }
            Event::NodeRetried { node, attempt, error: _ } => {
                self.row(node, now).last = format!("attempt {attempt}");
            }
            // Told by an event of its own.
            Event::NodeFinished { outcome: Outcome::Failed | Outcome::Skipped, .. } => {}
            Event::NodeFinished { node, .. }
            | Event::NodeFailed { node, .. }
            | Event::NodeSkipped { node, .. } => {
                self.running.retain(|r| r.node != node);
                self.done += 1;
            }
            Event::Warned { .. } | Event::ChecksNotRun { .. } => {}
            Event::RunFinished { .. } => {
                self.running.clear();
                self.survey = None;
            }
        }
    }

    fn row(&mut self, node: NodeName, now: Duration) -> &mut Running {
        let at = self.running.iter().position(|r| r.node == node).unwrap_or_else(|| {
            let new = Running { node, since: now, estimate: None, cause: String::new(), last: String::new() };
            self.running.push(new);
            self.running.len() - 1
        });
        &mut self.running[at]
    }

    /// The lines to show, none of them wider than `width` − 1: a terminal may wrap a full line.
    pub fn frame(&self, now: Duration, width: usize, palette: Palette) -> Vec<Line> {
        let columns = width.saturating_sub(1);
        let spinner = SPINNER[self.turn];
        if let Some((files, bytes)) = self.survey {
            let files = quantity::count(files as usize, "file");
            let read = format!("{spinner} reading inputs  {files}, {}", quantity::size(bytes));
            return vec![Line::dimmed(&read, columns, palette)];
        }
        if self.running.is_empty() {
            return Vec::new();
        }
        let shown = &self.running[..self.running.len().min(ROWS)];
        let names = shown.iter().map(|r| text::width(r.node.as_ref())).max().unwrap_or(0).min(NAME);
        let times: Vec<String> = shown.iter().map(|r| r.time(now)).collect();
        let time = times.iter().map(|t| text::width(t)).max().unwrap_or(0);
        let mut lines: Vec<Line> = shown
            .iter()
            .zip(&times)
            .map(|(row, shown)| row.line(spinner, now, (names, shown, time), columns, palette))
            .collect();
        let more = self.running.len() - shown.len();
        if more > 0 {
            lines.push(Line::dimmed(
                &format!("  and {} more", quantity::grouped(more as u64)),
                columns,
                palette,
            ));
        }
        if self.total > 1 {
            let (done, total) = (quantity::grouped(self.done as u64), quantity::grouped(self.total as u64));
            let status = format!("  {done} of {total} done, {}", clock(now));
            lines.push(Line::dimmed(&status, columns, palette));
        }
        lines
    }
}

impl Line {
    fn dimmed(text: &str, columns: usize, palette: Palette) -> Self {
        let text = text::shorten(text, columns);
        Self { columns: text::width(&text), text: palette.dim(text).to_string() }
    }
}

/// `3s`, `2m05s`: fractions that dance by are no information.
fn clock(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ 0..60 => format!("{seconds}s"),
        seconds => quantity::duration(Duration::from_secs(seconds)),
    }
}

impl Running {
    fn elapsed(&self, now: Duration) -> Duration {
        now.saturating_sub(self.since)
    }

    /// `1m03s of ~2m05s`
    fn time(&self, now: Duration) -> String {
        let elapsed = clock(self.elapsed(now));
        match self.estimate {
            Some(estimate) => format!("{elapsed} of {}", quantity::about(estimate.median_ms)),
            None => elapsed,
        }
    }

    /// Longer than it ever took, or than twice its only run.
    fn is_late(&self, now: Duration) -> bool {
        self.estimate.is_some_and(|e| {
            let limit = if e.samples > 1 { e.high_ms } else { e.median_ms * 2 };
            self.elapsed(now) > Duration::from_millis(limit)
        })
    }

    fn line(
        &self,
        spinner: char,
        now: Duration,
        (names, shown, time): (usize, &str, usize),
        columns: usize,
        palette: Palette,
    ) -> Line {
        let name = text::pad(&text::shorten(self.node.as_ref(), names), names);
        let head = format!("{spinner} {name}  {}", text::pad(shown, time));
        let used = text::width(&head);
        if used > columns {
            let head = text::shorten(&head, columns);
            return Line { columns: text::width(&head), text: palette.cyan(head).to_string() };
        }
        let padded = text::pad(shown, time);
        let shown = if self.is_late(now) { palette.yellow(padded).to_string() } else { padded };
        let mut out = format!("{} {}  {shown}", palette.cyan(spinner), palette.bold(name));
        let said = if self.last.is_empty() { &self.cause } else { &self.last };
        let left = columns.saturating_sub(used + 2);
        // Three columns tell nothing.
        if said.is_empty() || left < 4 {
            return Line { text: out, columns: used };
        }
        let said = text::shorten(said, left);
        let columns = used + 2 + text::width(&said);
        out.push_str(&format!("  {}", palette.dim(said)));
        Line { text: out, columns }
    }
}
