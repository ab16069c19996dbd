//! Which entries of a context the engine asked for.
//!
//! It names paths that the Dockerfile copies. More than that would be right too, only slower, so
//! whatever is hard to tell (wild cards, links) is answered generously. Excludes are not looked at:
//! the caller of a build has applied them. Pure.

use std::collections::BTreeSet;

use crate::run::docker::buildkit::context::{ContextEntry, EntryKind};

/// The places in `entries` of what `asked` names, with the folders above and everything below.
/// Nothing asked: all.
pub(super) fn select(entries: &[ContextEntry], asked: &[String]) -> Vec<usize> {
    if asked.is_empty() {
        return (0..entries.len()).collect();
    }
    let mut wanted = vec![false; entries.len()];
    let mut seen = BTreeSet::new();
    let mut open: Vec<String> = asked.iter().map(|path| clean(path)).collect();
    while let Some(path) = open.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
        let fixed = names.iter().take_while(|name| !name.contains(['*', '?', '[', '\\'])).count();
        let place = names[..fixed].join("/");
        let below = mark(entries, &place, &mut wanted);
        let linked = |at: &usize| matches!(entries[*at].kind, EntryKind::Symlink { .. });
        if fixed < names.len() && below.clone().any(|at| linked(&at)) {
            // A link that a wild card may mean leads anywhere.
            return (0..entries.len()).collect();
        }
        if let Some((target, rest)) = first_link(entries, &names[..fixed]) {
            let rest = names[rest..].join("/");
            open.push(clean(&format!("{target}/{rest}")));
        }
    }
    (0..entries.len()).filter(|at| wanted[*at]).collect()
}

/// Without `.`, `..` and doubled slashes, as if the context were the root.
fn clean(path: &str) -> String {
    let mut names = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => drop(names.pop()),
            name => names.push(name),
        }
    }
    names.join("/")
}

fn find(entries: &[ContextEntry], path: &str) -> Result<usize, usize> {
    entries.binary_search_by(|entry| ContextEntry::order(&entry.path, path))
}

/// Marks `place`, the folders above it and what lies below; yields the range of the latter.
fn mark(entries: &[ContextEntry], place: &str, wanted: &mut [bool]) -> std::ops::Range<usize> {
    if place.is_empty() {
        wanted.fill(true);
        return 0..entries.len();
    }
    for (at, _) in place.match_indices('/') {
        if let Ok(folder) = find(entries, &place[..at]) {
            wanted[folder] = true;
        }
    }
    let Ok(first) = find(entries, place) else { return 0..0 };
    let inside = |entry: &ContextEntry| {
        entry.path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let range = first..first + entries[first..].iter().take_while(|entry| inside(entry)).count();
    wanted[range.clone()].fill(true);
    range
}

/// The first link on the way along `names`: where it leads, and how many names are behind it.
fn first_link(entries: &[ContextEntry], names: &[&str]) -> Option<(String, usize)> {
    (1..=names.len()).find_map(|count| {
        let at = find(entries, &names[..count].join("/")).ok()?;
        let EntryKind::Symlink { target } = &entries[at].kind else { return None };
        let target = match target.starts_with('/') {
            true => target.clone(),
            false => format!("{}/{target}", names[..count - 1].join("/")),
        };
        Some((target, count))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    fn entry(text: &str) -> ContextEntry {
        let (path, kind) = match text.split_once(" -> ") {
            Some((path, target)) => (path, EntryKind::Symlink { target: target.to_owned() }),
            None if text.ends_with('/') => (text.trim_end_matches('/'), EntryKind::Directory),
            None => (text, EntryKind::File { size: 0, executable: false, content: Digest::of(b"") }),
        };
        ContextEntry { path: path.to_owned(), kind }
    }

    fn selected(asked: &[&str]) -> Vec<String> {
        let entries: Vec<ContextEntry> = [
            "a/",
            "a/b/",
            "a/b/c",
            "a/d",
            "a-b",
            "far/",
            "far/file",
            "far/up -> ../a/b",
            "link -> a",
            "loop -> loop",
            "plain/",
            "plain/x1",
        ]
        .iter()
        .map(|text| entry(text))
        .collect();
        let asked: Vec<String> = asked.iter().map(|text| (*text).to_owned()).collect();
        select(&entries, &asked).into_iter().map(|at| entries[at].path.clone()).collect()
    }

    #[test]
    fn a_path_brings_its_folders_and_what_it_holds() {
        assert_eq!(selected(&["a/b"]), ["a", "a/b", "a/b/c"]);
        assert_eq!(selected(&["/a//b/./c", "a-b"]), ["a", "a/b", "a/b/c", "a-b"]);
        assert_eq!(selected(&["absent"]), [""; 0]);
    }

    #[test]
    fn everything_is_everything() {
        assert_eq!(selected(&[]).len(), 12);
        assert_eq!(selected(&["/"]).len(), 12);
        assert_eq!(selected(&["."]).len(), 12);
    }

    #[test]
    fn links_are_followed() {
        assert_eq!(selected(&["link/d"]), ["a", "a/d", "link"]);
        assert_eq!(selected(&["far/up/c"]), ["a", "a/b", "a/b/c", "far", "far/up"]);
        assert_eq!(selected(&["loop"]), ["loop"]);
    }

    #[test]
    fn wild_cards_take_their_folder() {
        assert_eq!(selected(&["plain/x*"]), ["plain", "plain/x1"]);
        assert_eq!(selected(&["far/*"]).len(), 12, "a link below may be meant");
    }
}
