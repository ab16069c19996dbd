//! Turns a request into a raw stream: how BuildKit's conversations begin on a Docker engine.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::header::{CONNECTION, HOST, UPGRADE};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;

use crate::run::docker::dial::{BoxedStream, Dialer};
use crate::run::docker::error::EngineError;

/// For how long an engine may think about it.
const PATIENCE: Duration = Duration::from_secs(30);
/// As much of a refusal as is read.
const MOST_SAID: usize = 64 << 10;

/// Posts to `path`, as `/session` or `/grpc`, and yields the stream once the engine has switched to
/// HTTP/2 in the clear on it. Needs a tokio runtime.
///
/// # Errors
/// When the engine does not answer, or answers anything but 101; its words are in the error.
pub async fn upgrade(
    dialer: &Dialer,
    path: &str,
    headers: &[(&str, String)],
) -> Result<BoxedStream, EngineError> {
    match tokio::time::timeout(PATIENCE, switch(dialer, path, headers)).await {
        Ok(switched) => switched,
        Err(_) => Err(EngineError::Silent { address: dialer.to_string(), seconds: PATIENCE.as_secs() }),
    }
}

async fn switch(dialer: &Dialer, path: &str, headers: &[(&str, String)]) -> Result<BoxedStream, EngineError> {
    let stream = dialer.dial().await.map_err(|source| EngineError::unreachable(dialer, source))?;
    let failed = |source: hyper::Error| EngineError::failed(format!("upgrade `{path}`"), source);
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
    // Ends with the stream, or as soon as that is handed over.
    tokio::spawn(connection.with_upgrades());
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(HOST, "docker")
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "h2c");
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let request = request
        .body(Empty::<Bytes>::new())
        .map_err(|source| EngineError::failed(format!("upgrade `{path}`"), source))?;
    let response = sender.send_request(request).await.map_err(failed)?;
    let status = response.status();
    if status != StatusCode::SWITCHING_PROTOCOLS {
        let body = Limited::new(response.into_body(), MOST_SAID).collect().await;
        let body = body.map(|body| body.to_bytes()).unwrap_or_default();
        return Err(EngineError::Refused {
            action: format!("upgrade `{path}`"),
            status: status.as_u16(),
            message: message(&body),
        });
    }
    let upgraded = hyper::upgrade::on(response).await.map_err(failed)?;
    Ok(Box::new(TokioIo::new(upgraded)))
}

/// What an engine says in a refusal: `{"message":…}`, or plain text from whatever stands before it.
pub(super) fn message(body: &[u8]) -> String {
    let json = serde_json::from_slice::<serde_json::Value>(body).ok();
    let said = json.as_ref().and_then(|json| json.get("message")?.as_str());
    said.map_or_else(|| String::from_utf8_lossy(body).trim().to_owned(), str::to_owned)
}
