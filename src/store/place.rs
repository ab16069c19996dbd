//! Putting contents where they are wanted: hashed on the way, or copied by the kernel where a seal
//! says that the blob is what was hashed before.
//!
//! The caller gives staging paths and publishes them afterwards: what is wrong never gets a
//! public name.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use crate::copy::{CopyError, copy};
use crate::digest::Digest;
use crate::inputs::stat::Stat;
use crate::store::content::is_loss;
use crate::store::error::{PlaceError, StoreError};
use crate::store::index::{Location, Place};
use crate::store::ingest::LARGE;
use crate::store::open::Store;
use crate::store::parallel::{cores, for_each};
use crate::store::reuse;
use crate::store::seal::{self, Seal};
use crate::tally::Tally;

/// One content and everywhere it goes. `size` in bytes, as its tree entry says.
#[derive(Clone, Debug)]
pub struct Placement {
    pub digest: Digest,
    pub size: u64,
    pub targets: Vec<Target>,
}

/// A file to make. Its folder must exist and its name must be free, or taken by what may go.
#[derive(Clone, Debug)]
pub struct Target {
    pub path: PathBuf,
    executable: bool,
    spent: bool,
}

impl Target {
    /// A new file with mode 755, if `executable`, or 644, whatever the umask says.
    pub fn new(path: PathBuf, executable: bool) -> Self {
        Self { path, executable, spent: false }
    }

    /// The file that is at the path is not wanted any more: it may be written over. It lies where
    /// nobody else looks for it.
    pub fn over(&mut self) {
        self.spent = true;
    }
}

/// Files that a thread takes at a time.
const GRAIN: usize = 16;

/// Bytes that the kernel is asked to copy at a time, so that somebody can watch.
const KERNEL_PIECE: u64 = 64 << 20;

/// How many bytes [`Store::place`] writes for these.
pub fn bytes_of(placements: &[Placement]) -> u64 {
    placements.iter().map(|one| one.size * one.targets.len() as u64).sum()
}

impl Store {
    /// Makes every target a copy of its content. Their modification time is a second ago, so
    /// that a write by somebody else in the same instant cannot share it.
    ///
    /// # Errors
    /// When one fails, every file that this call made is removed again.
    /// [`PlaceError::Damaged`] names all contents that are lost, after trying every one.
    pub fn place(&self, placements: &[Placement]) -> Result<(), PlaceError> {
        self.place_counted(placements, &Tally::default())
    }

    /// As [`Store::place`]; `tally` counts what is written, [`bytes_of`] in all.
    pub fn place_counted(&self, placements: &[Placement], tally: &Tally) -> Result<(), PlaceError> {
        let lost = Mutex::new(Vec::new());
        let made = Made::default();
        let result = self.place_all(placements, &made, &lost, tally);
        let mut lost = lost.into_inner().unwrap_or_else(PoisonError::into_inner);
        let result = result.and_then(|()| {
            lost.sort_unstable();
            lost.dedup();
            if lost.is_empty() { Ok(()) } else { Err(PlaceError::Damaged { digests: lost }) }
        });
        if result.is_err() {
            made.remove();
        }
        result
    }

