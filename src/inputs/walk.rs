//! Walks a folder on all cores: what counts in it, stat-ed, not yet hashed.
//!
//! Counted are tracked files and untracked ones that are not ignored; paths that are cut
//! (outputs, the store, staging) never are. Folders come out parents first, each with its entries
//! sorted by name, which is the order in which [`super::index`] keeps them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};

use rustix::fs::{FileType, Mode, OFlags};

use crate::digest::Digest;
use crate::inputs::hash::cores;
use crate::inputs::ignore_rules::{Consulted, Rules, RulesError};
use crate::inputs::selection::{Choice, Selection};
use crate::inputs::stat::Stat;
use crate::path::RelPath;
use crate::tree::{Directory, Entry, Tree, TreeDigest};

/// What to walk and what to leave out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Absolute.
    pub root: PathBuf,
    /// Absolute: where looking for ignore files stops outside a repository.
    pub project: PathBuf,
    /// Paths below the root that never count, whatever is there.
    pub cuts: BTreeSet<RelPath>,
    /// Whether ignore rules apply; outputs are walked without.
    pub ignore_rules: bool,
    /// Ignored files that git tracks all the same: they count.
    pub tracked: BTreeSet<RelPath>,
    /// Patterns of the gitignore kind, relative to the root, for what never counts, tracked or not.
    pub excludes: Vec<String>,
    /// What counts of all this; none: everything.
    pub selection: Option<Selection>,
}

/// A counted file or link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    pub name: String,
    pub stat: Stat,
    /// The target of a symlink; none for a regular file.
    pub link: Option<String>,
}

/// A counted folder. Its name and parent give its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    pub path: RelPath,
    /// The index of the folder that holds it; its own index for the root.
    pub parent: usize,
    /// Taken before it was listed, so that a later entry moves it.
    pub stat: Stat,
    pub files: Vec<File>,
    /// Whether something in it was left out: its content on disk is more than what counts.
    pub left_out: bool,
    /// Whether it counts only when something in it does: it holds a cut path, and so may have been
    /// made for an output, or it ignores even its own ignore file, as tools' caches do.
    pub hollow: bool,
}

/// Everything that counts below a root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walked {
    /// Parents before children, siblings by name.
    pub folders: Vec<Folder>,
    /// Ignore files that were looked for, there or not.
    pub consulted: Vec<Consulted>,
}

