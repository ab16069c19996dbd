//! The lines that all ways of showing a run share: a node's end, a failure, the summary.
//!
//! Every line begins with a word of at most eight letters, so that a column of them reads well:
//! `ran`, `restored`, `fresh`, `failed`, `skipped`, `started`, `running`, `waiting`, `retrying`, `warning`.

use std::fmt::Write;
use std::time::Duration;

use crate::event::Place;
use crate::pipeline::NodeName;
use crate::plan::Estimate;
use crate::record::Outcome;
use crate::report::colour::Palette;
use crate::report::quantity;
use crate::report::text;

/// Columns of the first word.
const WORD: usize = 8;

/// All that a run that does nothing says: `fresh  6 nodes  (4 ms)`.
pub fn fresh_line(nodes: usize, duration: Duration) -> String {
    format!("fresh  {}  ({})", quantity::count(nodes, "node"), quantity::duration(duration))
}

/// `word` in its column and colour.
pub fn word(palette: Palette, word: &str) -> String {
    let padded = format!("{word:WORD$}");
    match word {
        "ran" | "done" => palette.green(padded).to_string(),
        "failed" => palette.red(padded).to_string(),
        "restored" | "started" => palette.cyan(padded).to_string(),
        "retrying" | "warning" | "skipped" | "stopped" => palette.yellow(padded).to_string(),
        _ => palette.dim(padded).to_string(),
    }
}

/// How a node's end is called.
pub const fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Fresh => "fresh",
        Outcome::Restored => "restored",
        Outcome::Ran => "ran",
        Outcome::Failed => "failed",
        Outcome::Skipped => "skipped",
        Outcome::Interrupted => "stopped",
    }
}

/// A node that ended without failing:
/// `ran       embed  2m03s, same artifact as before  (`run 0` changed: …)`.
pub fn finished(
    palette: Palette,
    node: &NodeName,
    outcome: Outcome,
    duration: Duration,
    same_artifact: bool,
    cause: &str,
) -> String {
    let mut line = format!("{}  {}", word(palette, outcome_word(outcome)), palette.bold(node));
    if matches!(outcome, Outcome::Ran | Outcome::Restored | Outcome::Interrupted) {
        let _ = write!(line, "  {}", quantity::duration(duration));
    }
    if outcome == Outcome::Ran && same_artifact {
        line.push_str(", same artifact as before");
    }
    if !cause.is_empty() {
        let _ = write!(line, "  {}", palette.dim(format_args!("({cause})")));
    }
    line
}

/// Where a build stands: `step 9 of 17, about 11 min left`.
pub fn step_of(step: usize, steps: usize, left_ms: Option<u64>, untimed: usize) -> String {
    let step = format!("step {step} of {steps}");
    match (left_ms, untimed) {
        (None, _) => format!("{step}, no history yet"),
        (Some(left), 0) => format!("{step}, {} left", quantity::left(left)),
        (Some(left), untimed) => {
            format!("{step}, {} left and {}", quantity::left(left), quantity::count(untimed, "new step"))
        }
    }
}

/// `base → embed → binary`, at most `columns` wide: of a longer one the rest is counted.
pub fn chain(nodes: &[NodeName], columns: usize) -> String {
    let mut out = String::new();
    for (at, node) in nodes.iter().enumerate() {
        let more = nodes.len() - at;
        let link = if at == 0 { node.to_string() } else { format!(" → {node}") };
        let rest = if more > 1 { format!(" → {} more", more - 1).len() } else { 0 };
        if text::width(&out) + text::width(&link) + rest > columns {
            let _ = write!(out, "{}{more} more", if at == 0 { "" } else { " → " });
            break;
        }
        out.push_str(&link);
    }
    out
}

/// What is left of the whole: `left      about 14 min  base → embed → binary`.
pub fn left(palette: Palette, left: &Estimate, untimed: usize, critical: &[NodeName]) -> String {
    const WIDE: usize = 100;
    let mut line = format!("{}  {}", word(palette, "left"), quantity::left(left.median_ms));
    if untimed > 0 {
        let _ = write!(line, ", {} never timed", quantity::grouped(untimed as u64));
    }
    if critical.len() > 1 {
        let _ = write!(line, "  {}", palette.dim(chain(critical, WIDE)));
    }
    line
}

