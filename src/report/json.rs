//! What programs read: a command's answer as one JSON object, a run's events as one a line.
//!
//! ```text
//! {"v":1,"time_ms":12,"event":"node_finished","node":"embed",…}
//! ```
//! `v` is [`VERSION`]: it changes when a field's meaning does. Readers ignore fields and events
//! that they do not know. `time_ms` counts from the start of the run.

use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::event::{Event, Sink, VERSION};
use crate::report::output::{Output, Writer};
use crate::report::sink::Clock;

/// Writes every event, whatever the verbosity.
pub struct Json {
    output: Mutex<Output>,
    clock: Clock,
}

#[derive(Serialize)]
struct Line<'a> {
    v: u32,
    time_ms: u64,
    #[serde(flatten)]
    event: &'a Event,
}

/// `{"v":1,…}`: an answer with its version, one line.
pub fn answer<T: Serialize>(answer: &T) -> String {
    #[derive(Serialize)]
    struct Answer<'a, T> {
        v: u32,
        #[serde(flatten)]
        answer: &'a T,
    }
    // No map with keys that are not text, the only thing that JSON refuses.
    serde_json::to_string(&Answer { v: VERSION, answer }).unwrap_or_default() + "\n"
}

impl Json {
    pub fn new(writer: Writer, clock: Clock) -> Self {
        Self { output: Mutex::new(Output::new(writer)), clock }
    }
}

impl Sink for Json {
    fn emit(&self, event: Event) {
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        let time_ms = (self.clock.elapsed)().as_millis() as u64;
        // Events hold no map with keys that are not text, the only thing that JSON refuses.
        if let Ok(mut line) = serde_json::to_string(&Line { v: VERSION, time_ms, event: &event }) {
            line.push('\n');
            output.write(&line);
        }
    }
}

#[cfg(test)]
mod tests;