#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    #[error("`{path}` cannot be read")]
    Read { path: String, source: io::Error },
    #[error("`{path}` is {what}: only files, folders and symlinks can be inputs")]
    Special { path: String, what: &'static str },
    #[error("`{path}` has a name that is not UTF-8")]
    NotUtf8 { path: String },
    #[error(transparent)]
    Rules(#[from] RulesError),
}

struct Job {
    path: RelPath,
    rules: Rules,
    /// Whether it counts only when something in it does.
    hollow: bool,
    /// Ignored itself, and only entered for the tracked files in it: nothing else in it counts.
    ignored: bool,
}

struct Listed {
    path: RelPath,
    stat: Stat,
    files: Vec<File>,
    below: Vec<Below>,
    left_out: bool,
    hollow: bool,
}

/// A folder that was found in another.
struct Below {
    path: RelPath,
    ignored: bool,
    hollow: bool,
}

#[derive(Default)]
struct Shared {
    waiting: Vec<Job>,
    busy: usize,
    listed: Vec<Listed>,
    consulted: Vec<Consulted>,
    failed: Option<WalkError>,
}

/// Walks `request.root`, which must be a folder.
pub fn walk(request: &Request) -> Result<Walked, WalkError> {
    let mut consulted = Vec::new();
    let rules = if request.ignore_rules {
        Rules::above(&request.root, &request.project, &mut consulted)?
    } else {
        Rules::none()
    };
    let excludes = Rules::none().patterns(&request.excludes, &request.root)?;
    let root = Job { path: RelPath::root(), rules, hollow: false, ignored: false };
    let Some((mut first, rules)) = list(request, &excludes, &root, &mut consulted)? else {
        let path = request.root.display().to_string();
        return Err(WalkError::Read { path, source: io::ErrorKind::NotFound.into() });
    };
    let waiting = jobs_below(&mut first, &rules);
    // Most declared folders are small: they are not worth a thread.
    let helpers = (cores() - 1).min(waiting.len().saturating_sub(1));
    let shared = Mutex::new(Shared { waiting, listed: vec![first], consulted, ..Shared::default() });
    let wake = Condvar::new();
    std::thread::scope(|scope| {
        for _ in 0..helpers {
            scope.spawn(|| work(request, &excludes, &shared, &wake));
        }
        work(request, &excludes, &shared, &wake);
    });
    let shared = shared.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(error) = shared.failed {
        return Err(error);
    }
    Ok(Walked { folders: arrange(shared.listed), consulted: shared.consulted })
}

fn work(request: &Request, excludes: &Rules, shared: &Mutex<Shared>, wake: &Condvar) {
    let lock = || shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    loop {
        let mut state = lock();
        let jobs = loop {
            if state.failed.is_some() {
                return;
            }
            let count = state.waiting.len();
            if count > 0 {
                state.busy += 1;
                // A quarter of what waits, so that few locks are taken and nobody starves.
                let keep = count - count.div_ceil(4).min(32);
                break state.waiting.split_off(keep);
            }
            if state.busy == 0 {
                return;
            }
            state = wake.wait(state).unwrap_or_else(std::sync::PoisonError::into_inner);
        };
        drop(state);
        let mut found = Vec::new();
        let mut listed = Vec::new();
        let mut consulted = Vec::new();
        let mut failed = None;
        for job in jobs {
            match list(request, excludes, &job, &mut consulted) {
                Ok(Some((mut folder, rules))) => {
                    found.append(&mut jobs_below(&mut folder, &rules));
                    listed.push(folder);
                }
                // Gone since it was seen: the folder above has moved, so this is noticed.
                Ok(None) => {}
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        let mut state = lock();
        state.busy -= 1;
        state.waiting.append(&mut found);
        state.listed.append(&mut listed);
        state.consulted.append(&mut consulted);
        if failed.is_some() {
            state.failed = failed;
        }
        drop(state);
        wake.notify_all();
    }
}

fn jobs_below(listed: &mut Listed, rules: &Rules) -> Vec<Job> {
    let below = std::mem::take(&mut listed.below).into_iter();
    below.map(|Below { path, ignored, hollow }| Job { path, rules: rules.clone(), hollow, ignored }).collect()
}

/// Lists one folder; also says which rules hold below it. None for one that is gone.
fn list(
    request: &Request,
    excludes: &Rules,
    job: &Job,
    consulted: &mut Vec<Consulted>,
) -> Result<Option<(Listed, Rules)>, WalkError> {
    let folder = job.path.under(&request.root);
    let wrong = |path: &Path, source: io::Error| WalkError::Read { path: path.display().to_string(), source };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let open = match rustix::fs::open(&folder, flags, Mode::empty()) {
        Ok(open) => open,
        Err(rustix::io::Errno::NOENT) if !job.path.is_root() => return Ok(None),
        Err(error) => return Err(wrong(&folder, error.into())),
    };
    let stat = Stat::of_open(&open).map_err(|e| wrong(&folder, e))?;
    let mut names: Vec<(String, std::ffi::CString)> = Vec::new();
    let mut unreadable: Vec<std::ffi::CString> = Vec::new();
    let mut rules = job.rules.clone();
    let mut is_repository = false;
    for entry in rustix::fs::Dir::read_from(&open).map_err(|e| wrong(&folder, e.into()))? {
        let entry = entry.map_err(|e| wrong(&folder, e.into()))?;
        let raw = entry.file_name();
        match raw.to_bytes() {
            b"." | b".." => continue,
            b".git" => {
                is_repository = true;
                continue;
            }
            b".gitignore" if request.ignore_rules => {
                rules = rules.read(&folder.join(".gitignore"), &folder, consulted)?;
            }
            _ => {}
        }
        match raw.to_str() {
            Ok(name) => names.push((name.to_owned(), raw.to_owned())),
            Err(_) => unreadable.push(raw.to_owned()),
        }
    }
    names.sort();
    let holds_cut = any_below(&request.cuts, &job.path);
    let hides_itself = request.ignore_rules && rules.ignores(&folder.join(".gitignore"), false);
    let mut listed = Listed {
        path: job.path.clone(),
        stat,
        files: Vec::new(),
        below: Vec::new(),
        // A recipe must not see a repository that does not count.
        left_out: is_repository,
        hollow: job.hollow || holds_cut || hides_itself,
    };
    // Judged only now that all rules are known: such a name may be left out, but not taken.
    for raw in unreadable {
        let absolute = folder.join(std::ffi::OsStr::from_bytes(raw.to_bytes()));
        let is_folder = Stat::at(rustix::fd::AsFd::as_fd(&open), &raw)
            .is_ok_and(|stat| stat.kind() == FileType::Directory);
        let left_out = job.ignored || rules.ignores(&absolute, is_folder);
        if !left_out && !excludes.ignores(&absolute, is_folder) {
            return Err(WalkError::NotUtf8 { path: absolute.display().to_string() });
        }
        listed.left_out = true;
    }
    for (name, raw) in names {
        let path = job.path.child(&name);
        if request.cuts.contains(&path) {
            listed.left_out = true;
            continue;
        }
        let absolute = folder.join(&name);
        let stat = match Stat::at(rustix::fd::AsFd::as_fd(&open), &raw) {
            Ok(stat) => stat,
            // Gone since it was listed: the folder's own stat has moved, so this is noticed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(wrong(&absolute, error)),
        };
        let is_folder = stat.kind() == FileType::Directory;
        // Git lets nothing in again below a folder that is ignored.
        let ignored = job.ignored || rules.ignores(&absolute, is_folder);
        if ignored && !is_tracked(request, &path, is_folder) || excludes.ignores(&absolute, is_folder) {
            listed.left_out = true;
            continue;
        }
        let choice = request.selection.as_ref().map_or(Choice::Counts, |all| all.choice(&path, stat.kind()));
        if choice == Choice::LeftOut {
            listed.left_out = true;
            continue;
        }
        match stat.kind() {
            FileType::Directory => {
                listed.below.push(Below { path, ignored, hollow: choice == Choice::Enter });
            }
            FileType::RegularFile => listed.files.push(File { name, stat, link: None }),
            FileType::Symlink => {
                let target = fs::read_link(&absolute).map_err(|e| wrong(&absolute, e))?;
                let target = target
                    .into_os_string()
                    .into_string()
                    .map_err(|_| WalkError::NotUtf8 { path: absolute.display().to_string() })?;
                listed.files.push(File { name, stat, link: Some(target) });
            }
            other => {
                let what = match other {
                    FileType::Fifo => "a named pipe",
                    FileType::Socket => "a socket",
                    FileType::CharacterDevice | FileType::BlockDevice => "a device",
                    _ => "no regular file",
                };
                return Err(WalkError::Special { path: absolute.display().to_string(), what });
            }
        }
    }
    Ok(Some((listed, rules)))
}

fn is_tracked(request: &Request, path: &RelPath, is_folder: bool) -> bool {
    if request.tracked.contains(path) {
        return true;
    }
    is_folder && any_below(&request.tracked, path)
}

/// Whether some path of a set lies below `folder`. Does not go through them all: there may be one
/// for every node of a large pipeline, and this is asked of every folder.
fn any_below(paths: &BTreeSet<RelPath>, folder: &RelPath) -> bool {
    if folder.is_root() {
        return !paths.is_empty();
    }
    // No name holds a NUL, so this bound sorts before everything below the folder.
    let first = paths.range(folder.child("\0")..).next();
    first.is_some_and(|path| path.is_within(folder))
}

/// Puts folders in depth-first order and numbers their parents.
fn arrange(listed: Vec<Listed>) -> Vec<Folder> {
    let mut by_path: BTreeMap<Vec<String>, Listed> =
        listed.into_iter().map(|l| (l.path.names().map(str::to_owned).collect(), l)).collect();
    let mut folders: Vec<Folder> = Vec::with_capacity(by_path.len());
    let mut above: Vec<usize> = Vec::new();
    while let Some((names, listed)) = by_path.pop_first() {
        above.truncate(names.len());
        let at = folders.len();
        let parent = above.last().copied().unwrap_or(at);
        above.push(at);
        let Listed { path, stat, files, below: _, left_out, hollow } = listed;
        folders.push(Folder { path, parent, stat, files, left_out, hollow });
    }
    folders
}

/// The Merkle tree of what was walked; `digest` gives a regular file's digest by its position
/// (folder, file). Hollow folders without counted content are left out.
pub fn tree(walked: &Walked, digest: &dyn Fn(usize, usize) -> Digest) -> Tree {
    let mut below: Vec<Vec<(String, Entry)>> = walked.folders.iter().map(|_| Vec::new()).collect();
    let mut directories = HashMap::with_capacity(walked.folders.len());
    let mut root = TreeDigest(Digest::of(b""));
    for at in (0..walked.folders.len()).rev() {
        let folder = &walked.folders[at];
        let mut entries = std::mem::take(&mut below[at]);
        for (position, file) in folder.files.iter().enumerate() {
            let entry = match &file.link {
                Some(target) => Entry::Symlink { target: target.clone() },
                None => Entry::File {
                    digest: digest(at, position),
                    size: file.stat.size,
                    executable: file.stat.is_executable(),
                },
            };
            entries.push((file.name.clone(), entry));
        }
        let is_root = folder.parent == at;
        if entries.is_empty() && folder.hollow && !is_root {
            continue;
        }
        let directory = Directory::new(entries);
        let digest = directory.digest();
        directories.entry(digest).or_insert_with(|| Arc::new(directory));
        match folder.path.file_name() {
            Some(name) if !is_root => {
                below[folder.parent].push((name.to_owned(), Entry::Directory { digest }))
            }
            _ => root = digest,
        }
    }
    Tree { root, directories }
}

pub mod trace;

#[cfg(test)]
mod tests;
