//! What can go wrong with a registry, told from what an engine says of it, and what mends it.
//!
//! Engines put everything into one sentence, so sentences are looked at. Holds no secret.

use crate::reference::Reference;
use crate::run::docker::credentials::Auth;
use crate::run::docker::error::EngineError;

/// Why a registry did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    #[error("`{registry}` lets {user} not have `{reference}`: {said}{}", because(trouble))]
    Unauthorized { registry: String, reference: String, user: String, said: String, trouble: Option<String> },
    #[error("there is no image `{reference}`")]
    NotFound { reference: String },
    #[error("the registry `{registry}` cannot be reached: {said}")]
    Unreachable { registry: String, said: String },
    #[error("`{reference}` is not there for {platform}{}", instead(has))]
    NoPlatform { reference: String, platform: String, has: Vec<String> },
    #[error("the engine has no image `{reference}` to push")]
    NothingToPush { reference: String },
    #[error("`{reference}` names no tag to push to")]
    NoTag { reference: String },
    #[error("this engine cannot tell what a registry has")]
    NotAsked,
    #[error("could not {action}: {said}")]
    Refused { action: String, said: String },
    #[error("stopped while it was to {action}")]
    Cancelled { action: String },
    #[error(transparent)]
    Engine(#[from] EngineError),
}

fn because(trouble: &Option<String>) -> String {
    trouble.as_ref().map(|trouble| format!(" ({trouble})")).unwrap_or_default()
}

fn instead(has: &[String]) -> String {
    if has.is_empty() { String::new() } else { format!(", only for {}", has.join(", ")) }
}

/// Parts of sentences about the way to a registry, in small letters.
const NO_WAY: &[&str] = &[
    "no such host",
    "connection refused",
    "connection reset",
    "network is unreachable",
    "no route to host",
    "server misbehaving",
    "temporary failure in name resolution",
    "timeout",
    "timed out",
    "deadline exceeded",
    "x509",
    "tls:",
    "server gave http response to https client",
    ": eof",
];
const NOT_ALLOWED: &[&str] =
    &["unauthorized", "authentication required", "no basic auth credentials", "denied", "forbidden"];
const NO_PLATFORM: &[&str] = &["no matching manifest", "does not match the specified platform"];
const NOT_HERE: &[&str] = &["does not exist locally", "tag does not exist"];
const UNKNOWN: &[&str] = &["manifest unknown", "name unknown", "not found"];

impl RegistryError {
    /// From what an engine `said` of a registry, with the answer's `status` where there was one.
    pub(super) fn told(
        action: &str,
        reference: &Reference,
        platform: Option<&str>,
        auth: &Auth,
        status: Option<u16>,
        said: &str,
    ) -> Self {
        let said = auth.redacted(said.trim());
        let small = said.to_ascii_lowercase();
        let has = |parts: &[&str]| parts.iter().any(|part| small.contains(part));
        let registry = reference.registry().to_owned();
        let named = reference.to_string();
        if has(NO_WAY) {
            Self::Unreachable { registry, said }
        } else if has(NOT_ALLOWED) || matches!(status, Some(401 | 403)) {
            let user = match &auth.credentials {
                None => "whoever is not logged in".to_owned(),
                Some(one) if one.username.is_empty() => "the holder of this token".to_owned(),
                Some(one) => format!("`{}`", one.username),
            };
            Self::Unauthorized { registry, reference: named, user, said, trouble: auth.trouble() }
        } else if has(NO_PLATFORM) {
            let platform = platform.unwrap_or("the engine's platform").to_owned();
            Self::NoPlatform { reference: named, platform, has: Vec::new() }
        } else if has(NOT_HERE) {
            Self::NothingToPush { reference: named }
        } else if has(UNKNOWN) || status == Some(404) {
            Self::NotFound { reference: named }
        } else {
            Self::Refused { action: action.to_owned(), said }
        }
    }

