//! Tests of the packages' scripts, which are written in bats: each file in `tests/shell` is one test here.
//! They run the scripts with real programs (PHP, PostgreSQL, Redis) and say what to install.

use std::path::PathBuf;

use crate::bats::{self, files};

files! {
    app config config_docs docker env native_files native_install native_run native_systemd php_lint restore secrets
    seed start validate workers
}

#[test]
fn each_file_is_a_test() {
    let here = NAMED.iter().map(|&name| name.to_owned()).collect();
    assert_eq!(
        bats::names(&folder()),
        here,
        "name each file of tests/shell in `files!` of tests/it/shell.rs"
    );
}

fn folder() -> PathBuf {
    bats::folder("tests/shell")
}

fn run(name: &str) {
    bats::run(&folder(), name, &[]);
}
