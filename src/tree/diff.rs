//! What differs between two trees, found by descending only where digests differ.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::path::RelPath;
use crate::tree::{Directory, Entry, TreeDigest};

/// How a path changed from the old tree to the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    Added,
    Removed,
    Modified,
}

/// One changed path: a file or link, or a folder that is new, gone or empty on one side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub path: RelPath,
    pub kind: ChangeKind,
    pub old: Option<Entry>,
    pub new: Option<Entry>,
}

/// Compares two trees, at most `limit` changes, in path order. `fetch` yields a directory by
/// digest; one that it no longer has is reported as a modified folder, without its contents.
pub fn diff(
    old: TreeDigest,
    new: TreeDigest,
    limit: usize,
    fetch: &mut dyn FnMut(TreeDigest) -> Option<Arc<Directory>>,
) -> Vec<Change> {
    let mut out = Vec::new();
    descend(&RelPath::root(), old, new, limit, fetch, &mut out);
    out
}

fn descend(
    at: &RelPath,
    old: TreeDigest,
    new: TreeDigest,
    limit: usize,
    fetch: &mut dyn FnMut(TreeDigest) -> Option<Arc<Directory>>,
    out: &mut Vec<Change>,
) {
    if old == new || out.len() >= limit {
        return;
    }
    let (Some(before), Some(after)) = (fetch(old), fetch(new)) else {
        out.push(Change {
            path: at.clone(),
            kind: ChangeKind::Modified,
            old: Some(Entry::Directory { digest: old }),
            new: Some(Entry::Directory { digest: new }),
        });
        return;
    };
    let (mut a, mut b) = (before.entries().iter().peekable(), after.entries().iter().peekable());
    while out.len() < limit {
        let order = match (a.peek(), b.peek()) {
            (None, None) => break,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(x), Some(y)) => x.0.as_bytes().cmp(y.0.as_bytes()),
        };
        match order {
            std::cmp::Ordering::Less => {
                if let Some((name, entry)) = a.next() {
                    one_sided(&at.child(name), entry, ChangeKind::Removed, limit, fetch, out);
                }
            }
            std::cmp::Ordering::Greater => {
                if let Some((name, entry)) = b.next() {
                    one_sided(&at.child(name), entry, ChangeKind::Added, limit, fetch, out);
                }
            }
            std::cmp::Ordering::Equal => {
                let (Some((name, x)), Some((_, y))) = (a.next(), b.next()) else { break };
                match (x, y) {
                    (Entry::Directory { digest: x }, Entry::Directory { digest: y }) => {
                        descend(&at.child(name), *x, *y, limit, fetch, out);
                    }
                    _ if x == y => {}
                    _ => out.push(Change {
                        path: at.child(name),
                        kind: ChangeKind::Modified,
                        old: Some(x.clone()),
                        new: Some(y.clone()),
                    }),
                }
            }
        }
    }
}

/// Everything below a folder that only one side has; the folder itself when it is empty.
fn one_sided(
    path: &RelPath,
    entry: &Entry,
    kind: ChangeKind,
    limit: usize,
    fetch: &mut dyn FnMut(TreeDigest) -> Option<Arc<Directory>>,
    out: &mut Vec<Change>,
) {
    if let Entry::Directory { digest } = entry
        && let Some(directory) = fetch(*digest)
        && !directory.entries().is_empty()
    {
        for (name, entry) in directory.entries() {
            if out.len() >= limit {
                return;
            }
            one_sided(&path.child(name), entry, kind, limit, fetch, out);
        }
        return;
    }
    let (old, new) = match kind {
        ChangeKind::Removed => (Some(entry.clone()), None),
        _ => (None, Some(entry.clone())),
    };
    out.push(Change { path: path.clone(), kind, old, new });
}
