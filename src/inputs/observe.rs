//! Looks at declared inputs through the index: what is known by its stat is not read again.
//!
//! One [`Observer`] serves one survey. It starts from the index of the run before, checked by
//! [`super::verify`], and collects what it saw into a new one.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use rustix::fs::FileType;

use crate::digest::Digest;
use crate::inputs::hash::{self, HashError, Hashed};
use crate::inputs::index::{Builder, Index, Loose};
use crate::inputs::observation::{Again, Observation, Rows, Spelled};
use crate::inputs::sightings::Sightings;
use crate::inputs::stat::{Clock, Stat};
use crate::inputs::verify::Moved;
use crate::inputs::walk::{self, Request, WalkError, Walked};
use crate::tally::Tally;
use crate::tree::Entry;

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
    pub bytes: Tally,
}

/// Digests by path and stat, from the index of the run before.
pub struct Known {
    index: Arc<Index>,
    /// Folder rows by path; laid out when the first is asked for.
    by_path: OnceLock<Vec<u32>>,
}

impl Known {
    pub fn new(index: Arc<Index>) -> Self {
        Self { index, by_path: OnceLock::new() }
    }

    /// The digest of the file at `path` if it still has this stat.
    pub fn digest(&self, path: &Path, stat: &Stat) -> Option<Digest> {
        self.in_folder(path.parent()?.to_str()?, path.file_name()?.to_str()?, stat)
    }

    fn in_folder(&self, folder: &str, name: &str, stat: &Stat) -> Option<Digest> {
        let path = |row: u32| self.index.folder_path(&self.index.folders()[row as usize]);
        let by_path = self.by_path.get_or_init(|| {
            let mut rows: Vec<u32> = (0..self.index.folders().len() as u32).collect();
            rows.sort_by_key(|row| path(*row));
            rows
        });
        let first = by_path.partition_point(|row| path(*row) < folder);
        by_path[first..].iter().take_while(|row| path(**row) == folder).find_map(|row| {
            let at = self.index.find(*row as usize, name)?;
            let row = self.index.file(at);
            let usable = row.has_content() && !row.is_racy() && row.stat == *stat;
            usable.then(|| self.index.digest(at))
        })
    }
}

pub struct Observer<'a> {
    index: Arc<Index>,
    known: Arc<Known>,
    /// File rows, sorted.
    moved: Vec<(usize, Option<Stat>)>,
    /// Sorted.
    moved_folders: Vec<usize>,
    rules_moved: bool,
    /// The walks of the index, by question.
    earlier: HashMap<Digest, usize>,
    clock: Clock,
    progress: &'a Progress,
    /// Whether contents are left alone; see [`Self::scout`].
    is_scout: bool,
    walks: Vec<Arc<Observation>>,
    /// Positions in `walks`, by question.
    asked: HashMap<Digest, usize>,
    /// Whether a walk of the index was taken over, and with it the rules that held for all of them.
    took_over: bool,
    /// The user's own excludes file, if there may be one.
    excludes: Option<PathBuf>,
    /// Where folders led, links and all.
    followed: Mutex<HashMap<PathBuf, PathBuf>>,
    builder: Mutex<Builder>,
}

/// The digest of all that decides a walk besides what is on disk.
pub fn question(request: &Request) -> Digest {
    let mut hasher = blake3::Hasher::new();
    let Request { root, project, cuts, ignore_rules, tracked, excludes, selection } = request;
    let mut put = |text: &[u8]| {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text);
    };
    put(root.as_os_str().as_encoded_bytes());
    put(project.as_os_str().as_encoded_bytes());
    put(if *ignore_rules { b"rules" } else { b"all" });
    for list in [cuts, tracked] {
        put(list.len().to_string().as_bytes());
        for path in list {
            put(path.as_str().as_bytes());
        }
    }
    for pattern in excludes {
        put(pattern.as_bytes());
    }
    if let Some(selection) = selection {
        put(b"selection");
        put(selection.identity().as_bytes());
    }
    hasher.finalize().into()
}

