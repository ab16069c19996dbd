//! A receipt: what a run knew of its nodes, as one document that another machine can compare with.
//!
//! It holds manifests, artifacts and the folders they name, never the content of a file and never
//! a secret: values of arguments and variables whose names speak of secrets stand as a few digits
//! of their digest, enough to tell that two differ.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::key::{Component, Facet, Manifest, Value};
use crate::pipeline::{Kind, NodeName};
use crate::plan::privacy;
use crate::record::{Outcome, RunId};
use crate::tree::{Directory, Entry, TreeDigest};

/// The version of the document; a changed meaning needs a new one.
pub const VERSION: u32 = 1;

/// The document, in the order of its fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub v: u32,
    /// The program's version.
    pub osgraph: String,
    pub pipeline: String,
    /// None for a run that did nothing.
    pub run: Option<RunId>,
    /// `branch@commit` of the project, where it is a repository.
    pub revision: Option<String>,
    /// Seconds since 1970: shown, never compared.
    pub started: i64,
    /// Parameters and their values.
    pub params: BTreeMap<String, String>,
    /// Upstreams first.
    pub nodes: Vec<Noted>,
    /// Every folder that a manifest or an artifact names, by its digest: names and what they are.
    pub trees: BTreeMap<String, Vec<(String, Entry)>>,
}

/// One node of a receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted {
    pub node: NodeName,
    pub kind: Kind,
    pub outcome: Outcome,
    pub key: Digest,
    pub duration_ms: u64,
    pub manifest: Manifest,
    pub artifact: Value,
}

/// Why a file is no receipt.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    #[error("it is no receipt")]
    Json(#[from] serde_json::Error),
    #[error("its version is {0}, and this osgraph reads {VERSION}")]
    Version(u32),
    #[error("the manifest of `{0}` names one input twice")]
    Repeated(NodeName),
}

impl Receipt {
    /// One line of JSON.
    pub fn to_bytes(&self) -> Vec<u8> {
        // No map with keys that are not text, the only thing that JSON refuses.
        let mut bytes = serde_json::to_vec(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ReceiptError> {
        #[derive(Deserialize)]
        struct Head {
            v: u32,
        }
        let Head { v } = serde_json::from_slice(bytes)?;
        if v != VERSION {
            return Err(ReceiptError::Version(v));
        }
        let receipt: Self = serde_json::from_slice(bytes)?;
        for noted in &receipt.nodes {
            let mut names: Vec<(Facet, &str)> =
                noted.manifest.components().iter().map(|one| (one.facet, one.label.as_str())).collect();
            names.sort_unstable();
            if names.windows(2).any(|pair| pair[0] == pair[1]) {
                return Err(ReceiptError::Repeated(noted.node.clone()));
            }
        }
        Ok(receipt)
    }

    /// The manifest of a node, by its name.
    pub fn manifest(&self, node: &NodeName) -> Option<Manifest> {
        let noted = self.nodes.iter().find(|noted| noted.node == *node)?;
        // Somebody may have sorted the file otherwise.
        Some(Manifest::new(noted.manifest.kind(), noted.manifest.components().to_vec()))
    }

    /// The folders, as differences are looked for in them.
    pub fn directories(&self) -> HashMap<TreeDigest, Arc<Directory>> {
        let all = self.trees.iter().filter_map(|(digest, entries)| {
            let mut entries = entries.clone();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            entries.dedup_by(|a, b| a.0 == b.0);
            Some((TreeDigest(digest.parse().ok()?), Arc::new(Directory::new(entries))))
        });
        all.collect()
    }
}

/// `manifest` without what might be a secret.
#[must_use]
pub fn redacted(manifest: &Manifest) -> Manifest {
    let told = |one: &Component| Component { value: privacy::told(one), ..one.clone() };
    Manifest::new(manifest.kind(), manifest.components().iter().map(told).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt() -> Receipt {
        let entry = Entry::File { digest: Digest::of(b"x"), size: 1, executable: false };
        let directory = Directory::new(vec![("a".to_owned(), entry)]);
        let manifest = Manifest::new(
            "command 1",
            vec![
                Component::entry(Facet::Own, "input app", Entry::Directory { digest: directory.digest() }),
                Component::text(Facet::Environment, "env API_TOKEN", "planted"),
                Component::text(Facet::Environment, "env LEVEL", "3"),
            ],
        );
        Receipt {
            v: VERSION,
            osgraph: "0.1.0".to_owned(),
            pipeline: "shop".to_owned(),
            run: Some(RunId(4)),
            revision: None,
            started: 0,
            params: BTreeMap::new(),
            nodes: vec![Noted {
                node: NodeName("a".into()),
                kind: Kind::Command,
                outcome: Outcome::Ran,
                key: Digest::of(b"key"),
                duration_ms: 3,
                manifest: redacted(&manifest),
                artifact: Value::Text("x".into()),
            }],
            trees: BTreeMap::from([(directory.digest().to_string(), directory.entries().to_vec())]),
        }
    }

    #[test]
    fn it_reads_back_and_knows_its_folders() {
        let receipt = receipt();
        let again = Receipt::from_bytes(&receipt.to_bytes()).unwrap();
        assert_eq!(again, receipt);
        let (digest, directory) = again.directories().into_iter().next().unwrap();
        assert_eq!(directory.digest(), digest);
    }

    #[test]
    fn values_that_may_be_secrets_are_hidden_and_still_told_apart() {
        let text = String::from_utf8(receipt().to_bytes()).unwrap();
        assert!(!text.contains("planted"), "{text}");
        assert!(text.contains(r#""label":"env LEVEL","value":{"text":"3"}"#), "{text}");
    }

    #[test]
    fn what_is_no_receipt_is_refused() {
        assert!(matches!(Receipt::from_bytes(b"{}"), Err(ReceiptError::Json(_))));
        let newer = Receipt { v: 2, ..receipt() };
        assert!(matches!(Receipt::from_bytes(&newer.to_bytes()), Err(ReceiptError::Version(2))));
        let mut twice = String::from_utf8(receipt().to_bytes()).unwrap();
        twice = twice.replace("env LEVEL", "env API_TOKEN");
        assert!(matches!(Receipt::from_bytes(twice.as_bytes()), Err(ReceiptError::Repeated(_))));
    }
}
