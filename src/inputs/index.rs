//! The stat index: every path that a run looked at, with the stat under which its digest holds.
//!
//! A flat, position-independent structure (rows of fixed size and one heap of names), so that a
//! run that does nothing maps it and copies nothing. Rows are grouped by
//! folder: a folder is opened once and its files are stat-ed by name below it. The store hands the
//! bytes in and takes them back; where they lie is not known here.

use std::ffi::CStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytemuck::{Pod, Zeroable};

use crate::digest::Digest;
use crate::inputs::stat::Stat;
use crate::inputs::walk::{File, Folder, Walked};
use crate::path::RelPath;
use crate::tree::TreeDigest;

mod layout;
mod rows;

pub use layout::{Answer, Builder};
pub use rows::{Mapping, Rows};

/// A folder's row.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub struct FolderRow {
    /// Heap offset and length of the absolute path; a NUL follows.
    path: u32,
    path_length: u32,
    /// Row of the folder above, itself for the root of a walk.
    parent: u32,
    /// The first of its file rows, and how many.
    first: u32,
    count: u32,
    flags: u32,
    pub stat: Stat,
}

/// A file's, link's or absence's row. In a walk, a link's target follows its name in the heap.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub struct FileRow {
    name: u32,
    name_length: u16,
    flags: u16,
    pub stat: Stat,
}

/// One walk: its folder rows, what was asked, and the tree it came to.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub struct WalkRow {
    first: u32,
    count: u32,
    /// [`crate::inputs::observe::question`] of the request.
    question: [u8; 32],
    /// Of the root directory.
    tree: [u8; 32],
}

/// The folder's own stat counts: an entry came or went when it moved.
const WATCHED: u32 = 1;
const LEFT_OUT: u32 = 2;
const HOLLOW: u32 = 4;
/// Its stat may hide that an entry came or went: it is listed again in any case.
const DOUBTED: u32 = 8;

/// The digest may not be trusted a second time (see [`crate::inputs::stat::Clock`]).
const RACY: u16 = 1;
/// Nothing was there, and nothing must be.
const ABSENT: u16 = 2;
const LINK: u16 = 4;
/// Only that there is a folder counts.
const PLAIN_FOLDER: u16 = 8;
/// Decides what a walk counts: when it moves, folders are walked anew.
const RULES: u16 = 16;
/// Kept for its stat alone: the digest stands for nothing.
const NOTICED: u16 = 32;
/// Only that something is there counts.
const PRESENT: u16 = 64;

/// A part larger than this is damage, not an index: it would be ten million files.
const MOST_BYTES: usize = 1 << 30;

/// The index. See the module.
#[derive(Clone, Debug, Default)]
pub struct Index {
    heap: Rows<u8>,
    folders: Rows<FolderRow>,
    files: Rows<FileRow>,
    digests: Rows<[u8; 32]>,
    walks: Rows<WalkRow>,
}

/// The index's parts as bytes, in the order in which they are written.
pub struct Parts<'a>(pub [&'a [u8]; 5]);

/// What a path outside of walks was found to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loose {
    File {
        stat: Stat,
        digest: Digest,
        racy: bool,
    },
    Link {
        stat: Stat,
        digest: Digest,
    },
    /// Only that it moves matters, not what is in it.
    Noticed {
        stat: Stat,
        racy: bool,
    },
    Folder,
    /// Only that something is there counts.
    Present,
    Absent,
}

