//! A run as a page of Markdown, for CI machines that show one beside the log.
//!
//! Holds what nodes did and why; nothing that recipes printed but the last lines of what failed, which
//! come with secrets replaced.

use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::event::{Event, Place, Sink};
use crate::pipeline::NodeName;
use crate::plan::{Reason, privacy};
use crate::record::Outcome;
use crate::report::lines::{fresh_line, outcome_word};
use crate::report::output::{Output, Writer};
use crate::report::plain::totals;
use crate::report::quantity;
use crate::report::roster::Roster;
use crate::report::text;
use crate::report::words;

/// Writes the page when the run is over.
pub struct Summary {
    state: Mutex<State>,
    /// Bytes that the machine still takes.
    budget: usize,
}

struct State {
    output: Output,
    pipeline: String,
    rows: Roster<Row>,
    failures: Vec<String>,
    warnings: Vec<String>,
}

struct Row {
    cause: String,
    outcome: Option<Outcome>,
    duration: Duration,
    same: bool,
}

impl Summary {
    pub fn new(writer: Writer, budget: usize) -> Self {
        let state = State {
            output: Output::new(writer),
            pipeline: String::new(),
            rows: Roster::default(),
            failures: Vec::new(),
            warnings: Vec::new(),
        };
        Self { state: Mutex::new(state), budget }
    }
}

impl Sink for Summary {
    fn emit(&self, event: Event) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::RunStarted { pipeline, .. } => state.pipeline = pipeline,
            Event::NodeStarted { node, reasons, .. } => state.row(node).cause = cause(&reasons),
            Event::NodeFinished { node, outcome, duration, same_artifact } => {
                let row = state.row(node);
                (row.outcome, row.duration, row.same) = (Some(outcome), duration, same_artifact);
            }
            Event::NodeFailed { node, message, at, tail, help, .. } => {
                let failure = failure(&node, &message, at.as_ref(), &tail, help.as_deref());
                state.failures.push(failure);
                state.row(node).outcome = Some(Outcome::Failed);
            }
            Event::NodeSkipped { node, because } => {
                let row = state.row(node);
                (row.outcome, row.cause) = (Some(Outcome::Skipped), format!("`{because}` failed"));
            }
            Event::Warned { node, message, .. } => {
                let node = node.map_or_else(String::new, |node| format!("{}: ", code(node.as_ref())));
                state.warnings.push(format!("- {node}{}\n", inline(&message)));
            }
            Event::ChecksNotRun { node, checks, reason } => {
                let message = words::not_run(&checks, &reason);
                state.warnings.push(format!("- {}: {}\n", code(node.as_ref()), inline(&message)));
            }
            Event::RunFinished { .. } => {
                let page = state.page(&event, self.budget);
                state.output.write(&page);
            }
            _ => {}
        }
    }
}

impl State {
    fn row(&mut self, node: NodeName) -> &mut Row {
        let (cause, duration) = (String::new(), Duration::ZERO);
        self.rows.entry(node, || Row { cause, outcome: None, duration, same: false })
    }

    fn page(&self, finished: &Event, budget: usize) -> String {
        let Some(totals) = totals(finished) else { return String::new() };
        let verdict = match totals.outcome {
            Outcome::Fresh => fresh_line(totals.fresh, totals.duration),
            _ => text::clean(&totals.line(crate::report::Palette::PLAIN)).into_owned(),
        };
        let name = if self.pipeline.is_empty() { "osgraph" } else { &self.pipeline };
        let mut page = Page { text: String::new(), budget };
        let (word, rest) = verdict.split_once("  ").unwrap_or((&verdict, ""));
        page.add(&format!("### {} {word}: {}\n\n", inline(name), inline(&squeezed(rest))));
        self.failures.iter().for_each(|failure| page.add_whole(failure));
        let is_worked = |(_, row): &(&NodeName, &Row)| row.outcome.is_some_and(|one| one != Outcome::Fresh);
        let worked: Vec<(&NodeName, &Row)> = self.rows.iter().filter(is_worked).collect();
        if !worked.is_empty() {
            page.add("| node | | time | cause |\n|---|---|---:|---|\n");
        }
        for (at, (node, row)) in worked.iter().enumerate() {
            if !page.add(&row.line(node)) {
                page.close(&format!("\n… and {}\n", quantity::count(worked.len() - at, "more node")));
                return page.text;
            }
        }
        if !self.warnings.is_empty() {
            page.add("\n**Warnings**\n\n");
            self.warnings.iter().for_each(|warning| page.add_whole(warning));
        }
        page.add("\n");
        page.text
    }
}

