//! The two conversations of a build: the one in which we ask, and the one in which we serve.
//!
//! Engines up to API 1.52 open each by upgrading an HTTP request. Newer ones speak HTTP/2 on their
//! socket at once and mean to drop the upgrades; there the second runs inside a call of the first.
//! The choice between the two is made here and known nowhere else.

use std::future::{Future, ready};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bollard::moby::buildkit::v1::ListWorkersRequest;
use bollard::moby::buildkit::v1::control_client::ControlClient;
use hyper::Uri;
use hyper_util::rt::TokioIo;
use tonic::transport::{Channel, Endpoint};

use crate::run::docker::buildkit::error::BuildError;
use crate::run::docker::buildkit::tasks::Spawner;
use crate::run::docker::buildkit::tunnel;
use crate::run::docker::dial::{BoxedStream, Dialer};
use crate::run::docker::error::EngineError;
use crate::run::docker::facts::ApiVersion;
use crate::run::docker::upgrade::upgrade;

/// From here on, an engine is asked directly first.
const DIRECT_SINCE: ApiVersion = ApiVersion { major: 1, minor: 53 };
/// For how long it may leave that unanswered.
const PATIENCE: Duration = Duration::from_secs(10);
/// Received ahead of whoever reads: the engine's answers are small, its exports are not.
pub(super) const WINDOW: u32 = 4 << 20;

pub(super) struct Conversations {
    pub(super) control: ControlClient<Channel>,
    /// The engine calls us on this one.
    pub(super) served: BoxedStream,
}

/// `headers` say who serves, and what.
pub(super) async fn open(
    dialer: &Dialer,
    api: ApiVersion,
    headers: &[(&str, String)],
    spawner: &Spawner,
) -> Result<Conversations, BuildError> {
    if api >= DIRECT_SINCE
        && let Some(conversations) = direct(dialer, headers, spawner).await
    {
        return Ok(conversations);
    }
    upgraded(dialer, headers, spawner).await.map_err(|error| match error {
        EngineError::Refused { status: 400 | 404 | 405 | 501, .. } => {
            BuildError::TooOld { api: api.to_string() }
        }
        error => BuildError::Engine(error),
    })
}

async fn upgraded(
    dialer: &Dialer,
    headers: &[(&str, String)],
    spawner: &Spawner,
) -> Result<Conversations, EngineError> {
    let served = upgrade(dialer, "/session", headers).await?;
    let asked = upgrade(dialer, "/grpc", &[]).await?;
    let control = channel(asked, spawner).await.map_err(|source| EngineError::Failed {
        action: "talk to BuildKit".to_owned(),
        source: source.into(),
    })?;
    Ok(Conversations { control: client(control), served })
}

/// None where this does not work; whether the engine answers at all shows on the other way.
async fn direct(dialer: &Dialer, headers: &[(&str, String)], spawner: &Spawner) -> Option<Conversations> {
    let attempt = async {
        let stream = dialer.dial().await.ok()?;
        let mut control = client(channel(stream, spawner).await.ok()?);
        // Whatever is no HTTP/2 server breaks off here.
        control.list_workers(ListWorkersRequest::default()).await.ok()?;
        let served = tunnel::open(&mut control, headers, spawner).await.ok()?;
        Some(Conversations { control, served: Box::new(served) })
    };
    tokio::time::timeout(PATIENCE, attempt).await.ok().flatten()
}

fn client(channel: Channel) -> ControlClient<Channel> {
    // A report may carry megabytes of a step's output.
    ControlClient::new(channel).max_decoding_message_size(64 << 20)
}

/// A gRPC channel over this one stream.
async fn channel(stream: BoxedStream, spawner: &Spawner) -> Result<Channel, tonic::transport::Error> {
    Endpoint::from_static("http://buildkit")
        .executor(spawner.clone())
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(2 * WINDOW)
        .connect_with_connector(Once(Arc::new(Mutex::new(Some(stream)))))
        .await
}

/// Hands out its stream once: a build does not survive its connection.
#[derive(Clone)]
struct Once(Arc<Mutex<Option<BoxedStream>>>);

impl tower_service::Service<Uri> for Once {
    type Response = TokioIo<BoxedStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let stream = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let lost = || io::Error::new(io::ErrorKind::ConnectionAborted, "the connection was lost");
        Box::pin(ready(stream.map(TokioIo::new).ok_or_else(lost)))
    }
}
