//! The store from outside, on real folders.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::digest::Digest;
use crate::key::{Component, Facet, Key, Manifest};
use crate::path::RelPath;
use crate::pipeline::NodeName;
use crate::record::{Artifact, Record, RunId};
use crate::store::{Ingest, Ingested, Placement, Store, Target};
use crate::tree::{Entry, Leaf, Leaves, Tree};

mod care;
mod contents;
mod damage;
mod leases;
mod records;

const PROJECT: &str = "/home/me/project/pipeline.kdl";

struct World {
    dir: TempDir,
}

impl World {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn root(&self) -> PathBuf {
        self.dir.path().join("cache")
    }

    fn store(&self) -> Store {
        Store::open(&self.root()).unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    fn ingest(&self, store: &Store, name: &str, bytes: &[u8]) -> Ingested {
        let path = self.file(name, bytes);
        let found = store.ingest(&[Ingest { path, adopt: false }]).unwrap()[0];
        assert_eq!(found, Ingested { digest: Digest::of(bytes), size: bytes.len() as u64 });
        found
    }
}

/// Bytes that differ for each `seed`.
fn bytes(size: usize, seed: u8) -> Vec<u8> {
    let mut bytes = vec![0; size];
    blake3::Hasher::new().update(&[seed]).finalize_xof().fill(&mut bytes);
    bytes
}

fn place(store: &Store, bytes: &[u8], path: &Path) -> Result<(), crate::store::PlaceError> {
    store.place(&[Placement {
        digest: Digest::of(bytes),
        size: bytes.len() as u64,
        targets: vec![Target::new(path.to_owned(), false)],
    }])
}

/// Files and folders below a folder of the store.
fn listing(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut todo = vec![folder.to_owned()];
    while let Some(folder) = todo.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                todo.push(entry.path());
            } else {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

/// The only file below a folder.
fn only(folder: &Path) -> PathBuf {
    let found = listing(folder);
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

fn flip(path: &Path, at: usize) {
    use std::os::unix::fs::PermissionsExt;
    let mut content = fs::read(path).unwrap();
    content[at] ^= 0x10;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(path, content).unwrap();
}

fn manifest(label: &str, upstream: &str) -> Manifest {
    Manifest::new(
        "command 1",
        vec![Component::text(Facet::Own, "run 0", label), Component::text(Facet::Upstream, "base", upstream)],
    )
}

fn record(node: &str, manifest: Manifest, artifact: &[u8], run: RunId, duration_ms: u64) -> Record {
    Record {
        key: manifest.key(),
        own: manifest.own_digest(),
        node: NodeName(node.into()),
        manifest,
        artifact: Artifact::Entry(Entry::File {
            digest: Digest::of(artifact),
            size: artifact.len() as u64,
            executable: false,
        }),
        run,
        duration_ms,
        log: None,
    }
}

fn key(text: &str) -> Key {
    Key(Digest::of(text.as_bytes()))
}

fn tree(files: &[(&str, &[u8])]) -> Tree {
    let mut leaves = Leaves::new();
    for (path, content) in files {
        leaves.insert(
            RelPath::parse(path).unwrap(),
            Leaf::File {
                digest: Digest::of(content),
                size: content.len() as u64,
                executable: path.ends_with(".sh"),
            },
        );
    }
    leaves.insert(RelPath::parse("empty").unwrap(), Leaf::EmptyDirectory);
    leaves.insert(RelPath::parse("bin/link").unwrap(), Leaf::Symlink { target: "../a.txt".into() });
    Tree::from_leaves(&leaves)
}
