//! A repository as the source of a tree.

use std::path::Path;
use std::process::{Command, Stdio};

use super::GitError;
use super::location::Location;
use super::program::GitProgram;
use crate::path::RelPath;

/// A folder in a repository, whose committed content is a tree. Below the top of the repository
/// it stands for that part of it alone, as `git archive` run there does.
#[derive(Clone, Debug)]
pub struct GitSource {
    pub(super) git: GitProgram,
    pub(super) location: Location,
}

impl GitSource {
    /// Opens the repository at or above the folder `path`: checked out, bare, a linked worktree
    /// or a submodule. Starts no process.
    pub fn open(path: &Path, git: &GitProgram) -> Result<Self, GitError> {
        Ok(Self { git: git.clone(), location: Location::find(path)? })
    }

    /// The repository's own folder, whose references and index decide what is committed.
    pub fn git_dir(&self) -> &Path {
        &self.location.git_dir
    }

    /// The folder itself, without links.
    pub fn here(&self) -> &Path {
        &self.location.here
    }

    /// Whether an absolute path is one of git's own files, which say which commit a reference means.
    pub fn owns(&self, path: &Path) -> bool {
        let Location { git_dir, common_dir, .. } = &self.location;
        // In a bare repository all that lies there is git's.
        path.starts_with(git_dir) || path.starts_with(common_dir)
    }

    /// Whether a tree of this repository has something at `path`.
    pub fn holds(&self, tree: &str, path: &RelPath) -> Result<bool, GitError> {
        if path.is_root() {
            return Ok(true);
        }
        let mut command = self.neutral();
        command.args(["cat-file", "-e", &format!("{tree}:{path}")]).stderr(Stdio::null());
        Ok(self.git.output(&mut command)?.status.success())
    }

    /// The names in the root of a tree, and whether they are folders.
    pub fn names(&self, tree: &str) -> Result<Vec<(String, bool)>, GitError> {
        let mut command = self.neutral();
        command.args(["ls-tree", "-z", "--full-tree", tree]);
        let listing = self.git.answer(&mut command, &self.location.here)?;
        // `040000 tree <id>\t<name>`
        let entries = listing.split(|byte| *byte == 0).filter_map(|line| {
            let (head, name) = std::str::from_utf8(line).ok()?.split_once('\t')?;
            Some((name.to_owned(), head.starts_with("040000")))
        });
        Ok(entries.collect())
    }

    /// Git for a question about this source's content.
    pub(super) fn neutral(&self) -> Command {
        let mut command = self.git.neutral(&self.location.here);
        if self.location.here == self.location.git_dir {
            // The folder that git keeps of a submodule names a work tree that may be gone, and
            // git would go there first.
            command.env("GIT_DIR", &self.location.here).env("GIT_WORK_TREE", &self.location.here);
        }
        command
    }
}
