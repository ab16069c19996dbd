//! Taking files into the store.
//!
//! Small files go into packs, several threads side by side; a large one becomes a blob and is
//! read once, hashed and written by all cores. A large file is copied before its digest is known
//! unless it looks like some blob: then it is hashed first, and copied only if it is new.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::copy::{CopyError, copy};
use crate::digest::Digest;
use crate::inputs::stat::Stat;
use crate::store::error::StoreError;
use crate::store::index::{Location, Place};
use crate::store::open::Store;
use crate::store::pack::{Frames, SMALL, Writer};
use crate::store::parallel::{cores, for_each};
use crate::store::seal::{self, Seal};
use crate::tally::Tally;

/// A file to take in.
#[derive(Clone, Debug)]
pub struct Ingest {
    pub path: PathBuf,
    /// The file is the store's to keep: it lies at a [`Store::scratch`] path and is moved
    /// instead of copied where that can be done. Afterwards it is gone from there.
    pub adopt: bool,
}

/// What a file turned out to be. `size` in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ingested {
    pub digest: Digest,
    pub size: u64,
}

/// From this size on a file is worth all threads at once.
pub(super) const LARGE: u64 = 4 << 20;

/// Frames gathered by a thread before they go to the pack.
pub(super) const GATHER: usize = 1 << 20;

/// Rows gathered before they are recorded without waiting for a record.
const ROWS: usize = 4096;

/// Bytes that are compared at each of so many places before a file is taken for a known blob.
const SAMPLE: usize = 4 << 10;
const SAMPLES: u64 = 16;

/// Files that a thread takes at a time.
const GRAIN: usize = 16;

impl Store {
    /// Takes files in; the answers are in the order of `files`. Contents that the store has are
    /// not written again.
    ///
    /// # Errors
    /// [`StoreError::Moved`] when a file changed meanwhile, [`StoreError::NotAFile`] for links,
    /// folders and devices. What was taken in before an error stays as unrecorded content.
    pub fn ingest(&self, files: &[Ingest]) -> Result<Vec<Ingested>, StoreError> {
        self.ingest_counted(files, &Tally::default())
    }

