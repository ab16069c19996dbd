use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::event::{Event, Place, Sink};
use crate::pipeline::{self, Diagnostics, Kind, NodeName, SourceFile, Span};
use crate::record::Outcome;
use crate::report::colour::Palette;
use crate::report::output::testing::Shared;
use crate::report::sections::Sections;
use crate::report::sink::{Clock, Verbosity};

fn shown(verbosity: Verbosity, events: impl IntoIterator<Item = Event>) -> String {
    let written = Shared::default();
    let clock = Clock { elapsed: Box::new(|| Duration::ZERO), now: Box::new(|| 0) };
    let sink = Sections::new(Github::default(), Palette::PLAIN, verbosity, Box::new(written.clone()), clock);
    events.into_iter().for_each(|event| sink.emit(event));
    written.text()
}

fn node(name: &str) -> NodeName {
    NodeName(name.into())
}

fn started(name: &str) -> Event {
    Event::NodeStarted { node: node(name), kind: Kind::Command, reasons: vec![], estimate: None, attempt: 1 }
}

fn printed(name: &str, line: &str) -> Event {
    Event::NodePrinted { node: node(name), line: line.into() }
}

fn ran(name: &str) -> Event {
    let duration = Duration::from_secs(2);
    Event::NodeFinished { node: node(name), outcome: Outcome::Ran, duration, same_artifact: false }
}

#[test]
fn side_by_side_nodes_get_whole_groups() {
    let events = [
        started("a"),
        started("b"),
        printed("a", "1"),
        printed("b", "2"),
        printed("a", "3"),
        ran("a"),
        ran("b"),
    ];
    assert_eq!(
        shown(Verbosity::Normal, events),
        "started   a\nstarted   b\n::group::ran       a  2.0s\n| 1\n| 3\n::endgroup::\n\
         ::group::ran       b  2.0s\n| 2\n::endgroup::\n"
    );
}

#[test]
fn a_node_that_runs_alone_is_written_as_it_prints() {
    let events = [
        started("a"),
        started("b"),
        printed("a", "1"),
        printed("b", "2"),
        ran("b"),
        printed("a", "3"),
        printed("a", "4"),
        started("c"),
        printed("c", "5"),
        printed("a", "6"),
        ran("c"),
    ];
    assert_eq!(
        shown(Verbosity::Normal, events),
        "started   a\nstarted   b\n::group::ran       b  2.0s\n| 2\n::endgroup::\n\
         ::group::output of a\n| 1\n| 3\n| 4\n::endgroup::\nstarted   c\n\
         ::group::ran       c  2.0s\n| 5\n::endgroup::\n"
    );
}

#[test]
fn a_recipe_cannot_give_commands() {
    let events = [printed("a", "::set-env name=X::1"), printed("a", "x ##[error]y"), ran("a")];
    assert_eq!(
        shown(Verbosity::Normal, events),
        "::group::output of a\n| ::set-env name=X::1\n| x ## [error]y\n::endgroup::\nran       a  2.0s\n"
    );
}

#[test]
fn a_failure_is_annotated() {
    let failed = Event::NodeFailed {
        node: node("a"),
        message: "50% done,\nthen lost".into(),
        help: None,
        at: None,
        tail: vec![],
        log: None,
    };
    let expected = "::group::output of a\n| 1\n::endgroup::\nfailed    a: 50% done,\nthen lost\n\
                    next      osgraph explain a\n::error title=a failed::50%25 done,%0Athen lost\n";
    assert_eq!(shown(Verbosity::Normal, [printed("a", "1"), failed.clone()]), expected);
    assert_eq!(shown(Verbosity::Quiet, [printed("a", "1"), failed, printed("b", "x"), ran("b")]), expected);
}

#[test]
fn a_failure_is_annotated_where_it_was_written() {
    let at = Place::of("b/Dockerfile", "FROM a\nRUN false\n", 2);
    let mark = |project: &str, at| {
        let github = Github { project: project.to_owned() };
        github.annotate(Severity::Error, "base failed", "exit code 1", at).unwrap()
    };
    assert_eq!(mark("", Some(&at)), "::error file=b/Dockerfile,line=2,title=base failed::exit code 1");
    assert_eq!(
        mark("sub/it", Some(&at)),
        "::error file=sub/it/b/Dockerfile,line=2,title=base failed::exit code 1"
    );
    assert_eq!(mark("sub/it", None), "::error title=base failed::exit code 1");
}

#[test]
fn long_output_keeps_its_end() {
    let lines = (0..5_002).map(|n| printed("a", &n.to_string()));
    let text =
        shown(Verbosity::Normal, [started("a"), started("b")].into_iter().chain(lines).chain([ran("a")]));
    assert!(text.contains("… 2 earlier lines, see `osgraph log a`\n| 2\n| 3\n"), "{}", &text[..200]);
    assert!(text.ends_with("| 5001\n::endgroup::\n"));
}

#[test]
fn diagnostics_are_annotated_where_they_are() {
    let source = SourceFile { name: "pipeline.kdl".into(), text: Arc::from("a\n  b\n") };
    let at = |offset| Span { offset, length: 1 };
    let list = vec![
        pipeline::Diagnostic::new("unknown-kind", "no `a`", at(0), "here").help("try `c`"),
        pipeline::Diagnostic::new("unknown-kind", "no `b`", at(4), "here"),
    ];
    assert_eq!(
        annotations(&Diagnostics::new(&source, list)),
        "::error file=pipeline.kdl,line=1,col=1::no `a`%0Ahelp: try `c`\n\
         ::error file=pipeline.kdl,line=2,col=3::no `b`\n"
    );
}