impl<'a> Observer<'a> {
    /// `moved` is what [`super::verify::verify`] found of `index`, just now.
    pub fn new(index: Arc<Index>, moved: Moved, clock: Clock, progress: &'a Progress) -> Self {
        let known = Arc::new(Known::new(index.clone()));
        let mut moved_folders: Vec<usize> = moved.folders.into_iter().map(|(at, _)| at).collect();
        moved_folders.sort_unstable();
        Self {
            earlier: index.walks().collect(),
            index,
            known,
            moved: moved.files,
            moved_folders,
            rules_moved: moved.rules,
            clock,
            progress,
            is_scout: false,
            walks: Vec::new(),
            asked: HashMap::new(),
            took_over: false,
            excludes: ignore::gitignore::gitconfig_excludes_path(),
            followed: Mutex::default(),
            builder: Mutex::new(Builder::default()),
        }
    }

    /// One that finds out what would be looked at and looks at as little as it can: no folder is
    /// listed unless something is selected from it, and no file in one is read. Its digests are of
    /// nothing, and so what it saw is nothing to be remembered.
    pub fn scout(progress: &'a Progress) -> Self {
        let nothing = (Arc::new(Index::default()), Moved::default());
        Self { is_scout: true, ..Self::new(nothing.0, nothing.1, Clock::distrusting(), progress) }
    }

    /// Walks and hashes a folder; the same question is answered once.
    pub fn folder(&mut self, request: &Request) -> Result<Arc<Observation>, ObserveError> {
        let asked = self.with_rules(question(request));
        if let Some(at) = self.asked.get(&asked) {
            return Ok(self.walks[*at].clone());
        }
        let observation = Arc::new(match self.unchanged_structure(&asked) {
            _ if self.is_scout && request.selection.is_none() => Observation::unseen(request.clone(), asked),
            Some((walk, moved)) => {
                self.take_over_rules();
                self.look_again(request, asked, walk, &moved)?
            }
            None => self.look_anew(request, asked)?,
        });
        self.asked.insert(asked, self.walks.len());
        self.walks.push(observation.clone());
        Ok(observation)
    }

    /// The user's own excludes file is where their configuration and environment say.
    fn with_rules(&self, question: Digest) -> Digest {
        let excludes = self.excludes.as_deref().map_or(&b""[..], |path| path.as_os_str().as_encoded_bytes());
        Digest::of(&[question.as_bytes().as_slice(), excludes].concat())
    }

    /// The last walk that answered this question and the files in it that moved, where no folder
    /// and no ignore file moved since: nothing is listed again.
    fn unchanged_structure(&self, asked: &Digest) -> Option<(usize, Vec<(usize, Stat)>)> {
        let walk = *self.earlier.get(asked)?;
        let range = self.index.walk_range(walk);
        let next_moved = self.moved_folders.partition_point(|at| *at < range.start);
        let moved = self.moved_folders.get(next_moved).is_some_and(|at| *at < range.end);
        if self.rules_moved || range.is_empty() || moved {
            return None;
        }
        let files = self.index.walk_files(walk);
        let first = self.moved.partition_point(|(row, _)| *row < files.start);
        let moved = self.moved[first..].iter().take_while(|(row, _)| *row < files.end);
        let same_kind = |(at, found): &(usize, Option<Stat>)| {
            let (row, stat) = (self.index.file(*at), (*found)?);
            let same = stat.kind() == row.stat.kind() && !row.is_link();
            (same && self.index.file_name(row) != ".gitignore").then_some((*at, stat))
        };
        Some((walk, moved.map(same_kind).collect::<Option<_>>()?))
    }

    /// Reads the files of a known walk that `moved`. Where all are what they were, so is the tree.
    fn look_again(
        &self,
        request: &Request,
        question: Digest,
        walk: usize,
        moved: &[(usize, Stat)],
    ) -> Result<Observation, ObserveError> {
        let index = &self.index;
        let mut folders = index.walk_range(walk);
        let mut folder = folders.start;
        let mut paths = Vec::with_capacity(moved.len());
        for (row, stat) in moved {
            while !index.files_of(&index.folders()[folder]).contains(row) {
                folder = folders.next().unwrap_or(folder);
            }
            paths.push((index.path_of(folder, *row), *stat));
        }
        let mut again = HashMap::with_capacity(moved.len());
        for ((row, _), hashed) in moved.iter().zip(self.read(&paths)) {
            let hashed = hashed?;
            let racy = self.clock.is_racy(&hashed.stat);
            again.insert(*row, Again { digest: hashed.digest, stat: hashed.stat, racy });
        }
        let same = again.iter().all(|(row, now)| {
            let before = index.file(*row).stat;
            now.digest == index.digest(*row) && now.stat.is_executable() == before.is_executable()
        });
        if !same {
            return Ok(Observation::anew(request.clone(), question, Spelled::of(index, walk, &again)));
        }
        let restated = again.into_iter().map(|(row, now)| (row, (now.stat, now.racy))).collect();
        let rows = Rows { index: index.clone(), walk, restated };
        Ok(Observation::same(request.clone(), question, rows))
    }

