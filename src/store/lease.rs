//! Leases: kernel locks on empty files in `locks/`, released by death.
//!
//! A lock belongs to the open file, so a recipe that is handed the file as its standard input
//! holds the lease too, and so do the processes it starts. Lock files that nobody holds are swept
//! away; whoever takes a lock makes sure that its file was not.

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rustix::fs::{Mode, OFlags};

use crate::digest::Digest;
use crate::key::Key;
use crate::store::error::StoreError;
use crate::store::open::Store;

/// The longest pause between two tries.
const PAUSE: Duration = Duration::from_millis(50);

/// A lock file that is this old and free is swept.
const STALE: Duration = Duration::from_secs(3600);

/// The right to work on a key or to publish at a path, until dropped.
#[derive(Debug)]
pub struct Lease {
    file: File,
}

impl Lease {
    /// The locked file: empty, open for reading. Whoever inherits it holds the lease as well.
    pub fn file(&self) -> &File {
        &self.file
    }
}

/// The right to run: held by everybody who works with the store, until dropped.
#[derive(Debug)]
pub struct SharedLease {
    _file: File,
}

/// The right to be in the store alone, for its care.
#[derive(Debug)]
pub struct ExclusiveLease {
    _file: File,
}

impl Store {
    /// Waits for the key. `wait` is called before each pause of at most 50 ms; when it says
    /// false, nothing is leased.
    pub fn lease_key(&self, key: &Key, wait: &mut dyn FnMut() -> bool) -> Result<Option<Lease>, StoreError> {
        self.lock(&key_name(key), true, wait).map(|file| file.map(|file| Lease { file }))
    }

    /// None when another process, or thread, has the key.
    pub fn try_lease_key(&self, key: &Key) -> Result<Option<Lease>, StoreError> {
        self.lease_key(key, &mut || false)
    }

    /// Waits for the right to publish at all of `paths`, which must be absolute. Taken in one
    /// order by everybody, so that two who want the same paths cannot wait for each other.
    pub fn lease_paths(
        &self,
        paths: &[&Path],
        wait: &mut dyn FnMut() -> bool,
    ) -> Result<Option<Vec<Lease>>, StoreError> {
        let names: BTreeSet<String> = paths
            .iter()
            .map(|path| format!("path-{}", Digest::of(path.as_os_str().as_bytes()).hex()))
            .collect();
        let mut leases = Vec::with_capacity(names.len());
        for name in names {
            match self.lock(&name, true, wait)? {
                Some(file) => leases.push(Lease { file }),
                None => return Ok(None),
            }
        }
        Ok(Some(leases))
    }

    /// Waits for the right to run: nobody collects or repacks meanwhile.
    pub fn shared_lease(&self, wait: &mut dyn FnMut() -> bool) -> Result<Option<SharedLease>, StoreError> {
        let file = self.lock("store", false, wait)?;
        Ok(file.map(|file| SharedLease { _file: file }))
    }

    /// Waits until nobody runs.
    pub fn exclusive_lease(
        &self,
        wait: &mut dyn FnMut() -> bool,
    ) -> Result<Option<ExclusiveLease>, StoreError> {
        let file = self.lock("store", true, wait)?;
        Ok(file.map(|file| ExclusiveLease { _file: file }))
    }

    fn lock(
        &self,
        name: &str,
        exclusive: bool,
        wait: &mut dyn FnMut() -> bool,
    ) -> Result<Option<File>, StoreError> {
        self.check_writable()?;
        let path = self.layout.lock(name);
        lock(&path, exclusive, wait).map_err(|e| self.layout.error("lock", &path, e))
    }
}

/// Locks the file at `path`, which is made where it is missing.
pub(super) fn lock(
    path: &Path,
    exclusive: bool,
    wait: &mut dyn FnMut() -> bool,
) -> std::io::Result<Option<File>> {
    let mut pause = Duration::from_millis(1);
    loop {
        let flags = OFlags::RDONLY | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let file = File::from(rustix::fs::open(path, flags, Mode::from_raw_mode(0o644))?);
        loop {
            let tried = if exclusive { file.try_lock() } else { file.try_lock_shared() };
            match tried {
                Ok(()) => break,
                Err(TryLockError::Error(e)) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(TryLockError::Error(e)) => return Err(e),
                Err(TryLockError::WouldBlock) => {
                    if !wait() {
                        return Ok(None);
                    }
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(PAUSE);
                }
            }
        }
        // Swept between opening and locking: the lock would be on a file that nobody else finds.
        if file.metadata()?.nlink() > 0 {
            return Ok(Some(file));
        }
    }
}

fn key_name(key: &Key) -> String {
    format!("key-{}", key.0.hex())
}

/// Removes lock files of keys and paths that are old and that nobody holds.
pub(super) fn sweep_locks(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.as_bytes();
        if !name.starts_with(b"key-") && !name.starts_with(b"path-") {
            continue;
        }
        let old = entry
            .metadata()
            .and_then(|m| m.modified())
            .is_ok_and(|made| SystemTime::now().duration_since(made).is_ok_and(|age| age >= STALE));
        // Unlinked only while locked: who opened it before will see that it has no name.
        if old
            && let Ok(file) = File::open(entry.path())
            && file.try_lock().is_ok()
        {
            let _ = fs::remove_file(entry.path());
        }
    }
}
