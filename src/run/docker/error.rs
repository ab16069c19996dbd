//! What can go wrong with a container engine, and what mends it.
//!
//! Knows no exit codes: `commands` turns these into those.

use std::io;

use crate::run::docker::dial::Dialer;
use crate::run::docker::endpoint::EndpointError;
use crate::run::docker::facts::{ApiVersion, Kind};
use crate::run::docker::search::{Tried, TryOutcome};

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why an engine cannot be used, or did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// `help` mends what stands in the way of the first that is there, where one is.
    #[error("no container engine answers{}", failures(tried))]
    NoneFound { tried: Vec<Tried>, help: Option<String> },
    #[error("the container engine that {} names cannot be used", tried.what)]
    Chosen { tried: Tried, source: Box<EngineError> },
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    #[error("the container engine at `{address}` cannot be reached")]
    Unreachable { address: String, source: io::Error },
    #[error("the container engine at `{address}` has not answered for {seconds} seconds")]
    Silent { address: String, seconds: u64 },
    #[error("the certificates for `{address}` cannot be used")]
    Certificates { address: String, source: io::Error },
    #[error(
        "{kind} {version} at `{address}` has API {api}, and osgraph needs at least {}",
        ApiVersion::OLDEST
    )]
    TooOld { kind: Kind, version: String, api: ApiVersion, address: String },
    #[error("{kind} {version} has no BuildKit to build images with")]
    NoBuildKit { kind: Kind, version: String },
    #[error("the engine refused to {action} ({status}){}", after_colon(message))]
    Refused { action: String, status: u16, message: String },
    #[error("could not {action}")]
    Failed { action: String, source: Cause },
}

impl EngineError {
    pub(super) fn unreachable(dialer: &Dialer, source: io::Error) -> Self {
        Self::Unreachable { address: dialer.to_string(), source }
    }

    pub(super) fn failed(action: impl Into<String>, source: impl Into<Cause>) -> Self {
        Self::Failed { action: action.into(), source: source.into() }
    }

    /// What happened, for whoever knows the address.
    pub(super) fn brief(&self) -> String {
        match self {
            Self::Unreachable { source, .. } => chain(source),
            error => chain(error),
        }
    }

    /// Something the machine lacks, rather than something that went wrong.
    pub const fn is_missing(&self) -> bool {
        match self {
            Self::NoneFound { .. }
            | Self::Chosen { .. }
            | Self::Endpoint(_)
            | Self::Unreachable { .. }
            | Self::Silent { .. }
            | Self::Certificates { .. }
            | Self::TooOld { .. }
            | Self::NoBuildKit { .. } => true,
            Self::Refused { .. } | Self::Failed { .. } => false,
        }
    }

    /// The places that were tried in vain.
    pub fn tried(&self) -> &[Tried] {
        match self {
            Self::NoneFound { tried, .. } => tried,
            Self::Chosen { tried, .. } => std::slice::from_ref(tried),
            _ => &[],
        }
    }

    /// What mends it, where that is known.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::NoneFound { help: Some(help), .. } => help.clone(),
            Self::NoneFound { help: None, .. } => {
                "start Docker or Podman, or name an engine with DOCKER_HOST; `osgraph doctor` lists what was tried"
                    .to_owned()
            }
            Self::Chosen { source, .. } => return source.help(),
            Self::Endpoint(error) => error.help(),
            Self::Unreachable { address, source } => match source.kind() {
                io::ErrorKind::PermissionDenied => {
                    "this user may not use that socket: join the group that owns it, as `docker`, and log in again"
                        .to_owned()
                }
                _ if address.starts_with("ssh://") => {
                    format!("try `docker --host {address} version`; ssh must get in without a password")
                }
                _ => "start that engine, or name another with DOCKER_HOST".to_owned(),
            },
            Self::Certificates { .. } => {
                "check `ca.pem`, `cert.pem` and `key.pem` in DOCKER_CERT_PATH or in the context".to_owned()
            }
            Self::TooOld { .. } => "Docker 20.10 and Podman 4.0 are the first that will do".to_owned(),
            Self::NoBuildKit { kind: Kind::Podman, .. } => {
                "build with Docker 20.10 or newer: name it with DOCKER_HOST or a context".to_owned()
            }
            Self::NoBuildKit { kind: Kind::Docker, .. } => {
                "use Docker 20.10 or newer, in its mode for Linux containers".to_owned()
            }
            Self::Silent { .. } => "look at the engine's log; restart it".to_owned(),
            Self::Refused { .. } | Self::Failed { .. } => return None,
        })
    }
}

/// An error with its causes, in one line. A cause that only repeats is left out.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut at = error.source();
    while let Some(cause) = at {
        let said = cause.to_string();
        if !text.ends_with(&said) {
            text = format!("{text}: {said}");
        }
        at = cause.source();
    }
    text
}

fn after_colon(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}

/// What stood in the way of those that are there.
fn failures(tried: &[Tried]) -> String {
    let failed = tried.iter().filter_map(|one| match &one.outcome {
        TryOutcome::Failed(why) => Some(format!("; `{}`: {why}", one.address)),
        TryOutcome::Answered | TryOutcome::Absent => None,
    });
    failed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_the_way_is_said() {
        let place = |outcome| Tried { what: "Docker".into(), address: "unix:///s".into(), outcome };
        let none = EngineError::NoneFound { tried: vec![place(TryOutcome::Absent)], help: None };
        assert_eq!(none.to_string(), "no container engine answers");
        assert!(none.help().unwrap().contains("osgraph doctor"));
        let denied = place(TryOutcome::Failed("permission denied".into()));
        let tried = vec![place(TryOutcome::Absent), denied.clone()];
        let none = EngineError::NoneFound { tried, help: Some("ask".into()) };
        assert_eq!(none.to_string(), "no container engine answers; `unix:///s`: permission denied");
        assert_eq!(none.help().as_deref(), Some("ask"));

        let source = EngineError::Unreachable {
            address: "unix:///s".into(),
            source: io::ErrorKind::PermissionDenied.into(),
        };
        let chosen = EngineError::Chosen { tried: denied, source: Box::new(source) };
        assert!(chosen.help().unwrap().starts_with("this user may not use that socket"));
        assert_eq!(
            chain(&chosen),
            "the container engine that Docker names cannot be used: the container engine at `unix:///s` \
             cannot be reached: permission denied"
        );
    }

    #[test]
    fn old_engines_are_told_which_will_do() {
        let error = EngineError::TooOld {
            kind: Kind::Docker,
            version: "19.03.1".into(),
            api: ApiVersion { major: 1, minor: 40 },
            address: "unix:///s".into(),
        };
        assert_eq!(
            error.to_string(),
            "Docker 19.03.1 at `unix:///s` has API 1.40, and osgraph needs at least 1.41"
        );
        assert_eq!(error.help().unwrap(), "Docker 20.10 and Podman 4.0 are the first that will do");
        assert!(error.is_missing());
    }
}
