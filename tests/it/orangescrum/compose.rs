//! The package for Docker in real containers. The scenes are written in bats, below
//! `tests/orangescrum/compose`; each file is one test here. Beside what `docker` wants they need
//! `docker-compose`, `bats`, `curl`, PHP and composer.

use std::path::PathBuf;

use crate::bats::{self, files};
use crate::docker::fixture::Fixture;

files! { bundled deploy external profiles }

#[test]
fn each_scene_is_a_test() {
    let here = NAMED.iter().map(|&name| name.to_owned()).collect();
    assert_eq!(bats::names(&folder()), here, "name each file in `files!`");
}

fn folder() -> PathBuf {
    bats::folder("tests/orangescrum/compose")
}

fn run(name: &str) {
    bats::run(&folder(), name, &[("OSV4_TEST_DEBIAN", Fixture::debian())]);
}
