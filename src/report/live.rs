//! A run on a terminal: finished nodes stay as lines, running ones are redrawn below them.
//!
//! The part that is redrawn ("the frame") is a pure function of the state, the time and the width
//! (`frame`). The cursor rests on the line below the frame and is never hidden, so a killed
//! osgraph leaves nothing behind that a shell prompt would not overwrite.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::event::{Event, Sink};
use crate::record::Outcome;
use crate::report::lines;
use crate::report::live::frame::{Board, Line};
use crate::report::output::{Output, Writer};
use crate::report::plain;
use crate::report::sink::{Clock, Options, Verbosity};

mod frame;

/// A run that ends sooner shows its results and no frame: flicker tells nobody anything.
const PATIENCE: Duration = Duration::from_millis(200);

/// Between two redraws.
const TICK: Duration = Duration::from_millis(100);

/// Lines that come sooner after a redraw wait for the next tick: of ten thousand nodes that end within a
/// second, each would have the frame written anew.
const PAUSE: Duration = Duration::from_millis(50);

/// Draws a run. Dropping it takes the frame away.
pub struct Live {
    shared: Arc<Shared>,
    ticker: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    state: Mutex<State>,
    /// Told when `State::over` becomes true.
    ended: Condvar,
    clock: Clock,
}

struct State {
    options: Options,
    output: Output,
    board: Board,
    /// The frame on the screen.
    drawn: Vec<Line>,
    /// Lines that are to stay, and are not written yet.
    waiting: String,
    /// When something was written last.
    written: Option<Duration>,
    /// Whether there is a ticker, so that waiting comes to an end.
    is_ticking: bool,
    over: bool,
}

impl Live {
    pub fn new(options: Options, writer: Writer, clock: Clock) -> Self {
        let live = Self::without_ticker(options, writer, clock);
        let shared = live.shared.clone();
        // Without a thread to be had, the frame is still redrawn at every event.
        let ticker =
            std::thread::Builder::new().name("osgraph-live".into()).spawn(move || tick(&shared)).ok();
        live.shared.lock().is_ticking = ticker.is_some();
        *live.ticker.lock().unwrap_or_else(PoisonError::into_inner) = ticker;
        live
    }

    fn without_ticker(options: Options, writer: Writer, clock: Clock) -> Self {
        let state = State {
            options,
            output: Output::new(writer),
            board: Board::default(),
            drawn: Vec::new(),
            waiting: String::new(),
            written: None,
            is_ticking: false,
            over: false,
        };
        let shared = Shared { state: Mutex::new(state), ended: Condvar::new(), clock };
        Self { shared: Arc::new(shared), ticker: Mutex::new(None) }
    }
}

fn tick(shared: &Shared) {
    let mut state = shared.lock();
    while !state.over {
        let now = (shared.clock.elapsed)();
        state.board.turn();
        state.draw(now);
        state = shared.ended.wait_timeout(state, TICK).unwrap_or_else(PoisonError::into_inner).0;
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for Live {
    fn emit(&self, event: Event) {
        let now = (self.shared.clock.elapsed)();
        let mut state = self.shared.lock();
        let line = state.line(&event);
        let turn = matches!(event, Event::Planned { .. } | Event::RunFinished { .. });
        state.board.take(event, now);
        // Output and fresh nodes come by the thousand: what only changes the frame waits for the
        // next tick.
        if let Some(line) = line {
            state.waiting.push_str(&line);
            state.waiting.push('\n');
            let soon = state.written.is_some_and(|at| now.saturating_sub(at) < PAUSE);
            if !(soon && state.is_ticking) || turn {
                state.draw(now);
            }
        } else if turn {
            state.draw(now);
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        {
            let mut state = self.shared.lock();
            state.over = true;
            let mut text = state.erase();
            text.push_str(&std::mem::take(&mut state.waiting));
            state.output.write(&text);
        }
        self.shared.ended.notify_all();
        if let Some(ticker) = self.ticker.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // A ticker that panicked has nothing left to draw.
            let _ = ticker.join();
        }
    }
}

impl State {
    /// The line that stays for this event. A node's cause stands where it ends: while it runs, its
    /// row shows it.
    fn line(&self, event: &Event) -> Option<String> {
        let (palette, verbosity) = (self.options.palette, self.options.verbosity);
        match event {
            Event::NodeStarted { .. }
            | Event::NodeProgressed { .. }
            | Event::BuildAdvanced { .. }
            | Event::NodeWaited { .. } => None,
            Event::NodeFinished {
                node,
                outcome: outcome @ (Outcome::Ran | Outcome::Restored),
                duration,
                same_artifact,
            } if verbosity != Verbosity::Quiet => {
                let cause = self.board.cause(node);
                Some(lines::finished(palette, node, *outcome, *duration, *same_artifact, cause))
            }
            _ => plain::line(event, palette, verbosity),
        }
    }

    /// Writes the lines that wait for good and the frame below them, in one piece.
    fn draw(&mut self, now: Duration) {
        let shown = now >= PATIENCE && self.options.verbosity != Verbosity::Quiet && !self.over;
        let size = ((self.options.width)(), (self.options.height)());
        let frame = if shown { self.board.frame(now, size, self.options.palette) } else { Vec::new() };
        if self.waiting.is_empty() && frame == self.drawn {
            return;
        }
        self.written = Some(now);
        let mut text = self.erase();
        text.push_str(&std::mem::take(&mut self.waiting));
        for line in &frame {
            text.push_str(&line.text);
            text.push('\n');
        }
        self.drawn = frame;
        self.output.write(&text);
    }

    /// What takes the frame away and leaves the cursor at its first line.
    fn erase(&mut self) -> String {
        if self.drawn.is_empty() {
            return String::new();
        }
        // In a window that became narrower, the terminal has wrapped the lines.
        let width = (self.options.width)().max(1);
        let rows: usize = self.drawn.drain(..).map(|line| line.columns.div_ceil(width).max(1)).sum();
        // What was scrolled out of a window that became lower cannot be reached any more.
        let rows = rows.min((self.options.height)().saturating_sub(1).max(1));
        format!("\r\x1b[{rows}A\x1b[J")
    }
}

#[cfg(test)]
mod tests;
