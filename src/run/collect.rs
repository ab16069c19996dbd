//! Takes what a recipe left behind into the store: declared outputs, as one tree of project paths.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{AtFlags, CWD, FileType, Timespec, Timestamps, UTIME_OMIT};

use crate::digest::Digest;
use crate::inputs::stat::Stat;
use crate::inputs::walk::{self, Request};
use crate::path::RelPath;
use crate::pipeline::{NodeName, Spanned};
use crate::run::task::{Context, Standing, TaskError};
use crate::store::Ingest;
use crate::tally::Tally;
use crate::tree::{Leaf, Leaves, Tree};

/// What was found at one path.
struct Found {
    path: RelPath,
    stat: Stat,
    /// None for a regular file.
    other: Option<Leaf>,
}

/// The outputs' tree, and each of its files as it stands. `adopt`: the files lie in the store's
/// own scratch space and may be moved from there.
pub fn outputs(
    node: &NodeName,
    work: &Path,
    declared: &[Spanned<RelPath>],
    adopt: bool,
    context: &Context,
) -> Result<(Tree, Vec<Standing>), TaskError> {
    let mut found = Vec::new();
    for output in declared {
        list(work, &output.value, &mut found)?;
    }
    let files: Vec<Ingest> = found
        .iter()
        .filter(|one| one.other.is_none())
        .map(|one| Ingest { path: one.path.under(work), adopt })
        .collect();
    let bytes = found.iter().filter(|one| one.other.is_none()).map(|one| one.stat.size).sum();
    let tally = Arc::new(Tally::of(bytes));
    let watched = context.moving(node, "storing its outputs", &tally);
    let mut ingested = context.store.ingest_counted(&files, &tally)?.into_iter();
    drop(watched);
    let mut leaves = Leaves::new();
    let mut standing = Vec::new();
    for Found { path, stat, other } in found {
        let leaf = match other {
            Some(leaf) => leaf,
            None => {
                let Some(content) = ingested.next() else { continue };
                Leaf::File { digest: content.digest, size: content.size, executable: stat.is_executable() }
            }
        };
        match &leaf {
            Leaf::File { digest, executable, .. } if !adopt => {
                let stat = settle(&path.under(work), *executable)?;
                standing.push(Standing { path: path.clone(), stat, digest: *digest, is_link: false });
            }
            Leaf::Symlink { target } if !adopt => {
                let digest = Digest::of(target.as_bytes());
                standing.push(Standing { path: path.clone(), stat, digest, is_link: true });
            }
            Leaf::EmptyDirectory if !adopt => standing.push(Standing::folder(path.clone(), stat)),
            _ => {}
        }
        leaves.insert(path, leaf);
    }
    Ok((Tree::from_leaves(&leaves), standing))
}

/// Gives a file that a recipe left at its place the mode of a published one, whatever its umask
/// was, puts its mtime a second into the past, so that no later write can share it by falling into
/// the same tick of the clock, and stats it.
fn settle(path: &Path, executable: bool) -> Result<Stat, TaskError> {
    let mode = fs::Permissions::from_mode(if executable { 0o755 } else { 0o644 });
    fs::set_permissions(path, mode).map_err(TaskError::io("set the mode of", path))?;
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    let times = Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        last_modification: Timespec { tv_sec: now.tv_sec - 1, tv_nsec: now.tv_nsec },
    };
    rustix::fs::utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)
        .map_err(|error| TaskError::io("set the time of", path)(error.into()))?;
    Stat::of(path).map_err(TaskError::io("read", path))
}

fn list(work: &Path, output: &RelPath, found: &mut Vec<Found>) -> Result<(), TaskError> {
    let path = output.under(work);
    let stat = match Stat::of(&path) {
        Ok(stat) => stat,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(TaskError::OutputNotMade(output.clone()));
        }
        Err(error) => return Err(TaskError::io("read", &path)(error)),
    };
    match stat.kind() {
        FileType::RegularFile => found.push(Found { path: output.clone(), stat, other: None }),
        FileType::Symlink => {
            let target = read_link(&path, output)?;
            found.push(Found { path: output.clone(), stat, other: Some(Leaf::Symlink { target }) });
        }
        FileType::Directory => folder(&path, output, stat, found)?,
        _ => {
            let message = "only files, folders and symlinks can be outputs".to_owned();
            return Err(TaskError::Output { path: output.clone(), message });
        }
    }
    Ok(())
}

fn folder(path: &Path, output: &RelPath, stat: Stat, found: &mut Vec<Found>) -> Result<(), TaskError> {
    let request = Request {
        root: path.to_path_buf(),
        project: path.to_path_buf(),
        cuts: Default::default(),
        ignore_rules: false,
        tracked: Default::default(),
        excludes: Vec::new(),
        selection: None,
    };
    let walked = walk::walk(&request)
        .map_err(|error| TaskError::Output { path: output.clone(), message: error.to_string() })?;
    let mut has_below = vec![false; walked.folders.len()];
    for (at, folder) in walked.folders.iter().enumerate() {
        if folder.parent != at {
            has_below[folder.parent] = true;
        }
    }
    for (folder, has_below) in walked.folders.iter().zip(has_below) {
        let at = output.join(&folder.path);
        if folder.files.is_empty() && !has_below {
            found.push(Found { path: at.clone(), stat, other: Some(Leaf::EmptyDirectory) });
        }
        for file in &folder.files {
            let other = file.link.clone().map(|target| Leaf::Symlink { target });
            found.push(Found { path: at.child(&file.name), stat: file.stat, other });
        }
    }
    Ok(())
}

fn read_link(path: &Path, output: &RelPath) -> Result<String, TaskError> {
    let target = fs::read_link(path).map_err(TaskError::io("read", path))?;
    target.into_os_string().into_string().map_err(|_| TaskError::Output {
        path: output.clone(),
        message: "a link's target is not UTF-8".to_owned(),
    })
}