/// What failed, the line that somebody wrote, its last lines, where the whole log is, what would mend it,
/// and what to ask next.
pub struct Failure<'a> {
    pub node: &'a NodeName,
    pub message: &'a str,
    pub at: Option<&'a Place>,
    pub tail: &'a [String],
    pub log: Option<&'a str>,
    pub help: Option<&'a str>,
}

impl Failure<'_> {
    pub fn block(&self, palette: Palette) -> String {
        let mut out = format!("{}  {}: {}", word(palette, "failed"), palette.bold(self.node), self.message);
        if let Some(Place { file, line, around }) = self.at {
            let _ = write!(out, "\n{}  {file}:{line}", word(palette, "at"));
            let columns = around.last().map_or(0, |(number, _)| number.to_string().len());
            for (number, code) in around {
                let mark = if number == line { palette.red(">") } else { palette.dim(" ") };
                let code = format!("{number:>columns$} | {}", text::clean(code));
                let code = if number == line { palette.bold(code) } else { palette.dim(code) };
                let _ = write!(out, "\n{:WORD$}  {mark} {code}", "");
            }
        }
        for line in self.tail {
            let _ = write!(out, "\n{:WORD$}  {}", "", palette.dim(format_args!("| {}", text::clean(line))));
        }
        if let Some(log) = self.log {
            let _ = write!(out, "\n{}  {log}", word(palette, "log"));
        }
        if let Some(help) = self.help {
            let _ = write!(out, "\n{}", help_lines(palette, help));
        }
        let _ = write!(out, "\n{}  ", word(palette, "next"));
        if self.log.is_some() {
            let _ = write!(out, "osgraph log {}, ", self.node);
        }
        let _ = write!(out, "osgraph explain {}", self.node);
        out
    }
}

/// `help` in its column; further lines below the first.
pub fn help_lines(palette: Palette, help: &str) -> String {
    let indent = format!("\n{:WORD$}  ", "");
    format!("{}  {}", word(palette, "help"), help.replace('\n', &indent))
}

pub fn warning(palette: Palette, node: Option<&NodeName>, message: &str, help: Option<&str>) -> String {
    let mut out = word(palette, "warning");
    out.push_str("  ");
    if let Some(node) = node {
        let _ = write!(out, "{}: ", palette.bold(node));
    }
    out.push_str(message);
    if let Some(help) = help {
        let _ = write!(out, "\n{}", help_lines(palette, help));
    }
    out
}

pub fn skipped(palette: Palette, node: &NodeName, because: &NodeName) -> String {
    format!("{}  {}  because `{because}` failed", word(palette, "skipped"), palette.bold(node))
}

pub fn waited(palette: Palette, node: &NodeName) -> String {
    format!("{}  {}  for another run that is building it", word(palette, "waiting"), palette.bold(node))
}

pub fn retried(palette: Palette, node: &NodeName, attempt: u32, error: &str) -> String {
    format!("{}  {}  attempt {attempt}: {error}", word(palette, "retrying"), palette.bold(node))
}

/// How a whole run ended.
#[derive(Clone, Copy, Debug)]
pub struct Totals {
    pub outcome: Outcome,
    pub fresh: usize,
    pub restored: usize,
    pub ran: usize,
    pub failed: usize,
    pub skipped: usize,
    pub duration: Duration,
}

