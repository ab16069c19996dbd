//! The lines are a contract: a change here needs a new `v`.

use std::time::Duration;

use super::*;
use crate::digest::Digest;
use crate::event::Place;
use crate::key::{Facet, Value};
use crate::path::RelPath;
use crate::pipeline::{Kind, NodeName, Span};
use crate::plan::{Code, Estimate, Reason};
use crate::record::{Outcome, RunId};
use crate::report::output::testing::Shared;
use crate::tree::{Change, ChangeKind, Entry};

fn json(event: Event) -> String {
    let written = Shared::default();
    let clock = Clock {
        elapsed: Box::new(|| Duration::from_millis(12)),
        now: Box::new(|| unreachable!("not needed")),
    };
    Json::new(Box::new(written.clone()), clock).emit(event);
    written.text()
}

fn node(name: &str) -> NodeName {
    NodeName(name.into())
}

#[test]
fn lines_of_every_event_are_stable() {
    let estimate = Estimate { median_ms: 125_000, low_ms: 110_000, high_ms: 150_000, samples: 14 };
    let second = Duration::from_secs(1);
    let cases = [
        (
            Event::RunStarted { pipeline: "p".into(), targets: vec![node("a")], nodes: 6 },
            r#""event":"run_started","pipeline":"p","targets":["a"],"nodes":6"#,
        ),
        (
            Event::SurveyProgressed { files: 3, bytes: 400 },
            r#""event":"survey_progressed","files":3,"bytes":400"#,
        ),
        (
            Event::Planned {
                fresh: 1,
                restorable: 2,
                stale: 3,
                waiting: 4,
                estimate: Some(estimate),
                untimed: 0,
                critical: vec![node("a")],
            },
            r#""event":"planned","fresh":1,"restorable":2,"stale":3,"waiting":4,"estimate":{"median_ms":125000,"low_ms":110000,"high_ms":150000,"samples":14},"untimed":0,"critical":["a"]"#,
        ),
        (
            Event::NodePrinted { node: node("a"), line: "x\u{1b}".into() },
            r#""event":"node_printed","node":"a","line":"x\u001b""#,
        ),
        (
            Event::NodeProgressed { node: node("a"), stage: "storing".into() },
            r#""event":"node_progressed","node":"a","stage":"storing""#,
        ),
        (
            Event::BuildAdvanced {
                node: node("a"),
                step: 9,
                steps: 17,
                instruction: "RUN x".into(),
                left: None,
                untimed: 2,
            },
            r#""event":"build_advanced","node":"a","step":9,"steps":17,"instruction":"RUN x","untimed":2"#,
        ),
        (
            Event::BytesMoved { node: node("a"), what: "packing".into(), done: 1, total: Some(2) },
            r#""event":"bytes_moved","node":"a","what":"packing","done":1,"total":2"#,
        ),
        (
            Event::RunProgressed { left: Some(estimate), untimed: 1, critical: vec![node("a")] },
            r#""event":"run_progressed","left":{"median_ms":125000,"low_ms":110000,"high_ms":150000,"samples":14},"untimed":1,"critical":["a"]"#,
        ),
        (Event::NodeWaited { node: node("a") }, r#""event":"node_waited","node":"a""#),
        (
            Event::NodeRetried { node: node("a"), attempt: 2, error: "e".into() },
            r#""event":"node_retried","node":"a","attempt":2,"error":"e""#,
        ),
        (
            Event::NodeFinished {
                node: node("a"),
                outcome: Outcome::Ran,
                duration: second,
                same_artifact: true,
            },
            r#""event":"node_finished","node":"a","outcome":"ran","duration_ms":1000,"same_artifact":true"#,
        ),
        (
            Event::NodeFailed {
                node: node("a"),
                message: "m".into(),
                help: None,
                at: Some(Place::of("pipeline.kdl", "a\nb\n", 1)),
                tail: vec!["t".into()],
                log: None,
            },
            r#""event":"node_failed","node":"a","message":"m","at":{"file":"pipeline.kdl","line":1,"around":[[1,"a"],[2,"b"]]},"tail":["t"],"log":null"#,
        ),
        (
            Event::ChecksNotRun { node: node("a"), checks: vec!["version".into()], reason: "r".into() },
            r#""event":"checks_not_run","node":"a","checks":["version"],"reason":"r""#,
        ),
        (
            Event::NodeSkipped { node: node("a"), because: node("b") },
            r#""event":"node_skipped","node":"a","because":"b""#,
        ),
        (
            Event::Warned { node: None, message: "m".into(), help: Some("h".into()) },
            r#""event":"warned","message":"m","help":"h""#,
        ),
        (
            Event::RunFinished {
                run: Some(RunId(41)),
                outcome: Outcome::Failed,
                fresh: 1,
                restored: 2,
                ran: 3,
                failed: 4,
                skipped: 5,
                duration: second,
            },
            r#""event":"run_finished","run":41,"outcome":"failed","fresh":1,"restored":2,"ran":3,"failed":4,"skipped":5,"duration_ms":1000"#,
        ),
    ];
    for (event, expected) in cases {
        assert_eq!(json(event), format!("{{\"v\":1,\"time_ms\":12,{expected}}}\n"));
    }
}

#[test]
fn reasons_are_stable() {
    let digest = Digest::of(b"x");
    let file = |size| Entry::File { digest, size, executable: false };
    let mut reason = Reason::new(Code::InputChanged, Facet::Own, "input app");
    reason.old = Some(Value::Text("a".into()));
    reason.new = Some(Value::Image(digest));
    reason.changes.push(Change {
        path: RelPath::parse("src/a").unwrap(),
        kind: ChangeKind::Modified,
        old: Some(file(1)),
        new: None,
    });
    reason.span = Some(Span { offset: 7, length: 3 });
    reason.node = Some(node("b"));
    let event = Event::NodeStarted {
        node: node("a"),
        kind: Kind::AppEmbed,
        reasons: vec![reason],
        estimate: None,
        attempt: 1,
    };
    let expected = concat!(
        r#"{"v":1,"time_ms":12,"event":"node_started","node":"a","kind":"app-embed","reasons":[{"#,
        r#""code":"input-changed","facet":"own","label":"input app","old":{"text":"a"},"new":{"image":"DIGEST"},"#,
        r#""changes":[{"path":"src/a","kind":"modified","old":{"file":{"digest":"DIGEST","size":1,"executable":false}},"new":null}],"#,
        r#""more":false,"span":{"offset":7,"length":3},"node":"b"}],"attempt":1}"#,
        "\n"
    );
    assert_eq!(json(event), expected.replace("DIGEST", &digest.hex()));
}
