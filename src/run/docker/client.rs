//! HTTP over the dialer's streams: one pool of connections, whatever lies between.
//!
//! `bollard` speaks through it, and so do the few requests whose answers `bollard` does not know.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use bollard::{BollardRequest, Docker};
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::HeaderMap;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tower_service::Service;

use crate::run::docker::dial::{BoxedStream, Dialer};
use crate::run::docker::error::EngineError;
use crate::run::docker::facts::ApiVersion;
use crate::run::docker::upgrade::message;

/// Seconds until an answer must begin. Long: an engine under load may think for a while.
const PATIENCE: u64 = 300;
/// As much of a refusal as is read.
const MOST_SAID: usize = 64 << 10;

/// A request as `bollard` and we make it.
pub type BodyRequest = BollardRequest;

type Answer = Pin<Box<dyn Future<Output = Result<Response<Incoming>, bollard::errors::Error>> + Send>>;
type Ask = Arc<dyn Fn(BollardRequest) -> Answer + Send + Sync>;

/// A client of one engine.
#[derive(Clone)]
pub struct Client {
    ask: Ask,
    docker: Docker,
    dialer: Dialer,
    version: Arc<OnceLock<ApiVersion>>,
}

impl Client {
    /// Nothing is opened yet. Needs no tokio runtime until something is asked.
    pub fn new(dialer: &Dialer) -> Result<Self, EngineError> {
        let version = Arc::new(OnceLock::new());
        let pool = Pool::builder(TokioExecutor::new()).build(Connector(dialer.clone()));
        let known = version.clone();
        let ask: Ask = Arc::new(move |mut request: BollardRequest| {
            if let Some(version) = known.get() {
                pin(&mut request, *version);
            }
            let (pool, asked) = (pool.clone(), request);
            Box::pin(async move { Ok(pool.request(asked).await?) })
        });
        let asked = ask.clone();
        let docker = Docker::connect_with_custom_transport(
            move |request| asked(request),
            Some("http://docker"),
            PATIENCE,
            bollard::API_DEFAULT_VERSION,
        )
        .map_err(|error| EngineError::failed("set up a client", error))?;
        Ok(Self { ask, docker, dialer: dialer.clone(), version })
    }

    pub const fn docker(&self) -> &Docker {
        &self.docker
    }

    /// From now on every request names this version, so that a later engine answers as this one.
    pub fn speak(&self, version: ApiVersion) {
        // Only the first time counts; all connections are to one engine.
        let _ = self.version.set(version);
    }

    /// The answer to a plain GET.
    ///
    /// # Errors
    /// When nobody answers, or with anything but success.
    pub async fn get(&self, action: &str, path: &str) -> Result<(HeaderMap, Bytes), EngineError> {
        let wrong = |source: Box<dyn std::error::Error + Send + Sync>| EngineError::failed(action, source);
        let request = Request::builder()
            .method(Method::GET)
            .uri(format!("http://docker{path}"))
            .body(bollard::body_full(Bytes::new()))
            .map_err(|source| wrong(source.into()))?;
        let (head, body) = self.open(action, request).await?.into_parts();
        let body = body.collect().await.map_err(|source| wrong(source.into()))?.to_bytes();
        Ok((head.headers, body))
    }

    /// An answer whose body is still to be read.
    ///
    /// # Errors
    /// When nobody answers, or with anything but success.
    pub async fn open(&self, action: &str, request: BodyRequest) -> Result<Response<Incoming>, EngineError> {
        let response = (self.ask)(request).await.map_err(|error| self.fault(action, error))?;
        let status = response.status();
        if status == StatusCode::OK {
            return Ok(response);
        }
        let body = Limited::new(response.into_body(), MOST_SAID).collect().await;
        let body = body.map(|body| body.to_bytes()).unwrap_or_default();
        Err(EngineError::Refused {
            action: action.to_owned(),
            status: status.as_u16(),
            message: message(&body),
        })
    }

    /// What `bollard` says went wrong, in our words.
    pub fn fault(&self, action: &str, error: bollard::errors::Error) -> EngineError {
        use bollard::errors::Error;
        match error {
            Error::DockerResponseServerError { status_code, message } => {
                EngineError::Refused { action: action.to_owned(), status: status_code, message }
            }
            Error::RequestTimeoutError => {
                EngineError::Silent { address: self.dialer.to_string(), seconds: PATIENCE }
            }
            Error::HyperLegacyError { err } => match input_output(&err) {
                // An ssh that fails shows only when something is read from it.
                Some(source) => EngineError::Unreachable { address: self.dialer.to_string(), source },
                None => EngineError::failed(action, err),
            },
            error => EngineError::failed(action, error),
        }
    }
}

/// Puts `/v1.41` before the path, where no version stands yet.
fn pin(request: &mut BollardRequest, version: ApiVersion) {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    if path.strip_prefix("/v").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
        return;
    }
    let pinned = format!("http://docker/v{version}{path}");
    if let Ok(uri) = pinned.parse::<Uri>() {
        *request.uri_mut() = uri;
    }
}

/// The fault of input or output below an error, with its kind.
fn input_output(error: &(dyn std::error::Error + 'static)) -> Option<io::Error> {
    let mut at = Some(error);
    while let Some(error) = at {
        if let Some(found) = error.downcast_ref::<io::Error>() {
            return Some(io::Error::new(found.kind(), found.to_string()));
        }
        at = error.source();
    }
    None
}

#[derive(Clone)]
struct Connector(Dialer);

impl Service<Uri> for Connector {
    type Response = Wire;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Wire>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let dialer = self.0.clone();
        Box::pin(async move { Ok(Wire(TokioIo::new(dialer.dial().await?))) })
    }
}

/// A stream as hyper wants it.
struct Wire(TokioIo<BoxedStream>);

impl Connection for Wire {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl Write for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_name_the_version() {
        let pinned = |uri: &str| {
            let mut request = Request::builder().uri(uri).body(bollard::body_full(Bytes::new())).unwrap();
            pin(&mut request, ApiVersion::OLDEST);
            request.uri().to_string()
        };
        assert_eq!(
            pinned("http://docker/images/a%2Fb/json?x=1"),
            "http://docker/v1.41/images/a%2Fb/json?x=1"
        );
        assert_eq!(pinned("http://docker"), "http://docker/v1.41/");
        assert_eq!(pinned("http://docker/version"), "http://docker/v1.41/version");
        assert_eq!(pinned("http://docker/v1.50/info"), "http://docker/v1.50/info");
    }
}
