//! Digests of files, many at once.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::copy::{self, CopyError};
use crate::digest::Digest;
use crate::inputs::stat::Stat;
use crate::tally::Tally;

/// Files of this size and more are worth all cores on their own.
const LARGE: u64 = 4 << 20;

/// So much of a file is read at a time: what was read is still in the processor's cache when it is
/// hashed.
const PIECE: usize = 64 << 10;

/// How many threads share work that is neither blocked nor waiting.
pub fn cores() -> usize {
    // Asked once: the answer is read from control group files.
    static CORES: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
    *CORES.get_or_init(|| std::thread::available_parallelism().map_or(2, |n| n.get()).min(16))
}

/// A file's digest with the stat it had while it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hashed {
    pub digest: Digest,
    pub stat: Stat,
}

/// Why a file has no digest.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    #[error("`{path}` cannot be read")]
    Read { path: String, source: io::Error },
    /// It was being written: a digest of a mixture would stand for no state it ever had.
    #[error("`{path}` changed while it was read")]
    Moved { path: String },
}

/// Hashes the regular file that had the stat `seen` a moment ago, `buffer` being scratch space for
/// small ones.
///
/// A file that moves under the reader is read again, three times at most. `tally` counts what is read.
pub fn counted_file(
    path: &Path,
    seen: &Stat,
    buffer: &mut Vec<u8>,
    tally: &Tally,
) -> Result<Hashed, HashError> {
    let wrong = |source| HashError::Read { path: path.display().to_string(), source };
    let mut before = *seen;
    for _ in 0..3 {
        let file = open(path).map_err(wrong)?;
        let digest = content(&file, before.size, buffer, tally).map_err(wrong)?;
        let after = Stat::of_open(&file).map_err(wrong)?;
        match digest {
            Some(digest) if before == after => return Ok(Hashed { digest, stat: after }),
            _ => before = after,
        }
    }
    Err(HashError::Moved { path: path.display().to_string() })
}

/// As [`counted_file`], for those who do not watch.
pub fn file(path: &Path, seen: &Stat, buffer: &mut Vec<u8>) -> Result<Hashed, HashError> {
    counted_file(path, seen, buffer, &Tally::default())
}

/// Opens a file without leaving a trace of the reading, where the kernel allows that: an access
/// time that moves is a write to the disk for every file that is read.
fn open(path: &Path) -> io::Result<File> {
    // Something that blocks, put in the file's place, is seen by its stat and not waited for.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let found = match rustix::fs::open(path, flags | OFlags::NOATIME, Mode::empty()) {
        Err(Errno::PERM) => rustix::fs::open(path, flags, Mode::empty()),
        found => found,
    };
    Ok(found?.into())
}

/// The digest of a file that should have `size` bytes; none when it has fewer.
fn content(file: &File, size: u64, buffer: &mut Vec<u8>, tally: &Tally) -> io::Result<Option<Digest>> {
    let found = if size >= LARGE {
        copy::copy(file, size, &[], cores(), tally).map_err(CopyError::into_io)
    } else {
        let found = in_pieces(file, size, buffer);
        tally.add(size);
        found
    };
    match found {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        found => found.map(Some),
    }
}

fn in_pieces(file: &File, size: u64, buffer: &mut Vec<u8>) -> io::Result<Digest> {
    buffer.resize(PIECE, 0);
    let mut hasher = blake3::Hasher::new();
    let mut at = 0;
    while at < size {
        let piece = &mut buffer[..PIECE.min((size - at) as usize)];
        file.read_exact_at(piece, at)?;
        hasher.update(piece);
        at += piece.len() as u64;
    }
    Ok(hasher.finalize().into())
}

/// As [`each`], for work on files of the given sizes: large ones have all cores to themselves, one
/// after another, so that threads and buffers do not multiply.
pub fn each_by_size<T: Sync, R: Send>(
    items: &[T],
    size: impl Fn(&T) -> u64,
    work: impl Fn(&T, &mut Vec<u8>) -> R + Sync,
) -> Vec<R> {
    let is_large: Vec<bool> = items.iter().map(|item| size(item) >= LARGE).collect();
    let small: Vec<&T> =
        items.iter().zip(&is_large).filter(|(_, large)| !**large).map(|(item, _)| item).collect();
    let mut small = each(&small, |item, buffer| work(item, buffer)).into_iter();
    let mut buffer = Vec::new();
    let large_or_next =
        |(item, large): (&T, bool)| if large { Some(work(item, &mut buffer)) } else { small.next() };
    items.iter().zip(is_large).filter_map(large_or_next).collect()
}

/// Applies `work` to every item on all cores, each thread with a buffer of its own; results are in
/// the order of the items.
pub fn each<T: Sync, R: Send>(items: &[T], work: impl Fn(&T, &mut Vec<u8>) -> R + Sync) -> Vec<R> {
    let threads = cores().min(items.len().div_ceil(8)).max(1);
    if threads == 1 {
        let mut buffer = Vec::new();
        return items.iter().map(|item| work(item, &mut buffer)).collect();
    }
    let next = AtomicUsize::new(0);
    let step = (items.len() / (threads * 16)).clamp(1, 64);
    let mut parts: Vec<(usize, Vec<R>)> = std::thread::scope(|scope| {
        let worker = || {
            let mut buffer = Vec::new();
            let mut done = Vec::new();
            loop {
                let at = next.fetch_add(step, Ordering::Relaxed);
                if at >= items.len() {
                    return done;
                }
                let part = &items[at..items.len().min(at + step)];
                done.push((at, part.iter().map(|item| work(item, &mut buffer)).collect::<Vec<R>>()));
            }
        };
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(worker)).collect();
        let mut parts = worker();
        for other in others {
            match other.join() {
                Ok(done) => parts.extend(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        parts
    });
    parts.sort_by_key(|(at, _)| *at);
    parts.into_iter().flat_map(|(_, part)| part).collect()
}
