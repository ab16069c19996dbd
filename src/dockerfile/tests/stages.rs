//! Which stages count, and which images they need.

use super::{ask, bases, mistake, patterns, read};
use crate::dockerfile::{BaseUse, Question, idle_reads};

const MANY: &str = "FROM alpine:1 AS one\nCOPY one /\n\
    FROM alpine:2 AS two\nCOPY two /\n\
    FROM one AS three\nCOPY three /\n\
    FROM alpine:4 AS four\nCOPY four /\n\
    FROM scratch\nCOPY --from=three /x /x\nCOPY --from=1 /y /y\n";

#[test]
fn only_needed_stages_count() {
    let analysis = read(MANY);
    assert_eq!(bases(&analysis), ["alpine:1", "alpine:2"]);
    assert_eq!(patterns(&analysis), ["one", "two", "three"]);
    let analysis = ask(MANY, &[], Some("FOUR")).unwrap();
    assert_eq!((bases(&analysis), patterns(&analysis)), (vec!["alpine:4"], vec!["four"]));
    assert_eq!(analysis.steps.len(), 2);
}

#[test]
fn an_unknown_target_lists_the_stages() {
    let mistake = ask(MANY, &[], Some("fuor")).unwrap_err();
    assert_eq!(mistake.to_string(), "no stage `fuor`");
    assert_eq!(mistake.help().unwrap(), "stages here: `one`, `two`, `three`, `four`");
    let mistake = ask("FROM a\n", &[], Some("x")).unwrap_err();
    assert_eq!(mistake.help().unwrap(), "no stage has a name: add `AS name` to its `FROM`");
}

#[test]
fn every_use_of_an_image_is_told_with_its_place() {
    let text = "ARG V=3\nFROM --platform=$BUILDPLATFORM php:${V} AS build\n\
        COPY --from=composer:2 /usr/bin/composer /\n\
        RUN --mount=type=bind,from=golang:1,target=/go --mount=from=build2,target=/x true\n\
        FROM scratch\nCOPY --from=build / /\n";
    let analysis = read(text);
    let told: Vec<_> = analysis
        .bases
        .iter()
        .map(|b| (&*b.reference, b.line, &text[b.span.clone()], b.platform.as_deref(), b.used_by))
        .collect();
    assert_eq!(
        told,
        [
            ("php:3", 2, "php:${V}", Some("linux/amd64"), BaseUse::From),
            ("composer:2", 3, "composer:2", None, BaseUse::Copy),
            ("golang:1", 4, "golang:1", None, BaseUse::Mount),
            ("build2", 4, "build2", None, BaseUse::Mount),
        ]
    );
    assert!(analysis.args.contains("V"));
    assert!(analysis.reads.is_empty());
}

#[test]
fn scratch_and_stages_are_no_images() {
    let text = "FROM scratch AS empty\nFROM empty\nCOPY --from=scratch / /\n\
        RUN --mount=from=scratch,target=/x --mount=type=tmpfs,target=/t --mount=from=EMPTY,target=/y true\n";
    let analysis = read(text);
    assert!(analysis.bases.is_empty() && analysis.reads.is_empty());
}

#[test]
fn a_name_given_twice_is_the_last_one_before() {
    let text = "FROM a AS x\nCOPY first /\nFROM b AS x\nCOPY second /\nFROM x\nCOPY --from=x / /\n";
    assert_eq!(patterns(&read(text)), ["second"]);
}

#[test]
fn a_mount_takes_no_number() {
    assert_eq!(bases(&read("FROM a\nFROM b\nRUN --mount=from=0,target=/x true\n")), ["b", "0"]);
}

