//! Which paths of a folder count, where a rule other than ignore files says so: a build context, of
//! which only what the Dockerfile copies counts.

use std::fmt;
use std::sync::Arc;

use rustix::fs::FileType;

use crate::digest::Digest;
use crate::path::RelPath;

/// What a selection says of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    Counts,
    /// A folder in which something may count, and which itself counts only then.
    Enter,
    LeftOut,
}

type Choose = dyn Fn(&RelPath, FileType) -> Choice + Send + Sync;

/// A rule over paths. Two with the same identity choose alike.
#[derive(Clone)]
pub struct Selection {
    identity: Digest,
    choose: Arc<Choose>,
}

impl Selection {
    /// `identity` stands for everything that `choose` hangs on.
    pub fn new(
        identity: Digest,
        choose: impl Fn(&RelPath, FileType) -> Choice + Send + Sync + 'static,
    ) -> Self {
        Self { identity, choose: Arc::new(choose) }
    }

    pub fn identity(&self) -> &Digest {
        &self.identity
    }

    pub fn choice(&self, path: &RelPath, kind: FileType) -> Choice {
        (self.choose)(path, kind)
    }
}

impl PartialEq for Selection {
    fn eq(&self, other: &Self) -> bool {
        self.identity == other.identity
    }
}

impl Eq for Selection {}

impl fmt::Debug for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Selection({})", self.identity.short())
    }
}