    fn place_all(
        &self,
        placements: &[Placement],
        made: &Made,
        lost: &Mutex<Vec<Digest>>,
        tally: &Tally,
    ) -> Result<(), PlaceError> {
        let one = |placement: &Placement, threads: usize, own: &mut Vec<PathBuf>| match self
            .place_one(placement, threads, own, tally)
        {
            Err(PlaceError::Store(StoreError::Absent(digest) | StoreError::Damaged(digest))) => {
                lost.lock().unwrap_or_else(PoisonError::into_inner).push(digest);
                Ok(())
            }
            other => other,
        };
        let (large, small): (Vec<&Placement>, Vec<&Placement>) =
            placements.iter().partition(|placement| placement.size >= LARGE);
        let (sealed, large): (Vec<&Placement>, Vec<&Placement>) =
            large.into_iter().partition(|placement| self.is_sealed(placement));
        // Each file is one thread's: the longest first, so that none is left over for the end.
        let mut copies: Vec<(&Placement, &Target)> =
            sealed.iter().flat_map(|one| one.targets.iter().map(move |target| (*one, target))).collect();
        copies.sort_by_key(|(placement, _)| std::cmp::Reverse(placement.size));
        let moved = Mutex::new(Vec::new());
        for_each(
            &copies,
            cores(),
            1,
            || made.list(),
            |own, _, (placement, target)| {
                if !self.place_sealed(placement, target, &mut own.paths, tally)? {
                    moved.lock().unwrap_or_else(PoisonError::into_inner).push((*placement, *target));
                }
                Ok::<(), PlaceError>(())
            },
            |_| Ok(()),
        )?;
        let again: Vec<Placement> = moved
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .into_iter()
            .map(|(placement, target)| {
                let target = Target { spent: false, ..target.clone() };
                Placement { targets: vec![target], ..placement.clone() }
            })
            .collect();
        let large = large.into_iter().chain(&again);
        for_each(
            &small,
            cores(),
            GRAIN,
            || made.list(),
            |own, _, placement| one(placement, 1, &mut own.paths),
            |_| Ok(()),
        )?;
        let mut own = made.list();
        large.into_iter().try_for_each(|placement| one(placement, cores(), &mut own.paths))
    }

    fn place_one(
        &self,
        placement: &Placement,
        threads: usize,
        made: &mut Vec<PathBuf>,
        tally: &Tally,
    ) -> Result<(), PlaceError> {
        let Placement { digest, size, targets } = placement;
        let location = self.locate(digest)?.ok_or(StoreError::Absent(*digest))?;
        if location.size != *size {
            // A tree that names another size than the content has is itself wrong.
            return Err(StoreError::Absent(*digest).into());
        }
        if location.place == Place::Blob {
            self.place_blob(placement, location, threads, made, tally)
        } else {
            let bytes = self.read(digest)?;
            for target in targets {
                let mut file = create(target, *size, made)?;
                file.write_all(&bytes).map_err(|e| PlaceError::target(&target.path, e))?;
                close(&file, target)?;
                tally.add(*size);
            }
            Ok(())
        }
    }

    /// Whether the blob is as it was when it was hashed last, since this start of the machine.
    pub(super) fn is_sealed(&self, placement: &Placement) -> bool {
        let location = self.locate(&placement.digest).ok().flatten();
        location.is_some_and(|location| {
            location.place == Place::Blob
                && !location.suspect
                && location.size == placement.size
                && location.seal.is_some_and(|seal| {
                    Stat::of(&self.layout.blob(&placement.digest))
                        .is_ok_and(|stat| Seal::of(&self.boot, &stat) == seal)
                })
        })
    }

    /// Has the kernel copy a blob that need not be hashed; false when it was not what it was sealed
    /// as, before or after, and nothing was made.
    fn place_sealed(
        &self,
        placement: &Placement,
        target: &Target,
        made: &mut Vec<PathBuf>,
        tally: &Tally,
    ) -> Result<bool, PlaceError> {
        let Placement { digest, size, .. } = placement;
        let seal = self.locate(digest)?.and_then(|location| location.seal);
        let stands = |file: &File| {
            Stat::of_open(file)
                .is_ok_and(|stat| Some(Seal::of(&self.boot, &stat)) == seal && stat.size == *size)
        };
        let Ok(source) = File::open(self.layout.blob(digest)) else { return Ok(false) };
        if !stands(&source) {
            return Ok(false);
        }
        let file = create(target, *size, made)?;
        // Which side an error is of is not told: read with care, the blob says so itself.
        let copied = in_the_kernel(&source, &file, tally);
        if matches!(copied, Ok(count) if count == *size) && stands(&source) {
            close(&file, target)?;
            return Ok(true);
        }
        drop(file);
        fs::remove_file(&target.path).map_err(|e| PlaceError::target(&target.path, e))?;
        made.retain(|path| *path != target.path);
        Ok(false)
    }

