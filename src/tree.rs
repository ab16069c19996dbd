//! Trees of files as Merkle directories, shaped like the Remote Execution API's `Directory`.
//!
//! A [`Directory`] is a sorted list of named entries; its digest is that of its canonical bytes,
//! and a sub-folder is named by its digest, so two trees are compared by descending only where
//! digests differ. Modes are 644 and 755 (one bit), symlinks count by target, empty folders count.
//! Pure: where directories are kept is the store's business.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::path::RelPath;

mod diff;
mod encoding;

pub use diff::{Change, ChangeKind, diff};
pub use encoding::MAGIC;

/// The digest of a [`Directory`]'s canonical bytes, and so of the whole tree below it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TreeDigest(pub Digest);

impl fmt::Debug for TreeDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TreeDigest({})", self.0.short())
    }
}

impl fmt::Display for TreeDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a name in a folder, or a declared path, is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// `size` in bytes; `executable` is mode 755 instead of 644.
    File {
        digest: Digest,
        size: u64,
        executable: bool,
    },
    /// The target as written in the link.
    Symlink {
        target: String,
    },
    Directory {
        digest: TreeDigest,
    },
}

/// One folder's entries, sorted by the bytes of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directory {
    entries: Vec<(String, Entry)>,
}

impl Directory {
    /// Sorts `entries`. Names must be unique and hold no slash.
    pub fn new(mut entries: Vec<(String, Entry)>) -> Self {
        entries.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
        debug_assert!(entries.windows(2).all(|pair| pair[0].0 != pair[1].0));
        Self { entries }
    }

    pub fn entries(&self) -> &[(String, Entry)] {
        &self.entries
    }

    pub fn get(&self, name: &str) -> Option<&Entry> {
        let at = self.entries.binary_search_by(|(n, _)| n.as_bytes().cmp(name.as_bytes())).ok()?;
        Some(&self.entries[at].1)
    }

    pub fn digest(&self) -> TreeDigest {
        TreeDigest(Digest::of(&self.encode()))
    }
}

/// A leaf of a flattened tree: everything but a folder that has something in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leaf {
    File { digest: Digest, size: u64, executable: bool },
    Symlink { target: String },
    EmptyDirectory,
}

/// A tree as a sorted list of leaves: the form in which trees are assembled and overlaid.
pub type Leaves = BTreeMap<RelPath, Leaf>;

/// A whole tree in memory: the root's digest and every directory below it, by digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    pub root: TreeDigest,
    pub directories: HashMap<TreeDigest, Arc<Directory>>,
}

impl Tree {
    /// Builds the Merkle tree of `leaves`. A leaf at the root path is allowed only as
    /// [`Leaf::EmptyDirectory`] and means the empty tree.
    ///
    /// # Panics
    /// When a leaf lies below another leaf that is no folder; [`overlay`] keeps that from happening.
    pub fn from_leaves(leaves: &Leaves) -> Self {
        #[derive(Default)]
        struct Folder {
            leaves: Vec<(String, Entry)>,
            folders: BTreeMap<String, Folder>,
        }
        fn close(folder: Folder, into: &mut HashMap<TreeDigest, Arc<Directory>>) -> TreeDigest {
            let mut entries = folder.leaves;
            for (name, below) in folder.folders {
                let digest = close(below, into);
                entries.push((name, Entry::Directory { digest }));
            }
            let directory = Directory::new(entries);
            let digest = directory.digest();
            into.entry(digest).or_insert_with(|| Arc::new(directory));
            digest
        }
        let mut root = Folder::default();
        for (path, leaf) in leaves {
            let mut at = &mut root;
            let mut names = path.names().peekable();
            while let Some(name) = names.next() {
                let last = names.peek().is_none();
                match (last, leaf) {
                    (false, _) | (true, Leaf::EmptyDirectory) => {
                        at = at.folders.entry(name.to_owned()).or_default();
                    }
                    (true, Leaf::File { digest, size, executable }) => at.leaves.push((
                        name.to_owned(),
                        Entry::File { digest: *digest, size: *size, executable: *executable },
                    )),
                    (true, Leaf::Symlink { target }) => {
                        at.leaves.push((name.to_owned(), Entry::Symlink { target: target.clone() }));
                    }
                }
            }
        }
        let mut directories = HashMap::new();
        let root = close(root, &mut directories);
        Self { root, directories }
    }

    /// Flattens the tree. Folders that hold something are implied by their leaves.
    pub fn leaves(&self) -> Leaves {
        let mut out = Leaves::new();
        let mut todo = vec![(RelPath::root(), self.root)];
        while let Some((path, digest)) = todo.pop() {
            let directory = &self.directories[&digest];
            if directory.entries().is_empty() {
                out.insert(path.clone(), Leaf::EmptyDirectory);
            }
            for (name, entry) in directory.entries() {
                let path = path.child(name);
                match entry {
                    Entry::Directory { digest } => todo.push((path, *digest)),
                    Entry::File { digest, size, executable } => {
                        out.insert(
                            path,
                            Leaf::File { digest: *digest, size: *size, executable: *executable },
                        );
                    }
                    Entry::Symlink { target } => {
                        out.insert(path, Leaf::Symlink { target: target.clone() });
                    }
                }
            }
        }
        out
    }

    /// The entry at `path`; the root is its own directory entry.
    pub fn get(&self, path: &RelPath) -> Option<Entry> {
        let mut at = Entry::Directory { digest: self.root };
        for name in path.names() {
            let Entry::Directory { digest } = at else { return None };
            at = self.directories.get(&digest)?.get(name)?.clone();
        }
        Some(at)
    }
}

/// The leaves that lie below `folder`.
pub fn below<'a>(leaves: &'a Leaves, folder: &RelPath) -> impl Iterator<Item = (&'a RelPath, &'a Leaf)> {
    // No name holds a NUL, so this bound sorts before everything below the folder.
    let start = folder.child("\0");
    let folder = folder.clone();
    leaves.range(start..).take_while(move |(path, _)| path.is_within(&folder))
}

/// Lays `upper` over `lower`, with `upper`'s root at `into`. An upper file hides a lower folder of
/// its name and the other way round; an empty upper folder hides nothing.
pub fn overlay(lower: &mut Leaves, upper: &Leaves, into: &RelPath) {
    for (path, leaf) in upper {
        let path = into.join(path);
        if path.is_root() {
            continue;
        }
        if *leaf == Leaf::EmptyDirectory && below(lower, &path).next().is_some() {
            continue;
        }
        let mut above = path.parent();
        while let Some(folder) = above {
            lower.remove(&folder);
            above = folder.parent();
        }
        let hidden: Vec<RelPath> = below(lower, &path).map(|(path, _)| path.clone()).collect();
        for path in hidden {
            lower.remove(&path);
        }
        lower.insert(path, leaf.clone());
    }
}

/// Whether a link at `path` with this `target` stays inside the tree, judged lexically.
/// An absolute target never does.
pub fn link_stays_inside(path: &RelPath, target: &str) -> bool {
    if target.starts_with('/') {
        return false;
    }
    let mut depth = path.names().count().saturating_sub(1);
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => match depth.checked_sub(1) {
                Some(up) => depth = up,
                None => return false,
            },
            _ => depth += 1,
        }
    }
    true
}

#[cfg(test)]
mod tests;
