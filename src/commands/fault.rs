//! Every way in which a command can end badly, with its exit code and its mend.

use std::io;
use std::path::{Path, PathBuf};

use crate::commands::exit::Exit;
use crate::graph::UnknownTargets;
use crate::inputs::observe::ObserveError;
use crate::pipeline::{Diagnostic, Diagnostics, NodeName, SourceFile, Span};
use crate::run::docker::{CredentialsError, RegistryError};
use crate::run::verify::VerifyError;
use crate::store::StoreError;
use crate::survey::gather::{GatherError, Trouble};

#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error("the folder `{}` cannot be used", path.display())]
    NoFolder { path: PathBuf, source: io::Error },
    #[error("there is no pipeline file `{}`", path.display())]
    NoPipeline { path: PathBuf },
    #[error("`{}` cannot be read", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Pipeline(Box<Diagnostics>),
    /// Inputs that are not there or cannot be used.
    #[error(transparent)]
    Inputs(Box<InputFault>),
    #[error(transparent)]
    Targets(#[from] UnknownTargets),
    #[error(transparent)]
    Usage(Told),
    #[error("no artifact of `{0}` is in the store, so it cannot be assumed fresh")]
    NothingToAssume(NodeName),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the store `{}` keeps losing content", .0.display())]
    KeepsLosing(PathBuf),
    #[error("could not {action}")]
    Io { action: String, source: io::Error },
    #[error("`{}` exists", path.display())]
    Exists { path: PathBuf },
    #[error("there is no lock file `{0}`")]
    NoLock(String),
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    #[error(transparent)]
    Expectation(Told),
    #[error(transparent)]
    NotFound(Told),
    /// Something named on the command line that has to be there.
    #[error(transparent)]
    Absent(Told),
    #[error("`{}` cannot be verified", path.display())]
    Unverified { path: PathBuf, missing: bool, source: VerifyError },
}

/// What is wrong, and what mends it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Told {
    message: String,
    help: String,
}

/// Troubles with inputs, shown like mistakes in the pipeline file that declares them.
#[derive(Debug, thiserror::Error)]
#[error("{report}")]
pub struct InputFault {
    #[source]
    pub report: Diagnostics,
    exit: Exit,
}

impl Fault {
    pub fn pipeline(diagnostics: Diagnostics) -> Self {
        Self::Pipeline(Box::new(diagnostics))
    }

    /// The command line is wrong.
    pub fn usage(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Usage(Told { message: message.into(), help: help.into() })
    }

    /// An expectation is not met.
    pub fn expectation(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Expectation(Told { message: message.into(), help: help.into() })
    }

    /// The history has not got what was asked for.
    pub fn not_found(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::NotFound(Told { message: message.into(), help: help.into() })
    }

    /// A node that the command line names has no part in this run.
    pub fn not_needed(name: &str) -> Self {
        let help = format!("name `{name}` as a target as well, or leave the option out");
        Self::usage(format!("`{name}` is not needed by what is to be built"), help)
    }

    pub fn no_run(id: i64) -> Self {
        Self::not_found(format!("there is no run {id}"), "`osgraph runs` lists those that are known")
    }

    /// A file or folder that the command line names is not there.
    pub fn absent(path: &Path) -> Self {
        let message = format!("there is no `{}`", path.display());
        let help = "look for a slip in its name; it is looked for from here, or from the folder after `-C`";
        Self::Absent(Told { message, help: help.to_owned() })
    }

    /// Something that the command line asks about cannot be looked at.
    pub fn unanswered(message: &str) -> Self {
        let help = "see that it is there and that this user may read it".to_owned();
        Self::Absent(Told { message: message.to_owned(), help })
    }

