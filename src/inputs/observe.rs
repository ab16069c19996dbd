//! Looks at declared inputs through the index: what is known by its stat is not read again.
//!
//! One [`Observer`] serves one survey. It starts from the index of the run before, checked by
//! [`super::verify`], and collects what it saw into a new one.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::fs::FileType;

use crate::digest::Digest;
use crate::inputs::hash::{self, HashError};
use crate::inputs::ignore_rules::Consulted;
use crate::inputs::index::{Builder, Index, Loose};
use crate::inputs::stat::{Clock, Stat};
use crate::inputs::verify::Moved;
use crate::inputs::walk::{self, Request, WalkError, Walked};
use crate::tree::{Entry, Tree};

#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    #[error(transparent)]
    Walk(#[from] WalkError),
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error("`{path}` does not exist")]
    Missing { path: String },
    #[error("`{path}` cannot be read")]
    Read { path: String, source: std::io::Error },
}

/// A walked folder with its digests.
#[derive(Debug)]
pub struct Observation {
    /// Absolute.
    pub root: PathBuf,
    question: Digest,
    pub walked: Walked,
    /// By folder and file position; links have the digest of their target.
    digests: Vec<Vec<(Digest, bool)>>,
    pub tree: Tree,
    /// Whether the folder on disk holds exactly what counts, so that it can stand for the tree.
    pub is_whole: bool,
}

/// A declared path that is no folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub entry: Entry,
    pub stat: Stat,
    racy: bool,
}

/// Counts of what was read rather than believed, for progress.
#[derive(Debug, Default)]
pub struct Progress {
    pub files: AtomicU64,
    pub bytes: AtomicU64,
}

/// Digests by path and stat, from the index of the run before.
pub struct Known {
    index: Arc<Index>,
    folders: HashMap<Box<str>, Vec<usize>>,
}

impl Known {
    pub fn new(index: Arc<Index>) -> Self {
        let mut folders: HashMap<Box<str>, Vec<usize>> = HashMap::with_capacity(index.folders().len());
        for (at, row) in index.folders().iter().enumerate() {
            folders.entry(index.folder_path(row).into()).or_default().push(at);
        }
        Self { index, folders }
    }

    /// The digest of the file at `path` if it still has this stat.
    pub fn digest(&self, path: &Path, stat: &Stat) -> Option<Digest> {
        self.in_folder(path.parent()?.to_str()?, path.file_name()?.to_str()?, stat)
    }

    fn in_folder(&self, folder: &str, name: &str, stat: &Stat) -> Option<Digest> {
        self.folders.get(folder)?.iter().find_map(|row| {
            let at = self.index.find(*row, name)?;
            let row = self.index.file(at);
            let usable = row.has_content() && !row.is_racy() && row.stat == *stat;
            usable.then(|| self.index.digest(at))
        })
    }
}

pub struct Observer<'a> {
    index: Arc<Index>,
    known: Arc<Known>,
    moved: HashMap<usize, Option<Stat>>,
    moved_folders: Vec<usize>,
    rules_moved: bool,
    clock: Clock,
    progress: &'a Progress,
    walks: Vec<(Request, Arc<Observation>)>,
    builder: Mutex<Builder>,
}

