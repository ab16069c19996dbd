//! Lines, flags, lists, here-documents.

use super::{bases, mistake, patterns, read, try_read};

#[test]
fn words_may_be_small_letters() {
    let analysis = read("from alpine as Build\ncopy a b\nFrom build\ncopy --from=BUILD /x /y\n");
    assert_eq!(bases(&analysis), ["alpine"]);
    assert_eq!(patterns(&analysis), ["a"]);
    assert_eq!(analysis.steps[1].word, "COPY");
}

#[test]
fn lines_are_continued() {
    let text = "FROM alpine\nCOPY a \\\n  # a comment\n\n  b \\  \n  c/ /d\nCOPY e f\n";
    let analysis = read(text);
    assert_eq!(patterns(&analysis), ["a", "b", "c", "e"]);
    assert_eq!(&text[analysis.reads[2].span.clone()], "c/");
    assert_eq!(analysis.reads[2].line, 2);
    assert_eq!(analysis.reads[3].line, 7);
    assert_eq!(analysis.steps[1].text, "COPY a   b   c/ /d");
}

#[test]
fn an_escaped_escape_continues_nothing() {
    let analysis = read("FROM alpine\nRUN echo \\\\\nCOPY a b\n");
    assert_eq!(patterns(&analysis), ["a"]);
}

#[test]
fn a_word_may_be_broken_by_a_continuation() {
    let text = "FROM al\\\npine\nCOPY pack\\\nage/ /\n";
    let analysis = read(text);
    assert_eq!(bases(&analysis), ["alpine"]);
    assert_eq!(&text[analysis.bases[0].span.clone()], "al\\\npine");
    assert_eq!(patterns(&analysis), ["package"]);
}

#[test]
fn the_escape_character_can_be_changed() {
    let analysis = read("# escape=`\nFROM alpine\nCOPY a `\n b /\nCOPY c\\d /\n");
    assert_eq!(patterns(&analysis), ["a", "b", "c\\d"]);
    let late = read("# a comment\n# escape=`\nFROM alpine\nCOPY a \\\n b /\n");
    assert_eq!(patterns(&late), ["a", "b"]);
}

#[test]
fn directives_stand_at_the_top_only() {
    let analysis = read("# syntax = docker/dockerfile:1 \n# check=skip=all\nFROM alpine\n");
    let syntax = analysis.syntax.unwrap();
    assert_eq!((&*syntax.image, syntax.line, syntax.span), ("docker/dockerfile:1", 1, 0..30));
    assert_eq!(read("#!/usr/bin/env x\n# syntax=a/b\nFROM alpine\n").syntax.unwrap().line, 2);
    assert_eq!(read("\n# syntax=a/b\nFROM alpine\n").syntax, None);
    assert_eq!(read("FROM alpine\n# syntax=a/b\n").syntax, None);
    assert_eq!(
        mistake("# escape=x\nFROM a").0,
        "1: `x` cannot be the escape character: it is a backslash or a backquote"
    );
    assert_eq!(mistake("# syntax=a\n# syntax=b\nFROM a").0, "2: directive `syntax` stands twice");
}

#[test]
fn a_byte_order_mark_and_other_line_ends_do_not_matter() {
    let text = "\u{feff}# syntax=a/b\r\nFROM alpine\r\nCOPY a \\\r\n  b /\r\n";
    let analysis = read(text);
    assert_eq!(patterns(&analysis), ["a", "b"]);
    assert_eq!(&text[analysis.reads[1].span.clone()], "b");
    assert_eq!(analysis.syntax.unwrap().image, "a/b");
}

#[test]
fn lists_hold_words_with_blanks() {
    let analysis =
        read("FROM alpine\nCOPY [\"a b\", \"c\", \"/d/\"]\nADD --chown=1:1 [ \"\\u0065\",\"g\" ]\n");
    assert_eq!(patterns(&analysis), ["a b", "c", "e"]);
    // What is no list is read as words.
    assert_eq!(patterns(&read("FROM alpine\nCOPY [a b\n")), Vec::<&str>::new());
    assert_eq!(patterns(&read("FROM alpine\nCOPY arr[[]0].txt b\n")), ["arr[[]0].txt"]);
    assert_eq!(mistake("FROM a\nCOPY [\"a\", 1]\n").0, "2: a list in brackets holds strings only");
}

#[test]
fn flags_are_no_sources() {
    let text = "FROM alpine\n\
        COPY --chown=a:b --chmod=u+x --link --parents --exclude=*.md --exclude='x y' --from=\"\" a /\n\
        COPY --link=false -- --b /\n\
        COPY --chown=x\\ y \\\n  --chmod=755 c /\n";
    assert_eq!(patterns(&read(text)), ["a", "--b", "c"]);
}

