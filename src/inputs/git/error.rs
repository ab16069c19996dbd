//! What can go wrong with a repository, and what mends it.

use std::io;
use std::path::{Path, PathBuf};

/// Why a repository could not be read.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    #[error("there is no folder `{0}`")]
    NoFolder(PathBuf),
    #[error("`{0}` is not a git repository")]
    NotARepository(PathBuf),
    #[error("cannot run `{program}`")]
    Program { program: PathBuf, source: io::Error },
    #[error("`{0}` has no commit yet")]
    NoCommit(PathBuf),
    /// `known` holds branches and tags, the likeliest first.
    #[error("`{path}` has no commit `{reference}`")]
    UnknownReference { path: PathBuf, reference: String, known: Vec<String> },
    #[error("`{folder}` is not in commit `{reference}`")]
    NotInCommit { folder: String, reference: String },
    /// `command` is git's subcommand, `detail` the last line it wrote.
    #[error("`git {command}` failed in `{path}`: {detail}")]
    Failed { path: PathBuf, command: String, detail: String },
    #[error("cannot read `{path}`")]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot read the archive that git wrote of `{path}`")]
    Stream { path: PathBuf, source: io::Error },
    #[error("the name `{0}` is not UTF-8")]
    NotUtf8(String),
    #[error("the name `{0}` leaves the tree")]
    UnsafeName(String),
    #[error("`{path}` is neither a file, a folder nor a symbolic link")]
    UnknownKind { path: String },
    #[error("the link `{path}` points out of the tree, to `{target}`")]
    EscapingLink { path: String, target: String },
    #[error("the large file `{path}` is only a pointer here: its content {oid} is not fetched")]
    LargeFileMissing { path: String, oid: String, repository: PathBuf },
    #[error("the large file `{path}` is damaged: {object} does not hold what its pointer says")]
    LargeFileDamaged { path: String, object: PathBuf },
    #[error("the large file `{path}` uses an LFS extension, which only its own program can undo")]
    LargeFileExtension { path: String },
    #[error("the submodule `{path}` is not checked out at {commit}")]
    SubmoduleMissing { path: String, commit: String, repository: PathBuf },
    /// Whoever took the entries failed.
    #[error("cannot take `{path}`")]
    Taken { path: String, source: io::Error },
}

impl GitError {
    /// What the user can do about it.
    pub fn help(&self) -> Option<String> {
        let at = |repository: &Path| format!("git -C '{}'", repository.display());
        Some(match self {
            Self::NotARepository(path) => {
                format!("take the folder as it is: `dir \"{}\"`", path.display())
            }
            Self::Program { .. } => "install git, or take the folder as it is with `dir`".to_owned(),
            Self::NoCommit(path) => {
                format!("commit something, or take the folder as it is: `dir \"{}\"`", path.display())
            }
            Self::UnknownReference { known, .. } if !known.is_empty() => {
                let names: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
                format!("there is {}", names.join(", "))
            }
            Self::UnknownReference { path, .. } => {
                format!("`{} fetch` may bring it", at(path))
            }
            Self::LargeFileMissing { repository, .. } => format!("`{} lfs fetch`", at(repository)),
            Self::LargeFileDamaged { object, .. } => {
                format!("remove `{}` and run `git lfs fetch`", object.display())
            }
            Self::SubmoduleMissing { path, repository, .. } => {
                format!("`{} submodule update --init --recursive -- '{path}'`", at(repository))
            }
            Self::EscapingLink { path, .. } => {
                format!("make it relative and keep it inside, or leave it out: `exclude \"/{path}\"`")
            }
            _ => return None,
        })
    }
}