impl Index {
    pub fn parts(&self) -> Parts<'_> {
        Parts([
            bytemuck::cast_slice(&self.walks),
            bytemuck::cast_slice(&self.folders),
            bytemuck::cast_slice(&self.files),
            bytemuck::cast_slice(&self.digests),
            &self.heap,
        ])
    }

    /// Parts as they lie in a file from `start` on, `lengths` bytes each. None when they do not fit
    /// one another: rows would point where nothing is.
    pub fn mapped(mapping: &Arc<Mapping>, start: usize, lengths: [u64; 5]) -> Option<Self> {
        let mut at = start;
        let mut next = |length: u64| {
            let length = usize::try_from(length).ok().filter(|length| *length <= MOST_BYTES)?;
            let range = at..at.checked_add(length)?;
            at = range.end;
            Some(range)
        };
        let [walks, folders, files, digests, heap] = lengths;
        let index = Self {
            walks: Rows::mapped(mapping, next(walks)?)?,
            folders: Rows::mapped(mapping, next(folders)?)?,
            files: Rows::mapped(mapping, next(files)?)?,
            digests: Rows::mapped(mapping, next(digests)?)?,
            heap: Rows::mapped(mapping, next(heap)?)?,
        };
        let heap = index.heap.len();
        let text_fits = |at: u32, length: usize| {
            let end = at as usize + length;
            end < heap && index.heap[end] == 0
        };
        let fits = index.digests.len() == index.files.len()
            && index.folders.iter().all(|row| {
                text_fits(row.path, row.path_length as usize)
                    && row.first as usize + row.count as usize <= index.files.len()
                    && (row.parent as usize) < index.folders.len()
            })
            && index.files.iter().all(|row| text_fits(row.name, usize::from(row.name_length)))
            && index.walks.iter().all(|row| row.first as usize + row.count as usize <= index.folders.len());
        fits.then_some(index)
    }

    /// The same in memory: for those who go on while the file may be changed by others.
    #[must_use]
    pub fn owned(mut self) -> Self {
        let Self { heap, folders, files, digests, walks } = &mut self;
        heap.edit();
        folders.edit();
        files.edit();
        digests.edit();
        walks.edit();
        self
    }

    pub fn folders(&self) -> &[FolderRow] {
        &self.folders
    }

    pub fn files_of(&self, folder: &FolderRow) -> std::ops::Range<usize> {
        folder.first as usize..(folder.first + folder.count) as usize
    }

    pub fn file(&self, at: usize) -> &FileRow {
        &self.files[at]
    }

    pub fn file_count(&self) -> usize {
        self.files.len()
    }

    pub fn digest(&self, at: usize) -> Digest {
        Digest::from_bytes(self.digests[at])
    }

    fn text(&self, at: u32, length: u32) -> &str {
        std::str::from_utf8(&self.heap[at as usize..(at + length) as usize]).unwrap_or("")
    }

    fn c_text(&self, at: u32, length: u32) -> &CStr {
        CStr::from_bytes_with_nul(&self.heap[at as usize..=(at + length) as usize]).unwrap_or(c"")
    }

    pub fn folder_path(&self, row: &FolderRow) -> &str {
        self.text(row.path, row.path_length)
    }

    pub fn folder_c_path(&self, row: &FolderRow) -> &CStr {
        self.c_text(row.path, row.path_length)
    }

    pub fn file_name(&self, row: &FileRow) -> &str {
        self.text(row.name, u32::from(row.name_length))
    }

    pub fn file_c_name(&self, row: &FileRow) -> &CStr {
        self.c_text(row.name, u32::from(row.name_length))
    }

    /// The absolute path and the full path of a name in it, for messages.
    pub fn path_of(&self, folder: usize, file: usize) -> PathBuf {
        Path::new(self.folder_path(&self.folders[folder])).join(self.file_name(&self.files[file]))
    }

    /// The position of each walk by the question that it answered.
    pub fn walks(&self) -> impl Iterator<Item = (Digest, usize)> {
        self.walks.iter().enumerate().map(|(at, walk)| (Digest::from_bytes(walk.question), at))
    }

    /// Everything that decided what walks count.
    pub fn rules(&self) -> Vec<(PathBuf, Loose)> {
        let mut found = Vec::new();
        for folder in self.folders.iter() {
            for row in self.files_of(folder).map(|at| &self.files[at]).filter(|row| row.is_rules()) {
                let loose = if row.is_absent() {
                    Loose::Absent
                } else if row.is_plain_folder() {
                    Loose::Folder
                } else {
                    Loose::Noticed { stat: row.stat, racy: row.is_racy() }
                };
                found.push((Path::new(self.folder_path(folder)).join(self.file_name(row)), loose));
            }
        }
        found
    }

    /// The tree that a walk came to.
    pub fn walk_tree(&self, walk: usize) -> TreeDigest {
        TreeDigest(Digest::from_bytes(self.walks[walk].tree))
    }

    /// The rows of a walk's folders.
    pub fn walk_range(&self, walk: usize) -> std::ops::Range<usize> {
        let row = &self.walks[walk];
        row.first as usize..(row.first + row.count) as usize
    }

    /// The rows of a walk's files, in the order of its folders.
    pub fn walk_files(&self, walk: usize) -> std::ops::Range<usize> {
        let folders = &self.folders[self.walk_range(walk)];
        match (folders.first(), folders.last()) {
            (Some(first), Some(last)) => first.first as usize..(last.first + last.count) as usize,
            _ => 0..0,
        }
    }

    /// A walk as it was.
    pub fn walked(&self, walk: usize) -> Walked {
        let range = self.walk_range(walk);
        let root = self.folder_path(&self.folders[range.start]).to_owned();
        let folders = range
            .clone()
            .map(|at| {
                let row = &self.folders[at];
                let below = self.folder_path(row)[root.len()..].trim_start_matches('/');
                Folder {
                    path: if below.is_empty() {
                        RelPath::root()
                    } else {
                        RelPath::parse(below).unwrap_or_else(|_| RelPath::root())
                    },
                    parent: row.parent as usize - range.start,
                    stat: row.stat,
                    files: self
                        .files_of(row)
                        .map(|file| {
                            let row = &self.files[file];
                            File {
                                name: self.file_name(row).to_owned(),
                                stat: row.stat,
                                link: row.is_link().then(|| self.target(row).to_owned()),
                            }
                        })
                        .collect(),
                    left_out: row.flags & LEFT_OUT != 0,
                    hollow: row.flags & HOLLOW != 0,
                }
            })
            .collect();
        Walked { folders, consulted: Vec::new() }
    }

    fn target(&self, row: &FileRow) -> &str {
        let at = row.name as usize + usize::from(row.name_length) + 1;
        let target = self.heap.get(at..).and_then(|rest| CStr::from_bytes_until_nul(rest).ok());
        target.and_then(|target| target.to_str().ok()).unwrap_or_default()
    }

    /// The row of `name` in a folder row: names are sorted.
    pub fn find(&self, folder: usize, name: &str) -> Option<usize> {
        let range = self.files_of(&self.folders[folder]);
        let files = &self.files[range.clone()];
        let at = files.binary_search_by(|row| self.file_name(row).as_bytes().cmp(name.as_bytes())).ok()?;
        Some(range.start + at)
    }
}