/// Room that is kept for the words with which a page that is too long ends.
const RESERVE: usize = 200;

struct Page {
    text: String,
    budget: usize,
}

impl Page {
    /// False when there is no room for it.
    fn add(&mut self, part: &str) -> bool {
        let fits = self.text.len() + part.len() + RESERVE <= self.budget;
        if fits {
            self.text.push_str(part);
        }
        fits
    }

    /// A part that is left out where it does not fit.
    fn add_whole(&mut self, part: &str) {
        self.add(part);
    }

    fn close(&mut self, part: &str) {
        if self.text.len() + part.len() <= self.budget {
            self.text.push_str(part);
        }
    }
}

impl Row {
    fn line(&self, node: &NodeName) -> String {
        let outcome = self.outcome.unwrap_or(Outcome::Interrupted);
        let mut word = outcome_word(outcome).to_owned();
        if outcome == Outcome::Failed {
            word = format!("**{word}**");
        }
        if outcome == Outcome::Ran && self.same {
            word.push_str(", same artifact");
        }
        let time = match outcome {
            Outcome::Ran | Outcome::Restored | Outcome::Interrupted => quantity::duration(self.duration),
            _ => String::new(),
        };
        format!("| {} | {word} | {time} | {} |\n", cell(&code(node.as_ref())), cell(&inline(&self.cause)))
    }
}

/// As in the log, but for values whose names speak of secrets: this page is read by more people.
fn cause(reasons: &[Reason]) -> String {
    let private = |reason: &&Reason| privacy::is_private(&reason.label);
    match reasons.iter().find(|reason| words::is_root(reason.code)).or(reasons.first()).filter(private) {
        Some(reason) => words::subject(reason),
        None => words::headline(reasons),
    }
}

fn failure(
    node: &NodeName,
    message: &str,
    at: Option<&Place>,
    tail: &[String],
    help: Option<&str>,
) -> String {
    let mut out = format!("**{} failed**: {}\n\n", code(node.as_ref()), inline(message));
    if let Some(at) = at {
        let _ = write!(out, "at {}\n\n", code(&format!("{}:{}", at.file, at.line)));
    }
    if !tail.is_empty() {
        // Indented text needs no fence that it could end.
        for line in tail {
            let _ = writeln!(out, "    {}", text::clean(line));
        }
        out.push('\n');
    }
    if let Some(help) = help {
        let _ = write!(out, "help: {}\n\n", inline(help));
    }
    out
}

/// Text as a span of code, whatever is in it.
fn code(text: &str) -> String {
    format!("`{}`", text::clean(text).replace('`', "'").replace('\n', " "))
}

/// Text in a line, with the spans of code that messages have and nothing else that Markdown or HTML
/// would obey.
fn inline(text: &str) -> String {
    let text = text.replace('\n', " ");
    let mut out = String::with_capacity(text.len());
    let mut in_code = false;
    let is_paired = text.matches('`').count().is_multiple_of(2);
    for char in text::clean(&text).chars() {
        match char {
            '`' if is_paired => {
                in_code = !in_code;
                out.push('`');
            }
            // In code nothing is obeyed but its end.
            char if in_code => out.push(char),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '*' | '_' | '[' | ']' | '#' | '`' | '~' | '!' => {
                out.push('\\');
                out.push(char);
            }
            char => out.push(char),
        }
    }
    out
}

