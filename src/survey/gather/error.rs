//! Why a node could not be composed, and where.

use crate::dockerfile::{BadPattern, Mistake};
use crate::inputs::git::GitError;
use crate::inputs::hash::HashError;
use crate::inputs::observe::ObserveError;
use crate::path::RelPath;
use crate::pipeline::{NodeName, Span};
use crate::reference::ReferenceError;
use crate::run::docker::EngineError;

/// Why a node could not be composed.
#[derive(Debug, thiserror::Error)]
pub enum GatherError {
    #[error(transparent)]
    Observe(#[from] ObserveError),
    #[error(transparent)]
    Git(#[from] GitError),
    #[error("`{path}` is no folder")]
    NoFolder { path: String },
    #[error("`{path}` is an output of `{node}`")]
    OutputRead { path: RelPath, node: NodeName },
    #[error("tool `{program}` was not found on PATH")]
    ToolMissing { program: String },
    #[error("tool `{program}` cannot be identified: {message}")]
    ToolFailed { program: String, message: String },
    #[error(transparent)]
    Engine(EngineError),
    #[error("{path}:{}: {mistake}", mistake.line)]
    Dockerfile { path: RelPath, mistake: Mistake, help: Option<String> },
    #[error("{path}:{line}: {error}")]
    Upstream { path: RelPath, line: u32, error: ReferenceError },
    #[error("{path}:{}: `{}` is no pattern", bad.line, bad.pattern)]
    IgnoreFile { path: String, bad: BadPattern, help: String },
    #[error("no `FROM` of `{path}` builds on `{node}`")]
    BaseUnused { node: NodeName, tags: Vec<String>, path: RelPath },
}

impl GatherError {
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Observe(ObserveError::Missing { path }) => {
                Some(format!("create `{path}`, or correct the path in the pipeline file"))
            }
            Self::NoFolder { .. } => Some("name the folder that holds it".to_owned()),
            Self::Observe(ObserveError::Hash(HashError::Moved { .. })) => {
                Some("wait until it is written, or leave it out".to_owned())
            }
            Self::Observe(_) => Some(
                "remove or mend it, or leave it out: by a line in `.gitignore`, or in a source by `exclude`"
                    .to_owned(),
            ),
            Self::Git(error) => error.help(),
            Self::OutputRead { node, .. } => {
                Some(format!("read it from the node that makes it: `binary \"{node}\"` or `from \"{node}\"`"))
            }
            Self::ToolMissing { program } => Some(format!("install `{program}`, or add its folder to PATH")),
            Self::ToolFailed { program, .. } => Some(format!("correct `identify` of tool `{program}`")),
            Self::Engine(error) => error.help(),
            Self::Dockerfile { help, .. } => help.clone(),
            Self::Upstream { error, .. } => Some(error.help()),
            Self::IgnoreFile { help, .. } => Some(help.clone()),
            Self::BaseUnused { node, tags, .. } => Some(match tags.first() {
                Some(tag) => format!("write `FROM {tag}`, the tag of `{node}`"),
                None => format!("give `{node}` a `tag`, and write it after `FROM`"),
            }),
        }
    }
}

/// A mistake with the node it befell and the place that declared what is wrong.
#[derive(Debug)]
pub struct Trouble {
    pub node: NodeName,
    pub span: Option<Span>,
    pub error: GatherError,
}