impl FolderRow {
    pub fn is_watched(&self) -> bool {
        self.flags & WATCHED != 0
    }

    pub fn is_doubted(&self) -> bool {
        self.flags & DOUBTED != 0
    }

    pub fn is_hollow(&self) -> bool {
        self.flags & HOLLOW != 0
    }

    /// Whether exactly what counts lies in it.
    pub fn is_whole(&self) -> bool {
        self.flags & (LEFT_OUT | HOLLOW) == 0
    }

    pub fn file_count(&self) -> usize {
        self.count as usize
    }
}

impl FileRow {
    pub fn is_racy(&self) -> bool {
        self.flags & RACY != 0
    }

    pub fn is_absent(&self) -> bool {
        self.flags & ABSENT != 0
    }

    pub fn is_link(&self) -> bool {
        self.flags & LINK != 0
    }

    pub fn is_plain_folder(&self) -> bool {
        self.flags & PLAIN_FOLDER != 0
    }

    pub fn is_present(&self) -> bool {
        self.flags & PRESENT != 0
    }

    /// Whether the digest is that of the content.
    pub fn has_content(&self) -> bool {
        self.flags & (ABSENT | PLAIN_FOLDER | NOTICED | LINK | PRESENT) == 0
    }

    pub fn is_rules(&self) -> bool {
        self.flags & RULES != 0
    }
}
