//! A dist's tree: copies laid over one another, without what is excluded, with its binaries and
//! its build manifest. The same serves a source archive, which has no binaries.
//!
//! Pure: leaves in, leaves out. Who owns a published file (`seed-once`) is publishing's business;
//! seeds never get in here, and so into no archive.

use std::collections::HashMap;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::path::RelPath;
use crate::pipeline::{Span, Spanned};
use crate::tree::{Leaf, Leaves, link_stays_inside, overlay};

/// Leaves and where their root goes.
#[derive(Clone, Debug)]
pub struct Layer {
    pub leaves: Leaves,
    pub into: RelPath,
}

/// Why a dist cannot be put together.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DistError {
    #[error("the exclude pattern `{pattern}` is not valid: {detail}")]
    Pattern { pattern: String, detail: String, span: Span },
    /// Each link and its target, sorted.
    #[error("{} out of the tree: {}", counted(.0), listed(.0))]
    EscapingLinks(Vec<(RelPath, String)>),
    #[error("`{path}` is to be a file and `{below}` to lie in it")]
    Covered { path: RelPath, below: RelPath },
}

impl DistError {
    /// What the user can do about it.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::EscapingLinks(links) => {
                let patterns: Vec<String> = links.iter().map(|(path, _)| format!("\"/{path}\"")).collect();
                format!("make them relative and keep them inside, or `exclude {}`", patterns.join(" "))
            }
            Self::Covered { .. } => "put one of them elsewhere with `into`".to_owned(),
            Self::Pattern { .. } => return None,
        })
    }
}

fn counted(links: &[(RelPath, String)]) -> String {
    match links.len() {
        1 => "1 link points".to_owned(),
        count => format!("{count} links point"),
    }
}

fn listed(links: &[(RelPath, String)]) -> String {
    let shown: Vec<String> = links.iter().map(|(path, target)| format!("`{path}` to `{target}`")).collect();
    shown.join(", ")
}

/// Exclude patterns with the rules of a `.gitignore` at the tree's root: `*`, `**`, a leading
/// slash, a trailing slash for folders, `!` for "after all", though not below an excluded folder.
#[derive(Debug)]
pub struct Excludes {
    rules: Gitignore,
}

impl Excludes {
    pub fn new(patterns: &[Spanned<String>]) -> Result<Self, DistError> {
        let mut builder = GitignoreBuilder::new("");
        for pattern in patterns {
            builder.add_line(None, &pattern.value).map_err(|error| DistError::Pattern {
                pattern: pattern.value.clone(),
                detail: error.to_string(),
                span: pattern.span,
            })?;
        }
        // Each line was good by itself; only their sum can be too large.
        let rules = builder.build().map_err(|error| DistError::Pattern {
            pattern: patterns.iter().map(|pattern| pattern.value.as_str()).collect::<Vec<_>>().join(" "),
            detail: error.to_string(),
            span: patterns.first().map(|pattern| pattern.span).unwrap_or_default(),
        })?;
        Ok(Self { rules })
    }

    /// Takes excluded leaves away. A folder that loses all it has is gone, too.
    pub fn apply(&self, leaves: &mut Leaves) {
        if self.rules.is_empty() {
            return;
        }
        let mut folders = HashMap::new();
        leaves.retain(|path, leaf| {
            let inside = path.parent().is_none_or(|folder| !self.folder(&folder, &mut folders));
            inside && (path.is_root() || !self.names(path, matches!(leaf, Leaf::EmptyDirectory)))
        });
    }

    /// Whether a file or link is excluded, by itself or with a folder above it.
    pub fn cover(&self, path: &RelPath) -> bool {
        let above = || path.parent().is_some_and(|folder| self.folder(&folder, &mut HashMap::new()));
        !self.rules.is_empty() && (above() || self.names(path, false))
    }

    /// Whether a folder is excluded, by itself or with one above it. Each is judged once.
    fn folder(&self, folder: &RelPath, known: &mut HashMap<RelPath, bool>) -> bool {
        if folder.is_root() {
            return false;
        }
        if let Some(excluded) = known.get(folder) {
            return *excluded;
        }
        let above = folder.parent().is_some_and(|parent| self.folder(&parent, known));
        let excluded = above || self.names(folder, true);
        known.insert(folder.clone(), excluded);
        excluded
    }

    fn names(&self, path: &RelPath, is_folder: bool) -> bool {
        self.rules.matched(path.as_str(), is_folder).is_ignore()
    }
}

/// Lays `layers` over one another in order, takes away what is excluded, and puts `files` (the
/// binaries) at their places, where nothing excludes them. Links that leave the tree are refused.
pub fn assemble(
    layers: &[Layer],
    excludes: &Excludes,
    files: &[(RelPath, Leaf)],
) -> Result<Leaves, DistError> {
    let mut leaves = Leaves::new();
    for layer in layers {
        overlay(&mut leaves, &layer.leaves, &layer.into);
    }
    excludes.apply(&mut leaves);
    for (at, (path, leaf)) in files.iter().enumerate() {
        // Over what was copied a file wins, but two declared files must not hide one another.
        for (other, _) in &files[..at] {
            let (upper, lower) = if path.is_within(other) { (other, path) } else { (path, other) };
            if lower.is_within(upper) && lower != upper {
                return Err(DistError::Covered { path: upper.clone(), below: lower.clone() });
            }
        }
        place(&mut leaves, path, leaf.clone());
    }
    let escaping: Vec<(RelPath, String)> = leaves
        .iter()
        .filter_map(|(path, leaf)| match leaf {
            Leaf::Symlink { target } if !link_stays_inside(path, target) => {
                Some((path.clone(), target.clone()))
            }
            _ => None,
        })
        .collect();
    if escaping.is_empty() { Ok(leaves) } else { Err(DistError::EscapingLinks(escaping)) }
}

