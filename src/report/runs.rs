//! `osgraph runs`: past runs, and the steps of one.

use serde::Serialize;

use crate::digest::Digest;
use crate::key::Key;
use crate::pipeline::NodeName;
use crate::record::{Outcome, Run, RunId, Step, Why};
use crate::report::colour::Palette;
use crate::report::json::answer;
use crate::report::lines::outcome_word;
use crate::report::quantity::{age, millis, timestamp};
use crate::report::table::{Align, Table};

/// One line a run, in the order given; `now` in seconds since 1970.
pub fn list(runs: &[Run], now: i64, palette: Palette) -> String {
    if runs.is_empty() {
        return "no runs yet\n".to_owned();
    }
    let mut table = Table::new([
        ("run", Align::Right),
        ("when", Align::Left),
        ("took", Align::Right),
        ("outcome", Align::Left),
        ("targets", Align::Left),
        ("revision", Align::Left),
    ]);
    for run in runs {
        let Run { id, started, duration_ms, outcome, targets, revision } = run;
        table.row([
            id.to_string(),
            age(*started, now),
            millis(*duration_ms),
            outcome_word(*outcome).to_owned(),
            if targets.is_empty() { "(defaults)".to_owned() } else { targets.join(" ") },
            revision.clone().unwrap_or_default(),
        ]);
    }
    table.text(palette)
}

/// One run: a head line, and one line a step, or more where lines have to end within `columns`.
pub fn one(run: &Run, steps: &[Step], now: i64, columns: Option<usize>, palette: Palette) -> String {
    let mut out = format!(
        "{}  {} ({}), {} in {}",
        palette.bold(format!("run {}", run.id)),
        timestamp(run.started),
        age(run.started, now),
        outcome_word(run.outcome),
        millis(run.duration_ms)
    );
    if let Some(revision) = &run.revision {
        out.push_str(&format!(", {revision}"));
    }
    out.push('\n');
    if steps.is_empty() {
        return out;
    }
    let mut table = Table::new([
        ("node", Align::Left),
        ("outcome", Align::Left),
        ("took", Align::Right),
        ("cause", Align::Left),
    ]);
    for step in steps {
        let cause = step.why.cause.clone();
        table.row([
            step.node.to_string(),
            outcome_word(step.outcome).to_owned(),
            millis(step.duration_ms),
            cause,
        ]);
    }
    out.push_str(&table.text_within(columns, palette));
    out
}

#[derive(Serialize)]
struct List<'a> {
    runs: &'a [Run],
}

#[derive(Serialize)]
struct One<'a> {
    run: &'a Run,
    steps: Vec<OneStep<'a>>,
}

#[derive(Serialize)]
struct OneStep<'a> {
    run: RunId,
    node: &'a NodeName,
    outcome: Outcome,
    began_ms: u64,
    duration_ms: u64,
    cause: &'a str,
    reasons: serde_json::Value,
    baseline: Option<RunId>,
    key: Option<&'a Key>,
    same: Option<bool>,
    log: Option<&'a Digest>,
}

impl<'a> OneStep<'a> {
    fn of(step: &'a Step) -> Self {
        let Step { run, node, outcome, began_ms, duration_ms, why, key, same, log } = step;
        let Why { cause, reasons, baseline } = why;
        Self {
            run: *run,
            node,
            outcome: *outcome,
            began_ms: *began_ms,
            duration_ms: *duration_ms,
            cause,
            // As the run wrote them; a step of an earlier osgraph has none.
            reasons: serde_json::from_str(reasons).unwrap_or_else(|_| serde_json::Value::Array(Vec::new())),
            baseline: *baseline,
            key: key.as_ref(),
            same: *same,
            log: log.as_ref(),
        }
    }
}

/// `{"v":1,"runs":[…]}`
pub fn list_json(runs: &[Run]) -> String {
    answer(&List { runs })
}

/// `{"v":1,"run":{…},"steps":[…]}`
pub fn one_json(run: &Run, steps: &[Step]) -> String {
    answer(&One { run, steps: steps.iter().map(OneStep::of).collect() })
}

/// `{"v":1,"steps":[…]}`, steps of several runs
pub fn steps_json(steps: &[Step]) -> String {
    #[derive(Serialize)]
    struct Steps<'a> {
        steps: Vec<OneStep<'a>>,
    }
    answer(&Steps { steps: steps.iter().map(OneStep::of).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_450_139;

    fn run(id: i64, outcome: Outcome, targets: &[&str], revision: Option<&str>) -> Run {
        Run {
            id: RunId(id),
            started: NOW - 7_200,
            duration_ms: 125_000,
            outcome,
            targets: targets.iter().map(|t| (*t).to_owned()).collect(),
            revision: revision.map(str::to_owned),
        }
    }

    fn step(node: &str, outcome: Outcome, cause: &str) -> Step {
        let node = NodeName(node.into());
        let why = Why { cause: cause.into(), ..Why::default() };
        Step {
            run: RunId(41),
            node,
            outcome,
            began_ms: 7,
            duration_ms: 900,
            why,
            key: None,
            same: None,
            log: None,
        }
    }

    #[test]
    fn runs_are_listed() {
        let runs = [
            run(41, Outcome::Failed, &["dist-docker", "app"], Some("main@9f2c")),
            run(9, Outcome::Fresh, &[], None),
        ];
        assert_eq!(
            list(&runs, NOW, Palette::PLAIN),
            "\
run  when      took  outcome  targets          revision
 41  2 h ago  2m05s  failed   dist-docker app  main@9f2c
  9  2 h ago  2m05s  fresh    (defaults)
"
        );
        assert_eq!(list(&[], NOW, Palette::PLAIN), "no runs yet\n");
    }

    #[test]
    fn one_run_has_its_steps() {
        let steps = [step("base", Outcome::Ran, "never built"), step("embed", Outcome::Skipped, "")];
        assert_eq!(
            one(&run(41, Outcome::Failed, &[], Some("main@9f2c")), &steps, NOW, None, Palette::PLAIN),
            "\
run 41  2026-11-23 14:08 UTC (2 h ago), failed in 2m05s, main@9f2c
node   outcome    took  cause
base   ran      900 ms  never built
embed  skipped  900 ms
"
        );
    }

    #[test]
    fn json_is_stable() {
        let run = run(41, Outcome::Ran, &["a"], None);
        let expected = r#"{"id":41,"started":1795442939,"duration_ms":125000,"outcome":"ran","targets":["a"],"revision":null}"#;
        assert_eq!(list_json(std::slice::from_ref(&run)), format!("{{\"v\":1,\"runs\":[{expected}]}}\n"));
        let step = step("a", Outcome::Ran, "forced");
        let steps = r#"[{"run":41,"node":"a","outcome":"ran","began_ms":7,"duration_ms":900,"cause":"forced","reasons":[],"baseline":null,"key":null,"same":null,"log":null}]"#;
        assert_eq!(one_json(&run, &[step]), format!("{{\"v\":1,\"run\":{expected},\"steps\":{steps}}}\n"));
    }
}
