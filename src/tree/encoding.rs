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

use crate::digest::Digest;
use crate::tree::{Directory, Entry, TreeDigest};

/// Opens every encoded directory. A changed meaning needs a new number.
pub const MAGIC: &[u8] = b"osgraph-dir 1\n";

/// Bytes that are no canonical directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a canonical directory (at byte {at})")]
pub struct DecodeError {
    pub at: usize,
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(&(text.len() as u32).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

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
        let mut reader = Reader { bytes, at: 0 };
        if reader.take(MAGIC.len())? != MAGIC {
            return Err(DecodeError { at: 0 });
        }
        let mut entries: Vec<(String, Entry)> = Vec::new();
        while reader.at < bytes.len() {
            let start = reader.at;
            let kind = reader.take(1)?[0];
            let name = reader.text()?;
            let sorted = entries.last().is_none_or(|(last, _)| last.as_bytes() < name.as_bytes());
            if !sorted || name.is_empty() || name == "." || name == ".." || name.contains(['/', '\0']) {
                return Err(DecodeError { at: start });
            }
            let entry = match kind {
                b'f' | b'x' => {
                    let size = u64::from_le_bytes(reader.array()?);
                    Entry::File {
                        digest: Digest::from_bytes(reader.array()?),
                        size,
                        executable: kind == b'x',
                    }
                }
                b'l' => Entry::Symlink { target: reader.text()? },
                b'd' => Entry::Directory { digest: TreeDigest(Digest::from_bytes(reader.array()?)) },
                _ => return Err(DecodeError { at: start }),
            };
            entries.push((name, entry));
        }
        Ok(Self { entries })
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let end = self.at.checked_add(count).ok_or(DecodeError { at: self.at })?;
        let part = self.bytes.get(self.at..end).ok_or(DecodeError { at: self.at })?;
        self.at = end;
        Ok(part)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let at = self.at;
        self.take(N)?.try_into().map_err(|_| DecodeError { at })
    }

    fn text(&mut self) -> Result<String, DecodeError> {
        let at = self.at;
        let length = u32::from_le_bytes(self.array()?) as usize;
        let bytes = self.take(length)?;
        String::from_utf8(bytes.to_vec()).map_err(|_| DecodeError { at })
    }
}