    /// Something that is not there or not allowed, rather than something that went wrong.
    pub fn is_missing(&self) -> bool {
        match self {
            Self::Engine(error) => error.is_missing(),
            Self::Refused { .. } | Self::Cancelled { .. } => false,
            _ => true,
        }
    }

    /// What mends it, where that is known.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::Unauthorized { registry, trouble: None, .. } => {
                format!(
                    "log in with `docker login {registry}`; a name that does not exist is refused like this, too"
                )
            }
            Self::Unauthorized { .. } => {
                "mend what `config.json` of the docker CLI says of credentials, and log in again".to_owned()
            }
            Self::NotFound { .. } => "look for a slip in its name or tag".to_owned(),
            Self::Unreachable { said, .. } if said.contains("x509") || said.contains("HTTP response") => {
                "have the engine trust that registry, in its `certs.d` or `insecure-registries`".to_owned()
            }
            Self::Unreachable { .. } => "check the engine's network and its proxy".to_owned(),
            Self::NoPlatform { .. } => "name one that is there with `platform` in the pipeline".to_owned(),
            Self::NothingToPush { .. } => "build it first, with this name as its `tag`".to_owned(),
            Self::NoTag { .. } => "push to a tag, as `registry/name:tag`".to_owned(),
            Self::NotAsked => "ask with Docker 20.10 or newer".to_owned(),
            Self::Refused { said, .. } if said.contains("toomanyrequests") => {
                "wait, or log in: registries give more to those whom they know".to_owned()
            }
            Self::Engine(error) => return error.help(),
            Self::Refused { .. } | Self::Cancelled { .. } => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::docker::buildkit::Credentials;

    fn told(status: Option<u16>, said: &str) -> RegistryError {
        let reference = Reference::parse("h:1/a:1").unwrap();
        RegistryError::told("push", &reference, Some("linux/arm64"), &Auth::default(), status, said)
    }

    #[test]
    fn sentences_of_engines_are_understood() {
        for (said, word) in [
            ("Get \"https://h:1/v2/\": dial tcp: lookup h on 10.0.0.1:53: no such host", "Unreachable"),
            ("Get \"http://h:1/v2/\": dial tcp 127.0.0.1:1: connect: connection refused", "Unreachable"),
            ("Get \"https://h:1/v2/\": http: server gave HTTP response to HTTPS client", "Unreachable"),
            ("Get \"https://h:1/v2/\": x509: certificate signed by unknown authority", "Unreachable"),
            ("no basic auth credentials", "Unauthorized"),
            ("unauthorized: authentication required", "Unauthorized"),
            (
                "pull access denied for a, repository does not exist or may require 'docker login'",
                "Unauthorized",
            ),
            ("manifest for h:1/a:1 not found: manifest unknown: manifest unknown", "NotFound"),
            ("manifest unknown: manifest unknown", "NotFound"),
            ("no matching manifest for linux/arm64/v8 in the manifest list entries", "NoPlatform"),
            ("An image does not exist locally with the tag: h:1/a", "NothingToPush"),
            ("blob upload invalid", "Refused"),
        ] {
            let error = told(None, said);
            assert!(format!("{error:?}").starts_with(word), "{said}: {error:?}");
            assert_eq!(error.is_missing(), word != "Refused", "{said}");
            assert_eq!(error.help().is_some(), word != "Refused", "{said}");
        }
        assert!(matches!(told(Some(403), "no"), RegistryError::Unauthorized { .. }));
        assert!(matches!(told(Some(404), "no"), RegistryError::NotFound { .. }));
    }

    #[test]
    fn secrets_that_come_back_are_taken_out() {
        let reference = Reference::parse("h:1/a:1").unwrap();
        let credentials = Some(Credentials { username: "me".into(), secret: "hush".into() });
        let auth = Auth { credentials, trouble: None };
        let error = RegistryError::told("push", &reference, None, &auth, None, "denied: me:hush is wrong");
        assert_eq!(error.to_string(), "`h:1` lets `me` not have `h:1/a:1`: denied: me:*** is wrong");
        assert!(!format!("{error:?}").contains("hush"));
    }
}
