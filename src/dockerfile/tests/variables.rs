//! `ARG`, `ENV`, predefined variables, and what cannot be told.

use super::{ask, bases, mistake, patterns, read};
use crate::dockerfile::{Question, analyse};

/// The source `$word` in a stage on `scratch` that sets some variables.
fn source(word: &str) -> String {
    let text = format!("FROM scratch\nENV SET=v EMPTY= DIR=a/b.c.d\nCOPY [{word:?}, \"/\"]\n");
    let analysis = read(&text);
    assert_eq!(analysis.everything, None, "{word}");
    patterns(&analysis).join(" ")
}

#[test]
fn modifiers_are_followed() {
    for (word, expected) in [
        ("$SET", "v"),
        ("x${SET}y", "xvy"),
        ("$SET-$SET", "v-v"),
        ("x$UNSET", "x"),
        ("${UNSET:-d}", "d"),
        ("${EMPTY:-d}", "d"),
        ("x${EMPTY-d}", "x"),
        ("${SET:-d}", "v"),
        ("${SET:+d}", "d"),
        ("x${EMPTY:+d}", "x"),
        ("${EMPTY+d}", "d"),
        ("x${UNSET+d}", "x"),
        ("${SET:?no}", "v"),
        ("${UNSET:-${SET}w}", "vw"),
        ("${UNSET:-${UNSET:-deep}}", "deep"),
        ("\\$SET", "$SET"),
        ("'$SET'", "$SET"),
        ("\"$SET\"", "v"),
        ("\"\\$SET\"", "$SET"),
        ("\"\\a\"", "\\a"),
        ("a\\b", "ab"),
        ("cost$", "cost$"),
        ("x$1", "x"),
        ("${DIR#a/}", "b.c.d"),
        ("${DIR%.*}", "a/b.c"),
        ("${DIR%%.*}", "a/b"),
        ("${DIR#*.}", "c.d"),
        ("${DIR##*.}", "d"),
        ("${DIR#x}", "a/b.c.d"),
        ("${DIR/./-}", "a/b-c.d"),
        ("${DIR//./-}", "a/b-c-d"),
        ("${DIR/b*/x}", "a/x"),
        ("${DIR/\\//_}", "a_b.c.d"),
    ] {
        assert_eq!(source(word), expected, "{word}");
    }
}

#[test]
fn bad_notation_is_a_mistake() {
    for (word, why) in [
        ("${", "`${` is not followed by a name"),
        ("${}", "`${` is not followed by a name"),
        ("${A", "`}` is missing"),
        ("${A:-b", "`}` is missing"),
        ("${A:b}", "`:b` after a variable's name is not supported"),
        ("${A!b}", "`!` after a variable's name is not supported"),
        ("${A?}", "`A` must be set"),
        ("${A:?give me one}", "`A` give me one"),
        ("'a", "a single quote does not close"),
    ] {
        let text = format!("FROM scratch\nCOPY [{word:?}, \"/\"]\n");
        assert_eq!(mistake(&text).0, format!("2: `{word}` cannot be read: {why}"));
    }
    let deep = format!("FROM scratch\nCOPY {}{} /\n", "${A:-".repeat(5000), "}".repeat(5000));
    assert!(mistake(&deep).0.ends_with("more than 32 `${` inside each other"));
}

#[test]
fn args_have_defaults_and_are_given() {
    let text = "ARG V=8\nARG IMAGE=php:$V\nFROM $IMAGE\nARG V\nARG D=dir-$V\nCOPY $D/x /\n";
    let analysis = read(text);
    assert_eq!((bases(&analysis), patterns(&analysis)), (vec!["php:8"], vec!["dir-8/x"]));
    let analysis = ask(text, &[("V", "9")], None).unwrap();
    assert_eq!((bases(&analysis), patterns(&analysis)), (vec!["php:9"], vec!["dir-9/x"]));
    let analysis = ask(text, &[("D", "e"), ("IMAGE", "x")], None).unwrap();
    assert_eq!((bases(&analysis), patterns(&analysis)), (vec!["x"], vec!["e/x"]));
    assert_eq!(analysis.args.into_iter().collect::<Vec<_>>(), ["D", "IMAGE", "V"]);
}

#[test]
fn an_arg_before_from_is_not_seen_in_a_stage() {
    let analysis = read("ARG D=x\nFROM scratch\nCOPY a$D /\n");
    assert_eq!(patterns(&analysis), ["a"]);
    assert!(analysis.args.is_empty());
}

#[test]
fn used_and_unused_args_are_told_apart() {
    let text = "ARG TAG=1\nARG NEEDED=2\nARG VIA=$NEEDED\nARG NEVER\n\
        FROM a:$TAG AS other\nARG ELSEWHERE\nFROM b:$VIA\nARG SEEN\nRUN make\n";
    let names =
        ["TAG", "NEEDED", "VIA", "NEVER", "ELSEWHERE", "SEEN", "TYPO", "http_proxy", "BUILDKIT_INLINE_CACHE"];
    let given: Vec<_> = names.iter().map(|name| (*name, "1")).collect();
    let analysis = ask(text, &given, None).unwrap();
    assert_eq!(analysis.args.iter().collect::<Vec<_>>(), ["BUILDKIT_INLINE_CACHE", "SEEN", "VIA"]);
    assert_eq!(analysis.unused_args, ["NEEDED", "NEVER", "ELSEWHERE", "TYPO"]);
    // Without `VIA` its default is used, and with it what that is made of.
    let analysis = ask(text, &[("NEEDED", "1")], None).unwrap();
    assert_eq!(analysis.args.iter().collect::<Vec<_>>(), ["NEEDED", "SEEN", "VIA"]);
    assert!(analysis.unused_args.is_empty());
}

