//! Tests of the packages' scripts, which are written in bats: each file in `tests/shell` is one test here.
//! They run the scripts with real programs (PHP, PostgreSQL, Redis) and say what to install.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

macro_rules! files {
    ($($name:ident)*) => {
        $(#[test] fn $name() { run(stringify!($name)); })*
        const FILES: &[&str] = &[$(stringify!($name)),*];
    };
}

files! {
    app config config_docs docker env native_files native_install native_run native_systemd php_lint restore secrets
    seed start validate workers
}

#[test]
fn each_file_is_a_test() {
    let there: BTreeSet<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "bats"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().replace('-', "_"))
        .collect();
    let here: BTreeSet<String> = FILES.iter().map(|&name| name.to_owned()).collect();
    assert_eq!(there, here, "name each file of tests/shell in `files!` of tests/it/shell.rs");
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shell")
}

fn run(name: &str) {
    let dashed = folder().join(format!("{}.bats", name.replace('_', "-")));
    let file = if dashed.exists() { dashed } else { folder().join(format!("{name}.bats")) };
    let output = Command::new("bats")
        .args(["--tap", "--timing", "--print-output-on-failure"])
        .arg(&file)
        .env("OSV4_TEST_CACHE", Path::new(env!("CARGO_MANIFEST_DIR")).join("target/osv4-test"))
        .output()
        .expect("bats runs these tests: apt-get install bats");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{} failed\n{said}{}",
        file.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    // A test that is skipped, or never ran, looks like one that passed.
    assert!(!said.contains("# skip"), "{} skips tests\n{said}", file.display());
    assert!(said.lines().any(|line| line.starts_with("ok ")), "{} has no tests\n{said}", file.display());
}
