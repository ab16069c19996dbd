//! Every way in which a command can end badly, with its exit code and its mend.

use std::io;
use std::path::PathBuf;

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
    #[error("{0}")]
    Usage(String),
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
    #[error("{0}")]
    Expectation(String),
    #[error("{0}")]
    NotFound(String),
    #[error("there is no run {0}")]
    NoRun(i64),
    /// Something named on the command line that has to be there.
    #[error("{0}")]
    Absent(String),
    #[error("`{}` cannot be verified", path.display())]
    Unverified { path: PathBuf, missing: bool, source: VerifyError },
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
            | Self::NotFound(_)
            | Self::NoRun(_) => Exit::Usage,
            Self::Inputs(fault) => fault.exit,
            Self::NothingToAssume(_) | Self::NoLock(_) => Exit::Missing,
            Self::Registry(_) | Self::Credentials(_) => Exit::Missing,
            Self::Store(_) | Self::KeepsLosing(_) | Self::Io { .. } => Exit::Internal,
            Self::Absent(_) | Self::Unverified { missing: true, .. } => Exit::Missing,
            Self::Unverified { .. } => Exit::NodeFailed,
            Self::Expectation(_) => Exit::Expectation,
        }
    }

    pub fn help(&self) -> Option<String> {
        use miette::Diagnostic as _;
        match self {
            Self::NoPipeline { .. } => {
                Some("write one with `osgraph init`, or name another with `-f FILE`".to_owned())
            }
            Self::Targets(_) => Some("`osgraph graph` shows all nodes".to_owned()),
            Self::NothingToAssume(node) => Some(format!("build it once with `osgraph run {node}`")),
            Self::KeepsLosing(_) => Some(
                "`osgraph cache verify --repair` forgets all that is damaged; then look at the disk"
                    .to_owned(),
            ),
            Self::Store(error) => error.help().map(|help| help.to_string()),
            Self::NoLock(_) => Some("write it with `osgraph lock`".to_owned()),
            Self::Registry(error) => error.help(),
            Self::Credentials(error) => Some(error.help()),
            Self::NoRun(_) => Some("`osgraph runs` lists them".to_owned()),
            Self::Exists { .. } => Some("replace it with `--force`".to_owned()),
            _ => None,
        }
    }
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
