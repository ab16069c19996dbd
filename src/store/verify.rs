//! Looking at everything: every content hashed, every record decoded, disk against database.

use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::digest::Digest;
use crate::store::content::{hash, is_loss};
use crate::store::error::StoreError;
use crate::store::index::{Location, Place};
use crate::store::ingest::LARGE;
use crate::store::lease::ExclusiveLease;
use crate::store::open::Store;
use crate::store::parallel::{cores, for_each};

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    pub contents: u64,
    pub bytes: u64,
    /// Sorted by digest.
    pub damaged: Vec<Damage>,
    /// Files that no content needs, with their bytes. While others run, these may be contents
    /// that are just being recorded.
    pub orphans: u64,
    pub orphan_bytes: u64,
    /// Records that cannot be read or whose manifest has another digest than their key.
    pub bad_records: u64,
    /// What SQLite says of its own file.
    pub database: Vec<String>,
    /// Whether all of this was removed, so that it is made again when it is needed.
    pub repaired: bool,
}

impl VerifyReport {
    pub fn is_sound(&self) -> bool {
        self.damaged.is_empty() && self.bad_records == 0 && self.database.is_empty()
    }
}

/// A content that is not what it should be. `size` in bytes, as recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Damage {
    pub digest: Digest,
    pub size: u64,
    pub kind: DamageKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DamageKind {
    /// No file, or one that is too short or long.
    Missing,
    /// Other bytes.
    Altered,
}

impl Store {
    /// Hashes every content on all cores, calling `progress` with bytes done and bytes in all.
    /// With `repair`, what is damaged is removed; a damaged database is set aside at the next
    /// start.
    pub fn verify(
        &self,
        repair: Option<&ExclusiveLease>,
        progress: &(dyn Fn(u64, u64) + Sync),
    ) -> Result<VerifyReport, StoreError> {
        if repair.is_some() {
            self.check_writable()?;
        }
        self.flush()?;
        self.reload()?;
        let mut contents: Vec<(Digest, Location)> =
            self.with_index(|index| index.iter().map(|(digest, location)| (*digest, *location)).collect())?;
        // The order on disk.
        contents.sort_unstable_by_key(|(digest, location)| match location.place {
            Place::Pack { id, start } => (id, start, *digest),
            Place::Blob => (u32::MAX, 0, *digest),
        });
        let bytes: u64 = contents.iter().map(|(_, location)| location.size).sum();
        let done = AtomicU64::new(0);
        let damaged = Mutex::new(Vec::new());
        let look = |digest: &Digest, location: &Location, threads: usize| {
            let kind = self.look_at(digest, *location, threads)?;
            if let Some(kind) = kind {
                let mut damaged = damaged.lock().unwrap_or_else(PoisonError::into_inner);
                damaged.push((Damage { digest: *digest, size: location.size, kind }, *location));
            } else if location.suspect {
                self.trust(digest, None);
            }
            progress(done.fetch_add(location.size, Ordering::Relaxed) + location.size, bytes);
            Ok::<(), StoreError>(())
        };
        let (large, small): (Vec<_>, Vec<_>) =
            contents.iter().partition(|(_, location)| location.size >= LARGE);
        for_each(
            &small,
            cores(),
            32,
            || (),
            |(), _, (digest, location)| look(digest, location, 1),
            |()| Ok(()),
        )?;
        large.iter().try_for_each(|(digest, location)| look(digest, location, cores()))?;
        let mut damaged = damaged.into_inner().unwrap_or_else(PoisonError::into_inner);
        damaged.sort_unstable_by_key(|(damage, _)| damage.digest);
        let mut bad_records = self.db.held()?.1;
        self.db.manifests(|id, manifest| {
            if manifest.is_none() {
                bad_records.push(id);
            }
        })?;
        bad_records.sort_unstable();
        bad_records.dedup();
        let database = self.db.complaints()?;
        if repair.is_some() {
            for (damage, location) in &damaged {
                self.give_up(&damage.digest, *location)?;
            }
            self.db.write(|write| {
                bad_records.iter().try_for_each(|id| write.remove_record(*id))?;
                write.mend_latest()
            })?;
            if !database.is_empty() {
                self.db.mark_damaged();
            }
        }
        let reconciled = self.reconcile(repair.is_some())?;
        self.flush()?;
        Ok(VerifyReport {
            contents: contents.len() as u64,
            bytes,
            damaged: damaged.into_iter().map(|(damage, _)| damage).collect(),
            orphans: reconciled.orphans,
            orphan_bytes: reconciled.orphan_bytes,
            bad_records: bad_records.len() as u64,
            database,
            repaired: repair.is_some(),
        })
    }

    fn look_at(
        &self,
        digest: &Digest,
        location: Location,
        threads: usize,
    ) -> Result<Option<DamageKind>, StoreError> {
        let found = self.open_at(digest, location).and_then(|(file, start)| match location.place {
            Place::Blob => hash(&file, location.size, threads),
            Place::Pack { .. } => {
                let mut bytes = vec![0; location.size as usize];
                file.read_exact_at(&mut bytes, start)?;
                Ok(Digest::of(&bytes))
            }
        });
        match found {
            Ok(found) if found == *digest => Ok(None),
            Ok(_) => Ok(Some(DamageKind::Altered)),
            Err(e) if is_loss(&e) => Ok(Some(DamageKind::Missing)),
            Err(e) => Err(self.layout.error("read content in", self.root(), e)),
        }
    }
}
