//! `binary-extract`: one file out of a tree artifact or an image.

use std::sync::Arc;

use crate::digest::Digest;
use crate::path::RelPath;
use crate::pipeline::{BinaryExtract, NodeName};
use crate::record::{Artifact, Image};
use crate::run::docker::{EngineError, ImageArchive};
use crate::run::image;
use crate::run::task::{Context, TaskError, Upstream, tree_of};
use crate::tally::{Counted, Tally};
use crate::tree::Entry;

/// Finds the file. What it must be is verified apart, by [`crate::run::gates`].
pub fn make(extract: &BinaryExtract, upstream: &Upstream, context: &Context) -> Result<Artifact, TaskError> {
    let node = &upstream.node;
    let artifact = upstream.artifact.as_ref().ok_or(TaskError::Cancelled)?;
    let path = &extract.path.value;
    if let Artifact::Image(image) = artifact {
        return from_image(node, image, path, context);
    }
    let missing = || TaskError::NotInArtifact { node: node.clone(), path: path.clone() };
    let mut at = Entry::Directory { digest: tree_of(artifact).ok_or_else(missing)? };
    for name in path.names() {
        let Entry::Directory { digest } = at else { return Err(missing()) };
        let directory = context.store.directory(digest).ok_or(crate::store::StoreError::NoTree(digest))?;
        at = directory.get(name).cloned().ok_or_else(missing)?;
    }
    match at {
        Entry::File { digest, size, executable: _ } => {
            Ok(Artifact::Entry(Entry::File { digest, size, executable: true }))
        }
        _ => Err(TaskError::NotAFile { node: node.clone(), path: path.clone() }),
    }
}

/// One pass from the engine into the store.
fn from_image(
    node: &NodeName,
    image: &Image,
    path: &RelPath,
    context: &Context,
) -> Result<Artifact, TaskError> {
    let name = image::ensure(node, image, context)?;
    let session = context.engine.session()?;
    let missing = || TaskError::NotInArtifact { node: node.clone(), path: path.clone() };
    let open = |path: &str| match session.archive(&name, path, &context.engine_mark) {
        Err(EngineError::Refused { status: 404, .. }) => Err(missing()),
        other => Ok(tar::Archive::new(other?)),
    };
    let named = format!("/{path}");
    let mut archive = open(&named)?;
    let what = format!("taking `/{path}` out of the image");
    let mut found = first_entry(&mut archive, node, &what, context)?;
    if let Found::Link = found {
        // Only the engine can tell where it leads: folders above it may be links themselves.
        let target = archive.into_inner().link_target(&named)?;
        archive = open(&target)?;
        found = first_entry(&mut archive, node, &what, context)?;
    }
    match found {
        Found::File(digest, size) => Ok(Artifact::Entry(Entry::File { digest, size, executable: true })),
        Found::Nothing => Err(missing()),
        Found::Link | Found::Other => Err(TaskError::NotAFile { node: node.clone(), path: path.clone() }),
    }
}

/// What stands first in an archive.
enum Found {
    /// A file, which is in the store now.
    File(Digest, u64),
    Link,
    Other,
    Nothing,
}

fn first_entry(
    archive: &mut tar::Archive<ImageArchive>,
    node: &NodeName,
    what: &str,
    context: &Context,
) -> Result<Found, TaskError> {
    let read = || TaskError::io("read an image into", context.store.root());
    let first = archive.entries().map_err(read())?.next();
    let Some(mut entry) = first.transpose().map_err(read())? else { return Ok(Found::Nothing) };
    Ok(match entry.header().entry_type() {
        tar::EntryType::Regular | tar::EntryType::Continuous => {
            let size = entry.size();
            let mut batch = context.store.batch();
            let tally = Arc::new(Tally::of(size));
            let _watched = context.moving(node, what, &tally);
            let (digest, size) = batch.add(&mut Counted::new(&mut entry, tally), size)?;
            batch.finish()?;
            Found::File(digest, size)
        }
        tar::EntryType::Symlink => Found::Link,
        _ => Found::Other,
    })
}
