//! Collecting: which records go by age, size and cost to rebuild, and which contents with them.
//!
//! A record keeps its artifact, its log, what its node has published, and the directories (not
//! the files) of the trees its manifest names, so that explanations can still compare them.
//! Contents that nothing keeps are removed.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::time::Duration;

use serde::Serialize;

use crate::digest::Digest;
use crate::key::Value;
use crate::record::Artifact;
use crate::store::db::records::Held;
use crate::store::error::StoreError;
use crate::store::index::{Location, Place};
use crate::store::lease::ExclusiveLease;
use crate::store::open::Store;
use crate::store::records::now;
use crate::store::trees::{below, files};
use crate::tree::{Entry, TreeDigest};

/// What may stay.
#[derive(Clone, Debug, Default)]
pub struct GcOptions {
    /// Bytes of contents. Records go until the rest fits, cheapest to rebuild per byte first,
    /// old ones before new ones, and those that nodes stand on last.
    pub max_size: Option<u64>,
    /// Records that were of no use for this long go.
    pub max_age: Option<Duration>,
    /// Records whose work took at least this long stay, whatever their age and size.
    pub keep_cost: Option<Duration>,
}

/// What went, or would go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct GcReport {
    /// Bytes of contents and of files that no content needs.
    pub freed_bytes: u64,
    pub contents: u64,
    pub records: u64,
    /// Milliseconds of work that the removed records stood for.
    pub rebuild_ms: u64,
    pub kept_bytes: u64,
    pub kept_contents: u64,
    pub kept_records: u64,
    /// Of images that records still name.
    pub kept_images: HashSet<Digest>,
    pub repacked: u64,
    /// Files without a row; rows without a file.
    pub orphans: u64,
    pub lost: u64,
}

/// Logs of runs are kept this long when no age is given.
const LOGS: Duration = Duration::from_secs(30 * 24 * 3600);

impl Store {
    /// What [`Store::gc`] would do now. Changes nothing and needs no lease.
    pub fn gc_preview(&self, options: &GcOptions) -> Result<GcReport, StoreError> {
        self.flush()?;
        self.reload()?;
        Ok(self.sort_out(options)?.report)
    }

    /// Removes what `options` do not keep, repacks, and brings disk and database together.
    pub fn gc(&self, options: &GcOptions, _held: &ExclusiveLease) -> Result<GcReport, StoreError> {
        self.check_writable()?;
        self.flush()?;
        self.reload()?;
        // Others may have repacked since this process opened its packs.
        self.readers.write().unwrap_or_else(std::sync::PoisonError::into_inner).clear();
        let SortedOut { mut report, records, contents, logs_since, memos_before } = self.sort_out(options)?;
        self.db.write(|write| {
            records.iter().try_for_each(|id| write.remove_record(*id))?;
            write.mend_latest()?;
            write.drop_step_logs(logs_since)?;
            if let Some(before) = memos_before {
                write.drop_memos(before)?;
            }
            contents.iter().try_for_each(|(digest, location)| write.remove_content(digest, location.place))
        })?;
        self.with_index_mut(|index| contents.iter().for_each(|(digest, _)| index.remove(digest)))?;
        self.directories.forget_all();
        let blobs = contents.iter().filter(|(_, location)| location.place == Place::Blob);
        self.discard(blobs.map(|(digest, _)| self.layout.blob(digest)))?;
        report.repacked = self.repack()?;
        let reconciled = self.reconcile(true)?;
        report.orphans = reconciled.orphans;
        report.lost = reconciled.lost.len() as u64;
        report.freed_bytes += reconciled.orphan_bytes;
        self.discard(self.layout.list(&self.layout.folder("trees"))?.iter().map(std::fs::DirEntry::path))?;
        self.sweep_locks_later();
        self.db.shrink()?;
        Ok(report)
    }

