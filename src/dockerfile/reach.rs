//! Which source of a Dockerfile makes a path of the context count.
//!
//! Lexical: where a source leads through a symbolic link, [`through_links`] says what else is read,
//! given the links of the context.

use std::collections::BTreeSet;

use super::analysis::{Analysis, Read, ReadKind};
use super::paths::clean;
use super::wildcard::{Glob, has_wildcard};

/// An analysis' reads, compiled for many paths.
#[derive(Debug)]
pub struct Reach {
    /// Whether it cannot be told, so that all counts.
    everything: bool,
    /// None for the context's root.
    globs: Vec<(Option<Glob>, Read)>,
}

impl Reach {
    pub fn new(analysis: &Analysis) -> Self {
        Self::with(analysis, &analysis.reads)
    }

    /// With other reads than the analysis' own: those that links add.
    pub fn with(analysis: &Analysis, reads: &[Read]) -> Self {
        Self {
            everything: analysis.everything.is_some(),
            globs: reads.iter().map(|read| (compile(read), read.clone())).collect(),
        }
    }

    /// The first source that reads the path, or a folder above it.
    pub fn by(&self, path: &str) -> Option<&Read> {
        let covers = |glob: &Option<Glob>| glob.as_ref().is_none_or(|glob| glob.covers(path));
        self.globs.iter().find(|(glob, _)| covers(glob)).map(|(_, read)| read)
    }

    /// Whether the path counts at all.
    pub fn counts(&self, path: &str) -> bool {
        self.everything || self.by(path).is_some()
    }

    /// Whether the folder, or anything below it, may count. Where not, a walk need not look into it.
    pub fn may_count_below(&self, folder: &str) -> bool {
        let below = |glob: &Option<Glob>| glob.as_ref().is_none_or(|glob| glob.reaches_below(folder));
        self.counts(folder) || self.globs.iter().any(|(glob, _)| below(glob))
    }
}

/// The source that makes a path of the context count, for one path.
pub fn reaches(analysis: &Analysis, path: &str) -> Option<Read> {
    Reach::new(analysis).by(path).cloned()
}

fn compile(read: &Read) -> Option<Glob> {
    let pattern = &*read.pattern;
    if pattern == "." {
        return None;
    }
    Some(match read.kind {
        ReadKind::Mount => Glob::literal(pattern),
        // A pattern that is none never becomes a read; taken by the letter, none is lost.
        ReadKind::Copy | ReadKind::Add => Glob::source(pattern).unwrap_or_else(|| Glob::literal(pattern)),
        ReadKind::CopyParents => Glob::moby(pattern).unwrap_or_else(|| Glob::literal(pattern)),
    })
}

/// What is read beside `analysis.reads` because a source leads through a symbolic link of the
/// context: `links` are paths and targets. The link itself counts by its own read.
pub fn through_links<'l>(
    analysis: &Analysis,
    links: impl IntoIterator<Item = (&'l str, &'l str)> + Clone,
) -> Vec<Read> {
    let key = |pattern: &str, kind| (pattern.to_owned(), kind == ReadKind::Mount);
    let mut seen: BTreeSet<(String, bool)> =
        analysis.reads.iter().map(|read| key(&read.pattern, read.kind)).collect();
    let mut added = Vec::new();
    let mut open: Vec<(Read, usize)> = analysis.reads.iter().map(|read| (read.clone(), 0)).collect();
    while let Some((read, hops)) = open.pop() {
        let parts: Vec<&str> = read.pattern.split('/').collect();
        for (link, target) in links.clone() {
            let depth = link.split('/').count();
            if depth > parts.len() || !leads_over(&read, &parts[..depth], link) {
                continue;
            }
            let folder = link.rsplit_once('/').map_or("", |(folder, _)| folder);
            let start =
                if target.starts_with('/') { target.to_owned() } else { format!("{folder}/{target}") };
            let start = clean(&format!("/{start}"));
            let start = start.trim_start_matches('/');
            let rest = parts[depth..].join("/");
            // A target with a wildcard's sign in its name is taken as a whole folder, by the letter.
            let is_plain = !has_wildcard(start) && !start.contains('\\');
            let (pattern, kind) = match (is_plain, rest.is_empty()) {
                (true, false) => (format!("{start}/{rest}"), read.kind),
                (true, true) => (start.to_owned(), read.kind),
                (false, _) => (start.to_owned(), ReadKind::Mount),
            };
            let pattern = match pattern.trim_start_matches('/') {
                "" => ".".to_owned(),
                pattern => pattern.to_owned(),
            };
            if !seen.insert(key(&pattern, kind)) {
                continue;
            }
            let read = Read { pattern, kind, line: read.line, span: read.span.clone() };
            // Links that lead into themselves go on without end: then all of it counts.
            if hops == MOST_HOPS || added.len() == MOST {
                added.push(Read { pattern: ".".to_owned(), ..read });
                return added;
            }
            added.push(read.clone());
            open.push((read, hops + 1));
        }
    }
    added
}

/// Links one after another that a kernel follows.
const MOST_HOPS: usize = 40;

/// More detours than any context has.
const MOST: usize = 1000;

/// Whether the beginning of a pattern can be this link.
fn leads_over(read: &Read, parts: &[&str], link: &str) -> bool {
    let begin = Read { pattern: parts.join("/"), ..read.clone() };
    compile(&begin).is_some_and(|glob| glob.matches(link))
}
