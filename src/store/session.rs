//! This process's own folder in `tmp/`, held by a kernel lock while the process lives.
//!
//! What a dead process left there is told apart by its lock being free.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::store::error::StoreError;
use crate::store::layout::Layout;

pub(super) struct Session {
    folder: PathBuf,
    counter: AtomicU64,
    /// Locked; closing it is what gives the folder up.
    _held: File,
}

impl Session {
    pub(super) fn open(layout: &Layout) -> Result<Self, StoreError> {
        let tmp = layout.folder("tmp");
        loop {
            let folder = tmp.join(unique());
            match fs::create_dir(&folder) {
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => continue,
                made => made.map_err(|e| layout.error("create", &folder, e))?,
            }
            // A sweeper may have taken the folder for a leftover before it was locked.
            let Ok(held) = File::open(&folder) else { continue };
            if held.try_lock().is_ok() && folder.is_dir() {
                return Ok(Self { folder, counter: AtomicU64::new(0), _held: held });
            }
        }
    }

    /// A path in the folder that nothing has yet.
    pub(super) fn path(&self) -> PathBuf {
        self.folder.join(self.counter.fetch_add(1, Ordering::Relaxed).to_string())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Leftovers of a failed step; whatever cannot go now goes at the next start.
        let _ = remove_all(&self.folder);
    }
}

/// A name that no other process or thread makes up: nanoseconds, process and a counter.
pub(super) fn unique() -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    let process = rustix::process::getpid().as_raw_nonzero();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    format!("{:x}-{process:x}-{count:x}", now.as_nanos())
}

/// Folders of processes that are no more.
pub(super) fn abandoned(layout: &Layout) -> Vec<PathBuf> {
    let entries = layout.list(&layout.folder("tmp")).unwrap_or_default();
    entries.into_iter().map(|entry| entry.path()).filter(|path| is_abandoned(path)).collect()
}

fn is_abandoned(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| file.try_lock().is_ok())
}

/// Removes a file, link or folder, also read-only folders. What is already gone is no error.
pub(super) fn remove_all(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => match fs::remove_dir_all(path) {
            Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {
                make_writable(path)?;
                fs::remove_dir_all(path)
            }
            other => other,
        },
        Ok(_) => fs::remove_file(path),
        Err(e) => Err(e),
    };
    match removed {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn make_writable(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            make_writable(&entry.path())?;
        }
    }
    Ok(())
}
