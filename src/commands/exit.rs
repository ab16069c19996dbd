//! The codes that osgraph ends with: a contract with scripts and CI machines.

use std::process::{ExitCode, Termination};

/// How osgraph ended. The numbers never change their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Done, or nothing had to be done. Help that was asked for is an answer too.
    Done = 0,
    /// A node failed: its recipe, its gate, or what it was to yield.
    NodeFailed = 1,
    /// The pipeline file or the command line is wrong. Nothing was run.
    Usage = 2,
    /// Something that the run needs is not there: a container engine, a source, a tool.
    Missing = 3,
    /// An expectation was not met: `--expect-fresh`, `--budget`.
    Expectation = 4,
    /// osgraph's own fault: input or output, or a mistake in it.
    Internal = 5,
    /// Interrupted by SIGINT, as with Ctrl-C.
    Interrupted = 130,
    /// Ended by SIGTERM.
    Terminated = 143,
}

impl Exit {
    pub const ALL: [Self; 8] = [
        Self::Done,
        Self::NodeFailed,
        Self::Usage,
        Self::Missing,
        Self::Expectation,
        Self::Internal,
        Self::Interrupted,
        Self::Terminated,
    ];

    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Of several failures, as with `--keep-going`: the lowest code that is not zero.
    pub fn of_all(ends: impl IntoIterator<Item = Self>) -> Self {
        ends.into_iter().filter(|end| *end != Self::Done).min().unwrap_or(Self::Done)
    }

    /// One line for the reference.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done, or nothing had to be done",
            Self::NodeFailed => "a node failed",
            Self::Usage => "the pipeline or the command line is wrong",
            Self::Missing => "something the run needs is not there: engine, source, tool",
            Self::Expectation => "an expectation was not met: `--expect-fresh`, `--budget`",
            Self::Internal => "osgraph's own fault: input/output, internal",
            Self::Interrupted => "interrupted (SIGINT)",
            Self::Terminated => "ended (SIGTERM)",
        }
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_fixed() {
        assert_eq!(Exit::ALL.map(Exit::code), [0, 1, 2, 3, 4, 5, 130, 143]);
    }

    #[test]
    fn the_lowest_failure_wins() {
        assert_eq!(Exit::of_all([]), Exit::Done);
        assert_eq!(Exit::of_all([Exit::Done, Exit::Missing, Exit::NodeFailed]), Exit::NodeFailed);
        assert_eq!(Exit::of_all([Exit::Interrupted, Exit::Done]), Exit::Interrupted);
    }
}
