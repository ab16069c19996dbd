//! Copies of files and folders, by the kernel where it can, cloned where the file system can.
//!
//! Modification times are kept: programs like `make` compare them. Modes become 644 or 755, as
//! everywhere in osgraph. Does not know what is copied, or why.

use std::fs::{self, File, FileTimes, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use super::cancel::Cancel;

/// Copies one file to a place where nothing is.
pub(super) fn file(from: &Path, to: &Path, executable: bool) -> io::Result<()> {
    let mut source = File::open(from)?;
    let found = source.metadata()?;
    if !found.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    let mode = if executable { 0o755 } else { 0o644 };
    let mut target = OpenOptions::new().write(true).create_new(true).mode(mode).open(to)?;
    // Between files this is `copy_file_range`, which clones on file systems that can.
    io::copy(&mut source, &mut target)?;
    // Whatever the caller's umask is.
    target.set_permissions(Permissions::from_mode(mode))?;
    target.set_times(FileTimes::new().set_modified(found.modified()?))
}

/// A file or folder could not be copied: which, and why.
#[derive(Debug)]
pub(super) struct CopyError {
    pub path: PathBuf,
    pub source: io::Error,
}

/// Copies a folder's content into the existing folder `to`: folders, files, symlinks as they
/// are. Ends early, without an error, when cancelled.
pub(super) fn folder(from: &Path, to: &Path, cancel: &Cancel) -> Result<(), CopyError> {
    let mut files = Vec::new();
    list(from, to, &mut files)?;

    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let failure = Mutex::new(None);
    let work = || {
        while let Some(copy) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            if failed.load(Ordering::Relaxed) || cancel.is_cancelled() {
                return;
            }
            if let Err(source) = file(&copy.from, &copy.to, copy.executable) {
                failed.store(true, Ordering::Relaxed);
                let error = CopyError { path: copy.from.clone(), source };
                *failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(error);
            }
        }
    };
    let threads =
        thread::available_parallelism().map_or(1, usize::from).min(files.len() / FILES_PER_THREAD + 1);
    thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    failure.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).map_or(Ok(()), Err)
}

/// A thread costs about as much as copying a few small files.
const FILES_PER_THREAD: usize = 16;

struct Copy {
    from: PathBuf,
    to: PathBuf,
    executable: bool,
}

/// Makes folders and symlinks, and lists the files to copy.
fn list(from: &Path, to: &Path, files: &mut Vec<Copy>) -> Result<(), CopyError> {
    let named = |source| CopyError { path: from.to_path_buf(), source };
    let mut folders = vec![(from.to_path_buf(), to.to_path_buf())];
    while let Some((from, to)) = folders.pop() {
        for entry in fs::read_dir(&from).map_err(named)? {
            let entry = entry.map_err(named)?;
            let (from, to) = (entry.path(), to.join(entry.file_name()));
            let one = || -> io::Result<()> {
                let found = entry.metadata()?;
                if found.is_dir() {
                    fs::create_dir(&to)?;
                    folders.push((from.clone(), to));
                } else if found.is_file() {
                    files.push(Copy {
                        executable: found.permissions().mode() & 0o100 != 0,
                        from: from.clone(),
                        to,
                    });
                } else if found.is_symlink() {
                    symlink(fs::read_link(&from)?, &to)?;
                } else {
                    return Err(io::Error::new(io::ErrorKind::InvalidInput, "a special file"));
                }
                Ok(())
            };
            one().map_err(|source| CopyError { path: from.clone(), source })?;
        }
    }
    Ok(())
}
