//! The build manifest: the file in a dist that says what it holds and what it was made from.
//!
//! A function of the dist's content, its upstreams and the facts that its author wrote down. No
//! clock, host, user or path outside the dist gets in here: the same inputs give the same bytes
//! anywhere.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::path::RelPath;
use crate::pipeline::Kind;
use crate::tree::{Leaf, Leaves};

/// The version of the JSON below; a changed meaning needs a new one.
pub const SCHEMA: u32 = 1;

/// The file's content, in the order of its fields.
///
/// All of it becomes part of the artifact, so all of it counts in the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildManifest {
    pub schema: u32,
    pub kind: Kind,
    /// Whether anything above this dist was taken as it was (`--assume-fresh`).
    pub assumed: bool,
    /// Names and values, as the pipeline file has them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, String>,
    /// What nodes were that went into the dist, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub provenance: BTreeMap<String, Provenance>,
    /// Sorted by role.
    pub upstreams: Vec<Upstream>,
    /// Sorted by path; the manifest itself is not among them.
    pub files: Vec<Listed>,
}

/// What a node was that went into the dist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The commit that its tree was taken from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Of its artifact: a file, a tree or an image.
    #[serde(with = "hex")]
    pub digest: Digest,
}

/// An artifact that went into the dist.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Upstream {
    /// What it is to the dist, as in its key: `binary orangescrum-app/osv4-prod`.
    pub role: String,
    /// Of a file, a tree or an image.
    #[serde(with = "hex")]
    pub digest: Digest,
}

/// One entry of the dist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    pub path: RelPath,
    #[serde(flatten)]
    pub entry: ListedEntry,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ListedEntry {
    /// `size` in bytes, `mode` as `644` or `755`.
    File {
        size: u64,
        mode: Mode,
        #[serde(with = "hex")]
        blake3: Digest,
    },
    Link {
        target: String,
    },
    EmptyFolder,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    #[serde(rename = "644")]
    Plain,
    #[serde(rename = "755")]
    Executable,
}

impl BuildManifest {
    /// Lists `leaves`; sorts what is not sorted. Names of the pipeline and of the dist's own node are
    /// left out: they do not count in the key, so they must not show in what the key stands for.
    pub fn new(kind: Kind, leaves: &Leaves, mut upstreams: Vec<Upstream>, assumed: bool) -> Self {
        upstreams.sort();
        let files = leaves
            .iter()
            .filter(|(path, _)| !path.is_root())
            .map(|(path, leaf)| Listed { path: path.clone(), entry: ListedEntry::of(leaf) })
            .collect();
        let (facts, provenance) = (BTreeMap::new(), BTreeMap::new());
        Self { schema: SCHEMA, kind, assumed, facts, provenance, upstreams, files }
    }

    /// The file's bytes: indented JSON and a line break.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Strings, numbers and lists of them: nothing in here can fail to be JSON.
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Reads a manifest back, as verifying a published dist does. Unknown schemas are errors.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BuildManifestError> {
        let manifest: Self = serde_json::from_slice(bytes)?;
        if manifest.schema == SCHEMA {
            Ok(manifest)
        } else {
            Err(BuildManifestError::Schema(manifest.schema))
        }
    }
}

/// Why a file is no build manifest.
#[derive(Debug, thiserror::Error)]
pub enum BuildManifestError {
    #[error("it is no build manifest")]
    Json(#[from] serde_json::Error),
    #[error("its schema is {0}, and this osgraph reads {SCHEMA}")]
    Schema(u32),
}

impl ListedEntry {
    fn of(leaf: &Leaf) -> Self {
        match leaf {
            Leaf::File { digest, size, executable } => Self::File {
                size: *size,
                mode: if *executable { Mode::Executable } else { Mode::Plain },
                blake3: *digest,
            },
            Leaf::Symlink { target } => Self::Link { target: target.clone() },
            Leaf::EmptyDirectory => Self::EmptyFolder,
        }
    }
}

/// A digest as its 64 digits, which people can compare with `b3sum`.
mod hex {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::digest::Digest;

