//! Writing a content over a file that is not wanted any more.
//!
//! A large new file costs its pages and blocks twice: once to find new ones, once to free those of
//! the file that it replaces. Written over, the old file's are used again, which takes a third of
//! the time. That is done only where nobody could tell: the file is open nowhere else, has no other
//! name, and is otherwise what a new file would be.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

/// Below this many bytes a new file costs no more than the questions asked here.
pub const WORTHWHILE: u64 = 1 << 20;

/// `fcntl` command: which signal tells of a lease that somebody waits for.
const F_SETSIG: libc::c_int = 10;

/// Opens the file at `path`, which must lie where nobody else looks for it, to be overwritten with
/// `size` bytes; none when it is to be left alone.
pub(super) fn open(path: &Path, size: u64) -> Option<File> {
    // A program that runs cannot be opened for writing.
    let file =
        File::options().write(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path).ok()?;
    let found = file.metadata().ok()?;
    let own = found.uid() == rustix::process::geteuid().as_raw()
        && found.gid() == rustix::process::getegid().as_raw();
    let plain = found.is_file() && found.nlink() == 1 && own && !has_attributes(&file);
    if !plain || !is_sole(&file).unwrap_or(false) {
        return None;
    }
    // Before the content, so that a longer file frees its rest.
    (found.len() <= size || file.set_len(size).is_ok()).then_some(file)
}

/// Extended attributes, access lists among them, would stay. A label is what any file gets.
fn has_attributes(file: &File) -> bool {
    let mut names = [0u8; 64];
    match rustix::fs::flistxattr(file, &mut names) {
        Ok(length) => {
            names[..length].split(|b| *b == 0).any(|name| !matches!(name, b"" | b"security.selinux"))
        }
        Err(rustix::io::Errno::NOTSUP) => false,
        Err(_) => true,
    }
}

/// Whether no other descriptor of the file is open, mapped files included: the kernel gives a
/// write lease under no other condition.
fn is_sole(file: &File) -> io::Result<bool> {
    let fd = file.as_raw_fd();
    // SAFETY: plain system calls on an open descriptor with integer arguments.
    let taken = unsafe {
        // Should somebody open the file in this moment, the signal is one that nobody minds.
        libc::fcntl(fd, F_SETSIG, libc::SIGURG) == 0 && libc::fcntl(fd, libc::F_SETLEASE, libc::F_WRLCK) == 0
    };
    if !taken {
        return Ok(false);
    }
    // SAFETY: as above.
    match unsafe { libc::fcntl(fd, libc::F_SETLEASE, libc::F_UNLCK) } {
        0 => Ok(true),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn file(dir: &tempfile::TempDir, name: &str) -> std::path::PathBuf {
        let path = dir.path().join(name);
        fs::write(&path, "some content").unwrap();
        path
    }

    #[test]
    fn a_file_of_nobody_else_is_cut_to_size_and_opened() {
        let dir = tempfile::tempdir().unwrap();
        let path = file(&dir, "a");
        let open = open(&path, 4).unwrap();
        assert_eq!(open.metadata().unwrap().len(), 4);
        assert_eq!(fs::read(&path).unwrap(), b"some");
    }

    #[test]
    fn a_file_that_is_open_elsewhere_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = file(&dir, "a");
        for other in [File::options().read(true).open(&path), File::options().write(true).open(&path)] {
            let other = other.unwrap();
            assert!(open(&path, 4).is_none());
            drop(other);
        }
        assert_eq!(fs::read(&path).unwrap(), b"some content");
        assert!(open(&path, 4).is_some());
    }

    #[test]
    fn a_file_that_runs_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sleep");
        fs::copy("/bin/sleep", &path).unwrap();
        let size = fs::metadata(&path).unwrap().len();
        let mut child = std::process::Command::new(&path).arg("60").spawn().unwrap();
        let left = open(&path, 1).is_none() && fs::metadata(&path).unwrap().len() == size;
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(left);
    }

    #[test]
    fn links_folders_and_files_with_two_names_are_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = file(&dir, "a");
        symlink(&path, dir.path().join("link")).unwrap();
        assert!(open(&dir.path().join("link"), 4).is_none());
        assert!(open(dir.path(), 4).is_none());
        assert!(open(&dir.path().join("nothing"), 4).is_none());
        fs::hard_link(&path, dir.path().join("b")).unwrap();
        assert!(open(&path, 4).is_none());
        assert_eq!(fs::read(&path).unwrap(), b"some content");
    }

    #[test]
    fn a_file_with_attributes_of_its_own_is_left_alone() {
        let dir = tempfile::tempdir_in(".").unwrap();
        let path = file(&dir, "a");
        let name = "user.note";
        rustix::fs::setxattr(&path, name, b"mine", rustix::fs::XattrFlags::empty()).unwrap();
        assert!(open(&path, 4).is_none());
    }
}
