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
    over: bool,
}

impl Live {
    pub fn new(options: Options, writer: Writer, clock: Clock) -> Self {
        let live = Self::without_ticker(options, writer, clock);
        let shared = live.shared.clone();
        // Without a thread to be had, the frame is still redrawn at every event.
        let ticker =
            std::thread::Builder::new().name("osgraph-live".into()).spawn(move || tick(&shared)).ok();
        *live.ticker.lock().unwrap_or_else(PoisonError::into_inner) = ticker;
        live
    }

    fn without_ticker(options: Options, writer: Writer, clock: Clock) -> Self {
        let state = State {
            options,
            output: Output::new(writer),
            board: Board::default(),
            drawn: Vec::new(),
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
        state.draw(now, "");
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
        if let Some(mut line) = line {
            line.push('\n');
            state.draw(now, &line);
        } else if turn {
            state.draw(now, "");
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        {
            let mut state = self.shared.lock();
            state.over = true;
            let text = state.erase();
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
            Event::NodeStarted { .. } | Event::NodeProgressed { .. } | Event::NodeWaited { .. } => None,
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

    /// Writes `lines` for good and the frame below them, in one piece.
    fn draw(&mut self, now: Duration, lines: &str) {
        let shown = now >= PATIENCE && self.options.verbosity != Verbosity::Quiet && !self.over;
        let width = (self.options.width)();
        let frame = if shown { self.board.frame(now, width, self.options.palette) } else { Vec::new() };
        if lines.is_empty() && frame == self.drawn {
            return;
        }
        let mut text = self.erase();
        text.push_str(lines);
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
        format!("\r\x1b[{rows}A\x1b[J")
    }
}

#[cfg(test)]
mod tests;
