//! A run as one line an event: for files, pipes and CI machines without a dialect of their own.

use std::sync::{Mutex, PoisonError};

use crate::event::{Event, Sink};
use crate::pipeline::NodeName;
use crate::plan::{Estimate, Reason};
use crate::record::Outcome;
use crate::report::colour::Palette;
use crate::report::heartbeat::Heartbeat;
use crate::report::lines::{self, Failure, Totals};
use crate::report::output::{Output, Writer};
use crate::report::quantity;
use crate::report::sink::{Clock, Verbosity};
use crate::report::text;
use crate::report::words;

pub struct Plain {
    state: Mutex<(Output, Heartbeat)>,
    clock: Clock,
    palette: Palette,
    verbosity: Verbosity,
}

impl Plain {
    pub fn new(palette: Palette, verbosity: Verbosity, writer: Writer, clock: Clock) -> Self {
        let state = Mutex::new((Output::new(writer), Heartbeat::default()));
        Self { state, clock, palette, verbosity }
    }
}

impl Sink for Plain {
    fn emit(&self, event: Event) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (output, heartbeat) = &mut *state;
        let sign = heartbeat.take(&event, (self.clock.elapsed)(), self.palette);
        let sign = sign.filter(|_| self.verbosity != Verbosity::Quiet);
        if let Some(mut text) = line(&event, self.palette, self.verbosity).or(sign) {
            text.push('\n');
            output.write(&text);
        }
    }
}

/// What an event adds to a plain log, without the last line's end. A failure is several lines.
pub fn line(event: &Event, palette: Palette, verbosity: Verbosity) -> Option<String> {
    let verbose = verbosity == Verbosity::Verbose;
    if verbosity == Verbosity::Quiet && !is_failure(event) {
        return None;
    }
    Some(match event {
        Event::RunStarted { .. } | Event::SurveyProgressed { .. } => return None,
        Event::RunProgressed { .. } | Event::BytesMoved { .. } => return None,
        Event::BuildAdvanced { node, step, steps, instruction, left, untimed } if verbose => {
            let at = lines::step_of(*step, *steps, left.map(|left| left.median_ms), *untimed);
            let said = format!("{at}: {}", text::clean(instruction));
            format!("{} {}", palette.dim(format_args!("{node} |")), palette.dim(said))
        }
        Event::BuildAdvanced { .. } => return None,
        Event::Planned { fresh, restorable, stale, waiting, estimate, untimed, critical } => {
            let counts = [*stale, *waiting, *restorable, *fresh];
            plan(palette, counts, estimate.as_ref(), *untimed, critical)?
        }
        Event::NodeStarted { node, reasons, estimate, attempt: 0 | 1, .. } => {
            started(palette, node.as_ref(), reasons, estimate.as_ref())
        }
        Event::NodeStarted { .. } => return None,
        Event::NodePrinted { node, line } if verbose => {
            format!("{} {}", palette.dim(format_args!("{node} |")), text::clean(line))
        }
        Event::NodeProgressed { node, stage } if verbose => {
            format!("{} {}", palette.dim(format_args!("{node} |")), palette.dim(stage))
        }
        Event::NodePrinted { .. } | Event::NodeProgressed { .. } => return None,
        Event::NodeWaited { node } => lines::waited(palette, node),
        Event::NodeRetried { node, attempt, error } => lines::retried(palette, node, *attempt, error),
        Event::NodeFinished { outcome: Outcome::Fresh, .. } if !verbose => return None,
        // Told by an event of its own.
        Event::NodeFinished { outcome: Outcome::Failed | Outcome::Skipped, .. } => return None,
        Event::NodeFinished { node, outcome, duration, same_artifact } => {
            lines::finished(palette, node, *outcome, *duration, *same_artifact, "")
        }
        Event::NodeFailed { node, message, help, at, tail, log } => {
            let (log, help) = (log.as_deref(), help.as_deref());
            Failure { node, message, at: at.as_ref(), tail, log, help }.block(palette)
        }
        Event::ChecksNotRun { node, checks, reason } => {
            lines::warning(palette, Some(node), &words::not_run(checks, reason), None)
        }
        Event::NodeSkipped { node, because } => lines::skipped(palette, node, because),
        Event::Warned { node, message, help } => {
            lines::warning(palette, node.as_ref(), message, help.as_deref())
        }
        Event::RunFinished { .. } => totals(event)?.line(palette),
    })
}

/// What `--quiet` still shows.
pub fn is_failure(event: &Event) -> bool {
    match event {
        Event::NodeFailed { .. } => true,
        Event::RunFinished { outcome, failed, .. } => {
            *failed > 0 || matches!(outcome, Outcome::Failed | Outcome::Interrupted)
        }
        _ => false,
    }
}

/// The totals of [`Event::RunFinished`].
pub fn totals(event: &Event) -> Option<Totals> {
    let &Event::RunFinished { run: _, outcome, fresh, restored, ran, failed, skipped, duration } = event
    else {
        return None;
    };
    Some(Totals { outcome, fresh, restored, ran, failed, skipped, duration })
}

/// `plan      1 to run, 2 perhaps, 1 to restore, 3 fresh  up to ~2m05s`, and below it what that time hangs
/// on; nothing when all is fresh.
pub fn plan(
    palette: Palette,
    counts: [usize; 4],
    estimate: Option<&Estimate>,
    untimed: usize,
    critical: &[NodeName],
) -> Option<String> {
    const WIDE: usize = 100;
    let [stale, waiting, restorable, fresh] = counts;
    if stale + waiting + restorable == 0 {
        return None;
    }
    let named = [(stale, "to run"), (waiting, "perhaps"), (restorable, "to restore"), (fresh, "fresh")];
    let parts: Vec<String> = named
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| format!("{} {what}", quantity::grouped(number as u64)))
        .collect();
    let mut time = if stale + waiting > 0 { "  no history yet".to_owned() } else { String::new() };
    if let Some(estimate) = estimate {
        let total = quantity::total(estimate);
        let up_to = if waiting > 0 && !total.starts_with('<') { "up to " } else { "" };
        time = format!("  {up_to}{total}");
        if untimed > 0 {
            time.push_str(&format!(", {} never timed", quantity::grouped(untimed as u64)));
        }
    }
    let mut line = format!("{}  {}{time}", lines::word(palette, "plan"), parts.join(", "));
    // A moment hangs on nothing that anybody would shorten.
    if critical.len() > 1 && estimate.is_some_and(|estimate| estimate.high_ms >= 1_000) {
        let path = palette.dim(lines::chain(critical, WIDE));
        line.push_str(&format!("\n{}  {path}", lines::word(palette, "critical")));
    }
    Some(line)
}

/// ``started   embed  (`run 0` changed: …)  ~2m05s (…)``
pub fn started(palette: Palette, node: &str, reasons: &[Reason], estimate: Option<&Estimate>) -> String {
    let mut line = format!("{}  {}", lines::word(palette, "started"), palette.bold(node));
    let cause = words::headline(reasons);
    if !cause.is_empty() {
        line.push_str(&format!("  ({cause})"));
    }
    // A moment needs no announcement.
    if let Some(estimate) = estimate.filter(|estimate| estimate.high_ms >= 1_000) {
        line.push_str(&format!("  {}", palette.dim(quantity::estimate(estimate))));
    }
    line
}

#[cfg(test)]
mod tests;
