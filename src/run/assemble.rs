//! `dist-docker` and `dist-native`: copies, binaries and a build manifest, as one tree.

use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::inputs::input::Input;
use crate::key::Value;
use crate::key::compose::Stand;
use crate::path::RelPath;
use crate::pipeline::{Dist, DistFlavor, Kind};
use crate::record::Artifact;
use crate::run::build_manifest::{BuildManifest, Provenance, Upstream as Listed};
use crate::run::dist::{Excludes, Layer, assemble, place};
use crate::run::source::{from_folder, from_leaf};
use crate::run::task::{Context, Task, TaskError, Upstream, tree_of};
use crate::tree::{Entry, Leaf, Tree};

/// Makes the dist's tree; says also whether every copied file was still what it was.
pub fn make(
    task: &Task,
    dist: &Dist,
    upstreams: &[Upstream],
    assumed: bool,
    context: &Context,
) -> Result<(Artifact, bool), TaskError> {
    let mut batch = context.store.batch();
    let mut stood = true;
    let mut layers = Vec::new();
    for placed in &task.composed.inputs {
        let leaves = match &placed.input {
            Input::Folder(folder) => from_folder(&task.node.name, folder, &mut batch, &mut stood, context)?,
            Input::Leaf(path, seen) => from_leaf(&placed.name, path, seen, &mut batch, &mut stood)?,
            Input::Git(_) | Input::Dockerfile(_) => continue,
        };
        layers.push(Layer { leaves, into: placed.at.clone() });
    }
    let mut files = Vec::new();
    let mut listed = Vec::new();
    let mut provenance = BTreeMap::new();
    for (read, upstream) in task.composed.reads.iter().zip(upstreams) {
        let digest = value_digest(upstream)?;
        match &read.stand {
            Stand::At(into) => {
                let (content, size) = single_file(upstream, context)?;
                let executable = read.executable.unwrap_or(true);
                files.push((into.clone(), Leaf::File { digest: content, size, executable }));
                listed.push(Listed { role: read.label.clone(), digest });
            }
            Stand::Told { commit } => {
                provenance.insert(read.node.0.clone(), Provenance { commit: commit.clone(), digest });
            }
            Stand::Own(_) => {}
        }
    }
    let mut leaves = assemble(&layers, &Excludes::new(&dist.excludes)?, &files)?;
    let kind = match dist.flavor {
        DistFlavor::Docker => Kind::DistDocker,
        DistFlavor::Native => Kind::DistNative,
    };
    let facts = dist.facts.iter().map(|(name, value)| (name.value.clone(), value.clone())).collect();
    let manifest = BuildManifest { facts, provenance, ..BuildManifest::new(kind, &leaves, listed, assumed) };
    let bytes = manifest.to_bytes();
    let digest = batch.add_bytes(&bytes)?;
    place(&mut leaves, &dist.manifest, Leaf::File { digest, size: bytes.len() as u64, executable: false });
    let tree = Tree::from_leaves(&leaves);
    batch.finish()?;
    context.store.put_tree(&tree)?;
    Ok((Artifact::Entry(Entry::Directory { digest: tree.root }), stood))
}

fn value_digest(upstream: &Upstream) -> Result<Digest, TaskError> {
    let artifact = upstream.artifact.as_ref().ok_or(TaskError::Cancelled)?;
    Ok(match artifact.value() {
        Value::Entry(Entry::File { digest, .. }) | Value::Image(digest) => digest,
        Value::Entry(Entry::Directory { digest }) => digest.0,
        // No artifact is one of these.
        Value::Entry(Entry::Symlink { .. }) | Value::Text(_) => Digest::of(b""),
    })
}

/// The one file of an artifact: a file itself, or a tree that holds nothing else.
fn single_file(upstream: &Upstream, context: &Context) -> Result<(Digest, u64), TaskError> {
    let artifact = upstream.artifact.as_ref().ok_or(TaskError::Cancelled)?;
    match artifact {
        Artifact::Entry(Entry::File { digest, size, .. }) => return Ok((*digest, *size)),
        Artifact::Image(_) => return Err(TaskError::NeedsEngine(upstream.node.clone())),
        Artifact::Entry(_) => {}
    }
    let node = &upstream.node;
    let root =
        tree_of(artifact).ok_or_else(|| TaskError::NotAFile { node: node.clone(), path: RelPath::root() })?;
    let leaves = context.store.tree(root)?.leaves();
    let mut files = leaves.values().filter_map(|leaf| match leaf {
        Leaf::File { digest, size, .. } => Some((*digest, *size)),
        _ => None,
    });
    match (files.next(), files.next()) {
        (Some(only), None) => Ok(only),
        _ => Err(TaskError::NotAFile { node: node.clone(), path: RelPath::root() }),
    }
}
