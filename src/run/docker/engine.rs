//! One engine that answers.

use std::time::Duration;

use bollard::Docker;
use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;

use crate::run::docker::client::Client;
use crate::run::docker::dial::Dialer;
use crate::run::docker::endpoint::Endpoint;
use crate::run::docker::error::EngineError;
use crate::run::docker::facts::{ApiVersion, EngineFacts, Kind, StoreKind};
use crate::run::docker::upgrade;

/// For how long an engine may leave the first question unanswered; ssh has to get there as well.
const PATIENCE: Duration = Duration::from_secs(45);

/// A connected engine. What it is, is asked once and only when somebody wants to know.
pub struct Engine {
    endpoint: Endpoint,
    dialer: Dialer,
    client: Client,
    version: Version,
    facts: OnceCell<EngineFacts>,
}

/// What `/version` says.
struct Version {
    kind: Kind,
    version: String,
    api: ApiVersion,
    os: String,
    arch: String,
}

impl Engine {
    /// Asks who is there. Needs a tokio runtime, as everything here.
    ///
    /// # Errors
    /// When nobody answers, or somebody too old.
    pub async fn connect(endpoint: Endpoint) -> Result<Self, EngineError> {
        let dialer = Dialer::new(&endpoint.address)?;
        let client = Client::new(&dialer)?;
        let asked = client.get("tell its version", "/version");
        let (_, body) = tokio::time::timeout(PATIENCE, asked).await.unwrap_or_else(|_| {
            Err(EngineError::Silent { address: dialer.to_string(), seconds: PATIENCE.as_secs() })
        })?;
        let version = Version::read(&body)?;
        if version.api < ApiVersion::OLDEST {
            return Err(EngineError::TooOld {
                kind: version.kind,
                version: version.version,
                api: version.api,
                address: dialer.to_string(),
            });
        }
        client.speak(version.api.min(ApiVersion::NEWEST));
        Ok(Self { endpoint, dialer, client, version, facts: OnceCell::new() })
    }

    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// For streams of one's own to this engine.
    pub const fn dialer(&self) -> &Dialer {
        &self.dialer
    }

    /// The version in which it is spoken to.
    pub fn api(&self) -> ApiVersion {
        self.version.api.min(ApiVersion::NEWEST)
    }

    pub const fn kind(&self) -> Kind {
        self.version.kind
    }

    /// `bollard`'s client, speaking over our streams.
    pub const fn docker(&self) -> &Docker {
        self.client.docker()
    }

    pub(super) const fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn fault(&self, action: &str, error: bollard::errors::Error) -> EngineError {
        self.client.fault(action, error)
    }

    /// The answer to a GET, whatever `bollard` makes of it.
    pub(super) async fn get<T: DeserializeOwned>(&self, action: &str, path: &str) -> Result<T, EngineError> {
        let (_, body) = self.client.get(action, path).await?;
        serde_json::from_slice(&body).map_err(|error| EngineError::failed(action, error))
    }

    /// What this engine is.
    pub async fn facts(&self) -> Result<&EngineFacts, EngineError> {
        self.facts.get_or_try_init(|| self.ask_facts()).await
    }

    async fn ask_facts(&self) -> Result<EngineFacts, EngineError> {
        let info: Info = self.get("describe itself", "/info").await?;
        let Version { kind, version, api, os, arch } = &self.version;
        let local = self.endpoint.address.is_local();
        Ok(EngineFacts {
            address: self.endpoint.address.to_string(),
            origin: self.endpoint.origin.to_string(),
            kind: *kind,
            version: version.clone(),
            api: *api,
            os: os.clone(),
            arch: arch.clone(),
            store: StoreKind::of(*kind, &info.driver, &info.driver_status.unwrap_or_default()),
            buildkit: self.has_buildkit().await?,
            free_disk: if local { free(&info.root) } else { None },
            root: info.root,
        })
    }

    /// Bytes that are free now where it keeps its images; none where that is no folder of this
    /// machine.
    pub async fn free_disk(&self) -> Result<Option<u64>, EngineError> {
        let root = &self.facts().await?.root;
        Ok(if self.endpoint.address.is_local() { free(root) } else { None })
    }

    /// Opens a conversation with BuildKit and hangs up. Versions tell less: 20.10 has it and does
    /// not say so, Podman has the version and not the thing.
    async fn has_buildkit(&self) -> Result<bool, EngineError> {
        match upgrade(&self.dialer, "/grpc", &[]).await {
            Ok(_) => return Ok(true),
            Err(EngineError::Refused { .. }) => {}
            Err(error) => return Err(error),
        }
        // An engine may have given that way up for HTTP/2 at once. Then it says which builder it has.
        let (headers, _) = self.client.get("answer", "/_ping").await?;
        Ok(self.version.kind == Kind::Docker
            && headers.get("builder-version").is_some_and(|version| version.as_bytes() == b"2"))
    }
}

#[derive(Deserialize)]
struct VersionAnswer {
    #[serde(default, rename = "Version")]
    version: String,
    #[serde(default, rename = "ApiVersion")]
    api: String,
    #[serde(default, rename = "Os")]
    os: String,
    #[serde(default, rename = "Arch")]
    arch: String,
    #[serde(default, rename = "Components")]
    components: Option<Vec<Component>>,
}

#[derive(Deserialize)]
struct Component {
    #[serde(default, rename = "Name")]
    name: String,
}

impl Version {
    fn read(body: &Bytes) -> Result<Self, EngineError> {
        let wrong = |source: Box<dyn std::error::Error + Send + Sync>| {
            EngineError::failed("understand who answers: it is no container engine", source)
        };
        let VersionAnswer { version, api, os, arch, components } =
            serde_json::from_slice(body).map_err(|error| wrong(error.into()))?;
        let api =
            ApiVersion::parse(&api).ok_or_else(|| wrong(format!("`{api}` is no API version").into()))?;
        let is_podman = components.unwrap_or_default().iter().any(|one| one.name.starts_with("Podman"));
        let kind = if is_podman { Kind::Podman } else { Kind::Docker };
        Ok(Self { kind, version, api, os, arch })
    }
}

#[derive(Deserialize)]
struct Info {
    #[serde(default, rename = "Driver")]
    driver: String,
    #[serde(default, rename = "DriverStatus")]
    driver_status: Option<Vec<Vec<String>>>,
    #[serde(default, rename = "DockerRootDir")]
    root: String,
}

/// Bytes that are free in a folder; none where this machine has no such folder.
fn free(folder: &str) -> Option<u64> {
    let found = rustix::fs::statvfs(folder).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}
