use std::time::Duration;

use super::*;
use crate::key::Facet;
use crate::pipeline::{Kind, NodeName};
use crate::plan::Code;
use crate::report::output::testing::Shared;

fn node(name: &str) -> NodeName {
    NodeName(name.into())
}

fn run() -> Vec<Event> {
    let estimate = Estimate { median_ms: 125_000, low_ms: 110_000, high_ms: 150_000, samples: 14 };
    let reasons = vec![Reason::new(Code::OptionChanged, Facet::Own, "run 0")];
    let finished = |name: &str, outcome, same_artifact| Event::NodeFinished {
        node: node(name),
        outcome,
        duration: Duration::from_millis(1_200),
        same_artifact,
    };
    vec![
        Event::RunStarted { pipeline: "p".into(), targets: vec![], nodes: 4 },
        Event::SurveyProgressed { files: 1, bytes: 1 },
        Event::Planned {
            fresh: 1,
            restorable: 1,
            stale: 1,
            waiting: 1,
            estimate: Some(estimate),
            untimed: 1,
            critical: vec![node("base"), node("embed")],
        },
        finished("base", Outcome::Fresh, true),
        Event::NodeStarted {
            node: node("embed"),
            kind: Kind::AppEmbed,
            reasons,
            estimate: Some(estimate),
            attempt: 1,
        },
        Event::NodePrinted { node: node("embed"), line: "\x1b[1mstep 1\x1b[0m".into() },
        Event::NodeRetried { node: node("embed"), attempt: 2, error: "network".into() },
        finished("embed", Outcome::Ran, true),
        Event::NodeWaited { node: node("binary") },
        Event::Warned { node: Some(node("binary")), message: "old".into(), help: Some("renew it".into()) },
        Event::NodeFailed {
            node: node("binary"),
            message: "not an ELF file".into(),
            help: Some("look".into()),
            at: None,
            tail: vec!["last".into()],
            log: Some("/s/logs/3-binary.log".into()),
        },
        Event::NodeSkipped { node: node("dist"), because: node("binary") },
        Event::RunFinished {
            run: None,
            outcome: Outcome::Failed,
            fresh: 1,
            restored: 0,
            ran: 1,
            failed: 1,
            skipped: 1,
            duration: Duration::from_secs(3),
        },
    ]
}

fn shown(palette: Palette, verbosity: Verbosity) -> String {
    let written = Shared::default();
    let clock = Clock { elapsed: Box::new(|| Duration::from_secs(1)), now: Box::new(|| 0) };
    let plain = Plain::new(palette, verbosity, Box::new(written.clone()), clock);
    run().into_iter().for_each(|event| plain.emit(event));
    written.text()
}

#[test]
fn a_run_is_one_line_an_event() {
    assert_eq!(
        shown(Palette::PLAIN, Verbosity::Normal),
        "\
plan      1 to run, 1 perhaps, 1 to restore, 1 fresh  up to ~2m05s (1m50s–2m30s), 1 never timed
critical  base → embed
started   embed  (`run 0` changed)  ~2m05s (1m50s–2m30s over 14 runs)
retrying  embed  attempt 2: network
ran       embed  1.2s, same artifact as before
waiting   binary  for another run that is building it
warning   binary: old
help      renew it
failed    binary: not an ELF file
          | last
log       /s/logs/3-binary.log
help      look
next      osgraph log binary, osgraph explain binary
skipped   dist  because `binary` failed
failed    1 failed, 1 skipped, 1 ran, 1 fresh  (3.0s)
"
    );
}

#[test]
fn verbose_adds_recipes_output_and_fresh_nodes() {
    let verbose = shown(Palette::PLAIN, Verbosity::Verbose);
    assert!(verbose.contains("\nfresh     base\n"), "{verbose}");
    assert!(verbose.contains("\nembed | step 1\n"), "{verbose}");
    let lines = |verbosity| shown(Palette::PLAIN, verbosity).lines().count();
    assert_eq!(lines(Verbosity::Verbose), lines(Verbosity::Normal) + 2);
}

#[test]
fn quiet_leaves_failures() {
    assert_eq!(
        shown(Palette::PLAIN, Verbosity::Quiet),
        "\
failed    binary: not an ELF file
          | last
log       /s/logs/3-binary.log
help      look
next      osgraph log binary, osgraph explain binary
failed    1 failed, 1 skipped, 1 ran, 1 fresh  (3.0s)
"
    );
}

#[test]
fn colours_change_nothing_else() {
    let coloured = shown(Palette::COLOURED, Verbosity::Verbose);
    assert!(
        coloured.contains("\x1b[31mfailed  \x1b[0m  \x1b[1mbinary\x1b[0m: not an ELF file"),
        "{coloured}"
    );
    let bare: Vec<_> = coloured.lines().map(text::clean).collect();
    assert_eq!(bare.join("\n") + "\n", shown(Palette::PLAIN, Verbosity::Verbose));
}