#[test]
fn stages_cannot_be_read_before_they_are_made() {
    assert_eq!(
        mistake("FROM a\nCOPY --from=later / /\nFROM b AS later\nFROM scratch\nCOPY --from=0 / /\n"),
        (
            "2: stage `later` is read before it is made".to_owned(),
            "--from=later".to_owned(),
            Some("move that stage before the one that reads it".to_owned()),
        )
    );
    assert_eq!(mistake("FROM a AS x\nCOPY --from=x / /\n").0, "2: stage `x` is read before it is made");
    assert_eq!(mistake("FROM a\nCOPY --from=0 / /\n").0, "2: stage `0` is read before it is made");
    assert_eq!(mistake("FROM a\nCOPY --from=7 / /\n").2.unwrap(), "stages are counted from 0 to 0");
    assert_eq!(mistake("FROM a\nCOPY --from=-1 / /\n").0, "2: no stage with the number -1");
}

#[test]
fn from_takes_no_variables() {
    let (message, _, help) = mistake("ARG A=x\nFROM a\nARG A\nCOPY --from=$A / /\n");
    assert_eq!(message, "4: `$A` in `from` is not put in: no variables there");
    assert_eq!(help.unwrap(), "name a stage instead: `FROM $IMAGE AS name` may use an `ARG`");
}

#[test]
fn triggers_of_a_stage_run_in_those_built_on_it() {
    let text = "FROM alpine AS base\nONBUILD COPY app /app\nONBUILD RUN <<E\nCOPY no no\nE\n\
        FROM base AS child\nCOPY own /\nFROM child\n";
    let analysis = read(text);
    assert_eq!(patterns(&analysis), ["app", "own"]);
    assert_eq!(analysis.reads[0].line, 2);
    let triggers: Vec<_> = analysis.triggers.iter().map(|t| (t.line, &*t.text)).collect();
    assert_eq!(triggers, [(2, "ONBUILD COPY app /app"), (3, "ONBUILD RUN <<E\nCOPY no no\n")]);
    // In the stage itself they do nothing.
    assert_eq!(patterns(&ask(text, &[], Some("base")).unwrap()), Vec::<&str>::new());
}

/// They stand in the image that is made, of the stage in which they stand.
#[test]
fn triggers_are_part_of_the_script() {
    let script = |text: &str| read(text).script();
    let plain = script("FROM a AS one\nRUN x\nFROM one\nRUN y\n");
    let first = script("FROM a AS one\nRUN x\nONBUILD ENV A=1\nFROM one\nRUN y\n");
    let second = script("FROM a AS one\nRUN x\nFROM one\nONBUILD ENV A=1\nRUN y\n");
    assert_ne!(plain, first);
    assert_ne!(plain, second);
    assert_ne!(first, second);
}

#[test]
fn arguments_that_only_stages_name_which_are_not_built_change_nothing() {
    let text = "ARG KIND=a\nARG A\nARG B\nARG C\nFROM ${A} AS on-a\nFROM ${B} AS on-b\nFROM on-${KIND}\n";
    let analysis = ask(text, &[("A", "image-a"), ("B", "image-b"), ("C", "c")], None).unwrap();
    let names = |set: &std::collections::BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>();
    assert_eq!(names(&analysis.args), ["A", "KIND"]);
    assert_eq!(names(&analysis.idle_args), ["B"]);
    assert_eq!(analysis.unused_args, ["C"]);
}

#[test]
fn sources_of_stages_that_are_not_built_are_told_apart() {
    let text = "FROM scratch AS dev\nCOPY docs /docs\nCOPY src /src\nFROM scratch AS app\nCOPY src /src\n";
    let question = Question { text, args: &[], target: None, platform: Some("linux/amd64"), builder: None };
    let found: Vec<(String, String, u32)> =
        idle_reads(&question).into_iter().map(|(stage, read)| (stage, read.pattern, read.line)).collect();
    assert_eq!(found, [("dev".into(), "docs".into(), 2), ("dev".into(), "src".into(), 3)]);
    let dev = Question { target: Some("dev"), ..question };
    let found: Vec<u32> = idle_reads(&dev).into_iter().map(|(_, read)| read.line).collect();
    assert_eq!(found, [5]);
}
