//! The index of contents in memory: where each one lies.
//!
//! A plain map; the database keeps the same rows and is the authority.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::digest::Digest;

/// Where a content lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Location {
    /// In bytes.
    pub(super) size: u64,
    pub(super) place: Place,
    /// Written before the machine last started and not known to have reached the disk: it must
    /// be hashed before it is used.
    pub(super) suspect: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A file of its own.
    Blob,
    /// `start` is the offset of the first byte.
    Pack { id: u32, start: u64 },
}

#[derive(Default)]
pub(super) struct Index {
    map: HashMap<Digest, Location, BuildHasherDefault<DigestHasher>>,
    /// How many blobs have a size: a file of a size that none has needs no look before the copy.
    blob_sizes: HashMap<u64, u32>,
}

impl Index {
    pub(super) fn with_capacity(count: usize) -> Self {
        Self {
            map: HashMap::with_capacity_and_hasher(count, BuildHasherDefault::default()),
            ..Self::default()
        }
    }

    pub(super) fn get(&self, digest: &Digest) -> Option<Location> {
        self.map.get(digest).copied()
    }

    pub(super) fn insert(&mut self, digest: Digest, location: Location) {
        if let Some(old) = self.map.insert(digest, location) {
            self.count(old, -1);
        }
        self.count(location, 1);
    }

    pub(super) fn remove(&mut self, digest: &Digest) {
        if let Some(old) = self.map.remove(digest) {
            self.count(old, -1);
        }
    }

    /// Drops what lies in packs other than those wanted.
    pub(super) fn retain_packs(&mut self, is_wanted: &dyn Fn(u32) -> bool) {
        self.map.retain(|_, location| match location.place {
            Place::Blob => true,
            Place::Pack { id, .. } => is_wanted(id),
        });
    }

    pub(super) fn has_blob_of(&self, size: u64) -> bool {
        self.blob_sizes.contains_key(&size)
    }

    pub(super) fn trust(&mut self, digest: &Digest) {
        if let Some(location) = self.map.get_mut(digest) {
            location.suspect = false;
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Digest, &Location)> {
        self.map.iter()
    }

    fn count(&mut self, location: Location, by: i32) {
        if location.place != Place::Blob {
            return;
        }
        let count = self.blob_sizes.entry(location.size).or_insert(0);
        *count = count.saturating_add_signed(by);
        if *count == 0 {
            self.blob_sizes.remove(&location.size);
        }
    }
}

/// Digests are evenly spread already: their first eight bytes are the hash.
#[derive(Default)]
pub(super) struct DigestHasher(u64);

impl Hasher for DigestHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    // The length that slices write first says nothing.
    fn write_usize(&mut self, _: usize) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blob_sizes_follow_the_map() {
        let mut index = Index::default();
        let blob = Location { size: 70_000, place: Place::Blob, suspect: false };
        index.insert(Digest::of(b"a"), blob);
        index.insert(Digest::of(b"b"), blob);
        index.insert(Digest::of(b"a"), blob);
        index.remove(&Digest::of(b"a"));
        assert!(index.has_blob_of(70_000));
        index.remove(&Digest::of(b"b"));
        index.remove(&Digest::of(b"b"));
        assert!(!index.has_blob_of(70_000));
    }
}
