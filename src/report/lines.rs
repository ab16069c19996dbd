//! The lines that all ways of showing a run share: a node's end, a failure, the summary.
//!
//! Every line begins with a word of at most eight letters, so that a column of them reads well:
//! `ran`, `restored`, `fresh`, `failed`, `skipped`, `started`, `waiting`, `retrying`, `warning`.

use std::fmt::Write;
use std::time::Duration;

use crate::pipeline::NodeName;
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

/// What failed, its last lines, where the whole log is, and what would mend it.
pub struct Failure<'a> {
    pub node: &'a NodeName,
    pub message: &'a str,
    pub tail: &'a [String],
    pub log: Option<&'a str>,
    pub help: Option<&'a str>,
}

impl Failure<'_> {
    pub fn block(&self, palette: Palette) -> String {
        let mut out = format!("{}  {}: {}", word(palette, "failed"), palette.bold(self.node), self.message);
        for line in self.tail {
            let _ = write!(out, "\n{:WORD$}  {}", "", palette.dim(format_args!("| {}", text::clean(line))));
        }
        if let Some(log) = self.log {
            let _ = write!(out, "\n{}  {log}", word(palette, "log"));
        }
        if let Some(help) = self.help {
            let _ = write!(out, "\n{}", help_lines(palette, help));
        }
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
            tail: &tail,
            log: Some("osgraph log base"),
            help: Some("look here\nor there"),
        };
        assert_eq!(
            failure.block(PLAIN),
            "failed    base: `make` ended with exit code 2\n          | cc: no such file\n          \
             | make: *** [x] Error 1\nlog       osgraph log base\nhelp      look here\n          or there"
        );
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
