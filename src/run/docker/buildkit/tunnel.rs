//! A byte stream inside a gRPC call.
//!
//! Newer engines take the connection that serves a build this way. Does not know what flows in it.

use bollard::moby::buildkit::v1::BytesMessage;
use bollard::moby::buildkit::v1::control_client::ControlClient;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::{AsciiMetadataKey, MetadataValue};
use tonic::transport::Channel;
use tonic::{Request, Status};

use crate::run::docker::buildkit::tasks::Spawner;

/// Bytes in one message.
const PIECE: usize = 128 << 10;

/// Opens the call, with `headers` as its metadata.
pub(super) async fn open(
    control: &mut ControlClient<Channel>,
    headers: &[(&str, String)],
    spawner: &Spawner,
) -> Result<DuplexStream, Status> {
    let (outgoing, messages) = mpsc::channel(4);
    let mut request = Request::new(ReceiverStream::new(messages));
    for (name, value) in headers {
        let invalid = |_| Status::internal(format!("`{name}` is no header"));
        let key = AsciiMetadataKey::from_bytes(name.to_lowercase().as_bytes()).map_err(invalid)?;
        let value = MetadataValue::try_from(value).map_err(|_| Status::internal("no header value"))?;
        request.metadata_mut().append(key, value);
    }
    let mut incoming = control.session(request).await?.into_inner();
    let (near, far) = tokio::io::duplex(4 * PIECE);
    let (mut from_near, mut to_near) = tokio::io::split(far);
    // Either side's end shows at `near` as the end of the stream.
    spawner.spawn(async move {
        while let Ok(Some(BytesMessage { data })) = incoming.message().await {
            if to_near.write_all(&data).await.is_err() {
                break;
            }
        }
        let _ = to_near.shutdown().await;
    });
    spawner.spawn(async move {
        let mut buffer = vec![0; PIECE];
        while let Ok(count @ 1..) = from_near.read(&mut buffer).await {
            if outgoing.send(BytesMessage { data: buffer[..count].to_vec() }).await.is_err() {
                break;
            }
        }
    });
    Ok(near)
}