/// The digest of all that decides a walk besides what is on disk.
pub fn question(request: &Request) -> Digest {
    let mut hasher = blake3::Hasher::new();
    let Request { root, project, cuts, ignore_rules, tracked, excludes } = request;
    let mut put = |text: &str| {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    put(&root.to_string_lossy());
    put(&project.to_string_lossy());
    put(if *ignore_rules { "rules" } else { "all" });
    for list in [cuts, tracked] {
        put(&list.len().to_string());
        for path in list {
            put(path.as_str());
        }
    }
    for pattern in excludes {
        put(pattern);
    }
    hasher.finalize().into()
}

impl<'a> Observer<'a> {
    /// `moved` is what [`super::verify::verify`] found of `index`, just now.
    pub fn new(index: Arc<Index>, moved: Moved, clock: Clock, progress: &'a Progress) -> Self {
        let known = Arc::new(Known::new(index.clone()));
        Self {
            index,
            known,
            moved: moved.files.into_iter().collect(),
            moved_folders: moved.folders.into_iter().map(|(at, _)| at).collect(),
            rules_moved: moved.rules,
            clock,
            progress,
            walks: Vec::new(),
            builder: Mutex::new(Builder::default()),
        }
    }

    /// Walks and hashes a folder; the same question is answered once.
    pub fn folder(&mut self, request: &Request) -> Result<Arc<Observation>, ObserveError> {
        let asked = question(request);
        if let Some((_, known)) = self.walks.iter().find(|(_, known)| known.question == asked) {
            return Ok(known.clone());
        }
        let (walked, known) = match self.unchanged_structure(&asked) {
            Some(found) => found,
            None => {
                let walked = walk::walk(request)?;
                let known = self.recall(&request.root, &walked);
                (walked, known)
            }
        };
        let observation = Arc::new(self.complete(&request.root, asked, walked, known)?);
        self.walks.push((request.clone(), observation.clone()));
        Ok(observation)
    }

    /// The last walk that answered this question, brought up to date by the stats just taken,
    /// where no folder and no ignore file moved since. Nothing is listed again.
    fn unchanged_structure(&self, asked: &Digest) -> Option<(Walked, Vec<Vec<Option<Digest>>>)> {
        let walk = self.index.walk_for(asked)?;
        let range = self.index.walk_range(walk);
        if self.rules_moved || range.is_empty() || self.moved_folders.iter().any(|at| range.contains(at)) {
            return None;
        }
        let mut walked = self.index.walked(walk);
        let mut known = Vec::with_capacity(walked.folders.len());
        for (at, folder) in range.zip(&mut walked.folders) {
            let path = self.index.folder_path(&self.index.folders()[at]);
            let mut digests = Vec::with_capacity(folder.files.len());
            for (row, file) in self.index.files_of(&self.index.folders()[at]).zip(&mut folder.files) {
                let mut digest = Some(self.index.digest(row));
                if let Some(found) = self.moved.get(&row) {
                    let stat = (*found)?;
                    if stat.kind() != file.stat.kind() || file.name == ".gitignore" {
                        return None;
                    }
                    file.stat = stat;
                    digest = None;
                }
                if let Some(target) = &mut file.link {
                    *target = read_link(&Path::new(path).join(&file.name)).ok()?;
                }
                digests.push(digest);
            }
            known.push(digests);
        }
        let consulted =
            self.index.folders().iter().flat_map(|row| self.index.files_of(row).map(move |f| (row, f)));
        walked.consulted = consulted
            .filter(|(_, file)| self.index.file(*file).is_rules())
            .map(|(row, file)| {
                let file = self.index.file(file);
                let path = Path::new(self.index.folder_path(row)).join(self.index.file_name(file));
                Consulted { path, stat: (!file.is_absent()).then_some(file.stat) }
            })
            .collect();
        Some((walked, known))
    }

    /// What the index knows of freshly walked files: the digest of each whose stat is the same.
    fn recall(&self, root: &Path, walked: &Walked) -> Vec<Vec<Option<Digest>>> {
        walked
            .folders
            .iter()
            .map(|folder| {
                let path = folder.path.under(root);
                let find = |name: &str, stat: &Stat| self.known.in_folder(path.to_str()?, name, stat);
                folder.files.iter().map(|file| find(&file.name, &file.stat)).collect()
            })
            .collect()
    }

    /// Hashes what is not known, on all cores.
    fn complete(
        &self,
        root: &Path,
        question: Digest,
        mut walked: Walked,
        known: Vec<Vec<Option<Digest>>>,
    ) -> Result<Observation, ObserveError> {
        let mut unknown = Vec::new();
        for (at, folder) in walked.folders.iter().enumerate() {
            for (position, file) in folder.files.iter().enumerate() {
                if known[at][position].is_none() && file.link.is_none() {
                    unknown.push((at, position, folder.path.child(&file.name).under(root)));
                }
            }
        }
        let hashed = hash::each(&unknown, |(_, _, path), buffer| {
            let hashed = hash::file(path, buffer);
            if let Ok(hashed) = &hashed {
                self.progress.files.fetch_add(1, Ordering::Relaxed);
                self.progress.bytes.fetch_add(hashed.stat.size, Ordering::Relaxed);
            }
            hashed
        });
        let mut digests: Vec<Vec<(Digest, bool)>> = Vec::with_capacity(walked.folders.len());
        for (folder, known) in walked.folders.iter().zip(&known) {
            digests.push(
                folder
                    .files
                    .iter()
                    .zip(known)
                    .map(|(file, known)| match (&file.link, known) {
                        (Some(target), _) => (Digest::of(target.as_bytes()), self.clock.is_racy(&file.stat)),
                        (None, Some(digest)) => (*digest, false),
                        (None, None) => (Digest::of(b""), true),
                    })
                    .collect(),
            );
        }
        for ((at, position, _), hashed) in unknown.iter().zip(hashed) {
            let hashed = hashed?;
            walked.folders[*at].files[*position].stat = hashed.stat;
            digests[*at][*position] = (hashed.digest, self.clock.is_racy(&hashed.stat));
        }
        let tree = walk::tree(&walked, &|folder, file| digests[folder][file].0);
        let is_whole = walked
            .folders
            .iter()
            // What is published into a hollow folder while a reader runs must not be seen by it.
            .all(|folder| !(folder.left_out || folder.hollow));
        Ok(Observation { root: root.to_path_buf(), question, walked, digests, tree, is_whole })
    }

    /// One declared path that is a file or a link.
    pub fn file(&self, path: &Path) -> Result<Seen, ObserveError> {
        let stat = Stat::of(path).map_err(|source| missing(path, source))?;
        let seen = match stat.kind() {
            FileType::Symlink => {
                let target = read_link(path)?;
                Seen { entry: Entry::Symlink { target }, stat, racy: self.clock.is_racy(&stat) }
            }
            FileType::RegularFile => {
                let (digest, stat, racy) = match self.known.digest(path, &stat) {
                    Some(digest) => (digest, stat, false),
                    None => {
                        let hashed = hash::file(path, &mut Vec::new())?;
                        self.progress.files.fetch_add(1, Ordering::Relaxed);
                        self.progress.bytes.fetch_add(hashed.stat.size, Ordering::Relaxed);
                        (hashed.digest, hashed.stat, self.clock.is_racy(&hashed.stat))
                    }
                };
                Seen {
                    entry: Entry::File { digest, size: stat.size, executable: stat.is_executable() },
                    stat,
                    racy,
                }
            }
            _ => {
                let path = path.display().to_string();
                return Err(WalkError::Special { path, what: "no regular file" }.into());
            }
        };
        self.builder().add_loose(path, seen.loose());
        Ok(seen)
    }

    /// What the index of the run before knows, to be asked on its own.
    pub fn known(&self) -> Arc<Known> {
        self.known.clone()
    }

    /// Remembers that nothing is at `path`, or whatever else was found there.
    pub fn note(&self, path: &Path, found: Loose) {
        self.builder().add_loose(path, found);
    }

    /// Remembers a path by its stat alone, there or not: that it moves is all that matters.
    pub fn note_present(&self, path: &Path) {
        let found = match Stat::of(path) {
            Ok(stat) if stat.kind() == FileType::Directory => Loose::Folder,
            Ok(stat) => Loose::Noticed { stat, racy: self.clock.is_racy(&stat) },
            Err(_) => Loose::Absent,
        };
        self.builder().add_loose(path, found);
    }

    /// Remembers a file that decides what walks count.
    pub fn note_rules(&self, path: &Path) {
        let stat = Stat::of(path).ok();
        self.builder().add_rules(path, stat, &|stat| self.clock.is_racy(stat));
    }

    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    fn builder(&self) -> std::sync::MutexGuard<'_, Builder> {
        self.builder.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Everything that was seen, ready for outputs to be added.
    pub fn finish(self) -> Sightings {
        let loose = self.builder.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        Sightings { walks: self.walks, loose, clock: self.clock }
    }
}

/// What a survey saw: the makings of the next index.
pub struct Sightings {
    walks: Vec<(Request, Arc<Observation>)>,
    loose: Builder,
    clock: Clock,
}

impl Sightings {
    /// Adds a path outside of walks. The later of two additions counts.
    pub fn add(&mut self, path: &Path, found: Loose) {
        self.loose.add_loose(path, found);
    }

    /// Lays out the index. Folders that hold outputs have moved when these were published; where
    /// nothing that counts came or went meanwhile, they are taken as they are now. `clock` reads
    /// the file system's clock.
    pub fn into_index(self, clock: &dyn Fn() -> Clock) -> Index {
        let Self { walks, mut loose, clock: then } = self;
        for (request, seen) in &walks {
            let refreshed = seen.refreshed(request, clock);
            let (walked, clock) =
                refreshed.as_ref().map_or((&seen.walked, &then), |(walked, now)| (walked, now));
            let digest = |folder: usize, file: usize| seen.digests[folder][file];
            loose.add_walk(&request.root, &seen.question, walked, &digest, &|stat| clock.is_racy(stat));
        }
        loose.finish()
    }
}

/// How often the clock is looked at until it has moved, a millisecond apart: a tick is 10 at most.
const TICKS: usize = 20;

impl Observation {
    /// The same walk with the present stats of its hollow folders; none when nothing moved there,
    /// or when something that counts did.
    fn refreshed(&self, request: &Request, clock: &dyn Fn() -> Clock) -> Option<(Walked, Clock)> {
        let moved: Vec<Stat> = self
            .walked
            .folders
            .iter()
            .filter(|folder| folder.hollow)
            .filter_map(|folder| {
                let found = Stat::of(&folder.path.under(&self.root)).ok()?;
                (found != folder.stat).then_some(found)
            })
            .collect();
        if moved.is_empty() {
            return None;
        }
        // Outputs came into these folders a moment ago: in the next tick of the clock their stats
        // can be trusted, and the next run need not list them again.
        let mut stamp = clock();
        for _ in 0..TICKS {
            if !moved.iter().any(|stat| stamp.is_racy(stat)) {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
            stamp = clock();
        }
        let now = walk::walk(request).ok()?;
        let same = now.folders.len() == self.walked.folders.len()
            && now
                .folders
                .iter()
                .zip(&self.walked.folders)
                .all(|(a, b)| a.path == b.path && a.files == b.files && (a.stat == b.stat || a.hollow));
        same.then_some((now, stamp))
    }
}

impl Seen {
    pub fn loose(&self) -> Loose {
        match &self.entry {
            Entry::File { digest, .. } => Loose::File { stat: self.stat, digest: *digest, racy: self.racy },
            Entry::Symlink { target } => {
                Loose::Link { stat: self.stat, digest: Digest::of(target.as_bytes()) }
            }
            Entry::Directory { .. } => Loose::Folder,
        }
    }
}

fn missing(path: &Path, source: std::io::Error) -> ObserveError {
    let path = path.display().to_string();
    match source.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => ObserveError::Missing { path },
        _ => ObserveError::Read { path, source },
    }
}

fn read_link(path: &Path) -> Result<String, ObserveError> {
    let target = std::fs::read_link(path).map_err(|source| missing(path, source))?;
    target
        .into_os_string()
        .into_string()
        .map_err(|_| WalkError::NotUtf8 { path: path.display().to_string() }.into())
}

/// Whether everything that `observation` saw is still as it was, by stats alone: asked after a
/// node ran, because inputs that moved meanwhile make its result unfit for a record.
pub fn still_stands(observation: &Observation) -> bool {
    let folders: Vec<usize> = (0..observation.walked.folders.len()).collect();
    let all = hash::each(&folders, |at, _| {
        let folder = &observation.walked.folders[*at];
        let path = folder.path.under(&observation.root);
        let same = |path: &Path, stat: &Stat| Stat::of(path).is_ok_and(|found| found == *stat);
        // A hollow folder holds outputs: its own stat moves when they are published.
        (folder.hollow || same(&path, &folder.stat))
            && folder.files.iter().all(|file| same(&path.join(&file.name), &file.stat))
    });
    all.into_iter().all(|same| same)
}
