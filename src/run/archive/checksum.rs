//! What an archive is known by: BLAKE3 for ourselves, SHA-256 for those who download it.

use std::fmt;
use std::io::{self, Write};

use sha2::Digest as _;

use super::Written;

/// A SHA-256, shown as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sha256(pub [u8; 32]);

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha256({self})")
    }
}

/// The text of a `.sha256` file that stands beside `file_name`, as `sha256sum -c` reads it.
pub fn checksum_line(sha256: &Sha256, file_name: &str) -> String {
    // A leading backslash says that the name is escaped.
    let escaped = file_name.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r");
    let mark = if escaped == file_name { "" } else { "\\" };
    format!("{mark}{sha256}  {escaped}\n")
}

/// Counts and hashes what passes through.
pub(super) struct Hashing<W> {
    out: W,
    size: u64,
    blake3: blake3::Hasher,
    sha256: sha2::Sha256,
}

impl<W: Write> Hashing<W> {
    pub fn new(out: W) -> Self {
        Self { out, size: 0, blake3: blake3::Hasher::new(), sha256: sha2::Sha256::new() }
    }

    pub fn finish(self) -> Written {
        Written {
            size: self.size,
            digest: self.blake3.finalize().into(),
            sha256: Sha256(self.sha256.finalize().into()),
        }
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.size += count as u64;
        self.blake3.update(&bytes[..count]);
        self.sha256.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
