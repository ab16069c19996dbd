//! Git as a source of trees and of ignore rules, through the `git` program.
//!
//! The program and not a library: attributes, `export-subst`, end-of-line conversion and ignore
//! rules are then git's own, in git's own version of them. There are two ways of asking:
//!
//! - *neutral*, for content. The answer may depend on the repository and on nothing else: the
//!   user's and system's configuration and attributes, `autocrlf`, the umask, replace refs, the
//!   locale and the environment are cut off, and no filter driver runs, not even one that the
//!   repository's own configuration names: a driver is a program of this machine. Large-file
//!   (LFS) pointers are resolved here instead, from the objects that are already fetched.
//! - *personal*, for what the user sees: uncommitted changes and ignore rules, where the user's
//!   own excludes file counts.
//!
//! Nothing here writes to a repository, takes its locks or uses the network.
//!
//! `export-subst` placeholders that look beyond the commit (`%d`, `%(describe)`, the length of
//! `%h`) give what `git archive` gives today; only the commit id counts for them.
//!
//! This module does not know what a node does with a tree, nor how facts become a key.

mod archive;
mod changes;
mod error;
mod facts;
mod lfs;
mod location;
mod program;
mod project;
mod source;

pub use archive::{ArchiveEntry, EntryKind, LeftOut, Sink};
pub use error::GitError;
pub use facts::{GitFacts, Resolved, Traits};
pub use program::{GitProgram, User};
pub use project::{
    committed, influences, is_repository, is_top, revision, tracked, tracked_but_ignored, uncommitted,
};
pub use source::GitSource;

#[cfg(test)]
mod tests;