    /// Hashes files on all cores.
    fn read(&self, files: &[(PathBuf, Stat)]) -> Vec<Result<Hashed, HashError>> {
        if self.is_scout {
            return files
                .iter()
                .map(|(_, stat)| Ok(Hashed { digest: Digest::of(b""), stat: *stat }))
                .collect();
        }
        hash::each_by_size(
            files,
            |(_, stat)| stat.size,
            |(path, stat), buffer| {
                let hashed = hash::counted_file(path, stat, buffer, &self.progress.bytes);
                if hashed.is_ok() {
                    self.progress.files.fetch_add(1, Ordering::Relaxed);
                }
                hashed
            },
        )
    }

    /// A walk that is taken over hangs on the rules that it was made by. Which those were is not
    /// kept apart, so all are kept, once.
    fn take_over_rules(&mut self) {
        if !std::mem::replace(&mut self.took_over, true) {
            for (path, found) in self.index.rules() {
                self.builder().add_rules(&path, found);
            }
        }
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

    /// Walks a folder and hashes what is not known.
    fn look_anew(&self, request: &Request, question: Digest) -> Result<Observation, ObserveError> {
        let root = &request.root;
        let mut walked = walk::walk(request)?;
        for consulted in &walked.consulted {
            let found = self.seen(consulted.stat);
            self.builder().add_rules(&consulted.path, found);
        }
        let known = self.recall(root, &walked);
        let mut unknown = Vec::new();
        let mut files = Vec::new();
        for (at, folder) in walked.folders.iter().enumerate() {
            for (position, file) in folder.files.iter().enumerate() {
                if known[at][position].is_none() && file.link.is_none() {
                    unknown.push((at, position));
                    files.push((folder.path.child(&file.name).under(root), file.stat));
                }
            }
        }
        let digest = |(file, known): (&walk::File, &Option<Digest>)| match (&file.link, known) {
            (Some(target), _) => (Digest::of(target.as_bytes()), self.clock.is_racy(&file.stat)),
            (None, Some(digest)) => (*digest, false),
            (None, None) => (Digest::of(b""), true),
        };
        let folders = walked.folders.iter().zip(&known);
        let mut digests: Vec<Vec<(Digest, bool)>> =
            folders.map(|(folder, known)| folder.files.iter().zip(known).map(digest).collect()).collect();
        for ((at, position), hashed) in unknown.into_iter().zip(self.read(&files)) {
            let hashed = hashed?;
            walked.folders[at].files[position].stat = hashed.stat;
            digests[at][position] = (hashed.digest, self.clock.is_racy(&hashed.stat));
        }
        Ok(Observation::anew(request.clone(), question, Spelled::new(walked, digests)))
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
                        let hashed = hash::counted_file(path, &stat, &mut Vec::new(), &self.progress.bytes)?;
                        self.progress.files.fetch_add(1, Ordering::Relaxed);
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
        let found = self.seen(Stat::of(path).ok());
        self.builder().add_loose(path, found);
    }

    /// Remembers a file that decides what walks count, and is about to be read, and what it links to.
    pub fn note_rules(&self, path: &Path) {
        for path in [path, &self.follow(path)] {
            let found = self.seen(Stat::of(path).ok());
            self.builder().add_rules(path, found);
        }
    }

    /// Remembers a file of which `read` was read a moment ago. When there is something else by now,
    /// what was made of it stands for this once.
    pub fn note_read(&self, path: &Path, read: &Digest) {
        let place = self.follow(path);
        let same = self
            .file(&place)
            .is_ok_and(|seen| matches!(seen.entry, Entry::File { digest, .. } if digest == *read));
        if !same {
            self.note(&place, Loose::Noticed { stat: Stat::default(), racy: true });
        }
    }

    fn seen(&self, stat: Option<Stat>) -> Loose {
        match stat {
            Some(stat) if stat.kind() == FileType::Directory => Loose::Folder,
            Some(stat) => Loose::Noticed { stat, racy: self.clock.is_racy(&stat) },
            None => Loose::Absent,
        }
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

mod follow;

pub use follow::lead;

#[cfg(test)]
mod tests;
