//! Registries, through the engine: what they have, and images that go there and come back.
//!
//! The engine is the one that speaks to them, with its own proxies and certificates; it is handed the
//! user's credentials with each request.

use hyper::header::HeaderValue;
use hyper::{Method, Request, Response, body::Incoming};
use serde::Deserialize;

use crate::reference::Reference;
use crate::run::docker::client::BodyRequest;
use crate::run::docker::credentials::Auth;
use crate::run::docker::engine::Engine;
use crate::run::docker::error::EngineError;
use crate::run::docker::facts::Kind;
use crate::run::docker::image_digest::Platform;
use crate::run::docker::registry_error::RegistryError;
use crate::run::docker::transfer::{Broken, Message, Tally, Watch, follow};

/// What a registry has under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// `sha256:…` of the manifest, or of the list of manifests where there are several platforms.
    pub digest: String,
    pub platforms: Vec<Platform>,
}

impl Remote {
    /// Whether it is there for a platform, given as `linux/arm64`. A registry that names none is
    /// believed to have it.
    pub fn has(&self, platform: &str) -> bool {
        self.platforms.is_empty() || self.platforms.iter().any(|one| one.to_string() == platform)
    }
}

#[derive(Deserialize)]
struct Distribution {
    #[serde(rename = "Descriptor")]
    descriptor: Descriptor,
    #[serde(default, rename = "Platforms")]
    platforms: Option<Vec<OciPlatform>>,
}

#[derive(Deserialize)]
struct Descriptor {
    digest: String,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct OciPlatform {
    os: String,
    architecture: String,
    variant: String,
}

#[derive(Deserialize)]
struct Created {
    #[serde(default, rename = "Created")]
    created: Option<String>,
}

impl Engine {
    /// What a registry has under a name now; none where it has nothing.
    pub async fn distribution(
        &self,
        reference: &Reference,
        auth: &Auth,
    ) -> Result<Option<Remote>, RegistryError> {
        let action = format!("ask for `{reference}`");
        let request = self.about(Method::GET, &format!("/distribution/{reference}/json"), reference, auth);
        let answer = match self.send(&action, request, reference, None, auth).await {
            Err(RegistryError::NotFound { .. }) if self.kind() == Kind::Podman => {
                return Err(RegistryError::NotAsked);
            }
            Err(RegistryError::NotFound { .. }) => return Ok(None),
            answer => answer?,
        };
        let body = http_body_util::BodyExt::collect(answer.into_body()).await;
        let body = body.map_err(|error| EngineError::failed(&action, error))?.to_bytes();
        let Distribution { descriptor, platforms } =
            serde_json::from_slice(&body).map_err(|error| EngineError::failed(&action, error))?;
        // Attestations stand in the list as well, for a machine called `unknown`.
        let real = |one: &OciPlatform| !one.os.is_empty() && one.os != "unknown";
        let platforms = platforms.unwrap_or_default();
        let platforms = platforms
            .iter()
            .filter(|one| real(one))
            .map(|one| Platform::new(&one.os, &one.architecture, &one.variant))
            .collect();
        Ok(Some(Remote { digest: descriptor.digest, platforms }))
    }

    /// Pushes the image that has this name in the engine. The digest that the registry has it by.
    pub async fn push(
        &self,
        reference: &Reference,
        auth: &Auth,
        watch: &mut Watch<'_>,
    ) -> Result<String, RegistryError> {
        let (Some(tag), None) = (reference.tag(), reference.digest()) else {
            return Err(RegistryError::NoTag { reference: reference.to_string() });
        };
        let action = format!("push `{reference}`");
        let path = format!("/images/{}/push?tag={tag}", reference.name());
        let request = self.about(Method::POST, &path, reference, auth);
        let mut digest = None;
        let mut take = |message: &Message| {
            let told = message.aux.as_ref().map(|aux| aux.digest.clone());
            digest = told.filter(|text| !text.is_empty()).or(digest.take());
        };
        self.moving(&action, request, (reference, None, auth), watch, &mut take).await?;
        digest.ok_or_else(|| RegistryError::Refused { action, said: "the engine names no digest".to_owned() })
    }

