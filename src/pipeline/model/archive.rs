//! Archives, and how they are called.

use serde::{Deserialize, Serialize};

use crate::path::RelPath;
use crate::pipeline::model::Spanned;
use crate::tree::TreeDigest;

/// An archive of a node's tree. The path's ending says the format.
#[derive(Clone, Debug)]
pub struct Archive {
    /// May hold [`Archive::DIGEST`]. Publishing.
    pub path: Spanned<RelPath>,
    pub format: ArchiveFormat,
    /// How many of the newest archives of this pattern stay. Policy.
    pub keep: Option<u32>,
    /// The path as written, with each `${…}` kept: what retention matches older versions by.
    pub pattern: String,
}

impl Archive {
    /// What stands in a path for the digest of what the archive holds.
    pub const DIGEST: &str = "{digest}";

    /// Whether its path is only known with its content.
    pub fn is_named_by_content(&self) -> bool {
        self.path.value.as_str().contains(Self::DIGEST)
    }

    /// The archive of this very tree, at its path.
    pub fn of(&self, tree: TreeDigest) -> Self {
        let mut archive = self.clone();
        if self.is_named_by_content() {
            let text = self.path.value.as_str().replace(Self::DIGEST, &tree.0.short());
            // Hexadecimal digits make no path of a name that was none.
            archive.path.value = RelPath::parse(&text).unwrap_or_else(|_| self.path.value.clone());
        }
        archive
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ArchiveFormat {
    Tar,
    TarGz,
    TarZst,
}
