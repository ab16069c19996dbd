//! The canonical bytes of a directory: a written contract, pinned by golden tests.
//!
//! ```text
//! MAGIC                          "osgraph-dir 1\n"
//! per entry, sorted by name:
//!   kind                         1 byte: f (644), x (755), l (symlink), d (directory)
//!   name                         u32 little-endian length, bytes
//!   f, x: size, digest           u64 little-endian, 32 bytes
//!   l: target                    u32 little-endian length, bytes
//!   d: digest                    32 bytes
//! ```

use crate::canonical::{DecodeError, Reader, put_text};
use crate::tree::{Directory, Entry, TreeDigest};

/// Opens every encoded directory. A changed meaning needs a new number.
pub const MAGIC: &[u8] = b"osgraph-dir 1\n";

impl Directory {
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(MAGIC.len() + self.entries().len() * 64);
        out.extend_from_slice(MAGIC);
        for (name, entry) in self.entries() {
            out.push(match entry {
                Entry::File { executable: false, .. } => b'f',
                Entry::File { executable: true, .. } => b'x',
                Entry::Symlink { .. } => b'l',
                Entry::Directory { .. } => b'd',
            });
            put_text(&mut out, name);
            match entry {
                Entry::File { digest, size, executable: _ } => {
                    out.extend_from_slice(&size.to_le_bytes());
                    out.extend_from_slice(digest.as_bytes());
                }
                Entry::Symlink { target } => put_text(&mut out, target),
                Entry::Directory { digest } => out.extend_from_slice(digest.0.as_bytes()),
            }
        }
        out
    }

    /// Reads canonical bytes back, refusing all others: unsorted or doubled names, names that
    /// could leave the folder, bytes left over.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        if reader.take(MAGIC.len())? != MAGIC {
            return Err(DecodeError { at: 0 });
        }
        let mut entries: Vec<(String, Entry)> = Vec::new();
        while !reader.is_at_end() {
            let start = reader.at();
            let kind = reader.byte()?;
            let name = reader.text()?;
            let sorted = entries.last().is_none_or(|(last, _)| last.as_bytes() < name.as_bytes());
            if !sorted || name.is_empty() || name == "." || name == ".." || name.contains(['/', '\0']) {
                return Err(DecodeError { at: start });
            }
            let entry = match kind {
                b'f' | b'x' => {
                    let size = reader.number()?;
                    Entry::File { digest: reader.digest()?, size, executable: kind == b'x' }
                }
                b'l' => Entry::Symlink { target: reader.text()? },
                b'd' => Entry::Directory { digest: TreeDigest(reader.digest()?) },
                _ => return Err(DecodeError { at: start }),
            };
            entries.push((name, entry));
        }
        Ok(Self { entries })
    }
}
