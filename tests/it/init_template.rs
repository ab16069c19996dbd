//! The pipeline that `osgraph init` writes is what its comments say.

use kdl::KdlDocument;
use osgraph::report::init::TEMPLATE;

#[test]
fn the_template_is_kdl_with_known_kinds_only() {
    let document: KdlDocument = TEMPLATE.parse().unwrap();
    let kinds: Vec<_> = document.nodes().iter().map(|node| node.name().value()).collect();
    assert_eq!(kinds, ["pipeline", "source-archive", "command"]);
}

#[test]
fn every_part_has_a_comment() {
    for part in [
        "param",
        "default",
        "source-archive",
        "exclude",
        "archive",
        "command",
        "from",
        "env",
        "tool",
        "output",
    ] {
        let lines: Vec<&str> = TEMPLATE.lines().map(str::trim).collect();
        let at = lines.iter().position(|line| line.starts_with(&format!("{part} "))).unwrap();
        assert!(lines[at - 1].starts_with("//"), "`{part}` has no comment above it");
    }
}
