//! Deterministic archives of a tree: the same leaves give the same bytes, on any machine, with any
//! number of cores.
//!
//! Members are sorted by path below one top folder, belong to user and group 0 without names, have
//! modes 644 and 755 and one constant time. Everything is streamed: memory does not grow with the
//! tree. Where content comes from and where the archive goes is the caller's business, and so is
//! refusing links that leave the tree.

mod checksum;
mod gzip;
mod members;
mod zst;

use std::io::{self, Write};
use std::num::NonZeroUsize;

use crate::digest::Digest;
use crate::path::RelPath;
use crate::pipeline::model::ArchiveFormat;
use crate::tree::Leaves;

use checksum::Hashing;
pub use checksum::{Sha256, checksum_line};
pub use members::{MTIME, Open};

/// What to archive.
pub struct Request<'a> {
    pub leaves: &'a Leaves,
    /// The one folder in which everything lies; see [`stem`].
    pub top: &'a str,
    pub format: ArchiveFormat,
    /// Threads that compress. Changes the speed alone, never a byte.
    pub threads: NonZeroUsize,
    pub open: &'a Open<'a>,
    /// Asked at every member and every few hundred KiB.
    pub cancelled: &'a (dyn Fn() -> bool + Sync),
}

/// An archive that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Bytes.
    pub size: u64,
    pub digest: Digest,
    pub sha256: Sha256,
}

/// Why an archive was not written.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error("interrupted")]
    Cancelled,
    #[error("cannot read the content of `{path}`")]
    Content { path: RelPath, source: io::Error },
    #[error("`{path}` has other content than was recorded: {expected} bytes, but {found}")]
    Length { path: RelPath, expected: u64, found: Found },
    #[error("cannot write the archive")]
    Write(#[from] io::Error),
}

/// How much there was of a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Bytes.
    Only(u64),
    More,
}

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Only(bytes) => write!(f, "there are {bytes}"),
            Self::More => f.write_str("there are more"),
        }
    }
}

/// Writes the archive to `out`, which is neither synced nor closed here.
pub fn write(request: &Request, out: &mut dyn Write) -> Result<Written, ArchiveError> {
    let mut out = Hashing::new(out);
    match request.format {
        ArchiveFormat::Tar => {
            // Headers are small: without a buffer each would be a write of its own.
            let mut buffer = io::BufWriter::with_capacity(256 * 1024, &mut out);
            members::write(request, &mut buffer)?;
            buffer.flush()?;
        }
        ArchiveFormat::TarGz => {
            let mut gzip = gzip::Gzip::new(&mut out, request.threads)?;
            members::write(request, &mut gzip)?;
            gzip.finish()?;
        }
        ArchiveFormat::TarZst => {
            let mut zstd = zst::encoder(&mut out, request.threads)?;
            members::write(request, &mut zstd)?;
            zstd.finish()?;
        }
    }
    out.flush()?;
    Ok(out.finish())
}

/// The top folder of the archive at `path`: its file name without the format's ending.
pub fn stem(path: &RelPath, format: ArchiveFormat) -> &str {
    let name = path.file_name().unwrap_or("archive");
    let endings: &[&str] = match format {
        ArchiveFormat::Tar => &[".tar"],
        ArchiveFormat::TarGz => &[".tar.gz", ".tgz"],
        ArchiveFormat::TarZst => &[".tar.zst", ".tzst"],
    };
    let stem = endings.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name);
    if stem.is_empty() { name } else { stem }
}

#[cfg(test)]
mod tests;
