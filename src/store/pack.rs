//! Pack files: many small contents in one file, appended and never changed in place.
//!
//! ```text
//! "osgraph-pack 1\n\0"         16 bytes
//! per content:
//!   "osgf"                     4 bytes
//!   length                     u32 little-endian, at most SMALL
//!   digest                     32 bytes
//!   content                    length bytes
//! ```
//! Every frame says what it is, so the index can be made again from the pack alone, a pack that a
//! killed process left needs no repair, and one process after another may append to the same one.
//! Knows nothing of the database.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::digest::Digest;

/// Contents of this size and above are files of their own, in `blobs/`. In bytes.
pub(super) const SMALL: u64 = 64 << 10;

/// A pack that has grown to this many bytes gets a successor: it bounds what a repack moves.
pub(super) const PACK_LIMIT: u64 = 64 << 20;

/// Where the first frame starts; also the length of an empty pack.
pub(super) const HEADER: u64 = MAGIC.len() as u64;

/// Bytes of a frame before its content.
pub(super) const FRAME: u64 = 40;

const MAGIC: &[u8; 16] = b"osgraph-pack 1\n\0";
const FRAME_MAGIC: &[u8; 4] = b"osgf";

/// Frames in memory, on their way to a pack.
#[derive(Default)]
pub(super) struct Frames {
    pub(super) bytes: Vec<u8>,
    pub(super) items: Vec<Framed>,
}

/// One content of [`Frames`] or of a pack; `start` is where its bytes begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Framed {
    pub(super) digest: Digest,
    pub(super) start: u64,
    pub(super) size: u64,
}

impl Frames {
    /// `content` must be smaller than [`SMALL`].
    pub(super) fn push(&mut self, digest: Digest, content: &[u8]) {
        debug_assert!((content.len() as u64) < SMALL);
        self.bytes.extend_from_slice(FRAME_MAGIC);
        self.bytes.extend_from_slice(&(content.len() as u32).to_le_bytes());
        self.bytes.extend_from_slice(digest.as_bytes());
        self.items.push(Framed { digest, start: self.bytes.len() as u64, size: content.len() as u64 });
        self.bytes.extend_from_slice(content);
    }

    /// Drops every content that `keep` refuses, and all but the first of equal ones.
    pub(super) fn retain(&mut self, keep: impl Fn(&Digest) -> bool) {
        let mut seen = std::collections::HashSet::with_capacity(self.items.len());
        let kept: Vec<Framed> = self
            .items
            .iter()
            .filter(|item| keep(&item.digest) && seen.insert(item.digest))
            .copied()
            .collect();
        if kept.len() == self.items.len() {
            return;
        }
        let old = std::mem::take(self);
        for item in kept {
            self.push(item.digest, &old.bytes[item.start as usize..(item.start + item.size) as usize]);
        }
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.items.clear();
    }
}

/// A pack that this process appends to. A kernel lock keeps every other process from doing so.
pub(super) struct Writer {
    pub(super) id: u32,
    file: File,
    end: u64,
}

impl Writer {
    /// Creates a pack; the error is `AlreadyExists` where there is one.
    pub(super) fn create(path: &Path, id: u32) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
        file.lock()?;
        file.write_all_at(MAGIC, 0)?;
        Ok(Self { id, file, end: HEADER })
    }

    /// Goes on with a pack whose frames are known to end at `end`; what lies behind was never
    /// recorded, and is cut off. None when another process writes to it, or it is full or short.
    pub(super) fn resume(
        path: &Path,
        id: u32,
        end: impl FnOnce() -> Option<u64>,
    ) -> io::Result<Option<Self>> {
        let file = match OpenOptions::new().read(true).write(true).open(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        if file.try_lock().is_err() {
            return Ok(None);
        }
        // Asked only under the lock: the last writer recorded its frames before it let go.
        let Some(end) = end() else { return Ok(None) };
        let mut magic = [0; MAGIC.len()];
        let length = file.metadata()?.len();
        if end >= PACK_LIMIT || length < end || file.read_exact_at(&mut magic, 0).is_err() || &magic != MAGIC
        {
            return Ok(None);
        }
        if length > end {
            file.set_len(end)?;
        }
        Ok(Some(Self { id, file, end }))
    }

    pub(super) fn is_full(&self) -> bool {
        self.end >= PACK_LIMIT
    }

    /// Appends and returns where `frames` now start. A failed append leaves the pack as it was.
    pub(super) fn append(&mut self, frames: &[u8]) -> io::Result<u64> {
        let start = self.end;
        if let Err(error) = self.file.write_all_at(frames, start) {
            // What was written is unknown to all; cutting it off only gives the space back.
            let _ = self.file.set_len(start);
            return Err(error);
        }
        self.end += frames.len() as u64;
        Ok(start)
    }
}