    fn place_blob(
        &self,
        placement: &Placement,
        location: Location,
        threads: usize,
        made: &mut Vec<PathBuf>,
        tally: &Tally,
    ) -> Result<(), PlaceError> {
        let Placement { digest, size, targets } = placement;
        let source = match self.open_at(digest, location) {
            Ok((file, _)) => file,
            Err(e) if is_loss(&e) => return Err(self.lose(digest, location)),
            Err(e) => return Err(self.layout.error("read", &self.layout.blob(digest), e).into()),
        };
        let before = Stat::of_open(&source).ok();
        let files =
            targets.iter().map(|target| create(target, *size, made)).collect::<Result<Vec<File>, _>>()?;
        let copied = copy(&source, *size, &files.iter().collect::<Vec<_>>(), threads, tally);
        match copied {
            Ok(found) if found == *digest => {}
            Ok(_) => return Err(self.lose(digest, location)),
            Err(CopyError::Read(e)) if is_loss(&e) => return Err(self.lose(digest, location)),
            Err(CopyError::Read(e)) => {
                return Err(self.layout.error("read", &self.layout.blob(digest), e).into());
            }
            Err(CopyError::Write(index, e)) => return Err(PlaceError::target(&targets[index].path, e)),
        }
        let seal = before.and_then(|before| Seal::of_hashed(&self.boot, &before, &source));
        if location.suspect || seal != location.seal {
            self.trust(digest, seal);
        }
        files.iter().zip(targets).try_for_each(|(file, target)| close(file, target))
    }

    fn lose(&self, digest: &Digest, location: Location) -> PlaceError {
        match self.give_up(digest, location) {
            Ok(()) => StoreError::Damaged(*digest).into(),
            Err(e) => e.into(),
        }
    }
}

/// Copies all of `source`, without its bytes coming here; yields how many there were.
fn in_the_kernel(source: &File, mut target: &File, tally: &Tally) -> std::io::Result<u64> {
    let mut done = 0;
    loop {
        let count = std::io::copy(&mut Read::take(source, KERNEL_PIECE), &mut target)?;
        tally.add(count);
        done += count;
        if count < KERNEL_PIECE {
            return Ok(done);
        }
    }
}

fn create(target: &Target, size: u64, made: &mut Vec<PathBuf>) -> Result<File, PlaceError> {
    if target.spent {
        made.push(target.path.clone());
        if let Some(file) = reuse::open(&target.path, size) {
            return Ok(file);
        }
        fs::remove_file(&target.path).map_err(|e| PlaceError::target(&target.path, e))?;
    }
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&target.path)
        .map_err(|e| PlaceError::target(&target.path, e))?;
    made.push(target.path.clone());
    Ok(file)
}

/// Gives a written file its mode and, last, its time.
fn close(file: &File, target: &Target) -> Result<(), PlaceError> {
    let mode = if target.executable { 0o755 } else { 0o644 };
    file.set_permissions(Permissions::from_mode(mode))
        .and_then(|()| seal::age(file).map(drop))
        .map_err(|e| PlaceError::target(&target.path, e))
}

/// The files that a call made, gathered from all threads, also from those that failed.
#[derive(Default)]
struct Made(Mutex<Vec<PathBuf>>);

struct Own<'a> {
    all: &'a Made,
    paths: Vec<PathBuf>,
}

impl Made {
    fn list(&self) -> Own<'_> {
        Own { all: self, paths: Vec::new() }
    }

    fn remove(&self) {
        for path in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            // The error that led here is the one to tell.
            let _ = fs::remove_file(path);
        }
    }
}

impl Drop for Own<'_> {
    fn drop(&mut self) {
        self.all.0.lock().unwrap_or_else(PoisonError::into_inner).append(&mut self.paths);
    }
}
