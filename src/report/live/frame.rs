//! The redrawn part of the live display: which nodes run, for how long, and what they said last.
//!
//! Writes nothing and asks no clock: time and width are arguments.

use std::time::Duration;

use crate::event::Event;
use crate::pipeline::NodeName;
use crate::plan::Estimate;
use crate::record::Outcome;
use crate::report::colour::Palette;
use crate::report::lines;
use crate::report::quantity;
use crate::report::roster::Roster;
use crate::report::text;
use crate::report::words;

/// Rows of running nodes; more are counted.
const ROWS: usize = 10;

/// Columns of a bar.
const BAR: usize = 20;

/// So wide a terminal has room for a bar.
const WIDE: usize = 100;

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
    running: Roster<Running>,
    total: usize,
    done: usize,
    /// Files and bytes read so far, until the plan is made.
    survey: Option<(u64, u64)>,
    left: Option<Left>,
    turn: usize,
}

struct Running {
    since: Duration,
    estimate: Option<Estimate>,
    cause: String,
    /// What it printed or does, whichever came last.
    last: String,
    /// Where its build stands.
    stand: Option<Stand>,
    moved: Option<Moved>,
}

struct Stand {
    step: usize,
    steps: usize,
    untimed: usize,
    left: Option<(Duration, u64)>,
}

struct Moved {
    what: String,
    done: u64,
    total: Option<u64>,
}

/// What was left of the whole at some time.
struct Left {
    at: Duration,
    ms: u64,
    untimed: usize,
    critical: Vec<NodeName>,
}

/// What of `ms` milliseconds is left, which were left at `at`.
fn since(at: Duration, ms: u64, now: Duration) -> u64 {
    ms.saturating_sub(now.saturating_sub(at).as_millis() as u64)
}

impl Board {
    /// The spinner's next step.
    pub fn turn(&mut self) {
        self.turn = (self.turn + 1) % SPINNER.len();
    }

    /// Why a running node runs.
    pub fn cause(&self, node: &NodeName) -> &str {
        self.running.get(node).map_or("", |row| &row.cause)
    }

    pub fn take(&mut self, event: Event, now: Duration) {
        match event {
            Event::RunStarted { nodes, .. } => self.total = nodes,
            Event::SurveyProgressed { files, bytes } => self.survey = Some((files, bytes)),
            Event::Planned { .. } => self.survey = None,
            Event::RunProgressed { left, untimed, critical } => {
                self.left = left.map(|left| Left { at: now, ms: left.median_ms, untimed, critical });
            }
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
                    self.row(node, now).says(line.trim().to_owned());
                }
            }
            Event::NodeProgressed { node, stage } => self.row(node, now).says(stage),
            Event::BuildAdvanced { node, step, steps, instruction, left, untimed } => {
                let row = self.row(node, now);
                row.says(text::clean(&instruction).into_owned());
                let left = left.map(|left| (now, left.median_ms));
                row.stand = Some(Stand { step, steps, untimed, left });
            }
            Event::BytesMoved { node, what, done, total } => {
                // The last word of something that ended with its node.
                let Some(row) = self.running.get_mut(&node) else { return };
                row.moved = (total != Some(done)).then_some(Moved { what, done, total });
            }
            Event::NodeWaited { node } => {
                self.row(node, now).says("waiting for another run that is building it".to_owned());
            }
            Event::NodeRetried { node, attempt, error: _ } => {
                let row = self.row(node, now);
                row.says(format!("attempt {attempt}"));
                row.stand = None;
            }
            // Told by an event of its own.
            Event::NodeFinished { outcome: Outcome::Failed | Outcome::Skipped, .. } => {}
            Event::NodeFinished { node, .. }
            | Event::NodeFailed { node, .. }
            | Event::NodeSkipped { node, .. } => {
                self.running.remove(&node);
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
        self.running.entry(node, || Running {
            since: now,
            estimate: None,
            cause: String::new(),
            last: String::new(),
            stand: None,
            moved: None,
        })
    }

