//! A request to stop that wakes whoever polls for it.
//!
//! Does not know what is stopped.

use std::io::{self, PipeReader, PipeWriter, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Shared by everything that one run started. Cheap to clone; once cancelled, for ever.
#[derive(Clone, Debug)]
pub struct Cancel(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    cancelled: AtomicBool,
    /// Never read from: one byte in it makes every poll return, now and later.
    reader: PipeReader,
    writer: PipeWriter,
}

impl Cancel {
    /// Errors when the process has no file descriptors left.
    pub fn new() -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        Ok(Self(Arc::new(Inner { cancelled: AtomicBool::new(false), reader, writer })))
    }

    /// Wakes every poll at once. Callable from any thread, any number of times.
    pub fn cancel(&self) {
        if !self.0.cancelled.swap(true, Ordering::SeqCst) {
            // Cannot fail: the pipe is empty and its reading end is open.
            let _ = (&self.0.writer).write(&[1]);
        }
    }

    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::SeqCst)
    }

    /// Readable once cancelled.
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.0.reader.as_fd()
    }
}
