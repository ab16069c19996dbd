//! Getting rid of large old files beside the work: renamed away at once, unlinked by a thread.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use crate::path::RelPath;
use crate::record::RunId;
use crate::store::error::StoreError;
use crate::store::lease::sweep_locks;
use crate::store::open::Store;
use crate::store::session::{abandoned, remove_all, unique};

/// The unlinking thread, started by the first thing thrown away.
#[derive(Default)]
pub(super) struct Trash(Mutex<Option<(Sender<Job>, JoinHandle<()>)>>);

enum Job {
    Remove(PathBuf),
    /// The folder of a dead process, with what it had on other file systems.
    RemoveSession(PathBuf),
    /// Lock files of keys that nobody waits for any more.
    SweepLocks(PathBuf),
}

impl Trash {
    fn send(&self, job: Job) {
        let mut thread = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (sender, _) = thread.get_or_insert_with(|| {
            let (sender, jobs) = channel();
            let work = move || {
                for job in jobs {
                    match job {
                        // What cannot be removed now is tried again at the next start.
                        Job::Remove(path) => {
                            remove_elsewhere(&path);
                            drop(remove_all(&path));
                        }
                        Job::RemoveSession(path) => {
                            for entry in fs::read_dir(&path).into_iter().flatten().flatten() {
                                remove_elsewhere(&entry.path());
                            }
                            drop(remove_all(&path));
                        }
                        Job::SweepLocks(folder) => sweep_locks(&folder),
                    }
                }
            };
            (sender, std::thread::spawn(work))
        });
        // The thread ends only when the sender is gone.
        let _ = sender.send(job);
    }

    fn finish(&self) {
        let thread = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((sender, thread)) = thread {
            drop(sender);
            let _ = thread.join();
        }
    }
}

impl Store {
    /// Takes `paths` (files or folders) away at once; their space comes back beside the work.
    /// Paths that do not exist are no error.
    pub fn discard<P: AsRef<Path>>(&self, paths: impl IntoIterator<Item = P>) -> Result<(), StoreError> {
        self.check_writable()?;
        for path in paths {
            let path = path.as_ref();
            let bin = self.layout.folder("trash").join(unique());
            let renamed = match fs::rename(path, &bin) {
                // Another file system: out of the way beside its old place.
                Err(e) if e.kind() == io::ErrorKind::CrossesDevices => {
                    // A link in the trash tells of it, so that nothing is left should this be killed.
                    let name = unique();
                    let there = path.with_file_name(format!(".osgraph-trash-{name}"));
                    std::os::unix::fs::symlink(&there, &bin)
                        .and_then(|()| fs::rename(path, &there))
                        .inspect_err(|_| drop(fs::remove_file(&bin)))
                }
                other => other,
            };
            match renamed {
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => return Err(self.layout.error("remove", path, e)),
                Ok(()) => self.trash.send(Job::Remove(bin)),
            }
        }
        Ok(())
    }

    /// Waits until everything discarded is gone.
    pub fn finish_trash(&self) {
        self.trash.finish();
    }

    /// Has the thread remove what dead processes left in `trash/`, `tmp/` and `locks/`.
    pub(super) fn sweep(&self) {
        let left = self.layout.list(&self.layout.folder("trash")).unwrap_or_default();
        for path in left.into_iter().map(|entry| entry.path()) {
            self.trash.send(Job::Remove(path));
        }
        for path in abandoned(&self.layout) {
            self.trash.send(Job::RemoveSession(path));
        }
    }

    /// Notes a temporary path on another file system, so that it goes with this process should
    /// that be killed. Its name must begin with `.osgraph-`. The note is a link, to be removed
    /// when the path is gone.
    pub fn note_elsewhere(&self, path: &Path) -> Result<PathBuf, StoreError> {
        let note = self.scratch()?;
        std::os::unix::fs::symlink(path, &note).map_err(|e| self.layout.error("create", &note, e))?;
        Ok(note)
    }

    /// Has the thread remove lock files that nobody holds.
    pub(super) fn sweep_locks_later(&self) {
        self.trash.send(Job::SweepLocks(self.layout.folder("locks")));
    }

    /// Moves something that osgraph did not make out of an output's way, and says where it is
    /// now: `displaced/<run>/<name>`, or beside its old place when that is another file system.
    pub fn displace(&self, run: RunId, path: &Path, name: &RelPath) -> Result<PathBuf, StoreError> {
        self.check_writable()?;
        let mut kept = name.under(&self.layout.folder("displaced").join(run.to_string()));
        if fs::symlink_metadata(&kept).is_ok() {
            let mut other = kept.clone().into_os_string();
            other.push(format!(".{}", unique()));
            kept = other.into();
        }
        if let Some(folder) = kept.parent() {
            fs::create_dir_all(folder).map_err(|e| self.layout.error("create", folder, e))?;
        }
        let moved = match fs::rename(path, &kept) {
            Err(e) if e.kind() == io::ErrorKind::CrossesDevices => {
                let mut beside = path.as_os_str().to_owned();
                beside.push(format!(".osgraph-displaced-{run}-{}", unique()));
                kept = beside.into();
                fs::rename(path, &kept)
            }
            other => other,
        };
        moved.map_err(|e| self.layout.error("move away", path, e))?;
        Ok(kept)
    }
}

/// Removes what a link made by [`Store::note_elsewhere`] or [`Store::discard`] tells of. Other
/// links are somebody's output, thrown away.
fn remove_elsewhere(link: &Path) {
    if let Ok(target) = fs::read_link(link)
        && target.is_absolute()
        && target.file_name().is_some_and(|name| name.as_bytes().starts_with(b".osgraph-"))
    {
        drop(remove_all(&target));
    }
}