/// Puts one leaf at `path`, over whatever is there: a binary, or the build manifest, which lists
/// everything else and so comes last.
pub fn place(leaves: &mut Leaves, path: &RelPath, leaf: Leaf) {
    overlay(leaves, &Leaves::from([(RelPath::root(), leaf)]), path);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    fn path(text: &str) -> RelPath {
        RelPath::parse(text).unwrap()
    }

    fn file(text: &str) -> Leaf {
        Leaf::File { digest: Digest::of(text.as_bytes()), size: text.len() as u64, executable: false }
    }

    fn layer(into: &str, files: &[&str]) -> Layer {
        Layer {
            leaves: files.iter().map(|f| (path(f), file(&format!("{into} {f}")))).collect(),
            into: path(into),
        }
    }

    fn excludes(patterns: &[&str]) -> Excludes {
        let patterns: Vec<_> =
            patterns.iter().map(|p| Spanned::new((*p).to_owned(), Span::default())).collect();
        Excludes::new(&patterns).unwrap()
    }

    fn left(patterns: &[&str], files: &[&str]) -> Vec<String> {
        let leaves = assemble(&[layer(".", files)], &excludes(patterns), &[]).unwrap();
        leaves.keys().map(ToString::to_string).collect()
    }

    #[test]
    fn later_copies_lie_over_earlier_ones() {
        let layers = [layer(".", &["README.md", "config/a"]), layer("config", &["a", "b"])];
        let leaves = assemble(&layers, &excludes(&[]), &[]).unwrap();
        assert_eq!(leaves[&path("config/a")], file("config a"));
        assert_eq!(leaves.len(), 3);
    }

    #[test]
    fn excludes_follow_gitignore() {
        let files = ["a.md", "docs/a.md", "docs/b.txt", "tests/x", "src/tests/y", "build"];
        assert_eq!(left(&["tests/"], &files), ["a.md", "build", "docs/a.md", "docs/b.txt"]);
        assert_eq!(left(&["/tests/", "*.md"], &files), ["build", "docs/b.txt", "src/tests/y"]);
        assert_eq!(left(&["*.md", "!/a.md", "tests"], &files), ["a.md", "build", "docs/b.txt"]);
        assert_eq!(left(&["build/"], &files).len(), 6);
        assert_eq!(left(&["src/**", "docs/*.md"], &files), ["a.md", "build", "docs/b.txt", "tests/x"]);
        assert_eq!(left(&["docs/", "!docs/a.md"], &files), ["a.md", "build", "src/tests/y", "tests/x"]);
    }

    #[test]
    fn patterns_that_are_none_are_named() {
        let span = Span { offset: 7, length: 3 };
        let error = Excludes::new(&[Spanned::new("[z-a]".to_owned(), span)]).unwrap_err();
        assert!(
            matches!(error, DistError::Pattern { pattern, span: s, .. } if pattern == "[z-a]" && s == span)
        );
    }

    #[test]
    fn binaries_are_not_excluded_and_win_over_copies() {
        let binary = Leaf::File { digest: Digest::of(b"elf"), size: 3, executable: true };
        let layers = [layer(".", &["app/old", "app/old.txt"])];
        let files = [(path("app/old"), binary.clone())];
        let leaves = assemble(&layers, &excludes(&["old*"]), &files).unwrap();
        assert_eq!(leaves, Leaves::from([(path("app/old"), binary.clone())]));
        let files = [(path("app"), binary.clone()), (path("app/old"), binary)];
        let error = assemble(&layers, &excludes(&[]), &files).unwrap_err();
        assert_eq!(error, DistError::Covered { path: path("app"), below: path("app/old") });
    }

    #[test]
    fn escaping_links_are_listed_where_they_end_up() {
        let link = |target: &str| Leaf::Symlink { target: target.to_owned() };
        let leaves =
            Leaves::from([(path("a/l"), link("../../x")), (path("m"), link("/etc")), (path("n"), link("m"))]);
        let inside = [Layer { leaves: leaves.clone(), into: path("deep/er") }];
        let error = assemble(&inside, &excludes(&[]), &[]).unwrap_err();
        assert_eq!(error.to_string(), "1 link points out of the tree: `deep/er/m` to `/etc`");
        assert!(assemble(&inside, &excludes(&["m"]), &[]).is_ok());
        let error = assemble(&[Layer { leaves, into: RelPath::root() }], &excludes(&[]), &[]).unwrap_err();
        assert_eq!(error.to_string(), "2 links point out of the tree: `a/l` to `../../x`, `m` to `/etc`");
        assert!(error.help().unwrap().ends_with("`exclude \"/a/l\" \"/m\"`"));
    }
}
