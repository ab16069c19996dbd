//! Looking contents up and reading them back, always checked.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::{Arc, PoisonError};

use crate::copy::{CopyError, copy};
use crate::digest::Digest;
use crate::store::db::{SqlResult, Write};
use crate::store::error::StoreError;
use crate::store::index::{Index, Location, Place};
use crate::store::open::{Loaded, Pending, Store};
use crate::store::parallel::cores;
use crate::store::seal::Seal;
use crate::tally::Tally;

/// From so many unknown digests on, reading the whole index again is quicker than asking.
const RELOAD: usize = 256;

/// So many packs are kept open.
const OPEN_PACKS: usize = 128;

impl Store {
    /// Whether the content is recorded. What lies on disk is looked at when it is read.
    pub fn contains(&self, digest: &Digest) -> bool {
        self.locate(digest).is_ok_and(|found| found.is_some())
    }

    /// Those of `digests` that the store does not have, in their order.
    pub fn missing(&self, digests: impl IntoIterator<Item = Digest>) -> Vec<Digest> {
        let mut missing: Vec<Digest> = digests.into_iter().collect();
        // Without a readable index everything is missing, and gets made again.
        let Ok(()) = self.with_index(|index| missing.retain(|digest| index.get(digest).is_none())) else {
            return missing;
        };
        if missing.len() >= RELOAD && self.is_outdated().unwrap_or(false) {
            let _ = self.reload();
            let _ = self.with_index(|index| missing.retain(|digest| index.get(digest).is_none()));
        } else {
            missing.retain(|digest| !self.contains(digest));
        }
        missing
    }

    /// The content's bytes.
    ///
    /// # Errors
    /// [`StoreError::Absent`]; [`StoreError::Damaged`] when the bytes on disk are not the
    /// content, which is then absent from now on.
    pub fn read(&self, digest: &Digest) -> Result<Vec<u8>, StoreError> {
        self.reading(digest, |location| {
            let (file, start) = self.open_at(digest, location)?;
            let mut bytes = vec![0; location.size as usize];
            file.read_exact_at(&mut bytes, start)?;
            Ok((Digest::of(&bytes) == *digest).then_some(bytes))
        })
    }

    /// A reader of the content. Small and suspect ones are checked before it is handed out, and
    /// every other while it is read: the last read gives an error of kind `InvalidData` instead
    /// of the end when the bytes were not the content.
    pub fn open_content(&self, digest: &Digest) -> Result<Box<dyn Read + Send>, StoreError> {
        let location = self.locate(digest)?.ok_or(StoreError::Absent(*digest))?;
        if location.place != Place::Blob {
            return Ok(Box::new(io::Cursor::new(self.read(digest)?)));
        }
        let file = self.reading(digest, |location| {
            let (file, _) = self.open_at(digest, location)?;
            let sound = !location.suspect || hash(&file, location.size, cores())? == *digest;
            Ok(sound.then_some(file))
        })?;
        Ok(Box::new(Checked { file, at: 0, hasher: blake3::Hasher::new(), digest: *digest }))
    }

    /// Opens what holds a content, checking its length; the offset is where its bytes begin.
    pub(super) fn open_at(&self, digest: &Digest, location: Location) -> io::Result<(Arc<File>, u64)> {
        match location.place {
            Place::Blob => {
                let file = File::open(self.layout.blob(digest))?;
                let metadata = file.metadata()?;
                if !metadata.is_file() || metadata.len() != location.size {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                Ok((Arc::new(file), 0))
            }
            Place::Pack { id, start } => Ok((self.pack_file(id)?, start)),
        }
    }

    fn pack_file(&self, id: u32) -> io::Result<Arc<File>> {
        if let Some(file) = self.readers.read().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return Ok(file.clone());
        }
        let file = Arc::new(File::open(self.layout.pack(id))?);
        let mut readers = self.readers.write().unwrap_or_else(PoisonError::into_inner);
        if readers.len() >= OPEN_PACKS {
            readers.clear();
        }
        Ok(readers.entry(id).or_insert(file).clone())
    }

    /// Runs `read`, which gives none for bytes that are not the content. When the content is not
    /// where the index says, the database is asked once more, since somebody may have repacked
    /// it; after that it is given up.
    pub(super) fn reading<T>(
        &self,
        digest: &Digest,
        read: impl Fn(Location) -> io::Result<Option<T>>,
    ) -> Result<T, StoreError> {
        let mut location = self.locate(digest)?.ok_or(StoreError::Absent(*digest))?;
        loop {
            match read(location) {
                Ok(Some(value)) => {
                    if location.suspect {
                        self.trust(digest, None);
                    }
                    return Ok(value);
                }
                Err(error) if !is_loss(&error) => {
                    return Err(self.layout.error("read content in", self.root(), error));
                }
                Ok(None) | Err(_) => {}
            }
            match self.elsewhere(digest, location)? {
                Some(other) => location = other,
                None => {
                    self.give_up(digest, location)?;
                    return Err(StoreError::Damaged(*digest));
                }
            }
        }
    }

    /// Where the database says that the content is, if that is another place than `tried`.
    fn elsewhere(&self, digest: &Digest, tried: Location) -> Result<Option<Location>, StoreError> {
        if tried.place == Place::Blob {
            return Ok(None);
        }
        let found = self.db.content(digest, &self.boot)?.filter(|found| found.place != tried.place);
        if let Some(found) = found {
            self.with_index_mut(|index| index.insert(*digest, found))?;
        }
        Ok(found)
    }

