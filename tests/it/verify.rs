//! `osgraph verify`: packages against their build manifests, as folders and as archives.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A package `out` and its archive `pkg.tar.gz`, made by a run.
struct Made(tempfile::TempDir);

impl Made {
    fn new() -> Self {
        let made = Self(tempfile::tempdir().unwrap());
        let files = made.path("files");
        fs::create_dir_all(files.join("config")).unwrap();
        fs::write(files.join("run.sh"), "#!/bin/sh\n").unwrap();
        fs::set_permissions(files.join("run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(files.join("config/a b (c).php"), "<?php").unwrap();
        fs::write(files.join("env.example"), "KEY=\n").unwrap();
        std::os::unix::fs::symlink("run.sh", files.join("start")).unwrap();
        fs::write(
            made.path("pipeline.kdl"),
            "pipeline \"p\"\ndist-native {\n    output \"out\"\n    copy \"files\"\n    seed-once \".env\" \
             from=\"env.example\"\n    archive \"pkg.tar.gz\"\n    archive \"pkg.tar.zst\"\n}\n",
        )
        .unwrap();
        assert_eq!(made.osgraph(&["-q", "run"]).0, 0);
        made
    }

    fn path(&self, below: &str) -> PathBuf {
        self.0.path().join(below)
    }

    fn osgraph(&self, args: &[&str]) -> (i32, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_osgraph"))
            .arg("-C")
            .arg(self.0.path())
            .args(args)
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8(said).unwrap())
    }

    fn verify(&self, path: &str) -> (i32, String) {
        self.osgraph(&["verify", path])
    }
}

fn append(path: &Path, text: &str) {
    fs::write(path, fs::read_to_string(path).unwrap() + text).unwrap();
}

#[test]
fn a_package_as_it_was_made_holds() {
    let made = Made::new();
    for package in ["out", "pkg.tar.gz", "pkg.tar.zst"] {
        let (code, said) = made.verify(package);
        assert_eq!(code, 0, "{said}");
        assert!(said.starts_with("ok"), "{said}");
    }
    assert!(made.verify("pkg.tar.gz").1.contains("checksum right"));
    // The seeded file is the person's: told, and no fault unless asked for.
    assert!(made.verify("out").1.contains("extra    .env"));
    assert_eq!(made.osgraph(&["verify", "out", "--strict"]).0, 1);
}

#[test]
fn what_is_altered_or_missing_in_a_folder_is_named() {
    let made = Made::new();
    append(&made.path("out/config/a b (c).php"), "// mine");
    fs::remove_file(made.path("out/env.example")).unwrap();
    fs::set_permissions(made.path("out/run.sh"), fs::Permissions::from_mode(0o644)).unwrap();
    fs::remove_file(made.path("out/start")).unwrap();
    std::os::unix::fs::symlink("elsewhere", made.path("out/start")).unwrap();
    let (code, said) = made.verify("out");
    assert_eq!(code, 1, "{said}");
    for line in [
        "altered  config/a b (c).php  (content)",
        "missing  env.example",
        "altered  run.sh  (mode)",
        "altered  start  (target)",
    ] {
        assert!(said.contains(line), "{line} is not in: {said}");
    }
    let (_, json) = made.osgraph(&["verify", "out", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["packages"][0]["holds"], false);
    assert_eq!(json["packages"][0]["missing"], serde_json::json!(["env.example"]));
}

#[test]
fn a_damaged_archive_does_not_hold() {
    let made = Made::new();
    let archive = made.path("pkg.tar.gz");
    fs::write(made.path("pkg.tar.gz.sha256"), format!("{}  pkg.tar.gz\n", "0".repeat(64))).unwrap();
    assert!(made.verify("pkg.tar.gz").1.contains("checksum wrong"));
    let bytes = fs::read(&archive).unwrap();
    fs::write(&archive, &bytes[..bytes.len() / 2]).unwrap();
    let (code, said) = made.verify("pkg.tar.gz");
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("cannot be verified"), "{said}");
}

#[test]
fn an_archive_that_leaves_its_folder_is_refused() {
    let made = Made::new();
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(1);
    header.set_mode(0o644);
    // `set_path` would refuse it.
    header.as_gnu_mut().unwrap().name[..11].copy_from_slice(b"p/../../x/y");
    header.set_cksum();
    archive.append(&header, &b"x"[..]).unwrap();
    fs::write(made.path("evil.tar"), archive.into_inner().unwrap()).unwrap();
    let (code, said) = made.verify("evil.tar");
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("no path that may stand in an archive"), "{said}");
}

#[test]
fn what_is_not_there_is_told_from_what_differs() {
    let made = Made::new();
    assert_eq!(made.verify("nowhere").0, 3);
    // A folder without a manifest.
    assert_eq!(made.verify("files").0, 3);
}
