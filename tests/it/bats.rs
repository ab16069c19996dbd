//! Tests that are written in bats: each file is one test here.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder of the repository.
pub fn folder(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(below)
}

/// The names of a folder's files, as a test can be called.
pub fn names(folder: &Path) -> BTreeSet<String> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "bats"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().replace('-', "_"))
        .collect()
}

/// Runs the file of that name, which may be written with `-` for `_`.
pub fn run(folder: &Path, name: &str, environment: &[(&str, &str)]) {
    let dashed = folder.join(format!("{}.bats", name.replace('_', "-")));
    let file = if dashed.exists() { dashed } else { folder.join(format!("{name}.bats")) };
    let output = Command::new("bats")
        .args(["--tap", "--timing", "--print-output-on-failure"])
        .arg(&file)
        .env("OSV4_TEST_CACHE", self::folder("target/osv4-test"))
        .envs(environment.iter().copied())
        .output()
        .expect("bats runs these tests: apt-get install bats");
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} failed\n{said}{complained}", file.display());
    // A test that is skipped, or never ran, looks like one that passed.
    assert!(!said.contains("# skip"), "{} skips tests\n{said}", file.display());
    assert!(said.lines().any(|line| line.starts_with("ok ")), "{} has no tests\n{said}", file.display());
}

/// A test for each file that is named, and `NAMED` with all of them.
macro_rules! files {
    ($($name:ident)*) => {
        $(#[test] fn $name() { run(stringify!($name)); })*
        const NAMED: &[&str] = &[$(stringify!($name)),*];
    };
}
pub(crate) use files;
