//! The build context of a node: files of the project, and the tree of another node in its place.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

use crate::digest::Digest;
use crate::inputs::Observation;
use crate::path::RelPath;
use crate::run::docker::buildkit::{Context as BuildContext, ContextEntry, EntryKind, Moved};
use crate::run::task::TaskError;
use crate::store::Store;
use crate::tree::{Leaf, TreeDigest};

/// Where a file's bytes are.
enum Bytes {
    Project(PathBuf),
    Store(Digest),
    None,
}

pub struct NodeContext {
    entries: Vec<ContextEntry>,
    bytes: Vec<Bytes>,
    store: Arc<Store>,
}

impl NodeContext {
    /// `app`: where the tree of another node stands. It takes the place of what is there; at the root
    /// it lies over it, file by file, or is all there is.
    pub fn new(
        folder: Option<&Observation>,
        app: Option<(&RelPath, TreeDigest)>,
        store: &Arc<Store>,
    ) -> Result<Self, TaskError> {
        let mut all: BTreeMap<RelPath, (EntryKind, Bytes)> = BTreeMap::new();
        for folder in folder.into_iter() {
            for (path, leaf) in folder.tree().leaves() {
                let bytes = Bytes::Project(path.under(&folder.root));
                all.insert(path, entry(leaf, bytes));
            }
        }
        if let Some((into, tree)) = app {
            let leaves = store.tree(tree)?.leaves();
            if into.is_root() {
                all.retain(|path, _| !is_hidden(path, &leaves));
            } else {
                all.retain(|path, _| !path.is_within(into));
                all.insert(into.clone(), (EntryKind::Directory, Bytes::None));
            }
            for (path, leaf) in leaves {
                let bytes = match &leaf {
                    Leaf::File { digest, .. } => Bytes::Store(*digest),
                    _ => Bytes::None,
                };
                all.insert(into.join(&path), entry(leaf, bytes));
            }
        }
        // What an empty folder is to itself.
        all.remove(&RelPath::root());
        let folders: Vec<RelPath> = all
            .keys()
            .flat_map(|path| std::iter::successors(path.parent(), RelPath::parent))
            .filter(|path| !path.is_root())
            .collect();
        for folder in folders {
            all.entry(folder).or_insert((EntryKind::Directory, Bytes::None));
        }
        let mut sorted: Vec<(RelPath, (EntryKind, Bytes))> = all.into_iter().collect();
        sorted.sort_by(|(a, _), (b, _)| ContextEntry::order(a.as_str(), b.as_str()));
        let (entries, bytes) = sorted
            .into_iter()
            .map(|(path, (kind, bytes))| (ContextEntry { path: path.to_string(), kind }, bytes))
            .unzip();
        Ok(Self { entries, bytes, store: Arc::clone(store) })
    }

    /// How many files there are, and their bytes.
    pub fn extent(&self) -> (usize, u64) {
        let sizes = self.entries.iter().filter_map(|entry| match entry.kind {
            EntryKind::File { size, .. } => Some(size),
            _ => None,
        });
        sizes.fold((0, 0), |(count, bytes), size| (count + 1, bytes + size))
    }
}

/// Whether a file, link or empty folder cannot be seen any more with these over it.
fn is_hidden(path: &RelPath, over: &BTreeMap<RelPath, Leaf>) -> bool {
    let above = std::iter::successors(path.parent(), RelPath::parent);
    let in_its_way =
        above.filter(|path| !matches!(over.get(path), None | Some(Leaf::EmptyDirectory))).count();
    // No name holds a NUL, so this bound sorts before everything below the path.
    let below = over.range(path.child("\0")..).next().is_some_and(|(first, _)| first.is_within(path));
    in_its_way > 0 || below || over.contains_key(path)
}

/// A file that must end up as the bytes that were looked at, which may be long ago.
struct Watched {
    file: File,
    hasher: blake3::Hasher,
    content: Option<Digest>,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        if count == 0 && !buffer.is_empty() && self.content != Some(self.hasher.finalize().into()) {
            return Err(io::Error::other(Moved));
        }
        Ok(count)
    }
}

fn entry(leaf: Leaf, bytes: Bytes) -> (EntryKind, Bytes) {
    match leaf {
        Leaf::File { digest, size, executable } => {
            (EntryKind::File { size, executable, content: digest }, bytes)
        }
        Leaf::Symlink { target } => (EntryKind::Symlink { target }, Bytes::None),
        Leaf::EmptyDirectory => (EntryKind::Directory, Bytes::None),
    }
}

impl BuildContext for NodeContext {
    fn entries(&self) -> &[ContextEntry] {
        &self.entries
    }

    fn open(&self, entry: usize) -> io::Result<Box<dyn Read + Send>> {
        match &self.bytes[entry] {
            Bytes::Project(path) => {
                let content = match &self.entries[entry].kind {
                    EntryKind::File { content, .. } => Some(*content),
                    EntryKind::Directory | EntryKind::Symlink { .. } => None,
                };
                let hasher = blake3::Hasher::new();
                Ok(Box::new(Watched { file: File::open(path)?, hasher, content }))
            }
            Bytes::Store(digest) => self.store.open_content(digest).map_err(io::Error::other),
            Bytes::None => Ok(Box::new(io::empty())),
        }
    }
}
