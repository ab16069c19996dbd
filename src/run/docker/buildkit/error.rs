//! Why a build did not finish, and what mends it.
//!
//! Knows no exit codes, and not how often somebody tries again.

use std::io;

use crate::run::docker::error::EngineError;

/// A build that yields nothing.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A step of the Dockerfile. `log` is the end of what it printed.
    #[error("step `{step}` failed: {message}")]
    Step { step: String, message: String, log: String },
    /// The build as a whole: a Dockerfile that cannot be read, an option that the engine does not know.
    #[error("the engine refused the build: {message}")]
    Refused { message: String },
    /// The way to the engine or to a registry. `step` is what was being done.
    #[error("the connection failed during `{step}`: {message}")]
    Network { step: String, message: String },
    #[error("the engine (API {api}) does not offer BuildKit to programs")]
    TooOld { api: String },
    #[error("secret `{id}` is needed and not there")]
    SecretMissing { id: String },
    #[error("secret `{id}` has {size} bytes, and BuildKit takes {most} at most")]
    SecretTooLarge { id: String, size: usize, most: usize },
    #[error("ssh agent `{id}` is needed and not there")]
    SshMissing { id: String },
    #[error("the ssh agent at `{}` cannot be reached", socket.display())]
    Agent { socket: std::path::PathBuf, source: io::Error },
    #[error("`{path}` of the build context {problem}")]
    Entry { path: String, problem: &'static str },
    #[error("`{path}` of the build context cannot be read")]
    Read { path: String, source: io::Error },
    #[error("`{path}` of the build context has changed since it was looked at")]
    Moved { path: String },
    #[error("what the build yields cannot be written")]
    Output(#[source] io::Error),
    #[error("cache option `{text}` {problem}")]
    Cache { text: String, problem: &'static str },
    #[error("cancelled")]
    Cancelled,
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl BuildError {
    /// Whether the same build may well come through when tried again.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Network { .. } => true,
            Self::Engine(error) => {
                matches!(error, EngineError::Unreachable { .. } | EngineError::Silent { .. })
            }
            _ => false,
        }
    }

    /// Something that is missing, rather than something that went wrong.
    pub fn is_missing(&self) -> bool {
        match self {
            Self::TooOld { .. } | Self::SecretMissing { .. } | Self::SshMissing { .. } => true,
            Self::Engine(error) => error.is_missing(),
            _ => false,
        }
    }

    /// What mends it, where that is known.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::TooOld { .. } => "Docker Engine 20.10 and later do".to_owned(),
            Self::SecretMissing { id } => {
                format!("declare `secret \"{id}\"` in the node and see that its source has a value")
            }
            Self::SshMissing { .. } => {
                "start an ssh agent, so that SSH_AUTH_SOCK names its socket".to_owned()
            }
            Self::Moved { .. } => "run again when nobody writes there any more".to_owned(),
            Self::Cache { .. } => "write it as `type=registry,ref=example.org/team/cache`".to_owned(),
            Self::Refused { message } if message.contains("unknown cache exporter") => {
                "this engine knows `cache-to \"type=inline\"` only, which goes into the image: `push` that, and \
                 name it in `cache-from`"
                    .to_owned()
            }
            Self::Network { .. } => "try again, and look at the engine and the registry".to_owned(),
            Self::Engine(error) => return error.help(),
            _ => return None,
        })
    }
}

/// What failed in the engine, as its progress tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) step: String,
    pub(super) message: String,
    pub(super) log: String,
}

/// The error behind an unsuccessful call. `failure` is the step that failed, if one did.
pub(super) fn of_call(status: &tonic::Status, failure: Option<Failure>) -> BuildError {
    let message = status.message();
    if let Some(failure) = failure {
        return match is_of_network(&failure.message) && !is_of_recipe(&failure.message) {
            true => BuildError::Network { step: failure.step, message: failure.message },
            false => BuildError::Step { step: failure.step, message: failure.message, log: failure.log },
        };
    }
    let lost = status.code() == tonic::Code::Unavailable || is_transport(status);
    if lost || (is_of_network(message) && !is_of_recipe(message)) {
        return BuildError::Network { step: "build".to_owned(), message: words(status) };
    }
    BuildError::Refused { message: words(status) }
}

/// Whether the call broke, rather than being answered with an error.
fn is_transport(status: &tonic::Status) -> bool {
    std::error::Error::source(status).is_some_and(|source| {
        source.is::<tonic::transport::Error>() || source.is::<hyper::Error>() || source.is::<io::Error>()
    })
}

fn words(status: &tonic::Status) -> String {
    match status.message() {
        "" => status.code().description().to_owned(),
        message => message.to_owned(),
    }
}

/// What the engine says when it could not reach something.
fn is_of_network(message: &str) -> bool {
    const SIGNS: &[&str] = &[
        "failed to do request",
        "dial tcp",
        "i/o timeout",
        "TLS handshake timeout",
        "connection refused",
        "connection reset",
        "no such host",
        "server misbehaving",
        "too many requests",
        "toomanyrequests",
        "unexpected EOF",
        "Bad Gateway",
        "Service Unavailable",
        "Gateway Timeout",
        "transport is closing",
        "no active session",
    ];
    SIGNS.iter().any(|sign| message.contains(sign))
}

/// A recipe that ended with an exit code: what it said about networks is its own business.
fn is_of_recipe(message: &str) -> bool {
    message.contains("exit code")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(message: &str) -> Failure {
        Failure { step: "[1/2] FROM x".to_owned(), message: message.to_owned(), log: String::new() }
    }

    #[test]
    fn a_registry_out_of_reach_is_tried_again_and_a_failed_recipe_is_not() {
        let status = tonic::Status::unknown("failed to solve");
        for (message, retryable) in [
            (
                "failed to do request: Head https://r.example/v2/: dial tcp: lookup r.example: no such host",
                true,
            ),
            ("httpReadSeeker: failed open: unexpected status: 503 Service Unavailable", true),
            ("executor failed running [/bin/sh -c curl]: connection refused: exit code: 7", false),
            ("failed to compute cache key: \"/absent\" not found: not found", false),
        ] {
            assert_eq!(of_call(&status, Some(failure(message))).is_retryable(), retryable, "{message}");
        }
    }

    #[test]
    fn a_lost_connection_is_tried_again_and_a_bad_dockerfile_is_not() {
        assert!(of_call(&tonic::Status::unavailable("transport is closing"), None).is_retryable());
        let bad = of_call(&tonic::Status::unknown("dockerfile parse error line 1"), None);
        assert_eq!(bad.to_string(), "the engine refused the build: dockerfile parse error line 1");
        assert!(!bad.is_retryable());
    }
}
