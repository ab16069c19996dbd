//! Where a repository's parts lie, found the way git finds them but without starting it.
//!
//! Knows folders, worktrees, submodules and bare repositories; nothing of commits.

use std::fs;
use std::path::{Path, PathBuf};

use super::GitError;

/// A place in a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Location {
    /// The place itself, without links.
    pub here: PathBuf,
    /// The top of the checked-out files; the git folder itself in a bare repository.
    pub top: PathBuf,
    /// `here` below `top`, `/`-separated and without slashes at its ends; empty at the top.
    pub prefix: String,
    /// Of this worktree: `HEAD` and `index`.
    pub git_dir: PathBuf,
    /// Of all worktrees: objects, refs, `info/`.
    pub common_dir: PathBuf,
}

impl Location {
    /// Finds the repository that holds the folder `path`.
    pub fn find(path: &Path) -> Result<Self, GitError> {
        let here = fs::canonicalize(path).map_err(|_| GitError::NoFolder(path.to_owned()))?;
        let none = || GitError::NotARepository(path.to_owned());
        if !here.is_dir() {
            return Err(none());
        }
        for top in here.ancestors() {
            let dot = top.join(".git");
            let git_dir = if is_git_dir(&dot) {
                dot
            } else if let Some(elsewhere) = link(&dot, "gitdir: ", top).filter(|dir| is_git_dir(dir)) {
                elsewhere
            } else if top == here && is_git_dir(top) {
                top.to_owned()
            } else {
                continue;
            };
            let common_dir = link(&git_dir.join("commondir"), "", &git_dir).unwrap_or(git_dir.clone());
            let below = here.strip_prefix(top).map_err(|_| none())?;
            let prefix = below
                .to_str()
                .ok_or_else(|| GitError::NotUtf8(below.to_string_lossy().into_owned()))?
                .to_owned();
            return Ok(Self { top: top.to_owned(), here, prefix, git_dir, common_dir });
        }
        Err(none())
    }

    /// Attributes that only this repository has, which count beside the committed ones.
    pub fn info_attributes(&self) -> PathBuf {
        self.common_dir.join("info/attributes")
    }
}

fn is_git_dir(dir: &Path) -> bool {
    // `HEAD` may be a dangling link, hence no `exists`.
    let shared =
        dir.join("commondir").is_file() || (dir.join("objects").is_dir() && dir.join("refs").is_dir());
    shared && fs::symlink_metadata(dir.join("HEAD")).is_ok()
}

/// The path in a file that holds `lead` and a path, relative to `base`.
fn link(file: &Path, lead: &str, base: &Path) -> Option<PathBuf> {
    if !fs::symlink_metadata(file).ok()?.is_file() {
        return None;
    }
    let text = fs::read_to_string(file).ok()?;
    let target = text.strip_prefix(lead)?.trim_end_matches(['\n', '\r']);
    fs::canonicalize(base.join(target)).ok()
}
