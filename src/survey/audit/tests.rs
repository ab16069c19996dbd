use std::io;

use super::*;
use crate::dockerfile::{Question, analyse};
use crate::path::RelPath;
use crate::pipeline::{Document, Overrides, SourceFile};

/// What is said of `embed`, an app-embed with these further children, built from this Dockerfile.
fn said(children: &str, dockerfile: &str) -> Vec<String> {
    let text = format!(
        "pipeline \"p\"\nsource-archive \"source\" {{ dir \"app\"; }}\n\
         base-image \"base\" {{ context \"b\"; tag \"base\"; }}\n\
         base-image \"tools\" {{ context \"b\"; tag \"tools:1\"; }}\n\
         app-embed \"embed\" {{ base \"base\"; app \"source\" into=\"package\"; context \"b\"; \
         dockerfile \"b/D\"; {children} }}\n"
    );
    let source = SourceFile { name: "pipeline.kdl".to_owned(), text: text.into() };
    let read_file = |_: &RelPath| Err(io::ErrorKind::NotFound.into());
    let overrides = Overrides { set: Vec::new(), env: &|_| None, read_file: &read_file, host_arch: "x86_64" };
    let pipeline = Document::parse(&source).unwrap().resolve(&source, &overrides).unwrap();
    let node = pipeline.nodes.iter().find(|node| node.name.0 == "embed").unwrap();
    let recipe = node.docker().unwrap();
    let args: Vec<_> = recipe.args.iter().map(|(name, value)| (name.value.clone(), value.clone())).collect();
    let question = Question {
        text: dockerfile,
        args: &args,
        target: None,
        platform: Some("linux/amd64"),
        builder: None,
    };
    let found = findings(node, &pipeline.nodes, &analyse(&question).unwrap(), None);
    found.into_iter().map(|one| one.text).collect()
}

const PLAIN: &str = "FROM base\nCOPY package /app\n";

#[test]
fn a_plain_dockerfile_is_passed_over() {
    assert_eq!(said("", PLAIN), [""; 0]);
    let used = "FROM base\nARG V\nCOPY package/$V /app\nRUN --mount=type=secret,id=t --mount=type=ssh true\n";
    assert_eq!(said("arg \"V\" \"1\"; secret \"t\" env=\"T\"; ssh \"default\"", used), [""; 0]);
}

#[test]
fn what_is_declared_and_not_used_is_named() {
    assert_eq!(
        said("arg \"V\" \"1\"; secret \"t\" env=\"T\"; ssh \"k\"", PLAIN),
        [
            "build argument `V` is used by nothing in `b/D`",
            "secret `t` is mounted by no RUN in `b/D`",
            "ssh agent `k` is mounted by no RUN in `b/D`",
        ]
    );
}

#[test]
fn what_is_used_and_not_declared_is_named_with_its_line() {
    let text = format!(
        "{PLAIN}RUN --mount=type=secret,id=one true\nRUN --mount=type=secret,id=two,required=true \
         --mount=type=ssh true\n"
    );
    assert_eq!(
        said("", &text),
        [
            "RUN mounts secret `one`, which is not declared: it is never there (b/D:3)",
            "RUN mounts secret `two`, which is not declared: the build fails (b/D:4)",
            "RUN mounts ssh agent `default`, which is not declared: it is never there (b/D:4)",
        ]
    );
}

#[test]
fn a_context_and_an_application_that_nobody_reads_are_named() {
    assert_eq!(
        said("", "FROM base\nRUN true\n"),
        [
            "`b/D` copies nothing of the context `b`: none of it counts",
            "`source` stands at `package`, and nothing in `b/D` reads that",
        ]
    );
    assert_eq!(
        said("", "FROM base\nCOPY other /app\n"),
        ["`source` stands at `package`, and nothing in `b/D` reads that"]
    );
    for reads in
        ["COPY . /app", "COPY pack* /app", "COPY package/bin/x /x", "RUN --mount=source=package true"]
    {
        assert_eq!(said("", &format!("FROM base\n{reads}\n")), [""; 0], "{reads}");
    }
}

#[test]
fn a_source_that_cannot_be_told_is_named() {
    let notes = said("", "FROM base\nCOPY $UNKNOWN_OF_BASE /app\n");
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].starts_with("what is copied cannot be told: "), "{notes:?}");
    assert!(notes[0].ends_with("; the whole context counts (b/D:2)"), "{notes:?}");
}

#[test]
fn what_osgraph_does_not_follow_or_see_is_named() {
    let text = format!("# syntax=docker/dockerfile:1.7\n{PLAIN}ONBUILD RUN true\n");
    assert_eq!(
        said("", &text),
        [
            "`# syntax=docker/dockerfile:1.7` is not followed: the engine's own reader is used (b/D:1)",
            "`ONBUILD RUN true` runs in builds on this image, not in this one (b/D:4)",
        ]
    );
}

#[test]
fn image_of_a_node_that_is_not_waited_for_is_named() {
    let text = format!("{PLAIN}COPY --from=tools:1 /a /b\nCOPY --from=tools:2 /a /b\n");
    assert_eq!(
        said("", &text),
        ["`tools:1` is made by `tools`, which this node does not wait for: it is taken as it is when a run \
          begins (b/D:3)"]
    );
}

#[test]
fn what_comes_from_the_network_unpinned_is_named() {
    let commit = "0123456789012345678901234567890123456789";
    let text = format!(
        "{PLAIN}ADD https://a.example/x.tar /x\nADD --checksum=sha256:00 https://a.example/y /y\n\
         ADD https://a.example/z.git#v1 /z\nADD https://a.example/w.git#{commit} /w\n\
         ADD git@a.example:v#{commit}:sub /v\n"
    );
    assert_eq!(
        said("", &text),
        [
            "ADD takes `https://a.example/x.tar` as it is when it is built, and nothing runs when it changes; \
             `--checksum=sha256:…` pins it (b/D:3)",
            "ADD takes `https://a.example/z.git#v1` as it is when it is built, and nothing runs when it changes; \
             a commit behind `#` pins it (b/D:5)",
        ]
    );
}
