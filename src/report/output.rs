//! The writer behind every sink: whole lines, and silence once nobody reads them.

use std::io::Write;

/// Where a sink writes.
pub type Writer = Box<dyn Write + Send>;

/// Writes until the first error. `osgraph run | head` closes the pipe while nodes still run:
/// that is no reason to stop them, and an error about it would have nowhere to go.
pub struct Output {
    writer: Writer,
    closed: bool,
}

impl Output {
    pub fn new(writer: Writer) -> Self {
        Self { writer, closed: false }
    }

    /// Writes `text` in one piece, so that lines of other processes do not get in between.
    pub fn write(&mut self, text: &str) {
        if self.closed || text.is_empty() {
            return;
        }
        let done = self.writer.write_all(text.as_bytes()).and_then(|()| self.writer.flush());
        self.closed = done.is_err();
    }
}

#[cfg(test)]
pub mod testing {
    //! A writer whose bytes can be read back while a sink owns it.

    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    pub struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Shared {
        pub fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }

        /// What was written since the last call.
        pub fn take(&self) -> String {
            String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
        }
    }

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    struct Closed(Arc<AtomicUsize>);

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_closed_pipe_is_tried_once() {
        let tries = Arc::new(AtomicUsize::new(0));
        let mut output = Output::new(Box::new(Closed(tries.clone())));
        output.write("a\n");
        output.write("b\n");
        assert_eq!(tries.load(Ordering::Relaxed), 1);
    }
}