    /// A file that the command line names cannot be used.
    pub fn reading(path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::NotFound => Self::absent(path),
            _ => Self::Unreadable { path: path.to_owned(), source },
        }
    }

    pub fn inputs(source: &SourceFile, troubles: Vec<Trouble>) -> Self {
        let exit = Exit::of_all(troubles.iter().map(|trouble| exit_of(&trouble.error)));
        let list = troubles.into_iter().map(diagnostic).collect();
        Self::Inputs(Box::new(InputFault { report: Diagnostics::new(source, list), exit }))
    }

    pub fn exit(&self) -> Exit {
        match self {
            Self::NoFolder { .. } | Self::NoPipeline { .. } | Self::Unreadable { .. } => Exit::Usage,
            Self::Pipeline(_)
            | Self::Targets(_)
            | Self::Usage(_)
            | Self::Exists { .. }
            | Self::NotFound(_) => Exit::Usage,
            Self::Inputs(fault) => fault.exit,
            Self::NothingToAssume(_) | Self::NoLock(_) => Exit::Missing,
            Self::Registry(_) | Self::Credentials(_) => Exit::Missing,
            Self::Store(_) | Self::KeepsLosing(_) | Self::Io { .. } => Exit::Internal,
            Self::Absent(_) | Self::Unverified { missing: true, .. } => Exit::Missing,
            Self::Unverified { .. } => Exit::NodeFailed,
            Self::Expectation(_) => Exit::Expectation,
        }
    }

    /// What mends it. None only where every mistake that is shown has its own.
    pub fn help(&self) -> Option<String> {
        use miette::Diagnostic as _;
        Some(match self {
            Self::Pipeline(_) | Self::Inputs(_) => return None,
            Self::NoPipeline { .. } => {
                "write one with `osgraph init`, or name another with `-f FILE`".to_owned()
            }
            Self::NoFolder { source, .. } => match source.kind() {
                io::ErrorKind::NotFound => "make it, or name another with `-C DIR` or `-f FILE`".to_owned(),
                _ => of_io(source),
            },
            Self::Unreadable { source, .. } => of_io(source),
            Self::Targets(_) => "`osgraph graph` shows all nodes".to_owned(),
            Self::Usage(told) | Self::Expectation(told) | Self::NotFound(told) | Self::Absent(told) => {
                told.help.clone()
            }
            Self::NothingToAssume(node) => format!("build it once with `osgraph run {node}`"),
            Self::KeepsLosing(_) => {
                "`osgraph cache verify --repair` forgets all that is damaged; then look at the disk"
                    .to_owned()
            }
            Self::Store(StoreError::Io { source, .. }) => of_io(source),
            Self::Store(error) => {
                error.help().map_or_else(|| ASK_THE_DISK.to_owned(), |help| help.to_string())
            }
            Self::Io { source, .. } => of_io(source),
            Self::NoLock(_) => "write it with `osgraph lock`".to_owned(),
            Self::Registry(error) => error.help().unwrap_or_else(|| {
                "try again; if it stays, ask who runs that registry what its log says".to_owned()
            }),
            Self::Credentials(error) => error.help(),
            Self::Exists { .. } => {
                "replace it with `--force`, or see with `-n` what would be written".to_owned()
            }
            Self::Unverified { source, .. } => of_package(source),
        })
    }
}

const ASK_THE_DISK: &str = "look at that place: its permissions, its disk, and what else uses it";

/// What mends a fault of the system, as far as its kind tells.
fn of_io(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "let this user have it, or run as one who may",
        io::ErrorKind::NotFound => "make the folder that it is to be in, or correct its path",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "free some space on that disk; `osgraph gc` shrinks the store"
        }
        io::ErrorKind::ReadOnlyFilesystem => "name a place on a disk that can be written",
        io::ErrorKind::IsADirectory | io::ErrorKind::NotADirectory => {
            "name another path: a folder stands where a file belongs, or the other way round"
        }
        _ => ASK_THE_DISK,
    }
    .to_owned()
}

fn of_package(error: &VerifyError) -> String {
    match error {
        VerifyError::NoManifest(_) => {
            "name the folder or archive of a `dist-docker` or `dist-native`, or its manifest with `--manifest NAME`"
        }
        VerifyError::Name => "name a folder, or unpack it first",
        VerifyError::File(_, source) => return of_io(source),
        VerifyError::Manifest(_) | VerifyError::Path(_) | VerifyError::Twice(_) | VerifyError::Read(_) => {
            "do not use it: fetch it again from where it was made, or make it anew with `osgraph run`"
        }
    }
    .to_owned()
}

fn exit_of(error: &GatherError) -> Exit {
    match error {
        GatherError::Observe(ObserveError::Missing { .. })
        | GatherError::Git(_)
        | GatherError::ToolMissing { .. } => Exit::Missing,
        GatherError::Engine(error) if error.is_missing() => Exit::Missing,
        GatherError::OutputRead { .. }
        | GatherError::NoFolder { .. }
        | GatherError::Dockerfile { .. }
        | GatherError::Upstream { .. }
        | GatherError::IgnoreFile { .. }
        | GatherError::BaseUnused { .. } => Exit::Usage,
        GatherError::Observe(_) | GatherError::ToolFailed { .. } | GatherError::Engine(_) => Exit::NodeFailed,
    }
}

fn diagnostic(trouble: Trouble) -> Diagnostic {
    let Trouble { node, span, error } = trouble;
    let (code, label) = match &error {
        GatherError::Observe(ObserveError::Missing { .. }) => ("missing-input", "not there"),
        GatherError::Observe(_) => ("unusable-input", "cannot be used"),
        GatherError::Git(_) => ("git", "git cannot give this"),
        GatherError::OutputRead { .. } => ("output-read", "made by another node"),
        GatherError::NoFolder { .. } => ("no-folder", "is a file"),
        GatherError::ToolMissing { .. } => ("missing-tool", "not found"),
        GatherError::ToolFailed { .. } => ("unidentified-tool", "does not say what it is"),
        GatherError::Engine(_) => ("no-engine", "needs a container engine"),
        GatherError::Dockerfile { .. } => ("dockerfile", "cannot be built"),
        GatherError::Upstream { .. } => ("upstream", "builds on it"),
        GatherError::IgnoreFile { .. } => ("ignore-file", "has a pattern that is none"),
        GatherError::BaseUnused { .. } => ("base-unused", "does not build on its base"),
    };
    let help = error.help();
    let mut message = error.to_string();
    if let Some(cause) = std::error::Error::source(&error) {
        message = format!("{message}: {cause}");
    }
    let found =
        Diagnostic::new(code, format!("{message} (node `{node}`)"), span.unwrap_or(Span::default()), label);
    match help {
        Some(help) => found.help(help),
        None => found,
    }
}

#[cfg(test)]
mod tests;
