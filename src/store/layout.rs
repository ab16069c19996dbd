//! Where things lie below the store's root, and whether that is a place for a store at all.
//!
//! Knows names and folders, nothing of what is in the files.
//!
//! ```text
//! CACHEDIR.TAG  .gitignore
//! osgraph.db                 records, runs and the index of contents
//! packs/0000002a.pack        small contents, see `pack`
//! blobs/ab/<64 digits>       one large content each
//! trees/<64 digits>/         disposable unpacked trees
//! state/                     what a run that does nothing reads
//! locks/                     empty files that kernel locks are taken on
//! running/                   what is being made now, see `announce`
//! tmp/<session>/             one folder for each process that is at work
//! trash/                     renamed away, being unlinked
//! displaced/<run>/           files that stood where an output had to go
//! logs/
//! ```

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::digest::Digest;
use crate::store::error::{StoreError, is_full, is_read_only};

const FOLDERS: [&str; 10] =
    ["packs", "blobs", "trees", "state", "locks", "running", "tmp", "trash", "displaced", "logs"];

const TAG: &str = "Signature: 8a477f597d28d172789f06886806bc55\n\
                   # Made by osgraph: everything here can be made again.\n";

/// The store's root and the names below it.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    root: PathBuf,
}

impl Layout {
    /// `root` must exist; it is made absolute, without symlinks.
    pub(super) fn of(root: &Path) -> io::Result<Self> {
        Ok(Self { root: fs::canonicalize(root)? })
    }

    /// Of a store that nobody has made yet.
    pub(super) fn absent(root: &Path) -> io::Result<Self> {
        Ok(Self { root: std::path::absolute(root)? })
    }

    /// Creates whatever is missing. Existing files are never overwritten.
    pub(super) fn create(&self) -> Result<(), StoreError> {
        // One look tells an existing store from a new one: its last file is written last.
        if self.root.join(".gitignore").exists() && FOLDERS.iter().all(|name| self.root.join(name).is_dir()) {
            return Ok(());
        }
        for name in FOLDERS {
            let folder = self.root.join(name);
            fs::create_dir_all(&folder).map_err(|e| self.error("create", &folder, e))?;
        }
        self.create_file("CACHEDIR.TAG", TAG)?;
        self.create_file(".gitignore", "*\n!.gitignore\n")
    }

    fn create_file(&self, name: &str, text: &str) -> Result<(), StoreError> {
        let path = self.root.join(name);
        let made = fs::OpenOptions::new().write(true).create_new(true).open(&path);
        match made.and_then(|mut file| file.write_all(text.as_bytes())) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => Err(self.error("create", &path, e)),
            _ => Ok(()),
        }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn folder(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    pub(super) fn database(&self) -> PathBuf {
        self.root.join("osgraph.db")
    }

    pub(super) fn pack(&self, id: u32) -> PathBuf {
        self.root.join(format!("packs/{id:08x}.pack"))
    }

    /// The number of a pack file's name; none for names that no pack has.
    pub(super) fn pack_id(name: &str) -> Option<u32> {
        let digits = name.strip_suffix(".pack")?;
        let id = u32::from_str_radix(digits, 16).ok()?;
        (id != 0 && format!("{id:08x}") == digits).then_some(id)
    }

    pub(super) fn blob(&self, digest: &Digest) -> PathBuf {
        let hex = digest.hex();
        self.root.join(format!("blobs/{}/{hex}", &hex[..2]))
    }

    pub(super) fn lock(&self, name: &str) -> PathBuf {
        self.root.join("locks").join(name)
    }

    /// An I/O error on something in the store, as what it means for the store.
    pub(super) fn error(&self, action: &'static str, path: &Path, source: io::Error) -> StoreError {
        if is_full(&source) {
            StoreError::Full(self.root.clone())
        } else if source.kind() == io::ErrorKind::ReadOnlyFilesystem {
            StoreError::ReadOnly(self.root.clone())
        } else {
            StoreError::Io { action, path: path.to_owned(), source }
        }
    }

    /// Whether this process may write here. Asks the kernel, so root is not fooled by modes and
    /// nobody by a read-only mount.
    pub(super) fn writable(&self) -> bool {
        rustix::fs::access(&self.root, rustix::fs::Access::WRITE_OK).is_ok()
    }

    /// Every regular file of `blobs/` whose name is a digest, with its size; others' paths.
    pub(super) fn blobs(&self) -> Result<Listing<Digest>, StoreError> {
        let mut listing = Listing::default();
        let top = self.folder("blobs");
        for folder in self.list(&top)? {
            let file_type = folder.file_type().map_err(|e| self.error("read", &folder.path(), e))?;
            if !file_type.is_dir() {
                listing.foreign.push(folder.path());
                continue;
            }
            for entry in self.list(&folder.path())? {
                let digest = entry.file_name().to_str().and_then(|name| name.parse::<Digest>().ok());
                listing.sort_in(self, &entry, digest.filter(|d| self.blob(d) == entry.path()))?;
            }
        }
        Ok(listing)
    }

    /// Every pack file with its size; others' paths.
    pub(super) fn packs(&self) -> Result<Listing<u32>, StoreError> {
        let mut listing = Listing::default();
        for entry in self.list(&self.folder("packs"))? {
            let id = entry.file_name().to_str().and_then(Self::pack_id);
            listing.sort_in(self, &entry, id)?;
        }
        Ok(listing)
    }

    /// The packs that there are, in no order.
    pub(super) fn pack_ids(&self) -> Result<Vec<u32>, StoreError> {
        let entries = self.list(&self.folder("packs"))?;
        Ok(entries.iter().filter_map(|entry| Self::pack_id(entry.file_name().to_str()?)).collect())
    }

    /// A folder's entries; none when it does not exist.
    pub(super) fn list(&self, folder: &Path) -> Result<Vec<fs::DirEntry>, StoreError> {
        let read = match fs::read_dir(folder) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            read => read,
        };
        read.and_then(Iterator::collect).map_err(|e| self.error("list", folder, e))
    }
}

