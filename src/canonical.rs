//! The alphabet of canonical bytes: length-prefixed text, fixed-width numbers, digests.
//!
//! What is spelled with it, and in which order, is the business of [`crate::tree`] and
//! [`crate::key`]. All numbers are little-endian.

use crate::digest::Digest;

/// Bytes that are not what a writer of canonical bytes would have written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not canonical at byte {at}")]
pub struct DecodeError {
    pub at: usize,
}

/// A u32 length and that many bytes.
pub fn put_text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(&(text.len() as u32).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// Reads canonical bytes from the front.
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How many bytes were read.
    pub const fn at(&self) -> usize {
        self.at
    }

    pub const fn is_at_end(&self) -> bool {
        self.at == self.bytes.len()
    }

    pub fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let end = self.at.checked_add(count).ok_or(DecodeError { at: self.at })?;
        let part = self.bytes.get(self.at..end).ok_or(DecodeError { at: self.at })?;
        self.at = end;
        Ok(part)
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let at = self.at;
        self.take(N)?.try_into().map_err(|_| DecodeError { at })
    }

    pub fn byte(&mut self) -> Result<u8, DecodeError> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    pub fn number(&mut self) -> Result<u64, DecodeError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    pub fn count(&mut self) -> Result<u32, DecodeError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub fn digest(&mut self) -> Result<Digest, DecodeError> {
        Ok(Digest::from_bytes(self.array()?))
    }

    pub fn text(&mut self) -> Result<String, DecodeError> {
        let at = self.at;
        let length = self.count()? as usize;
        String::from_utf8(self.take(length)?.to_vec()).map_err(|_| DecodeError { at })
    }
}
