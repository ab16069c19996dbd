//! Paths inside a project or a tree: relative, UTF-8, `/`-separated, without `.` or `..`.
//!
//! Purely lexical: knows nothing of the file system. A [`RelPath`] that exists cannot leave the
//! folder it is joined to, except through a symlink on disk, which its user checks.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A normalised relative path. The empty path is the root itself and is shown as `.`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RelPath(Arc<str>);

/// Why a text is no [`RelPath`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    #[error("`{0}` is an absolute path")]
    Absolute(String),
    #[error("`{0}` leaves the project")]
    Leaves(String),
    #[error("`{0}` contains a NUL character")]
    Nul(String),
    #[error("the path is empty")]
    Empty,
}

impl RelPath {
    /// The root itself.
    pub fn root() -> Self {
        Self(Arc::from(""))
    }

    /// Normalises `text`: drops `.` and doubled or trailing slashes, resolves `a/..` lexically.
    /// `.` is the root; the empty text is an error, because nobody means the root by it.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        if text.is_empty() {
            return Err(PathError::Empty);
        }
        if text.starts_with('/') {
            return Err(PathError::Absolute(text.to_owned()));
        }
        if text.contains('\0') {
            return Err(PathError::Nul(text.to_owned()));
        }
        let mut parts: Vec<&str> = Vec::new();
        for part in text.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    if parts.pop().is_none() {
                        return Err(PathError::Leaves(text.to_owned()));
                    }
                }
                name => parts.push(name),
            }
        }
        Ok(Self(Arc::from(parts.join("/"))))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The names from the root down; none for the root.
    pub fn names(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/').filter(|name| !name.is_empty())
    }

    pub fn file_name(&self) -> Option<&str> {
        self.names().next_back()
    }

    /// The folder that holds this path; none for the root.
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        let end = self.0.rfind('/').unwrap_or(0);
        Some(Self(Arc::from(&self.0[..end])))
    }

    pub fn join(&self, below: &Self) -> Self {
        match (self.is_root(), below.is_root()) {
            (true, _) => below.clone(),
            (_, true) => self.clone(),
            _ => Self(Arc::from(format!("{}/{}", self.0, below.0))),
        }
    }

    /// Adds one name, which must hold no slash (a folder entry's name, say).
    pub fn child(&self, name: &str) -> Self {
        debug_assert!(!name.contains('/') && !name.is_empty() && name != "." && name != "..");
        if self.is_root() { Self(Arc::from(name)) } else { Self(Arc::from(format!("{}/{name}", self.0))) }
    }

    /// What is left of this path below `folder`: the root when both are equal, none when outside.
    pub fn below(&self, folder: &Self) -> Option<Self> {
        if folder.is_root() {
            return Some(self.clone());
        }
        let rest = self.0.strip_prefix(&*folder.0)?;
        if rest.is_empty() {
            return Some(Self::root());
        }
        rest.strip_prefix('/').map(|rest| Self(Arc::from(rest)))
    }

    /// Whether this path is `folder` or lies below it.
    pub fn is_within(&self, folder: &Self) -> bool {
        self.below(folder).is_some()
    }

    pub fn under(&self, root: &Path) -> PathBuf {
        if self.is_root() { root.to_path_buf() } else { root.join(&*self.0) }
    }
}

impl TryFrom<String> for RelPath {
    type Error = PathError;

    fn try_from(text: String) -> Result<Self, PathError> {
        if text.is_empty() { Ok(Self::root()) } else { Self::parse(&text) }
    }
}

impl From<RelPath> for String {
    fn from(path: RelPath) -> Self {
        path.0.to_string()
    }
}

impl fmt::Display for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_root() { "." } else { &self.0 })
    }
}

impl fmt::Debug for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{self}`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RelPath {
        RelPath::parse(text).unwrap()
    }

    #[test]
    fn spelling_is_normalised() {
        assert_eq!(path("./a//b/../c/").as_str(), "a/c");
        assert!(path(".").is_root());
        assert!(path("a/..").is_root());
    }

    #[test]
    fn paths_that_leave_are_refused() {
        assert_eq!(RelPath::parse("../a"), Err(PathError::Leaves("../a".into())));
        assert_eq!(RelPath::parse("a/../../b"), Err(PathError::Leaves("a/../../b".into())));
        assert_eq!(RelPath::parse("/etc"), Err(PathError::Absolute("/etc".into())));
        assert_eq!(RelPath::parse(""), Err(PathError::Empty));
    }

    #[test]
    fn below_compares_whole_names() {
        assert_eq!(path("a/b").below(&path("a")), Some(path("b")));
        assert_eq!(path("ab").below(&path("a")), None);
        assert_eq!(path("a").below(&path("a")), Some(RelPath::root()));
        assert!(path("a").is_within(&RelPath::root()));
    }
}
