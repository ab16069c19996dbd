//! Why an image could not be kept, or not be put back.

use std::io;

use crate::run::docker::error::EngineError;
use crate::store::StoreError;

/// What is in the store after an error is contents that nothing names.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the engine has no image `{0}`")]
    NoImage(String),
    /// The stream broke, or was no archive.
    #[error("the archive of the image `{image}` cannot be read")]
    Archive { image: String, source: io::Error },
    /// An archive of another form than it should have, or of another image.
    #[error("the archive of the image `{image}` cannot be kept: {what}")]
    Odd { image: String, what: String },
    /// A tree that was never made by keeping an image.
    #[error("what the store has is no image: {0}")]
    NoImageTree(String),
    #[error("the engine refused the kept image: {0}")]
    Refused(String),
    /// The engine made something else of it.
    #[error("the image came back as `{found}` and not as `{expected}`")]
    Differs { expected: String, found: String },
    #[error("stopped")]
    Cancelled,
}

impl KeepError {
    /// What mends it, where that is known.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::Engine(error) => return error.help(),
            Self::Store(error) => return miette::Diagnostic::help(error).map(|help| help.to_string()),
            Self::NoImage(_) => "build it again with `--force NODE`".to_owned(),
            Self::NoImageTree(_) | Self::Differs { .. } | Self::Refused(_) => {
                "build the image again with `--rebuild NODE`".to_owned()
            }
            Self::Archive { .. } => "look at the engine's log, and try again".to_owned(),
            Self::Odd { .. } | Self::Cancelled => return None,
        })
    }
}