    fn sort_out(&self, options: &GcOptions) -> Result<SortedOut, StoreError> {
        let now = now();
        let seconds = |age: Duration| i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
        let logs_since = now.saturating_sub(seconds(options.max_age.unwrap_or(LOGS)));
        let (held, unreadable) = self.db.held()?;
        let mut keeping = Keeping::of(self)?;
        let needs = keeping.needs(self, &held)?;
        for log in self.db.step_logs(logs_since)? {
            keeping.pin(&log);
        }
        let mut dropped = vec![false; held.len()];
        let too_old = options.max_age.map(|age| now.saturating_sub(seconds(age)));
        let is_dear = |held: &Held| {
            options.keep_cost.is_some_and(|cost| u128::from(held.hit.duration_ms) >= cost.as_millis())
        };
        for (index, record) in held.iter().enumerate() {
            if too_old.is_some_and(|since| record.used < since) && !is_dear(record) {
                dropped[index] = true;
                keeping.drop_all(&needs[index]);
            }
        }
        if let Some(max_size) = options.max_size {
            let mut order: Vec<usize> =
                (0..held.len()).filter(|i| !dropped[*i] && !is_dear(&held[*i])).collect();
            let worth = |i: &usize| {
                let bytes: u64 = needs[*i].iter().map(|need| keeping.bytes(need)).sum();
                let days = now.saturating_sub(held[*i].used).max(0) as f64 / 86_400.0;
                held[*i].hit.duration_ms as f64 / (bytes + 4096) as f64 / (1.0 + days)
            };
            let mut worths: HashMap<usize, f64> = HashMap::with_capacity(order.len());
            worths.extend(order.iter().map(|i| (*i, worth(i))));
            order.sort_by(|a, b| {
                held[*a].latest.cmp(&held[*b].latest).then(worths[a].total_cmp(&worths[b])).then(a.cmp(b))
            });
            for index in order {
                if keeping.kept_bytes <= max_size {
                    break;
                }
                dropped[index] = true;
                keeping.drop_all(&needs[index]);
            }
        }
        let contents = keeping.unneeded();
        let gone: Vec<&Held> = held.iter().zip(&dropped).filter(|(_, gone)| **gone).map(|(h, _)| h).collect();
        let report = GcReport {
            freed_bytes: contents.iter().map(|(_, location)| location.size).sum(),
            contents: contents.len() as u64,
            records: (gone.len() + unreadable.len()) as u64,
            rebuild_ms: gone.iter().map(|held| held.hit.duration_ms).sum(),
            kept_bytes: keeping.kept_bytes,
            kept_contents: (keeping.contents.len() - contents.len()) as u64,
            kept_records: (held.len() - gone.len()) as u64,
            kept_images: kept_images(&held, &dropped),
            ..GcReport::default()
        };
        let records = gone.iter().map(|held| held.id).chain(unreadable).collect();
        Ok(SortedOut { report, records, contents, logs_since, memos_before: too_old })
    }
}

fn kept_images(held: &[Held], dropped: &[bool]) -> HashSet<Digest> {
    let kept = held.iter().zip(dropped).filter(|(_, gone)| !**gone);
    let images = kept.filter_map(|(held, _)| match &held.hit.artifact {
        Artifact::Image(image) => Some(image.digest),
        Artifact::Entry(_) => None,
    });
    images.collect()
}

/// What is to go.
struct SortedOut {
    report: GcReport,
    records: Vec<i64>,
    contents: Vec<(Digest, Location)>,
    logs_since: i64,
    memos_before: Option<i64>,
}

/// Contents that belong together, by number. Shared by all records of one tree.
type Need = Rc<Vec<u32>>;

/// How many records need each content.
struct Keeping {
    numbers: HashMap<Digest, u32>,
    contents: Vec<(Digest, Location)>,
    needed: Vec<u32>,
    kept_bytes: u64,
    trees: HashMap<(TreeDigest, bool), Need>,
}

impl Keeping {
    fn of(store: &Store) -> Result<Self, StoreError> {
        let contents: Vec<(Digest, Location)> =
            store.with_index(|index| index.iter().map(|(d, l)| (*d, *l)).collect())?;
        let numbers = contents.iter().enumerate().map(|(i, (digest, _))| (*digest, i as u32)).collect();
        let needed = vec![0; contents.len()];
        Ok(Self { numbers, contents, needed, kept_bytes: 0, trees: HashMap::new() })
    }

