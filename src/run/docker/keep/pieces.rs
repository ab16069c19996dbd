//! A stream of an engine as something to read from, for code outside of async; and the other way
//! round.

use std::io::{self, Read, Write};

use bytes::{Buf, Bytes};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::run::docker::buildkit::CancelToken;
use crate::run::docker::service::Session;
use crate::run::docker::transfer::{Transfer, Watch};

/// An answer's body. What broke it is in the error; a wish to stop is, too.
pub(super) struct Pieces<'a, 'w> {
    session: &'a Session,
    body: Incoming,
    piece: Bytes,
    so_far: Transfer,
    watch: &'a mut Watch<'w>,
}

impl<'a, 'w> Pieces<'a, 'w> {
    /// `total` is how many bytes to expect; 0 when nobody knows.
    pub(super) fn new(session: &'a Session, body: Incoming, total: u64, watch: &'a mut Watch<'w>) -> Self {
        Self { session, body, piece: Bytes::new(), so_far: Transfer { done: 0, total }, watch }
    }

    fn next(&mut self) -> io::Result<Option<Bytes>> {
        let (body, cancel) = (&mut self.body, self.watch.cancel);
        let frame = self.session.wait(async {
            tokio::select! {
                frame = body.frame() => Ok(frame),
                // Not `Interrupted`, which readers take for a reason to try again.
                () = cancel.cancelled() => Err(io::Error::from(io::ErrorKind::ConnectionAborted)),
            }
        })?;
        let frame = frame.transpose().map_err(io::Error::other)?;
        // What is no data is a trailer, after which nothing comes.
        let piece = frame.and_then(|frame| frame.into_data().ok());
        if let Some(piece) = &piece {
            self.so_far.done += piece.len() as u64;
            (self.watch.progress)(self.so_far);
        }
        Ok(piece)
    }
}

impl Read for Pieces<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() && !buffer.is_empty() {
            match self.next()? {
                Some(piece) => self.piece = piece,
                None => return Ok(0),
            }
        }
        let count = self.piece.len().min(buffer.len());
        self.piece.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}

/// Bytes on their way into a request; so many of these are under way at most.
const PIECE: usize = 256 << 10;
const UNDER_WAY: usize = 4;

/// Where a request's body is written to.
pub(super) struct Outlet {
    to: Sender<io::Result<Bytes>>,
    gathered: Vec<u8>,
    cancel: CancelToken,
}

/// An outlet, and what comes out of it.
pub(super) fn pipe(cancel: &CancelToken) -> (Outlet, Receiver<io::Result<Bytes>>) {
    let (to, from) = channel(UNDER_WAY);
    (Outlet { to, gathered: Vec::new(), cancel: cancel.clone() }, from)
}

impl Outlet {
    fn send(&mut self, piece: io::Result<Bytes>) -> io::Result<()> {
        if self.cancel.is_cancelled() {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        // Whoever read from the other end has ended, and knows why.
        self.to.blocking_send(piece).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    /// Has the request fail: what was sent so far is not all.
    pub(super) fn fail(mut self, error: &io::Error) {
        let _ = self.send(Err(io::Error::new(error.kind(), error.to_string())));
    }
}

impl Write for Outlet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.gathered.extend_from_slice(bytes);
        if self.gathered.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        let piece = Bytes::from(std::mem::replace(&mut self.gathered, Vec::with_capacity(PIECE)));
        self.send(Ok(piece))
    }
}