/// In a table a bar is the end of a cell, also in code.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{Facet, Value};
    use crate::pipeline::Kind;
    use crate::plan::Code;
    use crate::report::output::testing::Shared;

    fn node(name: &str) -> NodeName {
        NodeName(name.into())
    }

    fn started(name: &str, reasons: Vec<Reason>) -> Event {
        Event::NodeStarted { node: node(name), kind: Kind::Command, reasons, estimate: None, attempt: 1 }
    }

    fn ran(name: &str) -> Event {
        let duration = Duration::from_secs(125);
        Event::NodeFinished { node: node(name), outcome: Outcome::Ran, duration, same_artifact: true }
    }

    fn over(outcome: Outcome, failed: usize) -> Event {
        let (restored, skipped, duration) = (0, failed, Duration::from_secs(130));
        Event::RunFinished { run: None, outcome, fresh: 3, restored, ran: 1, failed, skipped, duration }
    }

    fn page(budget: usize, events: impl IntoIterator<Item = Event>) -> String {
        let written = Shared::default();
        let summary = Summary::new(Box::new(written.clone()), budget);
        events.into_iter().for_each(|event| summary.emit(event));
        written.text()
    }

    fn changed(label: &str, old: &str, new: &str) -> Reason {
        let mut reason = Reason::new(Code::EnvironmentChanged, Facet::Environment, label);
        reason.old = Some(Value::Text(old.into()));
        reason.new = Some(Value::Text(new.into()));
        reason
    }

    #[test]
    fn a_run_is_a_table_with_its_failures_first() {
        let failed = Event::NodeFailed {
            node: node("embed"),
            message: "`make` ended with exit code 2".into(),
            help: Some("look <here>".into()),
            at: Some(Place::of("pipeline.kdl", "x\n", 1)),
            tail: vec!["```".into(), "\x1b[31merror\x1b[0m".into()],
            log: None,
        };
        let events = [
            Event::RunStarted { pipeline: "shop".into(), targets: vec![], nodes: 6 },
            started("base", vec![changed("arg LIBC", "a|b", "musl")]),
            ran("base"),
            started("embed", vec![]),
            failed,
            Event::NodeSkipped { node: node("dist"), because: node("embed") },
            Event::NodeFinished {
                node: node("source"),
                outcome: Outcome::Fresh,
                duration: Duration::ZERO,
                same_artifact: true,
            },
            Event::Warned { node: Some(node("base")), message: "*little* room".into(), help: None },
            over(Outcome::Failed, 1),
        ];
        assert_eq!(
            page(1 << 20, events),
            "### shop failed: 1 failed, 1 skipped, 1 ran, 3 fresh (2m10s)\n\n\
             **`embed` failed**: `make` ended with exit code 2\n\nat `pipeline.kdl:1`\n\n    ```\n    error\n\n\
             help: look &lt;here&gt;\n\n\
             | node | | time | cause |\n|---|---|---:|---|\n\
             | `base` | ran, same artifact | 2m05s | `arg LIBC` changed: \"a\\|b\" → \"musl\" |\n\
             | `embed` | **failed** |  |  |\n\
             | `dist` | skipped |  | `embed` failed |\n\n\
             **Warnings**\n\n- `base`: \\*little\\* room\n\n"
        );
    }

    #[test]
    fn values_that_may_be_secrets_do_not_stand_there() {
        let events = [started("base", vec![changed("arg TOKEN", "planted", "other")]), ran("base")];
        let text = page(1 << 20, events.into_iter().chain([over(Outcome::Ran, 0)]));
        assert!(text.contains("| `arg TOKEN` changed |") && !text.contains("planted"), "{text}");
    }

    #[test]
    fn a_long_page_stays_within_its_budget_and_says_what_it_left_out() {
        let nodes = (0..5_000).flat_map(|at| [started(&format!("n{at}"), vec![]), ran(&format!("n{at}"))]);
        let text = page(10_000, nodes.chain([over(Outcome::Ran, 0)]));
        assert!(text.len() <= 10_000, "{}", text.len());
        let shown = text.matches("| ran").count();
        assert!(
            text.ends_with(&format!("… and {} more nodes\n", quantity::grouped(5_000 - shown as u64))),
            "{text}"
        );
    }

    #[test]
    fn a_run_that_did_nothing_is_a_line() {
        assert_eq!(page(1_000, [over(Outcome::Fresh, 0)]), "### osgraph fresh: 3 nodes (2m10s)\n\n\n");
    }
}
