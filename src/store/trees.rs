//! Directories as contents, and trees unpacked for those who need them as folders.

use std::collections::HashMap;
use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::digest::Digest;
use crate::record::Artifact;
use crate::store::error::{PlaceError, StoreError};
use crate::store::lease::lock;
use crate::store::open::Store;
use crate::store::place::{Placement, Target};
use crate::tree::{Directory, Entry, Tree, TreeDigest};

/// Decoded directories that are kept in memory at most.
const KEPT: usize = 20_000;

/// Directories read before.
#[derive(Default)]
pub(super) struct Directories(Mutex<HashMap<TreeDigest, Arc<Directory>>>);

impl Directories {
    fn get(&self, digest: &TreeDigest) -> Option<Arc<Directory>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(digest).cloned()
    }

    fn keep(&self, digest: TreeDigest, directory: Arc<Directory>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(digest, directory);
    }

    pub(super) fn forget(&self, digest: &Digest) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&TreeDigest(*digest));
    }

    pub(super) fn forget_all(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Store {
    /// Keeps the directories of `tree`; its files' contents are taken in apart.
    pub fn put_tree(&self, tree: &Tree) -> Result<(), StoreError> {
        let mut batch = self.batch();
        for digest in self.missing(tree.directories.keys().map(|digest| digest.0)) {
            if let Some(directory) = tree.directories.get(&TreeDigest(digest)) {
                let stored = batch.add_bytes(&directory.encode())?;
                debug_assert_eq!(stored, digest, "a tree names a directory by another digest than its own");
            }
        }
        batch.finish()
    }

    /// None when it is absent, damaged, or no directory.
    pub fn directory(&self, digest: TreeDigest) -> Option<Arc<Directory>> {
        if let Some(kept) = self.directories.get(&digest) {
            return Some(kept);
        }
        let directory = Arc::new(Directory::decode(&self.read(&digest.0).ok()?).ok()?);
        self.directories.keep(digest, directory.clone());
        Some(directory)
    }

    /// The whole tree of directories. Its files may be absent, see [`Store::has_tree`].
    pub fn tree(&self, root: TreeDigest) -> Result<Tree, StoreError> {
        let mut directories = HashMap::new();
        let mut todo = vec![root];
        while let Some(digest) = todo.pop() {
            if directories.contains_key(&digest) {
                continue;
            }
            let directory = self.directory(digest).ok_or(StoreError::NoTree(root))?;
            todo.extend(below(&directory));
            directories.insert(digest, directory);
        }
        Ok(Tree { root, directories })
    }

    /// Whether every directory and every file content of the tree is recorded.
    pub fn has_tree(&self, root: TreeDigest) -> bool {
        let Ok(tree) = self.tree(root) else { return false };
        let files: HashSet<Digest> = tree.directories.values().flat_map(|d| files(d)).collect();
        self.missing(files).is_empty()
    }

    /// Whether all of an artifact is here; of an image, whether it is kept here.
    pub fn has_artifact(&self, artifact: &Artifact) -> bool {
        match artifact {
            Artifact::Entry(Entry::File { digest, .. }) => self.contains(digest),
            Artifact::Entry(Entry::Directory { digest }) => self.has_tree(*digest),
            Artifact::Entry(Entry::Symlink { .. }) => true,
            Artifact::Image(image) => image.kept.is_some_and(|kept| self.has_tree(kept)),
        }
    }

    /// A folder that holds the tree, made when there is none. It is shared and disposable: to be
    /// mounted read-only or copied from, never written to.
    pub fn unpacked(&self, digest: TreeDigest) -> Result<PathBuf, PlaceError> {
        self.check_writable()?;
        self.drop_trees_of_earlier_boots()?;
        let place = self.layout.folder("trees").join(digest.0.hex());
        if place.is_dir() {
            return Ok(place);
        }
        let staged = self.scratch()?;
        if let Err(error) = self.unpack(digest, &staged) {
            let _ = self.discard([&staged]);
            return Err(error);
        }
        match fs::rename(&staged, &place) {
            Ok(()) => Ok(place),
            // Another thread or process was quicker; its folder is the same.
            Err(_) if place.is_dir() => {
                self.discard([&staged])?;
                Ok(place)
            }
            Err(e) => Err(self.layout.error("unpack", &place, e).into()),
        }
    }

    fn unpack(&self, digest: TreeDigest, to: &Path) -> Result<(), PlaceError> {
        let tree = self.tree(digest)?;
        let mut placements: HashMap<Digest, Placement> = HashMap::new();
        let mut todo = vec![(to.to_owned(), digest)];
        while let Some((folder, digest)) = todo.pop() {
            let fault = |e: io::Error| PlaceError::target(&folder, e);
            fs::create_dir(&folder).map_err(fault)?;
            for (name, entry) in tree.directories[&digest].entries() {
                let path = folder.join(name);
                match entry {
                    Entry::Directory { digest } => todo.push((path, *digest)),
                    Entry::Symlink { target } => {
                        std::os::unix::fs::symlink(target, &path)
                            .map_err(|e| PlaceError::target(&path, e))?;
                    }
                    Entry::File { digest, size, executable } => placements
                        .entry(*digest)
                        .or_insert_with(|| Placement { digest: *digest, size: *size, targets: Vec::new() })
                        .targets
                        .push(Target::new(path, *executable)),
                }
            }
        }
        self.place(&placements.into_values().collect::<Vec<_>>())
    }

    /// Unpacked trees are not flushed: after the machine went down nobody knows what is in them.
    fn drop_trees_of_earlier_boots(&self) -> Result<(), StoreError> {
        let note = self.layout.folder("trees").join("boot");
        let is_ours = || fs::read_to_string(&note).is_ok_and(|text| text == self.boot);
        if is_ours() {
            return Ok(());
        }
        let name = self.layout.lock("trees");
        let _held = lock(&name, true, &mut || true).map_err(|e| self.layout.error("lock", &name, e))?;
        if is_ours() {
            return Ok(());
        }
        self.discard(self.layout.list(&self.layout.folder("trees"))?.iter().map(fs::DirEntry::path))?;
        fs::write(&note, &self.boot).map_err(|e| self.layout.error("write", &note, e))
    }
}

/// The directories directly below.
pub(super) fn below(directory: &Directory) -> impl Iterator<Item = TreeDigest> {
    directory.entries().iter().filter_map(|(_, entry)| match entry {
        Entry::Directory { digest } => Some(*digest),
        Entry::File { .. } | Entry::Symlink { .. } => None,
    })
}

/// The contents of the files directly in it.
pub(super) fn files(directory: &Directory) -> impl Iterator<Item = Digest> {
    directory.entries().iter().filter_map(|(_, entry)| match entry {
        Entry::File { digest, .. } => Some(*digest),
        Entry::Directory { .. } | Entry::Symlink { .. } => None,
    })
}