    /// Forgets a content whose bytes are not there, so that it is made again.
    pub(super) fn give_up(&self, digest: &Digest, location: Location) -> Result<(), StoreError> {
        self.with_index_mut(|index| index.remove(digest))?;
        self.directories.forget(digest);
        if self.read_only {
            return Ok(());
        }
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).rows.retain(|(known, _)| known != digest);
        self.db.write(|write| write.remove_content(digest, location.place))?;
        if location.place == Place::Blob {
            let path = self.layout.blob(digest);
            match std::fs::remove_file(&path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => {
                    return Err(self.layout.error("remove", &path, e));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Notes that a content was hashed and is sound.
    pub(super) fn trust(&self, digest: &Digest, seal: Option<Seal>) {
        // Failing to note it costs one more hash, later.
        let _ = self.with_index_mut(|index| index.trust(digest, seal));
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).trusted.push((*digest, seal));
    }

    pub(super) fn locate(&self, digest: &Digest) -> Result<Option<Location>, StoreError> {
        if let Some(found) = self.with_index(|index| index.get(digest))? {
            return Ok(Some(found));
        }
        if !self.is_outdated()? {
            return Ok(None);
        }
        let found = self.db.content(digest, &self.boot)?.filter(|found| match found.place {
            Place::Pack { id, .. } => self.layout.pack(id).exists(),
            Place::Blob => true,
        });
        if let Some(found) = found {
            self.with_index_mut(|index| index.insert(*digest, found))?;
        }
        Ok(found)
    }

    fn is_outdated(&self) -> Result<bool, StoreError> {
        let version = self.db.data_version()?;
        let loaded = self.index.read().unwrap_or_else(PoisonError::into_inner);
        Ok(loaded.as_ref().is_none_or(|loaded| loaded.version != version))
    }

    /// Reads the index again, keeping what is not recorded yet.
    pub(super) fn reload(&self) -> Result<(), StoreError> {
        let mut loaded = self.index.write().unwrap_or_else(PoisonError::into_inner);
        // Held while the rows are read: a commit in between would take rows from both.
        let pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut index, version) = self.db.load_contents(&self.boot)?;
        // After the rows, so that every pack that they name was there before it was recorded. What
        // lay in a pack that is gone is absent: else a node that makes it anew would not store it.
        let packs: HashSet<u32> = self.layout.pack_ids()?.into_iter().collect();
        index.retain_packs(&|id| packs.contains(&id));
        for (digest, location) in &pending.rows {
            index.insert(*digest, *location);
        }
        *loaded = Some(Loaded { index, version });
        Ok(())
    }

    pub(super) fn with_index<T>(&self, f: impl FnOnce(&Index) -> T) -> Result<T, StoreError> {
        loop {
            let loaded = self.index.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(loaded) = loaded.as_ref() {
                return Ok(f(&loaded.index));
            }
            drop(loaded);
            self.reload()?;
        }
    }

    pub(super) fn with_index_mut<T>(&self, f: impl FnOnce(&mut Index) -> T) -> Result<T, StoreError> {
        self.with_index(|_| ())?;
        let mut loaded = self.index.write().unwrap_or_else(PoisonError::into_inner);
        let loaded = loaded.get_or_insert_with(|| Loaded { index: Index::default(), version: 0 });
        Ok(f(&mut loaded.index))
    }

    /// Makes contents known that now lie at these places: in memory at once, in the database
    /// with the next transaction.
    pub(super) fn add(&self, rows: Vec<(Digest, Location)>) -> Result<(), StoreError> {
        self.with_index_mut(|index| {
            // Both under the index's lock, so that a reload between them cannot lose the rows.
            let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
            for (digest, location) in &rows {
                index.insert(*digest, *location);
            }
            pending.rows.extend(rows);
        })
    }

    /// One transaction: everything pending, then `f`.
    pub(super) fn commit_with<T>(
        &self,
        f: impl FnOnce(&mut Write<'_>) -> SqlResult<T>,
    ) -> Result<T, StoreError> {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let Pending { rows, trusted } = &mut *pending;
        let value = self.db.write(|write| {
            write.add_contents(rows, &self.boot)?;
            write.trust_contents(trusted, &self.boot)?;
            f(write)
        })?;
        rows.clear();
        trusted.clear();
        Ok(value)
    }
}

/// Whether an error means that the content is not there, and not that reading failed for now.
pub(super) fn is_loss(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData)
        // A failing disk's answer for a sector it cannot read.
        || error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
}

/// The digest of an open blob.
pub(super) fn hash(file: &File, size: u64, threads: usize) -> io::Result<Digest> {
    copy(file, size, &[], threads, &Tally::default()).map_err(CopyError::into_io)
}

/// A blob that is hashed while it is read.
struct Checked {
    file: Arc<File>,
    at: u64,
    hasher: blake3::Hasher,
    digest: Digest,
}

impl Read for Checked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.at)?;
        self.hasher.update(&buffer[..count]);
        self.at += count as u64;
        if count == 0 && !buffer.is_empty() && Digest::from(self.hasher.finalize()) != self.digest {
            return Err(io::Error::new(io::ErrorKind::InvalidData, StoreError::Damaged(self.digest)));
        }
        Ok(count)
    }
}