/// Files found on disk: those with a proper name, and the rest.
#[derive(Debug)]
pub(super) struct Listing<Id> {
    pub(super) known: Vec<(Id, u64)>,
    pub(super) foreign: Vec<PathBuf>,
}

impl<Id> Default for Listing<Id> {
    fn default() -> Self {
        Self { known: Vec::new(), foreign: Vec::new() }
    }
}

impl<Id> Listing<Id> {
    fn sort_in(&mut self, layout: &Layout, entry: &fs::DirEntry, id: Option<Id>) -> Result<(), StoreError> {
        let path = entry.path();
        let metadata = match entry.metadata() {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => other.map_err(|e| layout.error("stat", &path, e))?,
        };
        match id {
            Some(id) if metadata.is_file() => self.known.push((id, metadata.len())),
            _ => self.foreign.push(path),
        }
        Ok(())
    }
}

/// Creates `root` where it is missing. A refusal means that there is no store and can be none.
pub(super) fn create_root(root: &Path) -> Result<(), StoreError> {
    if root.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(root).map_err(|e| {
        if is_full(&e) {
            StoreError::Full(root.to_owned())
        } else if is_read_only(&e) {
            StoreError::ReadOnly(root.to_owned())
        } else {
            StoreError::Io { action: "create", path: root.to_owned(), source: e }
        }
    })
}

/// The network file system below `root`, if it is one: kernel locks and renames are not reliable
/// there, and SQLite's write-ahead log needs shared memory.
#[cfg(target_os = "linux")]
pub(super) fn network(root: &Path) -> Option<&'static str> {
    let found = rustix::fs::statfs(root).ok()?;
    // The field's type differs between architectures; the magic is its low 32 bits everywhere.
    network_name(found.f_type as u32)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn network(_: &Path) -> Option<&'static str> {
    None
}

/// The magic numbers of statfs(2) and the kernel's `magic.h`.
#[cfg(target_os = "linux")]
fn network_name(magic: u32) -> Option<&'static str> {
    Some(match magic {
        0x0000_6969 => "nfs",
        0x0000_517b => "smb",
        0xff53_4d42 => "cifs",
        0xfe53_4d42 => "smb2",
        0x6573_5546 => "fuse",
        0x0102_1997 => "9p",
        0x5346_414f | 0x6b41_4653 => "afs",
        0x7375_7245 => "coda",
        0x00c3_6400 => "ceph",
        0x0bd0_0bd0 => "lustre",
        0x7461_636f => "ocfs2",
        0x0116_1970 => "gfs2",
        0x0000_564c => "ncp",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn network_file_systems_are_told_from_local_ones() {
        assert_eq!(network_name(0x6969), Some("nfs"));
        assert_eq!(network_name(0xff53_4d42), Some("cifs"));
        assert_eq!(network_name(0x6573_5546), Some("fuse"));
        assert_eq!(network_name(0xef53), None, "ext4");
        assert_eq!(network_name(0x9123_683e), None, "btrfs");
        assert_eq!(network_name(0x0102_1994), None, "tmpfs");
    }

    #[test]
    fn pack_names_are_exact() {
        assert_eq!(Layout::pack_id("0000002a.pack"), Some(42));
        for bad in ["2a.pack", "0000002A.pack", "0000002a", "00000000.pack", "0000002a.pack.tmp"] {
            assert_eq!(Layout::pack_id(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_existing_gitignore_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(".gitignore"), "mine").unwrap();
        let layout = Layout::of(dir.path()).unwrap();
        layout.create().unwrap();
        layout.create().unwrap();
        assert_eq!(fs::read_to_string(dir.path().join(".gitignore")).unwrap(), "mine");
        assert!(
            fs::read_to_string(dir.path().join("CACHEDIR.TAG")).unwrap().starts_with("Signature: 8a477f")
        );
        assert!(dir.path().join("state").is_dir());
    }
}