    /// Pulls an image, by digest where `reference` has one; for the engine's own platform where none
    /// is given as `linux/arm64`. The image's id in the engine.
    pub async fn pull(
        &self,
        reference: &Reference,
        platform: Option<&str>,
        auth: &Auth,
        watch: &mut Watch<'_>,
    ) -> Result<String, RegistryError> {
        let action = format!("pull `{reference}`");
        // With a digest the tag says nothing.
        let (wanted, local) = match (reference.digest(), reference.tag()) {
            (Some(digest), _) => (digest, format!("{}@{digest}", reference.name())),
            (None, tag) => (tag.unwrap_or("latest"), reference.to_string()),
        };
        let mut path = format!("/images/create?fromImage={}&tag={wanted}", reference.name());
        if let Some(platform) = platform {
            path.push_str(&format!("&platform={platform}"));
        }
        let request = self.about(Method::POST, &path, reference, auth);
        self.moving(&action, request, (reference, platform, auth), watch, &mut |_| ()).await?;
        let found = self.inspect(&local).await?;
        let said = || "the engine does not have it afterwards".to_owned();
        Ok(found.ok_or_else(|| RegistryError::Refused { action, said: said() })?.id)
    }

    /// When an image that the engine has was made, as it says: `2026-11-25T11:01:42.5Z`.
    pub async fn created(&self, image: &str) -> Result<Option<String>, EngineError> {
        let action = format!("inspect the image `{image}`");
        match self.get::<Created>(&action, &format!("/images/{image}/json")).await {
            Ok(Created { created }) => Ok(created.filter(|text| !text.is_empty())),
            Err(EngineError::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn about(&self, method: Method, path: &str, reference: &Reference, auth: &Auth) -> BodyRequest {
        let mut request = Request::new(bollard::body_full(bytes::Bytes::new()));
        *request.method_mut() = method;
        // A name that was parsed makes a path that can be; anything else is refused by the engine.
        *request.uri_mut() = format!("http://docker{path}").parse().unwrap_or_default();
        if let Ok(mut header) = HeaderValue::from_str(&auth.header(reference.registry())) {
            header.set_sensitive(true);
            request.headers_mut().insert("X-Registry-Auth", header);
        }
        request
    }

    async fn send(
        &self,
        action: &str,
        request: BodyRequest,
        reference: &Reference,
        platform: Option<&str>,
        auth: &Auth,
    ) -> Result<Response<Incoming>, RegistryError> {
        self.client().open(action, request).await.map_err(|error| match error {
            EngineError::Refused { status, message, .. } => {
                RegistryError::told(action, reference, platform, auth, Some(status), &message)
            }
            error => error.into(),
        })
    }

    async fn moving(
        &self,
        action: &str,
        request: BodyRequest,
        (reference, platform, auth): (&Reference, Option<&str>, &Auth),
        watch: &mut Watch<'_>,
        take: &mut (dyn FnMut(&Message) + Send),
    ) -> Result<(), RegistryError> {
        let Watch { cancel, progress } = watch;
        let cancelled = || RegistryError::Cancelled { action: action.to_owned() };
        let answer = tokio::select! {
            answer = self.send(action, request, reference, platform, auth) => answer?,
            () = cancel.cancelled() => return Err(cancelled()),
        };
        let mut tally = Tally::default();
        let mut each = |message: &Message| {
            if let Some(sum) = tally.note(message) {
                progress(sum);
            }
            take(message);
        };
        follow(answer.into_body(), cancel, &mut each).await.map_err(|broken| match broken {
            Broken::Said(said) => RegistryError::told(action, reference, platform, auth, None, &said),
            Broken::Lost(error) => EngineError::failed(action, error).into(),
            Broken::Cancelled => cancelled(),
        })
    }
}
