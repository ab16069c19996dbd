//! stand-in
use crate::digest::Digest;
use std::fs::File;
use std::io;
pub fn copy(mut source: &File, _size: u64, _targets: &[&File]) -> io::Result<Digest> {
    let mut h = blake3::Hasher::new();
    io::copy(&mut source, &mut h)?;
    Ok(h.finalize().into())
}