impl Totals {
    /// `done      2 ran, 1 restored, 3 fresh  (2m05s)`; [`fresh_line`] when nothing was done.
    pub fn line(&self, palette: Palette) -> String {
        let opening = match self.outcome {
            Outcome::Fresh => return fresh_line(self.fresh, self.duration),
            Outcome::Restored | Outcome::Ran => "done",
            Outcome::Failed | Outcome::Skipped => "failed",
            Outcome::Interrupted => "stopped",
        };
        let counts = [
            (self.failed, "failed"),
            (self.skipped, "skipped"),
            (self.ran, "ran"),
            (self.restored, "restored"),
            (self.fresh, "fresh"),
        ];
        let mut parts = String::new();
        for (number, what) in counts.into_iter().filter(|(number, _)| *number > 0) {
            let comma = if parts.is_empty() { "" } else { ", " };
            let _ = write!(parts, "{comma}{} {what}", quantity::grouped(number as u64));
        }
        let gap = if parts.is_empty() { "" } else { "  " };
        format!("{}  {parts}{gap}({})", word(palette, opening), quantity::duration(self.duration))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Palette = Palette::PLAIN;

    fn node(name: &str) -> NodeName {
        NodeName(name.into())
    }

    #[test]
    fn doing_nothing_is_one_line() {
        assert_eq!(fresh_line(6, Duration::from_micros(4_200)), "fresh  6 nodes  (4 ms)");
        assert_eq!(fresh_line(1, Duration::ZERO), "fresh  1 node  (0 ms)");
    }

    #[test]
    fn ends_of_nodes() {
        let second = Duration::from_millis(1_200);
        let line = |outcome, same, cause| finished(PLAIN, &node("embed"), outcome, second, same, cause);
        assert_eq!(line(Outcome::Ran, false, "never built"), "ran       embed  1.2s  (never built)");
        assert_eq!(line(Outcome::Ran, true, ""), "ran       embed  1.2s, same artifact as before");
        assert_eq!(line(Outcome::Restored, true, ""), "restored  embed  1.2s");
        assert_eq!(line(Outcome::Fresh, true, ""), "fresh     embed");
    }

    #[test]
    fn a_failure_says_what_where_and_how_to_mend() {
        let tail = ["\x1b[31mcc: no such file\x1b[0m".to_owned(), "make: *** [x] Error 1".to_owned()];
        let name = node("base");
        let failure = Failure {
            node: &name,
            message: "`make` ended with exit code 2",
            at: Some(&Place::of("pipeline.kdl", "a\nb\nc\nd\n", 2)),
            tail: &tail,
            log: Some("/s/logs/3-base.log"),
            help: Some("look here\nor there"),
        };
        assert_eq!(
            failure.block(PLAIN),
            "failed    base: `make` ended with exit code 2\nat        pipeline.kdl:2\n            1 | a\n          \
             > 2 | b\n            3 | c\n          | cc: no such file\n          | make: *** [x] Error 1\n\
             log       /s/logs/3-base.log\nhelp      look here\n          or there\n\
             next      osgraph log base, osgraph explain base"
        );
    }

    #[test]
    fn a_build_says_where_it_stands() {
        assert_eq!(step_of(9, 17, Some(640_000), 0), "step 9 of 17, about 11 min left");
        assert_eq!(step_of(9, 17, Some(640_000), 1), "step 9 of 17, about 11 min left and 1 new step");
        assert_eq!(step_of(1, 2, None, 1), "step 1 of 2, no history yet");
    }

    #[test]
    fn a_chain_is_as_long_as_there_is_room() {
        let nodes = ["base", "embed", "binary", "dist"].map(node);
        assert_eq!(chain(&nodes, 40), "base → embed → binary → dist");
        assert_eq!(chain(&nodes, 24), "base → embed → 2 more");
        assert_eq!(chain(&nodes, 2), "4 more");
        assert_eq!(chain(&nodes[..1], 40), "base");
    }

    #[test]
    fn summaries_count() {
        let totals = Totals {
            outcome: Outcome::Ran,
            fresh: 3,
            restored: 1,
            ran: 2,
            failed: 0,
            skipped: 0,
            duration: Duration::from_secs(125),
        };
        assert_eq!(totals.line(PLAIN), "done      2 ran, 1 restored, 3 fresh  (2m05s)");
        let failed = Totals { outcome: Outcome::Failed, failed: 1, skipped: 1_000, ..totals };
        assert_eq!(
            failed.line(PLAIN),
            "failed    1 failed, 1,000 skipped, 2 ran, 1 restored, 3 fresh  (2m05s)"
        );
        let fresh = Totals { outcome: Outcome::Fresh, ..totals };
        assert_eq!(fresh.line(PLAIN), "fresh  3 nodes  (2m05s)");
    }

    #[test]
    fn colour_does_not_change_the_columns() {
        assert_eq!(word(Palette::COLOURED, "ran"), "\x1b[32mran     \x1b[0m");
    }
}