#[test]
fn here_documents_are_no_sources_and_no_instructions() {
    let text = "FROM alpine\n\
        COPY <<EOF <<-'two' plain /x\nCOPY not me\nEOF\n\tADD not me\n\ttwo\n\
        RUN <<EOF\nCOPY nor me\nEOF\n\
        RUN --mount=type=cache,target=/c cat <<EOF > /a && cat 3<<\"E O\" >> /b\nFROM nothing\nEOF\nADD nor me\nE O\n\
        COPY last /\n";
    let analysis = read(text);
    assert_eq!(patterns(&analysis), ["plain", "last"]);
    assert_eq!(bases(&analysis), ["alpine"]);
    assert_eq!(analysis.steps[2].text, "RUN <<EOF\nCOPY nor me\n");
    assert_eq!(analysis.reads[1].line, 15);
}

#[test]
fn not_everything_with_two_angles_is_a_here_document() {
    let text = "FROM alpine\n\
        RUN cat <<< text\n\
        RUN [\"sh\", \"-c\", \"<<EOF\"]\n\
        RUN echo \"<<EOF\" '<<EOF' \\<<EOF\n\
        RUN echo $((1<<2))\n\
        RUN echo it's <<EOF\n\
        CMD <<EOF\n\
        ENV A=<<EOF\n\
        COPY a /\n";
    assert_eq!(patterns(&read(text)), ["a"]);
}

#[test]
fn a_here_document_without_end_is_a_mistake() {
    let (message, place, help) = mistake("FROM a\nRUN cat <<EOF\ntext\n");
    assert_eq!(message, "2: here-document `EOF` has no end");
    assert_eq!(place, "RUN cat <<EOF");
    assert_eq!(help.unwrap(), "end it with a line `EOF`");
}

#[test]
fn what_is_no_dockerfile_is_a_mistake() {
    assert_eq!(mistake("").0, "1: no `FROM` in the Dockerfile");
    assert_eq!(mistake("# nothing\n\nARG A\n").0, "1: no `FROM` in the Dockerfile");
    assert_eq!(
        mistake("ARG A\nRUN x\nFROM a\n"),
        (
            "2: `RUN` stands before the first `FROM`".to_owned(),
            "RUN x".to_owned(),
            Some("only `ARG` may stand before the first `FROM`".to_owned()),
        )
    );
    assert_eq!(
        mistake("FROM a\n  COPPY b c\n"),
        ("2: unknown instruction `COPPY`".to_owned(), "COPPY".to_owned(), None)
    );
    assert_eq!(mistake("FROM a b\n").0, "1: `FROM` takes an image, or an image and `AS name`");
    assert_eq!(mistake("FROM a AS 1b\n").1, "1b");
    assert_eq!(mistake("FROM a\nCOPY b\n").0, "2: `COPY` lacks an argument");
    assert_eq!(mistake("FROM a\nCOPY --from b c\n").0, "2: `--from` has no value");
    assert_eq!(mistake("FROM a\nENV A=1 B\n").0, "2: `B` is not of the form `name=value`");
    assert_eq!(mistake("FROM a\nONBUILD ONBUILD RUN x\n").0, "2: `ONBUILD` cannot hold `ONBUILD`");
    assert_eq!(mistake("FROM a\nCOPY \"a b\n").0, "2: `\"a` cannot be read: a double quote does not close");
    assert_eq!(
        mistake("FROM a\nRUN --mount=type=bind,\\\"x\n").0,
        "2: `--mount` cannot be read: a quote does not close"
    );
    assert!(try_read(&"#".repeat(2 << 20)).unwrap_err().help().is_some());
}

#[test]
fn steps_are_named_as_buildkit_names_them() {
    let text = "FROM alpine AS build\nWORKDIR /\nWORKDIR /x\nENV A=1\nCOPY a b\n\
        FROM scratch\nCOPY --from=build /x /\nCMD [\"/x\"]\n";
    let steps: Vec<_> = read(text).steps.into_iter().map(|s| (s.line, s.word, s.stage, s.number)).collect();
    let step = |line, word: &str, stage: &str, number| (line, word.to_owned(), stage.to_owned(), number);
    assert_eq!(
        steps,
        [
            step(1, "FROM", "build", Some((1, 4))),
            step(2, "WORKDIR", "build", None),
            step(3, "WORKDIR", "build", Some((2, 4))),
            step(4, "ENV", "build", None),
            step(5, "COPY", "build", Some((3, 4))),
            step(6, "FROM", "stage-1", None),
            step(7, "COPY", "stage-1", Some((1, 1))),
            step(8, "CMD", "stage-1", None),
        ]
    );
    assert_eq!(read("FROM a\nRUN x\n").steps[1].stage, "");
    assert_eq!(read("FROM a\nCOPY --from=b /x /\n").steps[1].stage, "stage-0");
}
