//! One line that tells a person at a terminal that work goes on: for commands that answer only at
//! their end. Whoever is not at a terminal is not told.

use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::report::output::Writer;
use crate::report::text::shorten;

/// What ends sooner needs no line.
const PATIENCE: Duration = Duration::from_millis(600);

/// Between two redraws.
const TICK: Duration = Duration::from_millis(150);

/// Draws until it is dropped, and takes the line away then.
pub struct Meter {
    over: Arc<(Mutex<bool>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl Meter {
    /// Shows nothing.
    pub fn silent() -> Self {
        Self { over: Arc::default(), thread: None }
    }

    /// `line` is asked at every redraw; `width` gives the columns of the terminal.
    pub fn start(
        writer: Writer,
        width: impl Fn() -> usize + Send + 'static,
        line: impl Fn() -> String + Send + 'static,
    ) -> Self {
        let over: Arc<(Mutex<bool>, Condvar)> = Arc::default();
        let shared = over.clone();
        let thread = std::thread::Builder::new()
            .name("osgraph-meter".into())
            .spawn(move || draw(&shared, writer, &width, &line))
            .ok();
        Self { over, thread }
    }
}

fn draw(
    over: &(Mutex<bool>, Condvar),
    mut writer: Writer,
    width: &dyn Fn() -> usize,
    line: &dyn Fn() -> String,
) {
    let start = Instant::now();
    let mut drawn = String::new();
    let mut is_over = over.0.lock().unwrap_or_else(PoisonError::into_inner);
    while !*is_over {
        if start.elapsed() >= PATIENCE {
            let text = line();
            let text = shorten(&text, width().saturating_sub(1)).into_owned();
            if text != drawn {
                let _ = write!(writer, "\r\x1b[K{text}").and_then(|()| writer.flush());
                drawn = text;
            }
        }
        is_over = over.1.wait_timeout(is_over, TICK).unwrap_or_else(PoisonError::into_inner).0;
    }
    if !drawn.is_empty() {
        let _ = write!(writer, "\r\x1b[K").and_then(|()| writer.flush());
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        *self.over.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.over.1.notify_all();
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing left to draw.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::output::testing::Shared;

    #[test]
    fn long_work_is_shown_in_one_line_that_goes_away() {
        let written = Shared::default();
        let meter = Meter::start(Box::new(written.clone()), || 12, || "checking the store".into());
        let deadline = Instant::now() + Duration::from_secs(20);
        while written.text().is_empty() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        drop(meter);
        assert_eq!(written.text(), "\r\x1b[Kchecking t…\r\x1b[K");
    }

    #[test]
    fn short_work_is_not_shown() {
        let written = Shared::default();
        drop(Meter::start(Box::new(written.clone()), || 80, || "checking".into()));
        assert_eq!(written.text(), "");
    }
}
