//! The files of an engine's archive: taken into the store as they come, since what they are is told
//! at the end.
//!
//! Knows the forms that archives have, and not which image is in them.

use std::collections::HashMap;
use std::io::{self, Chain, Cursor, Read};

use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tar::{Archive, EntryType};

use super::sha256;
use crate::digest::Digest;
use crate::path::RelPath;
use crate::store::{Batch, StoreError};

/// Documents are held until it is known which are wanted: each of at most so many bytes, and all
/// together.
const DOCUMENT: u64 = 4 << 20;
const DOCUMENTS: u64 = 32 << 20;

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// Why an archive was not read to its end.
#[derive(Debug)]
pub(super) enum PartsError {
    Archive(io::Error),
    Store(StoreError),
    Odd(String),
}

/// A file of the archive.
#[derive(Clone, Debug)]
enum Part {
    /// It is in the store, uncompressed.
    Stored(Layer),
    Document(Vec<u8>),
    Link(RelPath),
}

/// A layer in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layer {
    pub digest: Digest,
    pub size: u64,
    /// `sha256:…` of the same bytes.
    pub diff_id: String,
}

/// One image of an archive.
#[derive(Debug)]
pub(super) struct Image {
    pub config: Vec<u8>,
    pub layers: Vec<Layer>,
}

/// The entry of `manifest.json`, which every engine writes.
#[derive(Deserialize)]
struct Manifest {
    #[serde(rename = "Config")]
    config: String,
    #[serde(default, rename = "Layers")]
    layers: Option<Vec<String>>,
}

/// All files of an archive, by name.
#[derive(Default)]
pub(super) struct Parts(HashMap<RelPath, Part>);

impl Parts {
    /// Reads an archive to its end, with every layer going into `batch`.
    pub(super) fn read(archive: &mut Archive<impl Read>, batch: &mut Batch<'_>) -> Result<Self, PartsError> {
        let mut parts = Self::default();
        let mut held = 0;
        for entry in archive.entries().map_err(PartsError::Archive)? {
            let mut entry = entry.map_err(PartsError::Archive)?;
            let path = path(&entry.path_bytes())?;
            let part = match entry.header().entry_type() {
                EntryType::Regular | EntryType::Continuous => {
                    let size = entry.size();
                    let may_hold = size <= DOCUMENT && held + size <= DOCUMENTS;
                    let part = file(&mut entry, size, may_hold, batch)?;
                    if let Part::Document(bytes) = &part {
                        held += bytes.len() as u64;
                    }
                    part
                }
                kind @ (EntryType::Symlink | EntryType::Link) => {
                    let target = entry.link_name_bytes().unwrap_or_default();
                    let target = String::from_utf8_lossy(&target).into_owned();
                    let from = if kind == EntryType::Symlink { path.parent() } else { None };
                    Part::Link(follow(from, &target)?)
                }
                _ => continue,
            };
            parts.0.insert(path, part);
        }
        Ok(parts)
    }

    /// The one image that is in it. `keep` stores what is a layer and was held as a document.
    pub(super) fn image(
        &self,
        mut keep: impl FnMut(&[u8]) -> Result<Digest, StoreError>,
    ) -> Result<Image, PartsError> {
        let odd = |what: String| PartsError::Odd(what);
        let manifest = self.document("manifest.json")?;
        let mut manifests: Vec<Manifest> = serde_json::from_slice(manifest)
            .map_err(|error| odd(format!("its `manifest.json` cannot be read: {error}")))?;
        let (Some(Manifest { config, layers }), true) = (manifests.pop(), manifests.is_empty()) else {
            return Err(odd("there is not exactly one image in it".to_owned()));
        };
        let config = self.document(&config)?.to_vec();
        let mut found = Vec::new();
        for name in layers.unwrap_or_default() {
            found.push(match self.get(&name)? {
                Part::Stored(layer) => layer.clone(),
                Part::Document(bytes) => Layer {
                    digest: keep(bytes).map_err(PartsError::Store)?,
                    size: bytes.len() as u64,
                    diff_id: sha256(&Sha256::digest(bytes)),
                },
                Part::Link(_) => return Err(odd(format!("`{name}` leads nowhere"))),
            });
        }
        Ok(Image { config, layers: found })
    }

