//! The answer of `osgraph explain --last`: why each node was last worked on, as it was told then.

use std::fmt::Write;

use crate::plan::Reason;
use crate::record::{Outcome, Run, Step};
use crate::report::explain::{Context, node};
use crate::report::lines::outcome_word;
use crate::report::quantity::{age, millis};
use crate::report::text::{pad, width};

/// A step, and the runs that it speaks of.
pub struct Told {
    pub step: Step,
    pub run: Run,
    /// The run whose record the node was compared with.
    pub baseline: Option<Run>,
}

/// The text, with a line's end at its end; `told` in the order in which it is shown.
pub fn text(told: &[Told], context: &Context<'_>) -> String {
    let columns = told.iter().map(|one| width(one.step.node.as_ref())).max().unwrap_or(0);
    let mut out = String::new();
    for one in told {
        if !out.is_empty() {
            out.push('\n');
        }
        head(&mut out, one, columns, context);
        node::blocks(&mut out, &one.reasons(), [0; 3], &[], context);
    }
    out
}

/// `embed  RAN  2m05s in run 41, main@9f2c, 3 h ago, compared with run 38; same artifact as before`
fn head(out: &mut String, one: &Told, columns: usize, context: &Context<'_>) {
    let palette = context.palette;
    let Told { step, run, baseline } = one;
    let word = outcome_word(step.outcome).to_uppercase();
    let word = match step.outcome {
        Outcome::Failed | Outcome::Interrupted => palette.red(word),
        _ => palette.yellow(word),
    };
    let mut when = format!("in run {}", run.id);
    if let Some(revision) = &run.revision {
        let _ = write!(when, ", {revision}");
    }
    let _ = write!(when, ", {}", age(run.started, context.now));
    if let Some(baseline) = baseline {
        let _ = write!(when, ", compared with run {}", baseline.id);
        if let Some(revision) = &baseline.revision {
            let _ = write!(when, ", {revision}");
        }
    }
    match step.same {
        Some(true) => when.push_str("; same artifact as before"),
        Some(false) => when.push_str("; another artifact than before"),
        None => {}
    }
    let name = palette.bold(pad(step.node.as_ref(), columns));
    let _ = writeln!(out, "{name}  {word}  {}  {}", millis(step.duration_ms), palette.dim(when));
}

impl Told {
    /// What was recorded; of a step that knows only its one line, that line.
    fn reasons(&self) -> Vec<Reason> {
        serde_json::from_str(&self.step.why.reasons).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{Facet, Value};
    use crate::pipeline::NodeName;
    use crate::plan::Code;
    use crate::record::{RunId, Why};
    use crate::report::colour::Palette;

    fn run(id: i64) -> Run {
        Run {
            id: RunId(id),
            started: 1_000,
            duration_ms: 5,
            outcome: Outcome::Ran,
            targets: Vec::new(),
            revision: Some(format!("main@{id}")),
        }
    }

    #[test]
    fn a_step_is_told_with_its_run_its_baseline_and_all_reasons() {
        let mut reason = Reason::new(Code::OptionChanged, Facet::Own, "run 0");
        reason.old = Some(Value::Text("make".into()));
        reason.new = Some(Value::Text("make all".into()));
        reason.line = Some(31);
        let why = Why {
            cause: String::new(),
            reasons: serde_json::to_string(&[reason]).unwrap(),
            baseline: Some(RunId(38)),
        };
        let step = Step {
            run: RunId(41),
            node: NodeName("embed".into()),
            outcome: Outcome::Ran,
            began_ms: 0,
            duration_ms: 125_000,
            why,
            key: None,
            same: Some(true),
            log: None,
        };
        let told = Told { step, run: run(41), baseline: Some(run(38)) };
        let context =
            Context { now: 1_060, file: "pipeline.kdl", params: &[], palette: Palette::PLAIN, columns: None };
        insta::assert_snapshot!(text(&[told], &context), @r#"
        embed  RAN  2m05s  in run 41, main@41, 1 min ago, compared with run 38, main@38; same artifact as before
          own          `run 0` changed: "make" → "make all"
                       └ pipeline.kdl:31
        "#);
    }
}
