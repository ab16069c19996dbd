//! Which source makes a path count.

use super::read;
use crate::dockerfile::{Reach, reaches, through_links};

#[test]
fn a_path_counts_by_the_first_source_that_reads_it() {
    let text = "FROM a\nCOPY package/ /p\nCOPY conf/*.ini conf/[a-b]?/x lit\\*x /c\nADD one /\n\
        RUN --mount=source=m*,target=/m true\nCOPY --parents src/**/*.go deep/**/x /\n";
    let analysis = read(text);
    let line = |path| reaches(&analysis, path).map(|read| (read.line, read.kind.word()));
    for (path, expected) in [
        ("package", Some((2, "COPY"))),
        ("package/a/b", Some((2, "COPY"))),
        ("packages", None),
        ("sub/package", None),
        ("conf/php.ini", Some((3, "COPY"))),
        ("conf/php.ini/below", Some((3, "COPY"))),
        ("conf/sub/php.ini", None),
        ("conf", None),
        ("conf/a1/x", Some((3, "COPY"))),
        ("conf/c1/x", None),
        ("lit*x", Some((3, "COPY"))),
        ("litabcx", Some((3, "COPY"))),
        ("one", Some((4, "ADD"))),
        ("m*", Some((5, "RUN"))),
        ("m1", None),
        ("src/main.go", Some((6, "COPY"))),
        ("src/a/b/main.go", Some((6, "COPY"))),
        ("src/a/b/main.rs", None),
        ("deep/a/x/below", Some((6, "COPY"))),
    ] {
        assert_eq!(line(path), expected, "{path}");
    }
}

#[test]
fn the_whole_context_is_read_by_a_dot() {
    let analysis = read("FROM a\nCOPY . /\n");
    assert_eq!(reaches(&analysis, "any/thing").unwrap().line, 2);
    assert!(Reach::new(&analysis).may_count_below("any"));
}

#[test]
fn walks_look_only_where_something_may_count() {
    let analysis = read("FROM a\nCOPY a/b/c d/*.x e/**/f /\nCOPY --parents g/**/h /\n");
    let reach = Reach::new(&analysis);
    for (folder, may) in [
        ("", true),
        ("a", true),
        ("a/b", true),
        ("a/b/c", true),
        ("a/b/c/d", true),
        ("a/x", false),
        ("d", true),
        ("d/sub", false),
        ("d/sub.x", true),
        ("e", true),
        ("e/1", true),
        ("e/1/2", false),
        ("g", true),
        ("g/1/2/3", true),
        ("h", false),
    ] {
        assert_eq!(reach.may_count_below(folder), may, "{folder}");
    }
}

#[test]
fn everything_counts_where_a_source_cannot_be_told() {
    let analysis = read("FROM a\nCOPY $X /\n");
    let reach = Reach::new(&analysis);
    assert!(reach.counts("x/y") && reach.may_count_below("x") && reach.by("x/y").is_none());
}

#[test]
fn links_lead_to_what_is_read_too() {
    let analysis = read("FROM a\nCOPY current/conf link *.d/x up /\n");
    let links = [
        ("current", "releases/7"),
        ("link", "/abs/target"),
        ("a.d", "../b.d"),
        ("up", "../.."),
        ("current/other", "nothing"),
        ("releases/7", "8"),
        ("unread", "nothing"),
    ];
    let more = through_links(&analysis, links);
    let mut patterns: Vec<_> = more.iter().map(|read| (&*read.pattern, read.line)).collect();
    patterns.sort_unstable();
    assert_eq!(
        patterns,
        [(".", 2), ("abs/target", 2), ("b.d/x", 2), ("releases/7/conf", 2), ("releases/8/conf", 2),]
    );
    let reads = [analysis.reads.clone(), more].concat();
    assert_eq!(Reach::with(&analysis, &reads).by("releases/8/conf/x").unwrap().line, 2);
}

#[test]
fn links_in_a_circle_end() {
    let analysis = read("FROM a\nCOPY a/x c/x /\n");
    assert!(through_links(&analysis, [("a", "b"), ("b", "a"), ("c", "c")]).len() <= 1);
    let endless = through_links(&analysis, [("a", "a/b"), ("a/b", "a/c/d")]);
    assert_eq!(endless.last().unwrap().pattern, ".");
}
