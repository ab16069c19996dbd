//! Context paths, remotes, secrets.

use super::{mistake, patterns, read};
use crate::dockerfile::{ReadKind, Remote};

#[test]
fn sources_are_normalised() {
    let text = "FROM alpine\nCOPY /a ./b/ c//d/../e ../../f /x/\nCOPY . /\nCOPY / /\nADD g/* h?[1-3] /\n";
    let analysis = read(text);
    assert_eq!(patterns(&analysis), ["a", "b", "c/e", "f", ".", ".", "g/*", "h?[1-3]"]);
    assert_eq!(analysis.reads[6].kind, ReadKind::Add);
    assert_eq!(&text[analysis.reads[2].span.clone()], "c//d/../e");
    assert_eq!(analysis.everything, None);
}

#[test]
fn what_is_copied_from_elsewhere_is_no_read() {
    let analysis = read("FROM a AS x\nFROM b\nCOPY --from=x /a /\nCOPY --from=img /b /\nCOPY --from= c /\n");
    assert_eq!(patterns(&analysis), ["c"]);
}

#[test]
fn parents_keep_their_pattern() {
    let analysis = read("FROM a\nCOPY --parents ./x/./y/**/*.go --parents=false /\n");
    assert_eq!(patterns(&analysis), ["x/y/**/*.go", "--parents=false"]);
    assert_eq!(analysis.reads[0].kind, ReadKind::CopyParents);
    assert_eq!(read("FROM a\nCOPY --parents=false x /\n").reads[0].kind, ReadKind::Copy);
}

#[test]
fn bind_mounts_read_the_context() {
    let text = "FROM a\n\
        RUN --mount=type=bind,source=/conf/,target=/c \
            --mount=target=/all --mount=\"type=bind\",src=a*b,dst=/x,rw \
            --mount=type=cache,target=/root/.cache --mount=type=tmpfs,target=/t,size=1 make\n";
    let analysis = read(text);
    assert_eq!(patterns(&analysis), ["conf", ".", "a*b"]);
    assert_eq!(analysis.reads[0].kind, ReadKind::Mount);
    assert_eq!(&text[analysis.reads[0].span.clone()], "--mount=type=bind,source=/conf/,target=/c");
}

#[test]
fn remotes_are_no_reads() {
    let text = "FROM a\n\
        ADD --checksum=sha256:00 https://example.org/x.tar.gz /\n\
        ADD git@example.org:a/b.git https://example.org/c.git#main local@1:2/x d /\n";
    let analysis = read(text);
    assert_eq!(patterns(&analysis), ["d"]);
    let told: Vec<_> = analysis.remotes.iter().map(|r| (&*r.url, r.checksum.as_deref(), r.line)).collect();
    assert_eq!(
        told,
        [
            ("https://example.org/x.tar.gz", Some("sha256:00"), 2),
            ("git@example.org:a/b.git", None, 3),
            ("https://example.org/c.git#main", None, 3),
            ("local@1:2/x", None, 3),
        ]
    );
    let Remote { span, .. } = &analysis.remotes[0];
    assert_eq!(&text[span.clone()], "https://example.org/x.tar.gz");
    assert_eq!(
        mistake("FROM a\nCOPY https://x.org/a /\n").2.unwrap(),
        "use `ADD` for what comes from the network"
    );
}

#[test]
fn secrets_and_agents_are_told_by_id() {
    let text = "FROM a\n\
        RUN --mount=type=secret,id=token,required --mount=type=secret,target=/run/npmrc \
            --mount=type=secret,source=src --mount=type=ssh --mount=type=ssh,id=github,required=true true\n\
        FROM b\nRUN --mount=type=secret,id=other true\n";
    assert_eq!(read(text).secrets[0].id, "other");
    let analysis = super::ask(&text.replace("FROM a\n", "FROM a AS t\n"), &[], Some("t")).unwrap();
    let secrets: Vec<_> = analysis.secrets.iter().map(|s| (&*s.id, s.required, s.line)).collect();
    assert_eq!(secrets, [("token", true, 2), ("npmrc", false, 2), ("src", false, 2)]);
    let ssh: Vec<_> = analysis.ssh.iter().map(|s| (&*s.id, s.required)).collect();
    assert_eq!(ssh, [("default", false), ("github", true)]);
    assert!(analysis.reads.is_empty());
    assert_eq!(
        mistake("FROM a\nRUN --mount=type=secret true\n").0,
        "2: `--mount` cannot be read: a secret needs an `id`"
    );
}

#[test]
fn a_pattern_that_is_none_makes_everything_count() {
    let analysis = read("FROM a\nCOPY a[ /\n");
    assert_eq!(analysis.everything.unwrap().why, "`a[` is no pattern");
    assert!(analysis.reads.is_empty());
}
