//! The pipeline that `osgraph init` writes is what its comments say, and it runs.

use std::fs;
use std::process::{Command, Stdio};

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

#[test]
fn the_template_checks_and_runs_and_its_second_run_is_fresh() {
    let folder = tempfile::tempdir().unwrap();
    let osgraph = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_osgraph"));
        command.arg("-C").arg(folder.path()).args(args).stdin(Stdio::null());
        for name in ["OSGRAPH_FILE", "OSGRAPH_STORE", "OSGRAPH_PARAM_VERSION", "GITHUB_ACTIONS", "GITLAB_CI"]
        {
            command.env_remove(name);
        }
        let output = command.output().unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.code(), said)
    };
    let read = |path: &str| fs::read_to_string(folder.path().join(path)).unwrap();
    fs::write(folder.path().join("hello.txt"), "hello\n").unwrap();

    let (code, said) = osgraph(&["init"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("osgraph run"), "{said}");
    assert_eq!(read("pipeline.kdl"), TEMPLATE);
    let (code, said) = osgraph(&["init"]);
    assert!(code == Some(2) && said.contains("--force"), "{said}");

    let (code, said) = osgraph(&["check"]);
    assert!(code == Some(0) && said.contains("2 nodes, 1 parameter"), "{said}");
    let (code, said) = osgraph(&["run"]);
    assert!(code == Some(0) && said.contains("2 ran"), "{said}");
    assert!(folder.path().join("dist/example-0.1.0.tar.gz").is_file());
    assert!(read("dist/checksums.txt").contains("hello.txt"));
    let (code, said) = osgraph(&["run"]);
    assert!(code == Some(0) && said.starts_with("fresh  2 nodes"), "what it makes is not its input: {said}");

    fs::write(folder.path().join("hello.txt"), "bye\n").unwrap();
    assert!(osgraph(&["run"]).1.contains("2 ran"));
    fs::write(folder.path().join("hello.txt"), "hello\n").unwrap();
    let (_, said) = osgraph(&["run"]);
    assert!(said.contains("2 restored"), "changed back, the earlier result is put back: {said}");
}