    fn document(&self, name: &str) -> Result<&[u8], PartsError> {
        match self.get(name)? {
            Part::Document(bytes) => Ok(bytes),
            _ => Err(PartsError::Odd(format!("`{name}` is no document"))),
        }
    }

    fn get(&self, name: &str) -> Result<&Part, PartsError> {
        let mut at = path(name.as_bytes())?;
        // Links to links do not come from engines; this is for whoever made a circle of them.
        for _ in 0..8 {
            match self.0.get(&at) {
                None => return Err(PartsError::Odd(format!("it has no `{at}`"))),
                Some(Part::Link(target)) => at = target.clone(),
                Some(part) => return Ok(part),
            }
        }
        Err(PartsError::Odd(format!("`{name}` leads nowhere")))
    }
}

fn path(bytes: &[u8]) -> Result<RelPath, PartsError> {
    let text = String::from_utf8_lossy(bytes);
    RelPath::parse(&text).map_err(|error| PartsError::Odd(error.to_string()))
}

fn follow(from: Option<RelPath>, target: &str) -> Result<RelPath, PartsError> {
    let from = from.filter(|folder| !folder.is_root());
    let whole = from.map_or_else(|| target.to_owned(), |folder| format!("{folder}/{target}"));
    path(whole.as_bytes())
}

/// Takes one file in: a document is held, everything else goes to the store.
fn file(entry: &mut impl Read, size: u64, may_hold: bool, batch: &mut Batch<'_>) -> Result<Part, PartsError> {
    let mut head = [0; 4];
    let count = fill(entry, &mut head).map_err(PartsError::Archive)?;
    let head = &head[..count];
    if may_hold && matches!(head.first(), None | Some(b'{' | b'[')) {
        let mut bytes = head.to_vec();
        entry.read_to_end(&mut bytes).map_err(PartsError::Archive)?;
        return Ok(Part::Document(bytes));
    }
    let raw: Chain<_, _> = Cursor::new(head.to_vec()).chain(entry);
    let layer = if head.starts_with(GZIP) {
        store(MultiGzDecoder::new(raw), 0, batch)
    } else if head.starts_with(ZSTD) {
        store(zstd::stream::read::Decoder::new(raw).map_err(PartsError::Archive)?, 0, batch)
    } else {
        store(raw, size, batch)
    };
    layer.map(Part::Stored)
}

/// `hint` is the size where it is known, else 0.
fn store(source: impl Read, hint: u64, batch: &mut Batch<'_>) -> Result<Layer, PartsError> {
    let mut source = Measured { source, hasher: Sha256::new(), broken: None };
    let taken = batch.add(&mut source, hint);
    let Measured { hasher, broken, .. } = source;
    match (taken, broken) {
        // The store does not tell its own faults from those of what it reads.
        (Err(_), Some(error)) => Err(PartsError::Archive(error)),
        (Err(error), None) => Err(PartsError::Store(error)),
        (Ok((digest, size)), _) => Ok(Layer { digest, size, diff_id: sha256(&hasher.finalize()) }),
    }
}

fn fill(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match source.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Hashes what is read through it.
struct Measured<R> {
    source: R,
    hasher: Sha256,
    broken: Option<io::Error>,
}

impl<R: Read> Read for Measured<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.source.read(buffer) {
            Ok(count) => {
                self.hasher.update(&buffer[..count]);
                Ok(count)
            }
            Err(error) => {
                let kind = error.kind();
                if kind != io::ErrorKind::Interrupted {
                    self.broken = Some(error);
                }
                Err(kind.into())
            }
        }
    }
}
