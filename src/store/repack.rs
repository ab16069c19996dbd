//! Giving the space of dead packed contents back, and bringing disk and database together.
//!
//! Only for the collector, which holds the store alone.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::PoisonError;

use crate::digest::Digest;
use crate::store::error::StoreError;
use crate::store::index::{Location, Place};
use crate::store::ingest::GATHER;
use crate::store::open::Store;
use crate::store::pack::{FRAME, Frames, HEADER, Writer};

/// What [`Store::reconcile`] found.
#[derive(Default)]
pub(super) struct Reconciled {
    /// Files that no row names, with their bytes.
    pub(super) orphans: u64,
    pub(super) orphan_bytes: u64,
    /// Rows whose file is gone.
    pub(super) lost: Vec<Digest>,
}

impl Store {
    /// Rewrites every pack that is more than half dead and returns how many there were. Contents
    /// that turn out damaged on the way are left behind.
    pub(super) fn repack(&self) -> Result<u64, StoreError> {
        self.flush()?;
        let mut live: HashMap<u32, Vec<(Digest, Location)>> = HashMap::new();
        self.with_index(|index| {
            for (digest, location) in index.iter() {
                if let Place::Pack { id, .. } = location.place {
                    live.entry(id).or_default().push((*digest, *location));
                }
            }
        })?;
        let is_dead = |(id, size): &(u32, u64)| {
            let contents = live.get(id).map_or(&[][..], Vec::as_slice);
            let bytes: u64 = contents.iter().map(|(_, location)| location.size + FRAME).sum();
            bytes == 0 || bytes * 2 < size.saturating_sub(HEADER)
        };
        let dead: Vec<u32> =
            self.layout.packs()?.known.iter().filter(|p| is_dead(p)).map(|(id, _)| *id).collect();
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if writer.as_ref().is_some_and(|writer| dead.contains(&writer.id)) {
            *writer = None;
        }
        // All at once and before anything moves: a pack without its row is written to by nobody,
        // so that nothing moves from one dead pack into the next.
        self.db.write(|write| dead.iter().try_for_each(|id| write.forget_pack(*id)))?;
        for id in &dead {
            self.move_out(*id, live.remove(id).unwrap_or_default(), &mut writer)?;
        }
        Ok(dead.len() as u64)
    }

    fn move_out(
        &self,
        id: u32,
        mut contents: Vec<(Digest, Location)>,
        writer: &mut Option<Writer>,
    ) -> Result<(), StoreError> {
        contents.sort_unstable_by_key(|(_, location)| match location.place {
            Place::Pack { start, .. } => start,
            Place::Blob => 0,
        });
        let path = self.layout.pack(id);
        let file = fs::File::open(&path).map_err(|e| self.layout.error("open", &path, e))?;
        let mut frames = Frames::default();
        for (digest, location) in contents {
            let Place::Pack { start, .. } = location.place else { continue };
            let mut bytes = vec![0; location.size as usize];
            match file.read_exact_at(&mut bytes, start) {
                Ok(()) if Digest::of(&bytes) == digest => frames.push(digest, &bytes),
                Err(e) if e.kind() != io::ErrorKind::UnexpectedEof => {
                    return Err(self.layout.error("read", &path, e));
                }
                _ => self.give_up(&digest, location)?,
            }
            if frames.bytes.len() >= GATHER {
                self.append_to(writer, &mut frames)?;
            }
        }
        if !frames.items.is_empty() {
            self.append_to(writer, &mut frames)?;
        }
        // The new places are recorded before the old ones go.
        self.flush()?;
        self.readers.write().unwrap_or_else(PoisonError::into_inner).remove(&id);
        self.db.write(|write| write.remove_pack(id))?;
        fs::remove_file(&path).map_err(|e| self.layout.error("remove", &path, e))
    }

    /// Compares rows and files both ways. With `repair`, files without a row and rows without a
    /// file are removed.
    pub(super) fn reconcile(&self, repair: bool) -> Result<Reconciled, StoreError> {
        let mut found = Reconciled::default();
        let (packs, blobs) = (self.layout.packs()?, self.layout.blobs()?);
        let pack_sizes: HashMap<u32, u64> = packs.known.iter().copied().collect();
        let blob_sizes: HashMap<Digest, u64> = blobs.known.iter().copied().collect();
        let mut used: HashSet<u32> = HashSet::new();
        let mut lost: Vec<(Digest, Location)> = Vec::new();
        let mut named: HashSet<Digest> = HashSet::new();
        self.with_index(|index| {
            for (digest, location) in index.iter() {
                let is_there = match location.place {
                    Place::Blob => {
                        named.insert(*digest);
                        blob_sizes.get(digest) == Some(&location.size)
                    }
                    Place::Pack { id, start } => {
                        used.insert(id);
                        pack_sizes.get(&id).is_some_and(|size| start.saturating_add(location.size) <= *size)
                    }
                };
                if !is_there {
                    lost.push((*digest, *location));
                }
            }
        })?;
        let orphan_packs = packs.known.into_iter().filter(|(id, _)| !used.contains(id));
        let orphan_blobs = blobs.known.into_iter().filter(|(digest, _)| !named.contains(digest));
        let files: Vec<_> = orphan_packs
            .map(|(id, size)| (self.layout.pack(id), size, Some(id)))
            .chain(orphan_blobs.map(|(digest, size)| (self.layout.blob(&digest), size, None)))
            .chain(packs.foreign.into_iter().chain(blobs.foreign).map(|path| (path, 0, None)))
            .collect();
        for (path, size, pack) in files {
            let ours = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
            if pack.is_some() && ours.as_ref().map(|writer| writer.id) == pack {
                continue;
            }
            drop(ours);
            found.orphans += 1;
            found.orphan_bytes += size;
            if repair {
                if let Some(id) = pack {
                    self.db.write(|write| write.remove_pack(id))?;
                }
                self.discard([path])?;
            }
        }
        for (digest, location) in lost {
            if repair {
                self.give_up(&digest, location)?;
            }
            found.lost.push(digest);
        }
        found.lost.sort_unstable();
        Ok(found)
    }
}
