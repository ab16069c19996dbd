//! What can go wrong with the store, and what mends it.
//!
//! Knows no exit codes: `commands` turns these into those.

use std::io;
use std::path::{Path, PathBuf};

use crate::digest::Digest;
use crate::store::db::SqlError;
use crate::tree::TreeDigest;

/// A fault of the store.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum StoreError {
    #[error("the store `{}` is read-only", .0.display())]
    #[diagnostic(code(store::read_only), help("name another one with `--store DIR`"))]
    ReadOnly(PathBuf),
    #[error("the store `{}` has format {found}, and this osgraph knows formats up to {known}", root.display())]
    #[diagnostic(code(store::newer), help("use the newer osgraph, or another store with `--store DIR`"))]
    Newer { root: PathBuf, found: i64, known: i64 },
    #[error("the store `{}` lies on a network file system ({kind}), whose locks cannot be trusted", root.display())]
    #[diagnostic(code(store::network), help("name a folder on a local disk with `--store DIR`"))]
    Network { root: PathBuf, kind: &'static str },
    #[error("no space is left for the store `{}`", .0.display())]
    #[diagnostic(code(store::full), help("free some with `osgraph gc --max-size SIZE`"))]
    Full(PathBuf),
    #[error("`{}` changed while it was being read", .0.display())]
    #[diagnostic(code(store::moved), help("run again once nothing writes to it"))]
    Moved(PathBuf),
    #[error("`{}` is not a regular file", .0.display())]
    #[diagnostic(
        code(store::not_a_file),
        help("leave it out: only regular files, folders and links can be kept")
    )]
    NotAFile(PathBuf),
    #[error("the store has no content `{}`", .0.short())]
    #[diagnostic(code(store::absent), help("run the node that makes it again with `--force NODE`"))]
    Absent(Digest),
    #[error("the store's content `{}` is damaged and was given up", .0.short())]
    #[diagnostic(code(store::damaged), help("look for more with `osgraph cache verify --repair`"))]
    Damaged(Digest),
    #[error("the store has no tree `{}`", .0.0.short())]
    #[diagnostic(code(store::no_tree), help("run the node that makes it again with `--force NODE`"))]
    NoTree(TreeDigest),
    #[error("the store's database `{}` is damaged", .0.display())]
    #[diagnostic(
        code(store::database_damaged),
        help("run again once no other osgraph uses this store: it is set aside and made anew")
    )]
    DatabaseDamaged(PathBuf),
    #[error("the store's database `{}` failed", path.display())]
    #[diagnostic(
        code(store::database),
        help("run again; if it stays, name another store with `--store DIR`")
    )]
    Database { path: PathBuf, source: SqlError },
    #[error("could not {action} `{}`", path.display())]
    #[diagnostic(code(store::io))]
    Io { action: &'static str, path: PathBuf, source: io::Error },
}

/// Why contents could not be put at their places. No file made by the failed call is left.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum PlaceError {
    /// These are absent or were found damaged and given up: what made them must run again.
    #[error("the store lost {}", crate::store::error::contents(.digests.len()))]
    #[diagnostic(code(store::lost), help("the nodes that make them run again"))]
    Damaged { digests: Vec<Digest> },
    #[error("no space is left for `{}`", .0.display())]
    #[diagnostic(
        code(store::target_full),
        help("free some space on that disk; `osgraph gc` shrinks the store")
    )]
    Full(PathBuf),
    #[error("could not write `{}`", path.display())]
    #[diagnostic(code(store::target))]
    Target { path: PathBuf, source: io::Error },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),
}

impl PlaceError {
    /// A failed write to a target.
    pub(super) fn target(path: &Path, source: io::Error) -> Self {
        if is_full(&source) {
            Self::Full(path.to_owned())
        } else {
            Self::Target { path: path.to_owned(), source }
        }
    }
}

pub(super) fn contents(count: usize) -> String {
    if count == 1 { "1 content".to_owned() } else { format!("{count} contents") }
}

pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Whether `error` says that nothing may be written there.
pub(super) fn is_read_only(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied)
}
