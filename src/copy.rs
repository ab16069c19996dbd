//! The one primitive below every movement of content: read once, hash, write to any number of
//! files, on several cores, in a few MiB of memory.
//!
//! A source is cut into pieces of 1 MiB. Because that is a power of two and a multiple
//! of BLAKE3's chunk, each piece is a complete subtree (the last may be short), so pieces are
//! hashed apart and their chaining values merged; the result is plain BLAKE3. Hashing goes in any
//! order, writing does not: a file that grows out of order costs a file system several times the
//! work, so each destination takes its pieces in turn. Knows nothing of
//! the store.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use blake3::hazmat::{ChainingValue, HasherExt, Mode, merge_subtrees_non_root, merge_subtrees_root};

use crate::digest::Digest;
use crate::tally::Tally;

/// Bytes that one thread reads, hashes and writes at a time.
const PIECE: u64 = 256 << 10;

/// Reads the first `size` bytes of `source`, writes them to the same offsets of every
/// destination and returns their BLAKE3. Uses up to `threads` threads. `tally` counts every byte once for
/// each destination, or once where there is none.
///
/// # Errors
/// [`CopyError::Read`] also when `source` is shorter than `size` (as `UnexpectedEof`);
/// [`CopyError::Write`] names the destination by its index.
pub fn copy(
    source: &File,
    size: u64,
    destinations: &[&File],
    threads: usize,
    tally: &Tally,
) -> Result<Digest, CopyError> {
    let times = destinations.len().max(1) as u64;
    let pieces = size.div_ceil(PIECE);
    if pieces <= 1 {
        let mut buffer = vec![0; size as usize];
        move_piece(source, 0, &mut buffer, destinations)?;
        tally.add(size * times);
        return Ok(Digest::of(&buffer));
    }
    let next = AtomicU64::new(0);
    let failed = AtomicBool::new(false);
    let turns: Vec<Turn> = destinations.iter().map(|_| Turn::default()).collect();
    let work = || -> Result<Vec<(u64, ChainingValue)>, CopyError> {
        let mut buffer = vec![0; PIECE as usize];
        let mut done = Vec::new();
        while !failed.load(Ordering::Relaxed) {
            let piece = next.fetch_add(1, Ordering::Relaxed);
            if piece >= pieces {
                break;
            }
            let start = piece * PIECE;
            let part = &mut buffer[..PIECE.min(size - start) as usize];
            let fail = |error| {
                failed.store(true, Ordering::Relaxed);
                turns.iter().for_each(Turn::give_up);
                Err(error)
            };
            if let Err(error) = source.read_exact_at(part, start) {
                return fail(CopyError::Read(error));
            }
            let value = blake3::Hasher::new().set_input_offset(start).update(part).finalize_non_root();
            done.push((piece, value));
            for (index, (destination, turn)) in destinations.iter().zip(&turns).enumerate() {
                if !turn.wait(piece) {
                    return Ok(done);
                }
                if let Err(error) = destination.write_all_at(part, start) {
                    return fail(CopyError::Write(index, error));
                }
                turn.pass();
            }
            tally.add(part.len() as u64 * times);
        }
        Ok(done)
    };
    let mut values: Vec<(u64, ChainingValue)> = std::thread::scope(|scope| {
        let helpers: Vec<_> = (1..threads.min(pieces as usize).max(1)).map(|_| scope.spawn(work)).collect();
        let mut parts = vec![work()];
        for helper in helpers {
            parts.push(helper.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        parts.into_iter().collect::<Result<Vec<_>, _>>().map(|parts| parts.concat())
    })?;
    values.sort_unstable_by_key(|(piece, _)| *piece);
    let values: Vec<ChainingValue> = values.into_iter().map(|(_, value)| value).collect();
    let (left, right) = values.split_at(left_pieces(values.len()));
    Ok(Digest::from(merge_subtrees_root(&merge(left), &merge(right), Mode::Hash)))
}

/// Where a copy broke.
#[derive(Debug)]
pub enum CopyError {
    Read(io::Error),
    /// The index of the destination.
    Write(usize, io::Error),
}

impl CopyError {
    /// For callers that need not know which side broke.
    pub fn into_io(self) -> io::Error {
        match self {
            Self::Read(error) | Self::Write(_, error) => error,
        }
    }
}

fn move_piece(source: &File, start: u64, part: &mut [u8], destinations: &[&File]) -> Result<(), CopyError> {
    source.read_exact_at(part, start).map_err(CopyError::Read)?;
    for (index, destination) in destinations.iter().enumerate() {
        destination.write_all_at(part, start).map_err(|e| CopyError::Write(index, e))?;
    }
    Ok(())
}

/// Whose piece a destination takes next.
#[derive(Default)]
struct Turn {
    next: Mutex<State>,
    moved: Condvar,
}

#[derive(Default)]
struct State {
    piece: u64,
    given_up: bool,
}

impl Turn {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for `piece`'s turn; false when there will be none.
    fn wait(&self, piece: u64) -> bool {
        let mut state = self.lock();
        while state.piece != piece && !state.given_up {
            state = self.moved.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        !state.given_up
    }

    fn pass(&self) {
        self.lock().piece += 1;
        self.moved.notify_all();
    }

    fn give_up(&self) {
        self.lock().given_up = true;
        self.moved.notify_all();
    }
}

/// How many of `count` pieces belong to the left subtree: the largest power of two below `count`.
fn left_pieces(count: usize) -> usize {
    count.div_ceil(2).next_power_of_two()
}

fn merge(values: &[ChainingValue]) -> ChainingValue {
    if let [one] = values {
        return *one;
    }
    let (left, right) = values.split_at(left_pieces(values.len()));
    merge_subtrees_non_root(&merge(left), &merge(right), Mode::Hash)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    /// Bytes of which no piece, chunk or block equals another.
    fn bytes(size: u64) -> Vec<u8> {
        let mut bytes = vec![0; size as usize];
        blake3::Hasher::new().finalize_xof().fill(&mut bytes);
        bytes
    }

    fn check(size: u64, targets: usize, threads: usize) {
        let content = bytes(size);
        let mut source = tempfile::tempfile().unwrap();
        source.write_all(&content).unwrap();
        let files: Vec<File> = (0..targets).map(|_| tempfile::tempfile().unwrap()).collect();
        let tally = Tally::of(size * targets.max(1) as u64);
        let digest = copy(&source, size, &files.iter().collect::<Vec<_>>(), threads, &tally).unwrap();
        assert_eq!(tally.look().0, size * targets.max(1) as u64, "every byte is counted");
        assert_eq!(digest, Digest::of(&content), "{size} bytes");
        for file in &files {
            assert_eq!(file.metadata().unwrap().len(), size);
            let mut back = vec![0; size as usize];
            file.read_exact_at(&mut back, 0).unwrap();
            assert!(back == content, "{size} bytes came out different");
        }
    }

    #[test]
    fn equals_plain_blake3_around_every_boundary() {
        for size in [0, 1, 63, 64, 65, 1023, 1024, 1025] {
            check(size, 1, 2);
        }
        for pieces in [1, 2, 3, 4, 5, 7, 8, 9] {
            for delta in [-1025, -1024, -1, 0, 1, 1024, 1025] {
                check((pieces * PIECE).checked_add_signed(delta).unwrap(), 1, 3);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn equals_plain_blake3(size in 0..6 * PIECE, targets in 0..3_usize, threads in 1..4_usize) {
            check(size, targets, threads);
        }
    }

    #[test]
    fn a_source_that_shrank_is_an_error() {
        let mut source = tempfile::tempfile().unwrap();
        source.write_all(&bytes(3 * PIECE)).unwrap();
        let result = copy(&source, 3 * PIECE + 1, &[], 2, &Tally::default());
        assert!(matches!(result, Err(CopyError::Read(e)) if e.kind() == io::ErrorKind::UnexpectedEof));
    }

    #[test]
    fn a_failed_write_names_its_destination() {
        let mut source = tempfile::NamedTempFile::new().unwrap();
        source.write_all(&bytes(2 * PIECE)).unwrap();
        let good = tempfile::tempfile().unwrap();
        let read_only = File::open(source.path()).unwrap();
        let result = copy(source.as_file(), 2 * PIECE, &[&good, &read_only], 2, &Tally::default());
        assert!(matches!(result, Err(CopyError::Write(1, _))));
    }
}
