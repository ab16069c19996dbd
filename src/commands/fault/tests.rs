//! Whatever goes wrong, a person is told what to do.

use std::io::Error;
use std::path::PathBuf;

use super::*;
use crate::digest::Digest;
use crate::tree::TreeDigest;

fn io() -> Error {
    Error::from(io::ErrorKind::PermissionDenied)
}

fn path() -> PathBuf {
    PathBuf::from("some/where")
}

/// One of each kind but those that show mistakes in a file, each of which has its own help. A new kind
/// does not compile until it stands here.
fn all() -> Vec<Fault> {
    let all = vec![
        Fault::NoFolder { path: path(), source: io() },
        Fault::NoFolder { path: path(), source: Error::from(io::ErrorKind::NotFound) },
        Fault::NoPipeline { path: path() },
        Fault::Unreadable { path: path(), source: io() },
        Fault::Targets(UnknownTargets(Vec::new())),
        Fault::usage("wrong", "mend"),
        Fault::not_needed("a"),
        Fault::NothingToAssume(NodeName("a".into())),
        Fault::KeepsLosing(path()),
        Fault::Io { action: "write".into(), source: Error::other("odd") },
        Fault::Exists { path: path() },
        Fault::NoLock("pipeline.lock".into()),
        Fault::expectation("slow", "mend"),
        Fault::no_run(7),
        Fault::absent(&path()),
        Fault::reading(&path())(io()),
        Fault::Registry(RegistryError::NotAsked),
    ];
    for fault in &all {
        match fault {
            Fault::NoFolder { .. }
            | Fault::NoPipeline { .. }
            | Fault::Unreadable { .. }
            | Fault::Pipeline(_)
            | Fault::Inputs(_)
            | Fault::Targets(_)
            | Fault::Usage(_)
            | Fault::NothingToAssume(_)
            | Fault::Store(_)
            | Fault::KeepsLosing(_)
            | Fault::Io { .. }
            | Fault::Exists { .. }
            | Fault::NoLock(_)
            | Fault::Registry(_)
            | Fault::Credentials(_)
            | Fault::Expectation(_)
            | Fault::NotFound(_)
            | Fault::Absent(_)
            | Fault::Unverified { .. } => {}
        }
    }
    all
}

fn assert_mends(fault: &Fault) {
    let help = fault.help().unwrap_or_default();
    assert!(!help.is_empty(), "{fault:?} has no mend");
    assert!(!help.ends_with('.') && !help.starts_with(|c: char| c.is_uppercase()), "{help}");
}

#[test]
fn every_kind_of_fault_has_a_mend() {
    all().iter().for_each(assert_mends);
}

#[test]
fn every_fault_of_the_store_has_a_mend() {
    let digest = Digest::of(b"x");
    let all = [
        StoreError::ReadOnly(path()),
        StoreError::Newer { root: path(), found: 9, known: 1 },
        StoreError::Network { root: path(), kind: "nfs" },
        StoreError::Full(path()),
        StoreError::Moved(path()),
        StoreError::NotAFile(path()),
        StoreError::Absent(digest),
        StoreError::Damaged(digest),
        StoreError::NoTree(TreeDigest(digest)),
        StoreError::DatabaseDamaged(path()),
        StoreError::Io { action: "open", path: path(), source: io() },
    ];
    all.into_iter().map(Fault::Store).for_each(|fault| assert_mends(&fault));
}

#[test]
fn every_fault_of_a_package_has_a_mend() {
    let all = [
        VerifyError::NoManifest("build-manifest.json".into()),
        VerifyError::Path("../x".into()),
        VerifyError::Name,
        VerifyError::Read(io()),
        VerifyError::File(path(), io()),
    ];
    for source in all {
        assert_mends(&Fault::Unverified { path: path(), missing: false, source });
    }
}

#[test]
fn what_the_system_says_decides_the_mend() {
    let of = |kind| of_io(&Error::from(kind));
    assert!(of(io::ErrorKind::PermissionDenied).contains("user"));
    assert!(of(io::ErrorKind::StorageFull).contains("osgraph gc"));
    assert_eq!(of(io::ErrorKind::Other), ASK_THE_DISK);
}
