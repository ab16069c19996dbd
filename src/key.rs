//! Manifests and action keys: the only thing that decides what runs.
//!
//! A [`Manifest`] names every input of a node, labelled and sorted; its [`Key`] is the BLAKE3 of
//! its canonical bytes. A cache look-up asks for the key, an explanation is the difference of two
//! manifests. Upstreams appear as the artifacts they yielded, never as keys, which is what gives
//! early cutoff. Pure: no file system, no clock, no absolute path gets in here.
//!
//! # Canonical bytes
//! ```text
//! "osgraph-manifest 1\n"
//! kind                     text, as "command 1": the kind and the version of its meaning
//! count                    u32
//! per component, sorted by (facet, label):
//!   facet                  1 byte: o (own), e (environment), u (upstream)
//!   label                  text
//!   value                  1 byte and its fields:
//!     t text | f x file (u64 size, 32 digest) | l link (text) | d directory (32) | i image (32)
//! ```
//! Text is a u32 length and that many bytes; all numbers are little-endian.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::canonical::{DecodeError, Reader, put_text};
use crate::digest::Digest;
use crate::tree::{Entry, TreeDigest};

pub mod compose;

#[cfg(test)]
mod tests;

const MAGIC: &[u8] = b"osgraph-manifest 1\n";

/// The BLAKE3 of a manifest's canonical bytes: a node's action key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key(pub Digest);

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.0.short())
    }
}

/// Which part of a node's world a component belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Facet {
    /// The node's own recipe, options and source files.
    Own,
    /// Tools, platform, declared environment, secret versions.
    Environment,
    /// The artifact of another node.
    Upstream,
}

/// What a component's label stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    Text(String),
    Entry(Entry),
    /// An image digest: layers and runtime configuration (see the Docker executor).
    Image(Digest),
}

/// One named input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    pub facet: Facet,
    /// Stable and readable, as `input app`, `run 0`, `tool rustc`, `base`.
    pub label: String,
    pub value: Value,
}

impl Component {
    pub fn text(facet: Facet, label: impl Into<String>, text: impl Into<String>) -> Self {
        Self { facet, label: label.into(), value: Value::Text(text.into()) }
    }

    pub fn entry(facet: Facet, label: impl Into<String>, entry: Entry) -> Self {
        Self { facet, label: label.into(), value: Value::Entry(entry) }
    }
}

/// Every input of a node, sorted by facet and label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    kind: String,
    components: Vec<Component>,
}

impl Manifest {
    /// `kind` carries the version of its meaning, as `command 1`. Sorts the components.
    ///
    /// # Panics
    /// When two components share facet and label: two inputs would stand for one.
    pub fn new(kind: &str, mut components: Vec<Component>) -> Self {
        components.sort_by(|a, b| (a.facet, &a.label).cmp(&(b.facet, &b.label)));
        for pair in components.windows(2) {
            assert!(
                (pair[0].facet, &pair[0].label) != (pair[1].facet, &pair[1].label),
                "two components are labelled `{}`",
                pair[0].label
            );
        }
        Self { kind: kind.to_owned(), components }
    }

    pub fn kind(&self) -> &str {
        &self.kind
    }

    pub fn components(&self) -> &[Component] {
        &self.components
    }

    pub fn get(&self, facet: Facet, label: &str) -> Option<&Value> {
        self.components.iter().find(|c| c.facet == facet && c.label == label).map(|c| &c.value)
    }

    pub fn key(&self) -> Key {
        Key(Digest::of(&self.encode()))
    }

    /// The digest of everything but the upstreams: what a node is before its inputs from other
    /// nodes are known. No record with it means that no upstream can make the node fresh.
    pub fn own_digest(&self) -> Digest {
        let own = self.components.iter().filter(|c| c.facet != Facet::Upstream).cloned().collect();
        Digest::of(&Self { kind: self.kind.clone(), components: own }.encode())
    }

    /// The same manifest with `upstreams` added.
    #[must_use]
    pub fn with(&self, upstreams: impl IntoIterator<Item = Component>) -> Self {
        let mut components = self.components.clone();
        components.extend(upstreams);
        Self::new(&self.kind, components)
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + self.components.len() * 64);
        out.extend_from_slice(MAGIC);
        put_text(&mut out, &self.kind);
        out.extend_from_slice(&(self.components.len() as u32).to_le_bytes());
        for Component { facet, label, value } in &self.components {
            out.push(match facet {
                Facet::Own => b'o',
                Facet::Environment => b'e',
                Facet::Upstream => b'u',
            });
            put_text(&mut out, label);
            put_value(&mut out, value);
        }
        out
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        if reader.take(MAGIC.len())? != MAGIC {
            return Err(DecodeError { at: 0 });
        }
        let kind = reader.text()?;
        let count = reader.count()?;
        let mut components: Vec<Component> = Vec::new();
        for _ in 0..count {
            let at = reader.at();
            let facet = match reader.byte()? {
                b'o' => Facet::Own,
                b'e' => Facet::Environment,
                b'u' => Facet::Upstream,
                _ => return Err(DecodeError { at }),
            };
            let label = reader.text()?;
            let sorted = components.last().is_none_or(|last| (last.facet, &last.label) < (facet, &label));
            if !sorted {
                return Err(DecodeError { at });
            }
            components.push(Component { facet, label, value: value(&mut reader)? });
        }
        if !reader.is_at_end() {
            return Err(DecodeError { at: reader.at() });
        }
        Ok(Self { kind, components })
    }
}

fn put_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Text(text) => {
            out.push(b't');
            put_text(out, text);
        }
        Value::Entry(Entry::File { digest, size, executable }) => {
            out.push(if *executable { b'x' } else { b'f' });
            out.extend_from_slice(&size.to_le_bytes());
            out.extend_from_slice(digest.as_bytes());
        }
        Value::Entry(Entry::Symlink { target }) => {
            out.push(b'l');
            put_text(out, target);
        }
        Value::Entry(Entry::Directory { digest }) => {
            out.push(b'd');
            out.extend_from_slice(digest.0.as_bytes());
        }
        Value::Image(digest) => {
            out.push(b'i');
            out.extend_from_slice(digest.as_bytes());
        }
    }
}

fn value(reader: &mut Reader<'_>) -> Result<Value, DecodeError> {
    let at = reader.at();
    Ok(match reader.byte()? {
        b't' => Value::Text(reader.text()?),
        kind @ (b'f' | b'x') => {
            let size = reader.number()?;
            Value::Entry(Entry::File { digest: reader.digest()?, size, executable: kind == b'x' })
        }
        b'l' => Value::Entry(Entry::Symlink { target: reader.text()? }),
        b'd' => Value::Entry(Entry::Directory { digest: TreeDigest(reader.digest()?) }),
        b'i' => Value::Image(reader.digest()?),
        _ => return Err(DecodeError { at }),
    })
}
