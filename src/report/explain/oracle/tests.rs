use super::*;
use crate::plan::Estimate;

fn node(name: &str) -> NodeName {
    NodeName(name.into())
}

fn used(name: &str, label: &str) -> Use {
    let (node, label) = (node(name), label.into());
    Use { node, label, effect: Effect::Run, span: None, line: Some(12), place: None, note: None }
}

fn passed(why: Why) -> Passed {
    let (node, label) = (Some(node("base")), Some("context".into()));
    Passed { why, node, label, span: None, line: Some(12), place: None, at: None, other: None }
}

fn place(file: &str, line: Option<u32>, text: &str) -> Option<Place> {
    Some(Place { file: file.into(), line, text: text.into() })
}

fn expected(name: &str, median_ms: Option<u64>) -> Expected {
    let estimate =
        median_ms.map(|median_ms| Estimate { median_ms, low_ms: median_ms, high_ms: median_ms, samples: 1 });
    Expected { node: node(name), estimate, by_default: name != "aside" }
}

fn oracle(counts: Vec<Use>, passed: Vec<Passed>) -> Oracle {
    let sight = Sight { path: "builder/a".into(), form: Form::File, counts, passed };
    Oracle {
        file: "pipeline.kdl".into(),
        paths: vec![sight],
        runs: Vec::new(),
        follow: Vec::new(),
        restored: Vec::new(),
        notes: Vec::new(),
    }
}

#[test]
fn a_path_that_counts_has_its_lines_and_its_cost() {
    let counts = vec![
        Use { place: place("builder/Dockerfile", Some(3), "COPY a"), ..used("base", "context") },
        Use { note: Some(Note::LeadsThere), ..used("aside", "input x") },
        Use { effect: Effect::Restore, line: None, ..used("dist", "dist") },
    ];
    let said = Oracle {
        runs: vec![expected("base", Some(125_000)), expected("aside", None)],
        follow: vec![expected("embed", Some(30_000))],
        restored: vec![node("dist")],
        notes: vec!["nobody answers".into()],
        ..oracle(counts, Vec::new())
    };
    assert_eq!(
        text(&said, Asked::Path, Palette::PLAIN),
        "\
`builder/a` counts for 3 nodes
  base   `context` at pipeline.kdl:12, by `COPY a` at builder/Dockerfile:3
  aside  `input x` at pipeline.kdl:12 (a link on the way)
  dist   output `dist`, put back when it is altered

if it changed: 2 nodes run (~2m05s, 1 never timed), up to 1 may follow (~30s more), 1 node is restored
  base   ~2m05s (1 run)
  aside  never timed  not among the defaults
  then embed — fresh if what they read comes out identical
  restored: dist
note: nobody answers
"
    );
    assert!(text(&said, Asked::IfChanged, Palette::PLAIN).starts_with("2 nodes run (~2m05s, 1 never timed)"));
}

#[test]
fn every_reason_to_pass_a_path_over_has_its_sentence() {
    let said = |passed: Passed| {
        let text = text(&oracle(Vec::new(), vec![passed]), Asked::Path, Palette::PLAIN);
        let (head, line) = text.split_once('\n').unwrap();
        assert_eq!(head, "`builder/a` counts for nothing");
        line.trim_end().trim_start_matches("  base  `context` at pipeline.kdl:12: ").to_owned()
    };
    let rule = || place("x/.dockerignore", Some(2), "*.md");
    let at = || Some("builder/docs".to_owned());
    let ignored = Passed { place: rule(), at: at(), ..passed(Why::Ignored) };
    assert_eq!(said(ignored), "left out with `builder/docs` by `*.md` at x/.dockerignore:2");
    let excluded = Passed { place: place("", None, "docs/"), ..passed(Why::Excluded) };
    assert_eq!(said(excluded), "  base  left out by `exclude` `docs/` at pipeline.kdl:12");
    let ignored = Passed { place: rule(), ..passed(Why::DockerIgnored) };
    assert_eq!(said(ignored), "left out of the context by `*.md` at x/.dockerignore:2");
    let lost = Passed { place: place("x/Dockerfile", None, ""), ..passed(Why::NotCopied) };
    assert_eq!(said(lost), "in the context, and nothing in `x/Dockerfile` copies it");
    let idle =
        Passed { place: place("x/Dockerfile", Some(4), "COPY a in stage dev"), ..passed(Why::IdleStage) };
    assert_eq!(
        said(idle),
        "only copied by a stage that is not built: `COPY a in stage dev` at x/Dockerfile:4"
    );
    let output = Passed { other: Some(node("made")), ..passed(Why::Output) };
    assert_eq!(said(output), "an output of `made`, which never counts as an input");
    let open = Passed { place: place("0123456", None, "HEAD"), ..passed(Why::Uncommitted) };
    assert_eq!(said(open), "not in the commit 0123456 (`HEAD`): it counts when it is committed");
    let covered = Passed { other: Some(node("source")), ..passed(Why::Covered) };
    assert_eq!(said(covered), "the tree of `source` stands there");
    let alone = |why| Passed { node: None, label: None, line: None, ..passed(why) };
    assert_eq!(said(alone(Why::Store)), "  in the store, which never counts");
    assert_eq!(said(alone(Why::Undeclared)), "  no node declares it or a folder above it");
}