    /// What each record needs, counted.
    fn needs(&mut self, store: &Store, held: &[Held]) -> Result<Vec<Vec<Need>>, StoreError> {
        let mut needs: Vec<Vec<Need>> = Vec::with_capacity(held.len());
        let by_id: HashMap<i64, usize> = held.iter().enumerate().map(|(i, held)| (held.id, i)).collect();
        let by_key: HashMap<_, usize> = held.iter().enumerate().map(|(i, held)| (held.hit.key, i)).collect();
        for Held { hit, .. } in held {
            let mut need = Vec::new();
            match &hit.artifact {
                Artifact::Entry(entry) => need.extend(self.entry(store, entry, true)),
                Artifact::Image(image) => {
                    let kept = image.kept.map(|digest| Entry::Directory { digest });
                    need.extend(kept.and_then(|kept| self.entry(store, &kept, true)));
                }
            }
            need.extend(hit.log.as_ref().and_then(|log| self.single(log)));
            needs.push(need);
        }
        for (key, entry) in store.db.published_entries()? {
            if let Some(index) = by_key.get(&key) {
                needs[*index].extend(self.entry(store, &entry, true));
            }
        }
        let mut inputs: Vec<(usize, TreeDigest)> = Vec::new();
        store.db.manifests(|id, manifest| {
            let (Some(index), Some(manifest)) = (by_id.get(&id), manifest) else { return };
            inputs.extend(manifest.components().iter().filter_map(|component| match &component.value {
                Value::Entry(Entry::Directory { digest }) => Some((*index, *digest)),
                _ => None,
            }));
        })?;
        for (index, tree) in inputs {
            let need = self.tree(store, tree, false);
            needs[index].push(need);
        }
        for need in needs.iter().flatten() {
            for number in need.iter() {
                let needed = &mut self.needed[*number as usize];
                if *needed == 0 {
                    self.kept_bytes += self.contents[*number as usize].1.size;
                }
                *needed += 1;
            }
        }
        Ok(needs)
    }

    fn entry(&mut self, store: &Store, entry: &Entry, whole: bool) -> Option<Need> {
        match entry {
            Entry::File { digest, .. } => self.single(digest),
            Entry::Directory { digest } => Some(self.tree(store, *digest, whole)),
            Entry::Symlink { .. } => None,
        }
    }

    fn single(&self, digest: &Digest) -> Option<Need> {
        self.numbers.get(digest).map(|number| Rc::new(vec![*number]))
    }

    /// The directories of a tree and, when it is wanted `whole`, its files.
    fn tree(&mut self, store: &Store, root: TreeDigest, whole: bool) -> Need {
        if let Some(known) = self.trees.get(&(root, whole)) {
            return known.clone();
        }
        let mut numbers = Vec::new();
        let mut todo = vec![root];
        while let Some(digest) = todo.pop() {
            // A directory that is absent has nothing to keep.
            let Some(number) = self.numbers.get(&digest.0) else { continue };
            numbers.push(*number);
            let Some(directory) = store.directory(digest) else { continue };
            todo.extend(below(&directory));
            if whole {
                numbers.extend(files(&directory).filter_map(|file| self.numbers.get(&file)));
            }
        }
        numbers.sort_unstable();
        numbers.dedup();
        let need = Rc::new(numbers);
        self.trees.insert((root, whole), need.clone());
        need
    }

    fn pin(&mut self, digest: &Digest) {
        if let Some(number) = self.numbers.get(digest) {
            if self.needed[*number as usize] == 0 {
                self.kept_bytes += self.contents[*number as usize].1.size;
            }
            self.needed[*number as usize] += 1;
        }
    }

    fn bytes(&self, need: &Need) -> u64 {
        need.iter().map(|number| self.contents[*number as usize].1.size).sum()
    }

    fn drop_all(&mut self, needs: &[Need]) {
        for number in needs.iter().flat_map(|need| need.iter()) {
            let needed = &mut self.needed[*number as usize];
            *needed -= 1;
            if *needed == 0 {
                self.kept_bytes -= self.contents[*number as usize].1.size;
            }
        }
    }

    fn unneeded(&self) -> Vec<(Digest, Location)> {
        self.contents
            .iter()
            .zip(&self.needed)
            .filter(|(_, n)| **n == 0)
            .map(|(content, _)| *content)
            .collect()
    }
}
