//! From options to the sink that shows a run.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::event::Sink;
use crate::report::colour::Palette;
use crate::report::github::Github;
use crate::report::gitlab::Gitlab;
use crate::report::live::Live;
use crate::report::output::Writer;
use crate::report::plain::Plain;
use crate::report::sections::Sections;
use crate::report::style::LogStyle;

/// How much of a run is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verbosity {
    /// Failures only.
    Quiet,
    /// What was done, and the output of what failed.
    #[default]
    Normal,
    /// Also fresh nodes and everything that recipes print.
    Verbose,
}

/// How a run is shown.
pub struct Options {
    pub style: LogStyle,
    pub palette: Palette,
    pub verbosity: Verbosity,
    /// Columns of the terminal, asked for at every redraw: windows are resized while nodes run.
    pub width: Box<dyn Fn() -> usize + Send>,
    /// Its rows, asked for in the same way.
    pub height: Box<dyn Fn() -> usize + Send>,
    /// Where the project lies in the repository that a CI machine looks at; see [`Github::project`].
    pub project: String,
}

/// The two clocks that a report looks at.
pub struct Clock {
    /// Since the run started; never goes back.
    pub elapsed: Box<dyn Fn() -> Duration + Send + Sync>,
    /// Seconds since 1970; for readers that want wall time, never compared.
    pub now: Box<dyn Fn() -> i64 + Send + Sync>,
}

impl Clock {
    /// The machine's clocks, for a run that began at `start`.
    pub fn since(start: Instant) -> Self {
        Self {
            elapsed: Box::new(move || start.elapsed()),
            now: Box::new(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs() as i64)),
        }
    }
}

/// The sink for people. For programs there is [`crate::report::json::Json`].
pub fn sink(options: Options, writer: Writer, clock: Clock) -> Box<dyn Sink> {
    match options.style {
        LogStyle::Live => Box::new(Live::new(options, writer, clock)),
        LogStyle::Plain => Box::new(Plain::new(options.palette, options.verbosity, writer, clock)),
        LogStyle::Github => Box::new(Sections::new(
            Github { project: options.project },
            options.palette,
            options.verbosity,
            writer,
            clock,
        )),
        LogStyle::Gitlab => {
            Box::new(Sections::new(Gitlab, options.palette, options.verbosity, writer, clock))
        }
    }
}
