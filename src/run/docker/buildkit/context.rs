//! What a build may copy from: a sorted list of entries and the bytes behind them.
//!
//! The caller has already applied `.dockerignore`; where the bytes come from is its business.

use std::cmp::Ordering;
use std::io::{self, Read};

use crate::digest::Digest;
use crate::run::docker::buildkit::error::BuildError;

/// A build context. Files are opened from several threads at once.
pub trait Context: Send + Sync {
    /// In the order of [`ContextEntry::order`], every folder before what lies in it.
    fn entries(&self) -> &[ContextEntry];

    /// The content of the file at this place of the list. A reader that comes to the end of other
    /// bytes than the list describes fails with [`Moved`]: the engine would take them for those that
    /// it describes, in this build and in later ones.
    fn open(&self, entry: usize) -> io::Result<Box<dyn Read + Send>>;
}

/// A file is not any more what it was when it was looked at.
#[derive(Debug, thiserror::Error)]
#[error("it has changed since it was looked at")]
pub struct Moved;

/// A file, folder or link of a context. It belongs to root and has a constant time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextEntry {
    /// Relative, with `/` between names, without `.` and `..`.
    pub path: String,
    pub kind: EntryKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// `content` need not be the digest of the bytes, but must change when they do.
    File {
        size: u64,
        executable: bool,
        content: Digest,
    },
    Directory,
    Symlink {
        target: String,
    },
}

impl ContextEntry {
    /// The order of a walk that looks at names in sorted order and goes into each folder at once:
    /// `a/b` comes before `a-b`, unlike in the order of plain text.
    pub fn order(a: &str, b: &str) -> Ordering {
        a.split('/').cmp(b.split('/'))
    }
}

/// The engine's receiver trusts the order; what breaks it is found here, with a name.
pub(super) fn check(entries: &[ContextEntry]) -> Result<(), BuildError> {
    let wrong = |path: &str, problem| Err(BuildError::Entry { path: path.to_owned(), problem });
    let mut open: Vec<&str> = Vec::new();
    let mut last: Option<&str> = None;
    for ContextEntry { path, kind } in entries {
        if path.split('/').any(|name| matches!(name, "" | "." | "..")) || path.contains('\0') {
            return wrong(path, "is no clean relative path");
        }
        if last.is_some_and(|last| ContextEntry::order(last, path) != Ordering::Less) {
            return wrong(path, "is out of order");
        }
        last = Some(path);
        let parent = path.rsplit_once('/').map(|(parent, _)| parent);
        while open.last().is_some_and(|folder| Some(*folder) != parent) {
            open.pop();
        }
        if parent.is_some() && open.is_empty() {
            return wrong(path, "lies in a folder that is not listed");
        }
        if matches!(kind, EntryKind::Directory) {
            open.push(path);
        }
    }
    Ok(())
}

/// A context of one file in memory: how the Dockerfile is sent.
pub(super) struct OneFile {
    entries: [ContextEntry; 1],
    bytes: std::sync::Arc<[u8]>,
}

impl OneFile {
    pub(super) fn new(name: &str, bytes: Vec<u8>) -> Self {
        let kind =
            EntryKind::File { size: bytes.len() as u64, executable: false, content: Digest::of(&bytes) };
        Self { entries: [ContextEntry { path: name.to_owned(), kind }], bytes: bytes.into() }
    }
}

impl Context for OneFile {
    fn entries(&self) -> &[ContextEntry] {
        &self.entries
    }

    fn open(&self, _: usize) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(io::Cursor::new(std::sync::Arc::clone(&self.bytes))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(paths: &[&str]) -> Vec<ContextEntry> {
        let kind = |path: &str| match path.ends_with('/') {
            true => EntryKind::Directory,
            false => EntryKind::File { size: 0, executable: false, content: Digest::of(b"") },
        };
        let entry =
            |path: &&str| ContextEntry { path: path.trim_end_matches('/').to_owned(), kind: kind(path) };
        paths.iter().map(entry).collect()
    }

    fn problem(paths: &[&str]) -> Option<String> {
        check(&entries(paths)).err().map(|error| error.to_string())
    }

    #[test]
    fn a_walk_in_order_is_taken() {
        assert_eq!(problem(&["a/", "a/b/", "a/b/c", "a/d", "a-b", "b/", "z"]), None);
        assert_eq!(problem(&[]), None);
    }

    #[test]
    fn what_the_receiver_would_refuse_is_named() {
        for (paths, wrong) in [
            (&["a-b", "a/", "a/b"][..], "`a` of the build context is out of order"),
            (&["a", "a"], "`a` of the build context is out of order"),
            (&["a/b"], "`a/b` of the build context lies in a folder that is not listed"),
            (&["a/", "b/", "b/c", "c/d"], "`c/d` of the build context lies in a folder that is not listed"),
            (&["a", "a/b"], "`a/b` of the build context lies in a folder that is not listed"),
            (&["../a"], "`../a` of the build context is no clean relative path"),
            (&["/a"], "`/a` of the build context is no clean relative path"),
        ] {
            assert_eq!(problem(paths).as_deref(), Some(wrong), "{paths:?}");
        }
    }
}
