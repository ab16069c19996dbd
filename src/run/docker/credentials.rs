//! The user's credentials for registries, from where `docker login` puts them.
//!
//! The file is read once; helpers are asked each time. Secrets are shown nowhere.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;

use crate::base64;
use crate::reference::DOCKER_HUB;
use crate::run::docker::buildkit::{Credentials, Lookup};
use crate::run::docker::endpoint::Surroundings;
use crate::run::docker::error::chain;
use crate::run::docker::helper::{self, HelperError};

/// Under which the docker CLI keeps what is for Docker Hub.
const HUB_KEY: &str = "https://index.docker.io/v1/";
/// What engines call Docker Hub when they ask for credentials.
const HUB_HOST: &str = "registry-1.docker.io";

/// Why the credentials cannot be known.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    #[error("`{}` cannot be read", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("the credentials for `{registry}` in `{}` cannot be read", path.display())]
    Entry { registry: String, path: PathBuf },
    #[error(transparent)]
    Helper(#[from] HelperError),
}

impl CredentialsError {
    /// What mends it.
    pub fn help(&self) -> String {
        match self {
            Self::Unreadable { .. } => "mend the file, or name another folder with DOCKER_CONFIG".to_owned(),
            Self::Entry { registry, .. } => format!("log in again with `docker login {registry}`"),
            Self::Helper(_) => {
                "look at `credsStore` and `credHelpers` in the docker CLI's `config.json`".to_owned()
            }
        }
    }
}

/// Where the credentials are.
pub struct Keyring {
    path: PathBuf,
    config: ConfigFile,
    ask: fn(&str, &str) -> Result<Option<Credentials>, HelperError>,
}

/// Names no registry and no secret.
impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring({})", self.path.display())
    }
}

#[derive(Default, Deserialize)]
struct ConfigFile {
    #[serde(default)]
    auths: HashMap<String, Entry>,
    #[serde(default, rename = "credHelpers")]
    helpers: HashMap<String, String>,
    #[serde(default, rename = "credsStore")]
    store: String,
}

#[derive(Default, Deserialize)]
struct Entry {
    /// Base64 of `name:password`.
    #[serde(default)]
    auth: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
    #[serde(default, rename = "identitytoken")]
    token: String,
}

/// What a registry is told, and what stood in the way of knowing it.
#[derive(Default)]
pub struct Auth {
    pub credentials: Option<Credentials>,
    /// Without credentials, most images can be had all the same: it is said only when not.
    pub trouble: Option<CredentialsError>,
}

/// Shows no secret.
impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { credentials, trouble } = self;
        f.debug_struct("Auth").field("credentials", credentials).field("trouble", trouble).finish()
    }
}

impl Keyring {
    /// Reads `config.json`; where there is none, there are no credentials.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn read(around: &Surroundings<'_>) -> Result<Self, CredentialsError> {
        let set = |name: &str| (around.variable)(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let folder = set("DOCKER_CONFIG").or_else(|| Some(set("HOME")?.join(".docker")));
        let path = folder.unwrap_or_default().join("config.json");
        let unreadable = |source| CredentialsError::Unreadable { path: path.clone(), source };
        let config = match (around.read)(&path) {
            // serde's complaint holds a place in the file and never a value of ours.
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| unreadable(plain(&error)))?,
            Err(error) if is_absent(&error) => ConfigFile::default(),
            Err(error) => return Err(unreadable(error)),
        };
        Ok(Self { path, config, ask: helper::ask })
    }

    /// What `registry` is told, as [`crate::reference::Reference::registry`] names it. May block,
    /// see [`helper::ask`].
    pub fn of(&self, registry: &str) -> Auth {
        match self.find(registry) {
            Ok(credentials) => Auth { credentials, trouble: None },
            Err(error) => Auth { credentials: None, trouble: Some(error) },
        }
    }

    /// For builds: hosts as engines name them. Trouble means: without credentials.
    pub fn lookup(self: &Arc<Self>) -> Lookup {
        let keyring = self.clone();
        Arc::new(move |host| keyring.of(if host == HUB_HOST { DOCKER_HUB } else { host }).credentials)
    }

    fn find(&self, registry: &str) -> Result<Option<Credentials>, CredentialsError> {
        let key = if registry == DOCKER_HUB { HUB_KEY } else { registry };
        let ConfigFile { auths, helpers, store } = &self.config;
        if let Some(helper) = helpers.get(key).filter(|helper| !helper.is_empty()) {
            return Ok((self.ask)(helper, key)?);
        }
        if !store.is_empty() {
            return Ok((self.ask)(store, key)?);
        }
        // Old versions of the CLI wrote whole addresses.
        let entry = auths.get(key).or_else(|| {
            let same = |written: &&String| host_of(written) == host_of(key);
            let written = auths.keys().filter(same).min()?;
            auths.get(written)
        });
        match entry {
            None => Ok(None),
            Some(entry) => entry.credentials().ok_or_else(|| CredentialsError::Entry {
                registry: registry.to_owned(),
                path: self.path.clone(),
            }),
        }
    }
}

impl Entry {
    /// None when it cannot be read; none within when there is nothing in it.
    fn credentials(&self) -> Option<Option<Credentials>> {
        let Self { auth, username, password, token } = self;
        if !token.is_empty() {
            return Some(Some(Credentials { username: String::new(), secret: token.clone() }));
        }
        if !username.is_empty() {
            return Some(Some(Credentials { username: username.clone(), secret: password.clone() }));
        }
        if auth.is_empty() {
            return Some(None);
        }
        let text = String::from_utf8(base64::decode(auth)?).ok()?;
        let (username, secret) = text.split_once(':')?;
        // Some tools leave zero bytes at the end.
        let secret = secret.trim_end_matches('\0').to_owned();
        Some(Some(Credentials { username: username.to_owned(), secret }))
    }
}

impl Auth {
    /// `X-Registry-Auth`. There always is one: engines want it even when it says nothing.
    pub(super) fn header(&self, registry: &str) -> String {
        let server = if registry == DOCKER_HUB { HUB_KEY } else { registry };
        let told = match &self.credentials {
            None => serde_json::json!({}),
            Some(Credentials { username, secret }) if username.is_empty() => {
                serde_json::json!({ "identitytoken": secret, "serveraddress": server })
            }
            Some(Credentials { username, secret }) => {
                serde_json::json!({ "username": username, "password": secret, "serveraddress": server })
            }
        };
        base64::encode_for_urls(told.to_string().as_bytes())
    }

    /// A text without the secret, should somebody have repeated it.
    pub(super) fn redacted(&self, text: &str) -> String {
        match &self.credentials {
            Some(Credentials { secret, .. }) if !secret.is_empty() => text.replace(secret.as_str(), "***"),
            _ => text.to_owned(),
        }
    }

    /// Why there are no credentials, in one line.
    pub(super) fn trouble(&self) -> Option<String> {
        self.trouble.as_ref().map(|error| chain(error))
    }
}

/// The host of an address, with its port.
fn host_of(text: &str) -> &str {
    let text = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(text);
    text.split('/').next().unwrap_or(text)
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn plain(error: &serde_json::Error) -> io::Error {
    let (line, column) = (error.line(), error.column());
    io::Error::new(io::ErrorKind::InvalidData, format!("line {line}, column {column} is not as it should be"))
}

#[cfg(test)]
mod tests;