/// Reads a whole pack and lists the contents whose bytes have their digest. Stops at the first
/// frame that is none: nothing behind it can be found.
pub(super) fn scan(path: &Path) -> io::Result<Vec<Framed>> {
    let mut reader = BufReader::with_capacity(1 << 20, File::open(path)?);
    let mut magic = [0; MAGIC.len()];
    let mut found = Vec::new();
    if !fill(&mut reader, &mut magic)? || &magic != MAGIC {
        return Ok(found);
    }
    let mut at = HEADER;
    let mut head = [0; FRAME as usize];
    let mut content = Vec::new();
    while fill(&mut reader, &mut head)? {
        let [m0, m1, m2, m3, l0, l1, l2, l3, digest @ ..] = head;
        let size = u64::from(u32::from_le_bytes([l0, l1, l2, l3]));
        if &[m0, m1, m2, m3] != FRAME_MAGIC || size >= SMALL {
            break;
        }
        content.resize(size as usize, 0);
        if !fill(&mut reader, &mut content)? {
            break;
        }
        let digest = Digest::from_bytes(digest);
        if Digest::of(&content) == digest {
            found.push(Framed { digest, start: at + FRAME, size });
        }
        at += FRAME + size;
    }
    Ok(found)
}

/// Fills `buffer`; false when the file ends before.
fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match reader.read_exact(buffer) {
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        other => other.map(|()| true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(texts: &[&str]) -> Frames {
        let mut frames = Frames::default();
        for text in texts {
            frames.push(Digest::of(text.as_bytes()), text.as_bytes());
        }
        frames
    }

    #[test]
    fn a_pack_tells_what_is_in_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p");
        let mut writer = Writer::create(&path, 1).unwrap();
        let batch = frames(&["one", "", "three"]);
        let start = writer.append(&batch.bytes).unwrap();
        let found = scan(&path).unwrap();
        let expected: Vec<Framed> =
            batch.items.iter().map(|item| Framed { start: item.start + start, ..*item }).collect();
        assert_eq!(found, expected);
        let mut text = [0; 5];
        File::open(&path).unwrap().read_exact_at(&mut text, found[2].start).unwrap();
        assert_eq!(&text, b"three");
    }

    #[test]
    fn a_torn_tail_and_a_flipped_bit_lose_only_themselves() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p");
        let mut writer = Writer::create(&path, 1).unwrap();
        writer.append(&frames(&["one", "two", "three"]).bytes).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for cut in 0..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert!(scan(&path).unwrap().len() < 3, "cut at {cut}");
        }
        let mut flipped = whole.clone();
        flipped[(HEADER + FRAME) as usize] ^= 1;
        std::fs::write(&path, &flipped).unwrap();
        let found: Vec<Digest> = scan(&path).unwrap().iter().map(|f| f.digest).collect();
        assert_eq!(found, [Digest::of(b"two"), Digest::of(b"three")]);
    }

    #[test]
    fn resuming_cuts_off_what_was_never_recorded() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p");
        let mut writer = Writer::create(&path, 1).unwrap();
        let first = frames(&["one"]);
        writer.append(&first.bytes).unwrap();
        let end = HEADER + first.bytes.len() as u64;
        writer.append(&frames(&["lost"]).bytes).unwrap();
        assert!(Writer::resume(&path, 1, || Some(end)).unwrap().is_none(), "it is locked");
        drop(writer);
        let mut writer = Writer::resume(&path, 1, || Some(end)).unwrap().unwrap();
        writer.append(&frames(&["two"]).bytes).unwrap();
        let found: Vec<Digest> = scan(&path).unwrap().iter().map(|f| f.digest).collect();
        assert_eq!(found, [Digest::of(b"one"), Digest::of(b"two")]);
    }

    #[test]
    fn equal_contents_are_kept_once() {
        let mut batch = frames(&["a", "b", "a", "c"]);
        batch.retain(|digest| *digest != Digest::of(b"b"));
        assert_eq!(batch.bytes, frames(&["a", "c"]).bytes);
        assert_eq!(batch.items, frames(&["a", "c"]).items);
    }
}