    pub fn serialize<S: Serializer>(digest: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(digest)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> BuildManifest {
        let path = |text: &str| RelPath::parse(text).unwrap();
        let digest = Digest::of(b"x");
        let leaves = Leaves::from([
            (path("app"), Leaf::File { digest, size: 1, executable: true }),
            (path("README.md"), Leaf::File { digest, size: 1, executable: false }),
            (path("current"), Leaf::Symlink { target: "app".into() }),
            (path("logs"), Leaf::EmptyDirectory),
        ]);
        let upstreams = ["binary b", "binary a"].map(|role| Upstream { role: role.into(), digest });
        BuildManifest::new(Kind::DistNative, &leaves, upstreams.to_vec(), true)
    }

    #[test]
    fn the_bytes_are_a_contract() {
        insta::assert_snapshot!(String::from_utf8(manifest().to_bytes()).unwrap(), @r#"
        {
          "schema": 1,
          "kind": "dist-native",
          "assumed": true,
          "upstreams": [
            {
              "role": "binary a",
              "digest": "3ae7d805f6789a6402acb70ad4096a85a56bf6804eaf25c0493ac697548d30b5"
            },
            {
              "role": "binary b",
              "digest": "3ae7d805f6789a6402acb70ad4096a85a56bf6804eaf25c0493ac697548d30b5"
            }
          ],
          "files": [
            {
              "path": "README.md",
              "type": "file",
              "size": 1,
              "mode": "644",
              "blake3": "3ae7d805f6789a6402acb70ad4096a85a56bf6804eaf25c0493ac697548d30b5"
            },
            {
              "path": "app",
              "type": "file",
              "size": 1,
              "mode": "755",
              "blake3": "3ae7d805f6789a6402acb70ad4096a85a56bf6804eaf25c0493ac697548d30b5"
            },
            {
              "path": "current",
              "type": "link",
              "target": "app"
            },
            {
              "path": "logs",
              "type": "empty_folder"
            }
          ]
        }
        "#);
    }

    #[test]
    fn facts_and_provenance_stand_before_the_lists() {
        let mut manifest = BuildManifest { files: Vec::new(), upstreams: Vec::new(), ..manifest() };
        let facts = [("version", "1.0"), ("libc", "musl"), ("odd", "a \"b\" \\ /")];
        manifest.facts = facts.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let digest = Digest::of(b"x");
        manifest.provenance = BTreeMap::from([
            ("source".to_owned(), Provenance { commit: Some("c0ffee".to_owned()), digest }),
            ("base".to_owned(), Provenance { commit: None, digest }),
        ]);
        insta::assert_snapshot!(String::from_utf8(manifest.to_bytes()).unwrap(), @r#"
        {
          "schema": 1,
          "kind": "dist-native",
          "assumed": true,
          "facts": {
            "libc": "musl",
            "odd": "a \"b\" \\ /",
            "version": "1.0"
          },
          "provenance": {
            "base": {
              "digest": "3ae7d805f6789a6402acb70ad4096a85a56bf6804eaf25c0493ac697548d30b5"
            },
            "source": {
              "commit": "c0ffee",
              "digest": "3ae7d805f6789a6402acb70ad4096a85a56bf6804eaf25c0493ac697548d30b5"
            }
          },
          "upstreams": [],
          "files": []
        }
        "#);
        assert_eq!(BuildManifest::from_bytes(&manifest.to_bytes()).unwrap(), manifest);
    }

    #[test]
    fn it_reads_back() {
        let manifest = manifest();
        assert_eq!(BuildManifest::from_bytes(&manifest.to_bytes()).unwrap(), manifest);
        let newer = BuildManifest { schema: 2, ..manifest };
        assert!(matches!(BuildManifest::from_bytes(&newer.to_bytes()), Err(BuildManifestError::Schema(2))));
        assert!(matches!(BuildManifest::from_bytes(b"{}"), Err(BuildManifestError::Json(_))));
    }
}
