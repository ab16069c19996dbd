//! Taking streams in whose digests nobody knows yet: entries of an archive, directories, logs.

use std::fs::{self, File};
use std::io::{self, Read, Write};

use crate::digest::Digest;
use crate::store::error::StoreError;
use crate::store::ingest::GATHER;
use crate::store::open::Store;
use crate::store::pack::{Frames, SMALL};

/// Gathers contents and writes them in groups. They can be read once [`Batch::finish`] returned;
/// a batch that is dropped unfinished leaves out what it still held.
pub struct Batch<'a> {
    store: &'a Store,
    frames: Frames,
    buffer: Vec<u8>,
}

impl Store {
    pub fn batch(&self) -> Batch<'_> {
        Batch { store: self, frames: Frames::default(), buffer: Vec::new() }
    }

    /// Takes one content in.
    pub fn put(&self, bytes: &[u8]) -> Result<Digest, StoreError> {
        let mut batch = self.batch();
        let digest = batch.add_bytes(bytes)?;
        batch.finish()?;
        Ok(digest)
    }
}

impl Batch<'_> {
    /// Reads `source` to its end and returns the digest and size of what it gave. `size_hint`
    /// is how many bytes to expect; 0 when nobody knows.
    pub fn add(&mut self, source: &mut dyn Read, size_hint: u64) -> Result<(Digest, u64), StoreError> {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        let result = self.add_with(source, size_hint, &mut buffer);
        self.buffer = buffer;
        result
    }

    pub fn add_bytes(&mut self, mut bytes: &[u8]) -> Result<Digest, StoreError> {
        if bytes.len() as u64 >= SMALL {
            let size = bytes.len() as u64;
            return self.add(&mut bytes, size).map(|(digest, _)| digest);
        }
        let digest = Digest::of(bytes);
        self.gather(digest, bytes)?;
        Ok(digest)
    }

    /// Makes everything added readable.
    pub fn finish(mut self) -> Result<(), StoreError> {
        self.store.append(&mut self.frames)?;
        self.store.flush_many()
    }

    fn add_with(
        &mut self,
        source: &mut dyn Read,
        size_hint: u64,
        buffer: &mut Vec<u8>,
    ) -> Result<(Digest, u64), StoreError> {
        let unreadable =
            |e| StoreError::Io { action: "read a stream for", path: self.store.root().to_owned(), source: e };
        if size_hint < SMALL {
            source.take(SMALL).read_to_end(buffer).map_err(unreadable)?;
            if (buffer.len() as u64) < SMALL {
                let digest = Digest::of(buffer);
                self.gather(digest, buffer)?;
                return Ok((digest, buffer.len() as u64));
            }
        }
        let path = self.store.scratch()?;
        let spilled = self.spill(source, buffer, &path);
        if !matches!(spilled, Ok((_, size)) if size >= SMALL) {
            let small = if spilled.is_ok() { fs::read(&path).map_err(unreadable) } else { Ok(Vec::new()) };
            // Half a stream is of no use, and a small one belongs into the pack.
            let _ = fs::remove_file(&path);
            let (digest, size) = spilled?;
            self.gather(digest, &small?)?;
            return Ok((digest, size));
        }
        let (digest, size) = spilled?;
        if self.store.locate(&digest)?.is_some() {
            self.store.discard([&path])?;
        } else {
            self.store.keep_blob(&path, &digest, size, true)?;
        }
        Ok((digest, size))
    }

    /// Writes what was read already and the rest of the stream to a file, hashing on the way.
    fn spill(
        &self,
        source: &mut dyn Read,
        buffer: &mut Vec<u8>,
        path: &std::path::Path,
    ) -> Result<(Digest, u64), StoreError> {
        self.store.check_writable()?;
        let layout = &self.store.layout;
        let mut file = File::create_new(path).map_err(|e| layout.error("create", path, e))?;
        let mut hasher = blake3::Hasher::new();
        let mut size = 0;
        let mut filled = buffer.len();
        buffer.resize(GATHER, 0);
        loop {
            let part = &buffer[..filled];
            hasher.update(part);
            file.write_all(part).map_err(|e| layout.error("write", path, e))?;
            size += filled as u64;
            filled = loop {
                match source.read(buffer) {
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                    other => {
                        break other.map_err(|e| StoreError::Io {
                            action: "read a stream for",
                            path: layout.root().to_owned(),
                            source: e,
                        })?;
                    }
                }
            };
            if filled == 0 {
                return Ok((hasher.finalize().into(), size));
            }
        }
    }

    fn gather(&mut self, digest: Digest, bytes: &[u8]) -> Result<(), StoreError> {
        self.store.check_writable()?;
        if self.store.locate(&digest)?.is_none() {
            self.frames.push(digest, bytes);
            if self.frames.bytes.len() >= GATHER {
                self.store.append(&mut self.frames)?;
            }
        }
        Ok(())
    }
}
