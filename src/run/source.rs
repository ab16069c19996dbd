//! `source-archive`: a committed tree or a working tree, with overlays, into the store.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use crate::inputs::git::{ArchiveEntry, EntryKind};
use crate::inputs::input::{GitInput, Input};
use crate::inputs::observation::Observation;
use crate::inputs::observe::Seen;
use crate::path::RelPath;
use crate::pipeline::{NodeName, Spanned};
use crate::record::Artifact;
use crate::run::dist::Excludes;
use crate::run::task::{Context, Task, TaskError};
use crate::store::Batch;
use crate::tally::{Counted, Tally};
use crate::tree::{Entry, Leaf, Leaves, Tree, link_stays_inside, overlay};

/// Makes the tree; says also whether every file was still what it was when it was surveyed.
pub fn make(task: &Task, context: &Context) -> Result<(Artifact, bool), TaskError> {
    let mut batch = context.store.batch();
    let mut leaves = Leaves::new();
    let mut stood = true;
    for placed in &task.composed.inputs {
        let layer = match &placed.input {
            Input::Folder(folder) => from_folder(&task.node.name, folder, &mut batch, &mut stood, context)?,
            Input::Git(git) => {
                if let Some(note) = git.uncommitted(&context.git) {
                    context.warn(
                        &task.node.name,
                        note,
                        Some("commit them, or take the folder with `dir`".to_owned()),
                    );
                }
                from_git(&task.node.name, git, &mut batch, context)?
            }
            Input::Leaf(path, seen) => from_leaf(&placed.name, path, seen, &mut batch, &mut stood)?,
            // Only images are built from one.
            Input::Dockerfile(_) => continue,
        };
        overlay(&mut leaves, &layer, &placed.at);
    }
    refuse_escaping(&leaves)?;
    let tree = Tree::from_leaves(&leaves);
    batch.finish()?;
    context.store.put_tree(&tree)?;
    Ok((Artifact::Entry(Entry::Directory { digest: tree.root }), stood))
}

/// Links must stay inside the tree: elsewhere, they would point at something else.
pub fn refuse_escaping(leaves: &Leaves) -> Result<(), TaskError> {
    for (path, leaf) in leaves {
        if let Leaf::Symlink { target } = leaf
            && !link_stays_inside(path, target)
        {
            return Err(TaskError::EscapingLink { link: path.clone(), target: target.clone() });
        }
    }
    Ok(())
}

/// A declared file or link, read into `batch`, as the only leaf of a tree.
pub fn from_leaf(
    name: &str,
    path: &Path,
    seen: &Seen,
    batch: &mut Batch<'_>,
    stood: &mut bool,
) -> Result<Leaves, TaskError> {
    let leaf = match &seen.entry {
        Entry::File { digest, executable, .. } => {
            let mut file = File::open(path).map_err(TaskError::io("read", path))?;
            let (found, size) = batch.add(&mut file, seen.stat.size)?;
            *stood &= found == *digest;
            Leaf::File { digest: found, size, executable: *executable }
        }
        Entry::Symlink { target } => Leaf::Symlink { target: target.clone() },
        Entry::Directory { .. } => Leaf::EmptyDirectory,
    };
    Ok(Leaves::from([(RelPath::root().child(name), leaf)]))
}

/// The content of a walked folder, read into `batch`.
pub fn from_folder(
    node: &NodeName,
    folder: &Observation,
    batch: &mut Batch<'_>,
    stood: &mut bool,
    context: &Context,
) -> Result<Leaves, TaskError> {
    let mut leaves = folder.tree().leaves();
    let missing = |leaf: &Leaf| match leaf {
        Leaf::File { digest, size, .. } if !context.store.contains(digest) => *size,
        _ => 0,
    };
    let tally = Arc::new(Tally::of(leaves.values().map(missing).sum()));
    let _watched = context.moving(node, "storing its files", &tally);
    for (path, leaf) in &mut leaves {
        if context.cancel.is_cancelled() {
            return Err(TaskError::Cancelled);
        }
        let Leaf::File { digest, size, .. } = leaf else { continue };
        if context.store.contains(digest) {
            continue;
        }
        let source = path.under(&folder.root);
        let mut file = File::open(&source).map_err(TaskError::io("read", &source))?;
        let (found, length) = batch.add(&mut Counted::new(&mut file, tally.clone()), *size)?;
        if found != *digest {
            *stood = false;
            (*digest, *size) = (found, length);
        }
    }
    Ok(leaves)
}

fn from_git(
    node: &NodeName,
    git: &GitInput,
    batch: &mut Batch<'_>,
    context: &Context,
) -> Result<Leaves, TaskError> {
    let resolved = git.source.resolve(&git.facts.commit)?;
    let patterns: Vec<Spanned<String>> =
        git.excludes.iter().map(|pattern| Spanned::new(pattern.clone(), Default::default())).collect();
    let excludes = Excludes::new(&patterns)?;
    let mut leaves = Leaves::new();
    // What git is yet to give nobody knows.
    let tally = Arc::new(Tally::default());
    let _watched = context.moving(node, "storing its files", &tally);
    let mut take = |entry: ArchiveEntry, content: &mut dyn Read| -> io::Result<()> {
        if context.cancel.is_cancelled() {
            return Err(io::Error::other("interrupted"));
        }
        let ArchiveEntry { path, kind } = entry;
        match kind {
            EntryKind::Directory => {
                overlay(&mut leaves, &Leaves::from([(path, Leaf::EmptyDirectory)]), &RelPath::root());
            }
            EntryKind::Symlink { target } => {
                overlay(&mut leaves, &Leaves::from([(path, Leaf::Symlink { target })]), &RelPath::root());
            }
            EntryKind::File { executable, size } => {
                let content = &mut Counted::new(content, tally.clone());
                let (digest, size) = batch.add(content, size).map_err(io::Error::other)?;
                let leaf = Leaf::File { digest, size, executable };
                overlay(&mut leaves, &Leaves::from([(path, leaf)]), &RelPath::root());
            }
        }
        Ok(())
    };
    let left_out = |path: &RelPath| excludes.cover(path);
    let done = git.source.archive(&resolved, git.question.submodules, &left_out, &mut take);
    if context.cancel.is_cancelled() {
        return Err(TaskError::Cancelled);
    }
    done?;
    excludes.apply(&mut leaves);
    Ok(leaves)
}