    /// The lines to show, none of them wider than `width` − 1: a terminal may wrap a full line; and so few
    /// that the cursor can go back to the first of them.
    pub fn frame(&self, now: Duration, (width, height): (usize, usize), palette: Palette) -> Vec<Line> {
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
        // Below them stand the count of others, the status, and the cursor.
        let rows = ROWS.min(height.saturating_sub(3)).max(1);
        let shown: Vec<(&NodeName, &Running)> = self.running.iter().take(rows).collect();
        let names = shown.iter().map(|(node, _)| text::width(node.as_ref())).max().unwrap_or(0).min(NAME);
        // Half of a narrow terminal is enough for a name.
        let names = names.min((columns / 2).max(1));
        let times: Vec<String> = shown.iter().map(|(_, row)| row.time(now)).collect();
        let time = times.iter().map(|t| text::width(t)).max().unwrap_or(0);
        let mut lines: Vec<Line> = shown
            .iter()
            .zip(&times)
            .map(|((node, row), shown)| {
                let name = text::pad(&text::shorten(node.as_ref(), names), names);
                row.line((spinner, &name), now, &text::pad(shown, time), columns, palette)
            })
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
            lines.push(Line::dimmed(&self.status(now, columns), columns, palette));
        }
        lines
    }

    /// `  3 of 7 done, 12m03s, about 14 min left  base → embed → binary`
    fn status(&self, now: Duration, columns: usize) -> String {
        let (done, total) = (quantity::grouped(self.done as u64), quantity::grouped(self.total as u64));
        let mut status = format!("  {done} of {total} done, {}", clock(now));
        if let Some(Left { at, ms, untimed, critical }) = &self.left {
            status.push_str(&format!(", {} left", quantity::left(since(*at, *ms, now))));
            if *untimed > 0 {
                status.push_str(&format!(", {} never timed", quantity::grouped(*untimed as u64)));
            }
            let room = columns.saturating_sub(text::width(&status) + 2);
            // Less than that names nobody.
            if critical.len() > 1 && room >= 20 {
                status.push_str(&format!("  {}", lines::chain(critical, room)));
            }
        }
        status
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

/// `━━━━━━━─────`
fn bar(done: u64, total: u64) -> String {
    let full = (quantity::percent(done, total) as usize * BAR) / 100;
    format!("{}{}", "━".repeat(full), "─".repeat(BAR - full))
}

impl Moved {
    fn words(&self, columns: usize) -> String {
        let moved = quantity::moved(self.done, self.total);
        match self.total {
            Some(total) if columns >= WIDE => format!("{} {} {moved}", self.what, bar(self.done, total)),
            _ => format!("{} {moved}", self.what),
        }
    }
}

impl Running {
    /// Whatever it does now, it is not what it did.
    fn says(&mut self, text: String) {
        self.last = text;
        self.moved = None;
    }

    fn elapsed(&self, now: Duration) -> Duration {
        now.saturating_sub(self.since)
    }

    /// `1m03s of ~2m05s`; of a build that knows better `1m03s, step 9 of 17, about 11 min left`.
    fn time(&self, now: Duration) -> String {
        let elapsed = clock(self.elapsed(now));
        if let Some(Stand { step, steps, untimed, left }) = self.stand {
            let left = left.map(|(at, ms)| since(at, ms, now));
            return format!("{elapsed}, {}", lines::step_of(step, steps, left, untimed));
        }
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

    /// What it does, in `columns` of a terminal with `width`.
    fn doing(&self, columns: usize, width: usize) -> String {
        let said = match &self.moved {
            Some(moved) => moved.words(width),
            None if self.last.is_empty() => self.cause.clone(),
            None => self.last.clone(),
        };
        text::shorten(&said, columns).into_owned()
    }

    fn line(
        &self,
        (spinner, name): (char, &str),
        now: Duration,
        time: &str,
        columns: usize,
        palette: Palette,
    ) -> Line {
        let head = format!("{spinner} {name}  {time}");
        let used = text::width(&head);
        if used > columns {
            let head = text::shorten(head.trim_end(), columns);
            return Line { columns: text::width(&head), text: palette.cyan(head).to_string() };
        }
        let time = if self.is_late(now) { palette.yellow(time).to_string() } else { time.to_owned() };
        let mut out = format!("{} {}  {time}", palette.cyan(spinner), palette.bold(name));
        let left = columns.saturating_sub(used + 2);
        // Three columns tell nothing.
        let said = if left < 4 { String::new() } else { self.doing(left, columns) };
        if said.is_empty() {
            return Line { text: out, columns: used };
        }
        let columns = used + 2 + text::width(&said);
        out.push_str(&format!("  {}", palette.dim(said)));
        Line { text: out, columns }
    }
}
