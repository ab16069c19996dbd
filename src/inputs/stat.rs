//! What the kernel says of a file without opening it, and when that can be trusted.
//!
//! A stat stands for content: size, mtime, ctime, inode, device and mode are compared, and a file
//! whose six are unchanged is not read again. ctime catches edits that put the mtime back. The one
//! hole is an edit in the same clock tick as the reading before it; [`Clock`] closes it.

use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use bytemuck::{Pod, Zeroable};
use rustix::fs::{AtFlags, FileType, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT};

/// A file's six tell-tales. Times are nanoseconds since 1970.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct Stat {
    pub size: u64,
    pub mtime: i64,
    pub ctime: i64,
    pub inode: u64,
    pub device: u64,
    pub mode: u32,
    /// Keeps the layout free of padding; always 0.
    unused: u32,
}

impl Stat {
    /// Stats `name` below an open folder, without following a link.
    pub fn at(folder: BorrowedFd<'_>, name: &CStr) -> io::Result<Self> {
        Ok(rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?.into())
    }

    /// Stats a path without following a link.
    pub fn of(path: &Path) -> io::Result<Self> {
        Ok(rustix::fs::lstat(path)?.into())
    }

    pub fn of_open(file: impl AsFd) -> io::Result<Self> {
        Ok(rustix::fs::fstat(file)?.into())
    }

    pub fn kind(&self) -> FileType {
        FileType::from_raw_mode(self.mode as rustix::fs::RawMode)
    }

    /// Whether any execute bit is set: what counts of a mode.
    pub fn is_executable(&self) -> bool {
        self.mode & 0o111 != 0
    }
}

impl From<rustix::fs::Stat> for Stat {
    fn from(stat: rustix::fs::Stat) -> Self {
        Self {
            size: stat.st_size as u64,
            mtime: stat.st_mtime * 1_000_000_000 + stat.st_mtime_nsec as i64,
            ctime: stat.st_ctime * 1_000_000_000 + stat.st_ctime_nsec as i64,
            inode: stat.st_ino,
            device: stat.st_dev,
            mode: stat.st_mode,
            unused: 0,
        }
    }
}

/// Says whether a stat taken now could hide a later edit.
///
/// A file written after this clock was read, but within one tick of the file system's clock, has
/// the ctime that it had before. So an entry whose ctime is not older than the stamp is *racy*:
/// its digest is used once and not remembered. The stamp comes from a file on the same file
/// system, because a server's or container's clock need not be ours; other file systems get two
/// seconds of distrust.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    device: u64,
    stamp: i64,
    elsewhere: i64,
}

impl Clock {
    /// Reads the clock of the file system that holds `folder`, by touching a file there.
    /// A folder that cannot be written gets the distrust of a foreign file system.
    pub fn read(folder: &Path) -> Self {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
        let now = now.tv_sec * 1_000_000_000 + now.tv_nsec;
        let elsewhere = now - 2_000_000_000;
        match Self::touch(folder) {
            Ok(stat) => Self { device: stat.device, stamp: stat.ctime, elsewhere },
            Err(_) => Self::distrusting(),
        }
    }

    /// Two seconds of distrust everywhere: for those who may not write.
    pub fn distrusting() -> Self {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
        let elsewhere = now.tv_sec * 1_000_000_000 + now.tv_nsec - 2_000_000_000;
        Self { device: u64::MAX, stamp: elsewhere, elsewhere }
    }

    fn touch(folder: &Path) -> io::Result<Stat> {
        let path: PathBuf = folder.join("clock");
        let file = File::options().create(true).truncate(false).write(true).open(path)?;
        let times = Timestamps {
            last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
            last_modification: Timespec { tv_sec: 0, tv_nsec: UTIME_NOW },
        };
        rustix::fs::futimens(&file, &times)?;
        Stat::of_open(&file)
    }

    pub fn is_racy(&self, stat: &Stat) -> bool {
        let stamp = if stat.device == self.device { self.stamp } else { self.elsewhere };
        // Not the mtime: it is anybody's to set, and one in the future would be racy for ever.
        stat.ctime >= stamp
    }
}

/// The identity of this boot of the machine: what an unflushed write does not outlive. Empty where
/// the system does not tell, which makes every boot look like the same one.
pub fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map(|id| id.trim().to_owned())
        .unwrap_or_default()
}

/// Whether a folder's mtime can be trusted to move with its entries: not on network and FUSE
/// file systems, where another machine's or a daemon's caching decides.
pub fn is_local(path: &Path) -> bool {
    const NFS: i64 = 0x6969;
    const SMB: i64 = 0x517b;
    const CIFS: i64 = 0xff53_4d42;
    const SMB2: i64 = 0xfe53_4d42;
    const FUSE: i64 = 0x6573_5546;
    const V9FS: i64 = 0x0102_1997;
    const CEPH: i64 = 0x00c3_6400;
    const AFS: i64 = 0x5346_414f;
    #[expect(clippy::unnecessary_cast, reason = "the field has other widths on other platforms")]
    match rustix::fs::statfs(path) {
        Ok(found) => ![NFS, SMB, CIFS, SMB2, FUSE, V9FS, CEPH, AFS].contains(&(found.f_type as i64)),
        Err(_) => false,
    }
}

/// The device of a path's file system; none when it cannot be stat-ed.
pub fn device_of(path: &Path) -> Option<u64> {
    std::fs::metadata(path).ok().map(|found| found.dev())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_written_after_the_stamp_is_racy() {
        let dir = tempfile::tempdir().unwrap();
        let old = dir.path().join("old");
        std::fs::write(&old, "1").unwrap();
        std::thread::sleep(std::time::Duration::from_millis(30));
        let clock = Clock::read(dir.path());
        let new = dir.path().join("new");
        std::fs::write(&new, "2").unwrap();
        assert!(!clock.is_racy(&Stat::of(&old).unwrap()));
        assert!(clock.is_racy(&Stat::of(&new).unwrap()));
    }

    #[test]
    fn an_unwritable_folder_distrusts_two_seconds() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, "1").unwrap();
        let clock = Clock::read(Path::new("/proc"));
        assert!(clock.is_racy(&Stat::of(&file).unwrap()));
    }
}