    /// As [`Store::ingest`]; `tally` counts the bytes.
    pub fn ingest_counted(&self, files: &[Ingest], tally: &Tally) -> Result<Vec<Ingested>, StoreError> {
        self.check_writable()?;
        let nothing = Ingested { digest: Digest::from_bytes([0; 32]), size: 0 };
        let results = Mutex::new(vec![nothing; files.len()]);
        let large = Mutex::new(Vec::new());
        let store =
            |index: usize, result| results.lock().unwrap_or_else(PoisonError::into_inner)[index] = result;
        for_each(
            files,
            cores(),
            GRAIN,
            Frames::default,
            |frames, index, file| {
                let source = self.open_source(&file.path)?;
                if source.before.len() >= LARGE {
                    large.lock().unwrap_or_else(PoisonError::into_inner).push(index);
                } else if source.before.len() < SMALL {
                    store(index, self.ingest_small(&source, file.adopt, frames)?);
                    tally.add(source.before.len());
                } else {
                    store(index, self.ingest_blob(&source, file.adopt, 1, tally)?);
                }
                Ok(())
            },
            |mut frames| self.append(&mut frames),
        )?;
        let mut large = large.into_inner().unwrap_or_else(PoisonError::into_inner);
        large.sort_unstable();
        for index in large {
            let file = &files[index];
            store(index, self.ingest_blob(&self.open_source(&file.path)?, file.adopt, cores(), tally)?);
        }
        self.flush_many()?;
        Ok(results.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Records what is pending once it is much.
    pub(super) fn flush_many(&self) -> Result<(), StoreError> {
        let many = self.pending.lock().unwrap_or_else(PoisonError::into_inner).rows.len() >= ROWS;
        if many { self.flush() } else { Ok(()) }
    }

    fn open_source<'a>(&self, path: &'a Path) -> Result<Source<'a>, StoreError> {
        let refuse = |e: io::Error| {
            // What O_NOFOLLOW says of a link.
            if e.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) {
                StoreError::NotAFile(path.to_owned())
            } else {
                StoreError::Io { action: "read", path: path.to_owned(), source: e }
            }
        };
        // A named pipe must not make its opener wait for a writer.
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        let file =
            OpenOptions::new().read(true).custom_flags(flags.bits() as i32).open(path).map_err(refuse)?;
        let before = file.metadata().map_err(refuse)?;
        if !before.is_file() {
            return Err(StoreError::NotAFile(path.to_owned()));
        }
        Ok(Source { path, file, before })
    }

    fn ingest_small(
        &self,
        source: &Source<'_>,
        adopt: bool,
        frames: &mut Frames,
    ) -> Result<Ingested, StoreError> {
        let size = source.before.len();
        let mut bytes = Vec::with_capacity(size as usize + 1);
        // One byte more than there should be tells a file that grew.
        (&source.file).take(size + 1).read_to_end(&mut bytes).map_err(|e| source.fault(e))?;
        if bytes.len() as u64 != size {
            return Err(StoreError::Moved(source.path.to_owned()));
        }
        source.check()?;
        let digest = Digest::of(&bytes);
        if self.locate(&digest)?.is_none() {
            frames.push(digest, &bytes);
            if frames.bytes.len() >= GATHER {
                self.append(frames)?;
            }
        }
        if adopt {
            fs::remove_file(source.path).map_err(|e| self.layout.error("remove", source.path, e))?;
        }
        Ok(Ingested { digest, size })
    }

    fn ingest_blob(
        &self,
        source: &Source<'_>,
        adopt: bool,
        threads: usize,
        tally: &Tally,
    ) -> Result<Ingested, StoreError> {
        let size = source.before.len();
        // A file with another link could still be written to by that name.
        let adopt_as_is = adopt && source.before.nlink() == 1 && source.path.starts_with(self.root());
        if adopt_as_is || self.looks_known(source)? {
            let digest = copy(&source.file, size, &[], threads, tally).map_err(|e| source.broken(e))?;
            source.check()?;
            let known = self.locate(&digest)?.is_some();
            if known || adopt_as_is {
                if known && adopt {
                    self.discard([source.path])?;
                } else if !known {
                    // Who else has it open could have written to it since it was hashed.
                    self.keep_blob(source.path, &digest, size, false)?;
                }
                return Ok(Ingested { digest, size });
            }
        }
        let path = self.scratch()?;
        let copied = self.copy_blob(source, &path, threads, tally);
        if copied.is_err() {
            // Half a copy is of no use; the error says what happened.
            let _ = fs::remove_file(&path);
        }
        let digest = copied?;
        if self.locate(&digest)?.is_some() {
            self.discard([&path])?;
        } else {
            self.keep_blob(&path, &digest, size, true)?;
        }
        if adopt {
            self.discard([source.path])?;
        }
        Ok(Ingested { digest, size })
    }

    /// Whether a blob has the file's size and, at a few places, its bytes. It costs nothing beside
    /// hashing in vain what was built anew.
    fn looks_known(&self, source: &Source<'_>) -> Result<bool, StoreError> {
        let size = source.before.len();
        let blobs = self.with_index(|index| index.blobs_of(size).to_vec())?;
        let alike = |digest: &Digest| {
            let blob = File::open(self.layout.blob(digest)).ok()?;
            let (mut ours, mut theirs) = ([0; SAMPLE], [0; SAMPLE]);
            let last = size.saturating_sub(SAMPLE as u64);
            for step in 0..SAMPLES {
                let at = last / (SAMPLES - 1) * step;
                let count = SAMPLE.min((size - at) as usize);
                source.file.read_exact_at(&mut ours[..count], at).ok()?;
                blob.read_exact_at(&mut theirs[..count], at).ok()?;
                if ours[..count] != theirs[..count] {
                    return Some(false);
                }
            }
            Some(true)
        };
        // The newest first; a blob that cannot be read is no reason to copy.
        Ok(blobs.iter().rev().any(|digest| alike(digest).unwrap_or(true)))
    }

    fn copy_blob(
        &self,
        source: &Source<'_>,
        path: &Path,
        threads: usize,
        tally: &Tally,
    ) -> Result<Digest, StoreError> {
        let target = File::create_new(path).map_err(|e| self.layout.error("create", path, e))?;
        let size = source.before.len();
        let digest = copy(&source.file, size, &[&target], threads, tally).map_err(|e| match e {
            CopyError::Write(_, e) => self.layout.error("write", path, e),
            read => source.broken(read),
        })?;
        source.check()?;
        Ok(digest)
    }

    /// Moves a complete file of the store's own file system to its place among the blobs. It is
    /// believed from then on if it is `ours`: written by this process, open nowhere else.
    pub(super) fn keep_blob(
        &self,
        path: &Path,
        digest: &Digest,
        size: u64,
        ours: bool,
    ) -> Result<(), StoreError> {
        let blob = self.layout.blob(digest);
        let fault = |e| self.layout.error("keep", &blob, e);
        // Published copies get modes of their own; nobody is to write to this one.
        fs::set_permissions(path, fs::Permissions::from_mode(0o444)).map_err(fault)?;
        let file = File::open(path).map_err(fault)?;
        let written = seal::age(&file).map_err(fault)?;
        let moved = match (fs::rename(path, &blob), blob.parent()) {
            (Err(e), Some(folder)) if e.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(folder).and_then(|()| fs::rename(path, &blob))
            }
            (moved, _) => moved,
        };
        moved.map_err(fault)?;
        // A rename moves the ctime.
        let stat = Stat::of_open(&file).map_err(fault)?;
        let stood = ours && stat.size == size && stat.mtime == seal::nanoseconds(written);
        let seal = stood.then(|| Seal::of(&self.boot, &stat));
        self.add(vec![(*digest, Location { size, place: Place::Blob, suspect: false, seal })])
    }

    /// Writes gathered contents to this process's pack, leaving out what the store has by now.
    pub(super) fn append(&self, frames: &mut Frames) -> Result<(), StoreError> {
        if frames.items.is_empty() {
            return Ok(());
        }
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        // Under the writer's lock, because another thread may just have appended the same.
        self.with_index(|index| frames.retain(|digest| index.get(digest).is_none()))?;
        if frames.items.is_empty() {
            return Ok(());
        }
        self.append_to(&mut writer, frames)
    }

    /// [`Store::append`] without the look: also moves contents that the store has elsewhere.
    pub(super) fn append_to(
        &self,
        writer: &mut Option<Writer>,
        frames: &mut Frames,
    ) -> Result<(), StoreError> {
        if writer.as_ref().is_none_or(Writer::is_full) {
            // Recorded before the lock on the full pack is let go: who resumes it asks for its end.
            self.flush()?;
            *writer = None;
            *writer = Some(self.next_pack()?);
        }
        let Some(pack) = writer else { return Ok(()) };
        let start = pack
            .append(&frames.bytes)
            .map_err(|e| self.layout.error("write", &self.layout.pack(pack.id), e))?;
        let id = pack.id;
        let rows = frames.items.iter().map(|item| {
            let place = Place::Pack { id, start: start + item.start };
            (item.digest, Location { size: item.size, place, suspect: false, seal: None })
        });
        self.add(rows.collect())?;
        frames.clear();
        Ok(())
    }

    /// A recent pack with room that no other process writes to, or a new one.
    fn next_pack(&self) -> Result<Writer, StoreError> {
        for id in self.db.newest_packs(4)? {
            let path = self.layout.pack(id);
            let end = || self.db.pack_end(id).ok().flatten();
            if let Some(writer) =
                Writer::resume(&path, id, end).map_err(|e| self.layout.error("open", &path, e))?
            {
                return Ok(writer);
            }
        }
        loop {
            let id = self.db.write(|write| write.new_pack())?;
            let path = self.layout.pack(id);
            match Writer::create(&path, id) {
                // A file that the database has lost sight of; the collector will see to it.
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                other => return other.map_err(|e| self.layout.error("create", &path, e)),
            }
        }
    }
}

/// A file being read, and what it was before.
struct Source<'a> {
    path: &'a Path,
    file: File,
    before: Metadata,
}

impl Source<'_> {
    /// Whether the path still names the same, unchanged file.
    fn check(&self) -> Result<(), StoreError> {
        let stamp = |m: &Metadata| {
            (m.dev(), m.ino(), m.len(), m.mode(), m.mtime(), m.mtime_nsec(), m.ctime(), m.ctime_nsec())
        };
        match fs::symlink_metadata(self.path) {
            Ok(after) if stamp(&after) == stamp(&self.before) => Ok(()),
            _ => Err(StoreError::Moved(self.path.to_owned())),
        }
    }

    fn fault(&self, source: io::Error) -> StoreError {
        StoreError::Io { action: "read", path: self.path.to_owned(), source }
    }

    fn broken(&self, error: CopyError) -> StoreError {
        match error {
            CopyError::Read(e) if e.kind() == io::ErrorKind::UnexpectedEof => {
                StoreError::Moved(self.path.to_owned())
            }
            CopyError::Read(e) | CopyError::Write(_, e) => self.fault(e),
        }
    }
}
