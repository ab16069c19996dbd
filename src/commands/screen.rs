//! The terminal that a command speaks to: what it can show, and where answers and progress go.
//!
//! Answers go to standard output, progress and errors to standard error.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::Instant;

use crate::commands::args::{Cli, Format, General};
use crate::commands::fault::Fault;
use crate::commands::ground::environment;
use crate::event::{Event, Sink};
use crate::report::diagnostics::{Reader, render, render_error};
use crate::report::meter::Meter;
use crate::report::summary::Summary;
use crate::report::{self, Clock, ColourFacts, LogStyle, Options, Palette, StyleFacts, terminal};

pub struct Screen {
    pub format: Format,
    verbosity: report::Verbosity,
    /// Of standard output.
    pub palette: Palette,
    errors: Palette,
    start: Instant,
}

impl Screen {
    pub fn of(cli: &Cli, start: Instant) -> Self {
        Self::new(&cli.general, start)
    }

    fn new(general: &General, start: Instant) -> Self {
        let term = environment("TERM");
        let no_color = environment("NO_COLOR");
        let force = environment("CLICOLOR_FORCE");
        let palette = |is_terminal| {
            general.color.palette(ColourFacts {
                is_terminal,
                no_color: no_color.as_deref(),
                clicolor_force: force.as_deref(),
                term: term.as_deref(),
            })
        };
        Self {
            format: general.format(),
            verbosity: general.verbosity(),
            palette: palette(std::io::stdout().is_terminal()),
            errors: palette(std::io::stderr().is_terminal()),
            start,
        }
    }

    /// The same, for work that is to say nothing unless it fails.
    pub fn muted(&self) -> Self {
        Self {
            format: Format::Text,
            verbosity: report::Verbosity::Quiet,
            palette: self.palette,
            errors: self.errors,
            start: self.start,
        }
    }

    pub fn is_quiet(&self) -> bool {
        self.verbosity == report::Verbosity::Quiet
    }

    pub fn is_verbose(&self) -> bool {
        self.verbosity == report::Verbosity::Verbose
    }

    /// Shows a person at a terminal that something goes on, until it is dropped.
    pub fn meter(&self, line: impl Fn() -> String + Send + 'static) -> Meter {
        let can_redraw = environment("TERM").as_deref() != Some("dumb") && environment("CI").is_none();
        if self.format == Format::Json || self.is_quiet() || !std::io::stderr().is_terminal() || !can_redraw {
            return Meter::silent();
        }
        let width = || terminal::width(std::io::stderr()).unwrap_or(terminal::DEFAULT_WIDTH);
        Meter::start(Box::new(std::io::stderr()), width, line)
    }

    /// Writes an answer to standard output. A reader that has gone away is no error.
    pub fn answer(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    /// Writes a remark to standard error.
    pub fn remark(&self, text: &str) {
        let mut out = std::io::stderr().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    /// Columns of the terminal that answers go to; none where they go elsewhere, to be read by a program.
    pub fn columns(&self) -> Option<usize> {
        let out = std::io::stdout();
        out.is_terminal().then(|| terminal::width(out)).flatten()
    }

    pub fn width(&self) -> usize {
        terminal::width(std::io::stderr()).unwrap_or(terminal::DEFAULT_WIDTH)
    }

    /// Where a run's events go. `project` is its folder.
    pub fn sink(&self, asked: Option<LogStyle>, project: &Path) -> Box<dyn Sink> {
        match step_summary() {
            Some(summary) => Box::new(Both(self.shown(asked, project), summary)),
            None => self.shown(asked, project),
        }
    }

    fn shown(&self, asked: Option<LogStyle>, project: &Path) -> Box<dyn Sink> {
        let clock = Clock::since(self.start);
        if self.format == Format::Json {
            return Box::new(report::json::Json::new(Box::new(std::io::stdout()), clock));
        }
        let (term, github, gitlab, ci) =
            (environment("TERM"), environment("GITHUB_ACTIONS"), environment("GITLAB_CI"), environment("CI"));
        let style = LogStyle::choose(
            asked,
            StyleFacts {
                is_terminal: std::io::stderr().is_terminal(),
                term: term.as_deref(),
                github_actions: github.as_deref(),
                gitlab_ci: gitlab.as_deref(),
                ci: ci.as_deref(),
            },
        );
        let options = Options {
            style,
            palette: self.errors,
            verbosity: self.verbosity,
            width: Box::new(|| terminal::width(std::io::stderr()).unwrap_or(terminal::DEFAULT_WIDTH)),
            height: Box::new(|| terminal::height(std::io::stderr()).unwrap_or(terminal::DEFAULT_HEIGHT)),
            project: in_workspace(project),
        };
        report::sink(options, Box::new(std::io::stderr()), clock)
    }

    /// Shows how a command ended badly.
    pub fn fault(&self, fault: &Fault) {
        let reader = Reader {
            is_terminal: std::io::stderr().is_terminal(),
            palette: self.errors,
            width: self.width(),
        };
        let text = match fault {
            Fault::Pipeline(diagnostics) => render(&**diagnostics, reader),
            Fault::Inputs(inputs) => render(&inputs.report, reader),
            other => render_error(other, other.help().as_deref(), reader),
        };
        self.remark(&text);
        if environment("GITHUB_ACTIONS").is_some() && self.format == Format::Text {
            match fault {
                Fault::Pipeline(found) => self.remark(&report::github::annotations(&**found)),
                Fault::Inputs(found) => self.remark(&report::github::annotations(&found.report)),
                _ => {}
            }
        }
    }
}

/// Two readers of one stream.
struct Both(Box<dyn Sink>, Summary);

impl Sink for Both {
    fn emit(&self, event: Event) {
        self.1.emit(event.clone());
        self.0.emit(event);
    }
}

/// What GitHub takes of one step; a page that is longer is not shown at all.
const STEP_SUMMARY: u64 = 1 << 20;

/// The page that GitHub Actions shows of a step, behind what others wrote to it.
pub fn step_summary() -> Option<Summary> {
    environment("GITHUB_ACTIONS").filter(|value| value == "true")?;
    let path = environment("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty())?;
    // A page that cannot be written is missed by whoever looks for it; the run goes on.
    let file = std::fs::OpenOptions::new().append(true).create(true).open(path).ok()?;
    let budget = STEP_SUMMARY.saturating_sub(file.metadata().ok()?.len());
    Some(Summary::new(Box::new(file), budget as usize))
}

/// Where the project lies in the repository that GitHub Actions checked out; empty where it does not.
fn in_workspace(project: &Path) -> String {
    let workspace = environment("GITHUB_WORKSPACE").and_then(|path| std::fs::canonicalize(path).ok());
    let below = workspace.as_ref().and_then(|workspace| project.strip_prefix(workspace).ok());
    below.map(|path| path.display().to_string()).unwrap_or_default()
}

/// Seconds since 1970.
pub fn now() -> i64 {
    rustix::time::clock_gettime(rustix::time::ClockId::Realtime).tv_sec
}
