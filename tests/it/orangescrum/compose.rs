//! The package for Docker in real containers. The scenes are written in bats, below
//! `tests/orangescrum/compose`; each file is one test here. Beside what `docker` wants they need
//! `docker-compose`, `bats`, `curl`, PHP and composer.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::docker::fixture::Fixture;

macro_rules! scenes {
    ($($name:ident)*) => {
        $(#[test] fn $name() { run(stringify!($name)); })*
        const SCENES: &[&str] = &[$(stringify!($name)),*];
    };
}

scenes! { bundled deploy external profiles }

#[test]
fn each_scene_is_a_test() {
    let there: BTreeSet<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "bats"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(there, SCENES.iter().map(|&name| name.to_owned()).collect(), "name each file in `scenes!`");
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/orangescrum/compose")
}

fn run(name: &str) {
    let output = Command::new("bats")
        .args(["--tap", "--timing", "--print-output-on-failure"])
        .arg(folder().join(format!("{name}.bats")))
        .env("OSV4_TEST_DEBIAN", Fixture::debian())
        .env("OSV4_TEST_CACHE", Path::new(env!("CARGO_MANIFEST_DIR")).join("target/osv4-test"))
        .output()
        .expect("bats runs these tests: apt-get install bats");
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}.bats failed\n{said}{complained}");
    // A test that is skipped, or never ran, looks like one that passed.
    assert!(!said.contains("# skip"), "{name}.bats skips tests\n{said}");
    assert!(said.lines().any(|line| line.starts_with("ok ")), "{name}.bats has no tests\n{said}");
}
