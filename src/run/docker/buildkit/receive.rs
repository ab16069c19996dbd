//! The service that takes what a build yields, as a stream of bytes, into a sink.
//!
//! Does not know what the bytes are. The sink is written on a thread of its own, and the engine
//! waits while it is slow.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use bollard::moby::filesync::v1::BytesMessage;
use bollard::moby::filesync::v1::file_send_server::FileSend;
use tokio::sync::mpsc;
use tonic::{Request, Response, Status, Streaming};

use crate::run::docker::buildkit::error::BuildError;
use crate::run::docker::buildkit::faults::Faults;

/// Messages that wait for the sink; each has 32 KiB, or up to 3 MiB from newer engines.
const WAITING: usize = 8;

pub(super) struct Sink {
    /// Taken by the one transfer of a build.
    sink: Mutex<Option<Box<dyn Write + Send>>>,
    faults: Faults,
}

impl Sink {
    pub(super) fn new(sink: Box<dyn Write + Send>, faults: Faults) -> Self {
        Self { sink: Mutex::new(Some(sink)), faults }
    }
}

#[tonic::async_trait]
impl FileSend for Sink {
    type DiffCopyStream = tokio_stream::Empty<Result<BytesMessage, Status>>;

    /// Answers when everything is written: the engine takes that for the end of the export.
    async fn diff_copy(
        &self,
        request: Request<Streaming<BytesMessage>>,
    ) -> Result<Response<Self::DiffCopyStream>, Status> {
        let Some(mut sink) = self.sink.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return Err(Status::already_exists("the output was sent already"));
        };
        let mut incoming = request.into_inner();
        let (pieces, mut queue) = mpsc::channel::<Vec<u8>>(WAITING);
        let written = tokio::task::spawn_blocking(move || {
            while let Some(piece) = queue.blocking_recv() {
                sink.write_all(&piece)?;
            }
            sink.flush()
        });
        while let Some(BytesMessage { data }) = incoming.message().await? {
            if pieces.send(data).await.is_err() {
                // The sink has failed, and says why below.
                break;
            }
        }
        drop(pieces);
        match written.await {
            Ok(Ok(())) => Ok(Response::new(tokio_stream::empty())),
            Ok(Err(error)) => Err(self.faults.note(BuildError::Output(error))),
            Err(_) => Err(Status::internal("the output's thread ended")),
        }
    }
}
