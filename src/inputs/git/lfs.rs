//! Large files: git holds a small pointer, and the content lies beside the repository's objects.
//!
//! A pointer is known by what it says, not by the path's `filter` attribute: a file of this form
//! that nobody meant as a pointer is not worth an archive whose real large files are pointers
//! because the attribute went missing. Nothing is fetched.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

/// No pointer is larger, by its specification.
pub(super) const LARGEST_POINTER: u64 = 1024;

/// What stands in git for a large file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pointer {
    /// SHA-256 of the content, 64 lower-case digits.
    pub oid: String,
    /// Bytes.
    pub size: u64,
    /// The content went through programs of an extension.
    pub extended: bool,
}

impl Pointer {
    /// Reads a pointer; none when `bytes` are anything else.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let mut lines = text.lines();
        if lines.next()? != "version https://git-lfs.github.com/spec/v1" {
            return None;
        }
        let (mut oid, mut size, mut extended) = (None, None, false);
        for line in lines {
            let (key, value) = line.split_once(' ')?;
            match key {
                "oid" => oid = Some(value.strip_prefix("sha256:")?),
                "size" => size = Some(value.parse().ok()?),
                _ => extended |= key.starts_with("ext-"),
            }
        }
        let oid = oid.filter(|oid| oid.len() == 64 && oid.bytes().all(|b| b.is_ascii_hexdigit()))?;
        Some(Self { oid: oid.to_ascii_lowercase(), size: size?, extended })
    }

    /// The content's file below a repository's shared folder or one of its alternates.
    pub fn object(&self, common_dir: &Path) -> Option<PathBuf> {
        let name = format!("lfs/objects/{}/{}/{}", &self.oid[..2], &self.oid[2..4], self.oid);
        let objects = common_dir.join("objects");
        let alternates = fs::read_to_string(objects.join("info/alternates")).unwrap_or_default();
        let others = alternates
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .filter_map(|line| Some(objects.join(line).parent()?.to_owned()));
        std::iter::once(common_dir.to_owned())
            .chain(others)
            .map(|dir| dir.join(&name))
            .find(|file| file.is_file())
    }
}

/// A large file's content, which is checked while it is read.
pub(super) struct Content {
    file: File,
    sha256: Sha256,
    read: u64,
}

impl Content {
    pub fn open(object: &Path) -> io::Result<Self> {
        Ok(Self { file: File::open(object)?, sha256: Sha256::new(), read: 0 })
    }

    /// Reads what is left, and says whether everything was as `pointer` promised.
    pub fn holds(mut self, pointer: &Pointer) -> io::Result<bool> {
        io::copy(&mut self, &mut io::sink())?;
        let found: String = self.sha256.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(self.read == pointer.size && found == pointer.oid)
    }
}

impl Read for Content {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.sha256.update(&buffer[..count]);
        self.read += count as u64;
        Ok(count)
    }
}
