//! Is everything in the index still as it was? Stats alone, on all cores.
//!
//! This is the whole cost of doing nothing: one stat for each folder and for each file.

use std::ffi::CStr;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::fs::{CWD, FileType};

use crate::inputs::index::{FileRow, FolderRow, Index};
use crate::inputs::stat::Stat;

/// Folder rows that a thread takes at a time.
const STEP: usize = 32;

/// What moved. Positions are rows of the index; the stat is the one found now, none where nothing
/// is there.
#[derive(Debug, Default)]
pub struct Moved {
    /// Includes doubted rows, moved or not: they are to be listed again.
    pub folders: Vec<(usize, Option<Stat>)>,
    /// Includes racy rows, moved or not: their digests do not stand.
    pub files: Vec<(usize, Option<Stat>)>,
    /// Whether one of the files decides what walks count.
    pub rules: bool,
}

impl Moved {
    pub fn is_empty(&self) -> bool {
        self.folders.is_empty() && self.files.is_empty()
    }
}

/// The processors that this thread may use. Control groups may give less time than that, which costs
/// more to find out than a thread too many does here.
#[cfg(target_os = "linux")]
fn processors() -> usize {
    rustix::thread::sched_getaffinity(None).map_or(1, |set| set.count() as usize)
}

#[cfg(not(target_os = "linux"))]
fn processors() -> usize {
    crate::inputs::hash::cores()
}

/// Stats everything in `index`.
pub fn verify(index: &Index) -> Moved {
    let folders = index.folders();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut moved = Moved::default();
        let mut full = Vec::new();
        loop {
            let start = next.fetch_add(STEP, Ordering::Relaxed);
            if start >= folders.len() {
                return moved;
            }
            for (at, row) in folders.iter().enumerate().skip(start).take(STEP) {
                folder(index, at, row, &mut full, &mut moved);
            }
        }
    };
    let threads = processors().min(folders.len().div_ceil(STEP)).max(1);
    // One folder of many files is shared out by nobody: large loose folders are rare and flat.
    let mut all = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut all = work();
        for other in others {
            match other.join() {
                Ok(mut moved) => {
                    all.folders.append(&mut moved.folders);
                    all.files.append(&mut moved.files);
                    all.rules |= moved.rules;
                }
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    });
    all.folders.sort_by_key(|(at, _)| *at);
    all.files.sort_by_key(|(at, _)| *at);
    all
}

/// Everything goes by its whole path: opening a folder to stat its files below it costs three calls,
/// and saves less than they take.
fn folder(index: &Index, at: usize, row: &FolderRow, full: &mut Vec<u8>, moved: &mut Moved) {
    let path = index.folder_c_path(row);
    if row.is_watched() {
        compare_folder(at, row, Stat::at(CWD, path).ok(), moved);
    }
    full.clear();
    full.extend_from_slice(path.to_bytes());
    full.push(b'/');
    let keep = full.len();
    for file in index.files_of(row) {
        let entry = index.file(file);
        full.truncate(keep);
        full.extend_from_slice(index.file_c_name(entry).to_bytes_with_nul());
        let found = CStr::from_bytes_with_nul(full).ok().and_then(|name| Stat::at(CWD, name).ok());
        compare_file(file, entry, found, moved);
    }
}

fn compare_folder(at: usize, row: &FolderRow, found: Option<Stat>, moved: &mut Moved) {
    if row.is_doubted() || found != Some(row.stat) {
        moved.folders.push((at, found));
    }
}

fn compare_file(at: usize, row: &FileRow, found: Option<Stat>, moved: &mut Moved) {
    let same = match found {
        None => row.is_absent(),
        Some(_) if row.is_present() => true,
        Some(stat) if row.is_plain_folder() => stat.kind() == FileType::Directory,
        Some(stat) => stat == row.stat && !row.is_absent() && !row.is_racy(),
    };
    if !same {
        moved.rules |= row.is_rules();
        moved.files.push((at, found));
    }
}
