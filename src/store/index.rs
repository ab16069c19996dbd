//! The index of contents in memory: where each one lies.
//!
//! A plain map; the database keeps the same rows and is the authority.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::digest::Digest;
use crate::store::seal::Seal;

/// Where a content lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Location {
    /// In bytes.
    pub(super) size: u64,
    pub(super) place: Place,
    /// Written before the machine last started and not known to have reached the disk: it must
    /// be hashed before it is used.
    pub(super) suspect: bool,
    /// A blob's: the stat under which its bytes were hashed.
    pub(super) seal: Option<Seal>,
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
    /// Blobs by size: a file of a size that none has needs no look before the copy.
    blobs: HashMap<u64, Vec<Digest>>,
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
        self.remove(&digest);
        if location.place == Place::Blob {
            self.blobs.entry(location.size).or_default().push(digest);
        }
        self.map.insert(digest, location);
    }

    pub(super) fn remove(&mut self, digest: &Digest) {
        let Some(old) = self.map.remove(digest) else { return };
        if old.place == Place::Blob
            && let Some(blobs) = self.blobs.get_mut(&old.size)
        {
            blobs.retain(|known| known != digest);
        }
    }

    /// Drops what lies in packs other than those wanted.
    pub(super) fn retain_packs(&mut self, is_wanted: &dyn Fn(u32) -> bool) {
        self.map.retain(|_, location| match location.place {
            Place::Blob => true,
            Place::Pack { id, .. } => is_wanted(id),
        });
    }

    /// The blobs of so many bytes.
    pub(super) fn blobs_of(&self, size: u64) -> &[Digest] {
        self.blobs.get(&size).map_or(&[], Vec::as_slice)
    }

    /// Notes that a content was hashed and is sound.
    pub(super) fn trust(&mut self, digest: &Digest, seal: Option<Seal>) {
        if let Some(location) = self.map.get_mut(digest) {
            location.suspect = false;
            location.seal = seal;
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Digest, &Location)> {
        self.map.iter()
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
    fn blobs_by_size_follow_the_map() {
        let mut index = Index::default();
        let blob = Location { size: 70_000, place: Place::Blob, suspect: false, seal: None };
        let [a, b] = [b"a", b"b"].map(|text| Digest::of(text));
        index.insert(a, blob);
        index.insert(b, blob);
        index.insert(a, blob);
        assert_eq!(index.blobs_of(70_000), [b, a]);
        index.remove(&a);
        index.insert(b, Location { place: Place::Pack { id: 1, start: 0 }, ..blob });
        assert!(index.blobs_of(70_000).is_empty());
        index.remove(&b);
        index.remove(&b);
        assert_eq!(index.get(&b), None);
    }
}