#[test]
fn the_platform_gives_variables() {
    let text = "FROM x-$TARGETARCH$TARGETVARIANT:$TARGETOS-$BUILDARCH\nARG TARGETPLATFORM\nCOPY bin/$TARGETPLATFORM /\n";
    let ask = |platform, builder| {
        analyse(&Question { text, args: &[], target: None, platform, builder })
            .map(|analysis| format!("{} {}", bases(&analysis).join(" "), patterns(&analysis).join(" ")))
    };
    assert_eq!(ask(Some("linux/amd64"), None).unwrap(), "x-amd64:linux-amd64 bin/linux/amd64");
    assert_eq!(
        ask(Some("linux/aarch64/v8"), Some("linux/x86_64")).unwrap(),
        "x-arm64:linux-amd64 bin/linux/arm64"
    );
    assert_eq!(ask(Some("linux/arm"), None).unwrap(), "x-armv7:linux-arm bin/linux/arm/v7");
    let mistake = ask(None, None).unwrap_err();
    assert_eq!(
        mistake.to_string(),
        "the image in `x-$TARGETARCH$TARGETVARIANT:$TARGETOS-$BUILDARCH` cannot be told: `TARGETARCH` hangs on the platform"
    );
    assert_eq!(ask(Some("linux"), None).unwrap_err().to_string(), "`linux` is no platform");
    assert_eq!(super::mistake("FROM --platform=x a\n").0, "1: `x` is no platform");
    // A builder's platform that nobody knows leaves the choice to the builder.
    let question = Question {
        text: "FROM --platform=$BUILDPLATFORM a\n",
        args: &[],
        target: None,
        platform: None,
        builder: None,
    };
    assert_eq!(analyse(&question).unwrap().bases[0].platform, None);
}

#[test]
fn a_blank_image_is_a_mistake() {
    assert_eq!(
        mistake("FROM a\nFROM $NONE\n"),
        ("2: the image in `$NONE` has an empty name".to_owned(), "$NONE".to_owned(), None,)
    );
}

#[test]
fn env_counts_in_sources_and_is_inherited() {
    let text = "FROM scratch AS base\nENV A=x B=\"y z\" C='$A'\nENV D old $A form\n\
        FROM base\nENV A=$A/2 E=$A\nCOPY [\"$A\", \"$B\", \"$C\", \"$D\", \"$E\", \"/\"]\n";
    assert_eq!(patterns(&read(text)), ["x/2", "y z", "$A", "old x form", "x"]);
}

#[test]
fn what_an_image_may_set_makes_everything_count() {
    let analysis = read("FROM php:8\nENV MINE=m\nCOPY $MINE /\nCOPY $PHP_INI_DIR/x /\nCOPY $OTHER /\n");
    assert_eq!(patterns(&analysis), ["m"]);
    let dynamic = analysis.everything.unwrap();
    assert_eq!(dynamic.why, "`PHP_INI_DIR` is not known: the image `php:8` may set it");
    assert_eq!(dynamic.line, 4);
    // Where nothing hangs on it, it does not matter.
    assert_eq!(read("FROM php:8\nENV A=$PHP_INI_DIR\nCOPY x /\n").everything, None);
    assert_eq!(read("FROM php:8\nENV A=1\nCOPY ${A:-$PHP_INI_DIR} /\n").everything, None);
    assert!(read("FROM php:8\nENV A=$PHP_INI_DIR\nCOPY ${A:-x} /\n").everything.is_some());
    assert!(read("FROM php:8\nRUN --mount=source=$X,target=/x true\n").everything.is_some());
    assert!(read("FROM php:8\nENV A=1 $X=2\nCOPY $A /\n").everything.is_some());
}

#[test]
fn the_last_one_of_env_and_arg_wins_and_is_inherited() {
    for (text, expected) in [
        ("ENV A=1\nARG A=2\nCOPY $A /\n", "2"),
        ("ARG A=1\nENV A=2\nCOPY $A /\n", "2"),
        ("ENV A=1\nARG A\nCOPY $A /\n", "1"),
        ("ARG A=1\nFROM b\nCOPY $A /\n", "1"),
        ("ARG A=1\nFROM b\nARG A=2\nCOPY $A /\n", "2"),
        ("ARG A=1\nFROM scratch\nCOPY x$A /\n", "x"),
    ] {
        let analysis = read(&format!("FROM scratch AS b\n{text}"));
        assert_eq!((patterns(&analysis), &analysis.everything), (vec![expected], &None), "{text}");
    }
    // Which `PATH` an image has is for BuildKit to say.
    assert!(read("FROM scratch\nCOPY x$PATH /\n").everything.is_some());
}

#[test]
fn doubling_values_end() {
    let lines = "ENV A=$A$A\n".repeat(64);
    let analysis = read(&format!("FROM scratch\nENV A=xxxx\n{lines}COPY $A /\n"));
    assert!(analysis.everything.unwrap().why.contains("65536"));
}
