//! Lays rows out: walks folder by folder as they are added, then everything else by folder.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use crate::digest::Digest;
use crate::inputs::index::{
    ABSENT, DOUBTED, FileRow, FolderRow, HOLLOW, Index, LEFT_OUT, LINK, Loose, NOTICED, PLAIN_FOLDER,
    PRESENT, RACY, RULES, WATCHED, WalkRow,
};
use crate::inputs::stat::Stat;
use crate::inputs::walk::{Folder, Walked};
use crate::tree::TreeDigest;

/// What a walk was asked and what it came to.
pub struct Answer<'a> {
    pub question: &'a Digest,
    pub tree: TreeDigest,
}

/// A row cannot hold a path that is not UTF-8: what is there is doubted for ever.
fn readable(path: &Path, found: Loose) -> Loose {
    if path.to_str().is_some() { found } else { Loose::Noticed { stat: Stat::default(), racy: true } }
}

/// Gathers rows and lays them out.
#[derive(Default)]
pub struct Builder {
    index: Index,
    loose: BTreeMap<PathBuf, BTreeMap<String, (Loose, bool)>>,
}

impl Builder {
    fn put(&mut self, text: &str) -> u32 {
        let at = self.index.heap.len() as u32;
        self.index.heap.edit().extend_from_slice(text.as_bytes());
        self.index.heap.edit().push(0);
        at
    }

    fn push_file(&mut self, name: &str, flags: u16, stat: Stat, digest: Digest) {
        let at = self.put(name);
        self.index.files.edit().push(FileRow { name: at, name_length: name.len() as u16, flags, stat });
        self.index.digests.edit().push(*digest.as_bytes());
    }

    /// Adds a walk of `root`. `seen` gives a file's digest and whether it is racy, by position;
    /// `doubted` tells whether a folder must be listed again whatever its stat says.
    pub fn add_walk(
        &mut self,
        root: &Path,
        answer: Answer<'_>,
        walked: &Walked,
        seen: &dyn Fn(usize, usize) -> (Digest, bool),
        doubted: &dyn Fn(&Folder) -> bool,
    ) {
        let base = self.index.folders.len();
        for (at, folder) in walked.folders.iter().enumerate() {
            let path = folder.path.under(root).to_string_lossy().into_owned();
            let first = self.index.files.len() as u32;
            for (position, file) in folder.files.iter().enumerate() {
                let (digest, racy) = seen(at, position);
                let flags = if racy { RACY } else { 0 } | if file.link.is_some() { LINK } else { 0 };
                self.push_file(&file.name, flags, file.stat, digest);
                if let Some(target) = &file.link {
                    self.put(target);
                }
            }
            let path_at = self.put(&path);
            let flags = WATCHED
                | if folder.left_out { LEFT_OUT } else { 0 }
                | if folder.hollow { HOLLOW } else { 0 }
                | if doubted(folder) { DOUBTED } else { 0 };
            self.index.folders.edit().push(FolderRow {
                path: path_at,
                path_length: path.len() as u32,
                parent: (base + folder.parent) as u32,
                first,
                count: folder.files.len() as u32,
                flags,
                stat: folder.stat,
            });
        }
        self.index.walks.edit().push(WalkRow {
            first: base as u32,
            count: walked.folders.len() as u32,
            question: *answer.question.as_bytes(),
            tree: *answer.tree.0.as_bytes(),
        });
    }

    /// Adds a walk of another index with the same files. `restated` gives the stats of those that
    /// were looked at again, and whether they are racy, by row.
    pub fn add_walk_of(&mut self, index: &Index, walk: usize, restated: &HashMap<usize, (Stat, bool)>) {
        let folders = &index.folders[index.walk_range(walk)];
        let files = index.walk_files(walk);
        let (Some(first), Some(last)) = (folders.first(), folders.last()) else { return };
        // Texts lie in the heap as their rows lie: a folder's path behind the names in it.
        let start =
            index.files.get(files.start).filter(|_| first.count > 0).map_or(first.path, |row| row.name);
        let end = last.path + last.path_length + 1;
        let moved = (self.index.heap.len() as u32).wrapping_sub(start);
        let moved_files = (self.index.files.len() as u32).wrapping_sub(files.start as u32);
        let base = self.index.folders.len() as u32;
        let walk = &index.walks[walk];
        self.index.heap.edit().extend_from_slice(&index.heap[start as usize..end as usize]);
        self.index.digests.edit().extend_from_slice(&index.digests[files.clone()]);
        self.index.folders.edit().extend(folders.iter().map(|row| FolderRow {
            path: row.path.wrapping_add(moved),
            parent: row.parent - walk.first + base,
            first: row.first.wrapping_add(moved_files),
            ..*row
        }));
        self.index.files.edit().extend(files.map(|at| {
            let row = &index.files[at];
            let (stat, racy) = restated.get(&at).copied().unwrap_or((row.stat, row.is_racy()));
            let flags = (row.flags & !RACY) | if racy { RACY } else { 0 };
            FileRow { name: row.name.wrapping_add(moved), flags, stat, ..*row }
        }));
        self.index.walks.edit().push(WalkRow { first: base, ..*walk });
    }

    /// Adds a path outside of walks. The later of two additions counts.
    pub fn add_loose(&mut self, path: &Path, found: Loose) {
        let found = readable(path, found);
        self.loose_row(path, found, false).0 = found;
    }

    /// Adds a file that decides what walks count, as it was right before it was read. If it was read
    /// twice, and moved between, neither reading stands.
    pub fn add_rules(&mut self, path: &Path, found: Loose) {
        let row = self.loose_row(path, readable(path, found), true);
        let moved = match (row.0, found) {
            (Loose::Noticed { stat: a, .. }, Loose::Noticed { stat: b, .. }) => a != b,
            (Loose::Noticed { .. }, Loose::Absent) | (Loose::Absent, Loose::Noticed { .. }) => true,
            _ => false,
        };
        if moved {
            row.0 = Loose::Noticed { stat: Stat::default(), racy: true };
        }
        row.1 = true;
    }

    fn loose_row(&mut self, path: &Path, found: Loose, rules: bool) -> &mut (Loose, bool) {
        let folder = path.parent().unwrap_or(Path::new("/")).to_path_buf();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.loose.entry(folder).or_default().entry(name).or_insert((found, rules))
    }

    pub fn finish(mut self) -> Index {
        for (folder, files) in std::mem::take(&mut self.loose) {
            let path = folder.to_string_lossy().into_owned();
            let first = self.index.files.len() as u32;
            let count = files.len() as u32;
            for (name, (found, rules)) in files {
                let nothing = Digest::of(b"");
                let (flags, stat, digest) = match found {
                    Loose::File { stat, digest, racy } => (if racy { RACY } else { 0 }, stat, digest),
                    Loose::Link { stat, digest } => (LINK, stat, digest),
                    Loose::Noticed { stat, racy } => (NOTICED | if racy { RACY } else { 0 }, stat, nothing),
                    Loose::Folder => (PLAIN_FOLDER, Stat::default(), nothing),
                    Loose::Present => (PRESENT, Stat::default(), nothing),
                    Loose::Absent => (ABSENT, Stat::default(), nothing),
                };
                self.push_file(&name, flags | if rules { RULES } else { 0 }, stat, digest);
            }
            let path_at = self.put(&path);
            let at = self.index.folders.len() as u32;
            self.index.folders.edit().push(FolderRow {
                path: path_at,
                path_length: path.len() as u32,
                parent: at,
                first,
                count,
                flags: 0,
                stat: Stat::default(),
            });
        }
        self.index
    }
}
