//! What can go wrong with a host recipe, and what mends it.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why a job did not finish.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    #[error("program `{program}` was not found")]
    NotFound { program: String },
    #[error("program `{program}` lies in `{}`, which a private recipe does not see", hidden.display())]
    Hidden { program: String, hidden: PathBuf },
    #[error("`{command}` cannot be started")]
    Start { command: String, source: io::Error },
    #[error("a `run` names no program")]
    NoProgram,
    #[error("`{command}` ended with exit code {code}")]
    Failed { command: String, code: i32 },
    #[error("`{command}` was ended by signal {signal}{}", signal_name(*.signal))]
    Signalled { command: String, signal: i32 },
    #[error("`{command}` was still running after {}", humantime::format_duration(*.limit))]
    TimedOut { command: String, limit: Duration },
    #[error("cancelled")]
    Cancelled,
    #[error("cannot {step}")]
    Setup { step: String, source: io::Error },
    #[error("{0}")]
    Layout(String),
    #[error("cannot write the log `{}`", path.display())]
    Log { path: PathBuf, source: io::Error },
    #[error("`{command}` ended with exit code {code} instead of identifying itself{}", quoted(printed))]
    Unidentified { command: String, code: i32, printed: String },
}

impl HostError {
    /// Something the machine lacks, rather than something that went wrong.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::NotFound { .. } | Self::Hidden { .. })
    }

    /// The kernel knows no way to run the file: it is for another machine, or no program at all.
    pub fn is_no_program(&self) -> bool {
        matches!(self, Self::Start { source, .. } if source.raw_os_error() == Some(libc::ENOEXEC))
    }

    /// What mends it, where that is known.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::NotFound { program } if program.contains('/') => {
                format!("`{program}` is looked up in the work folder: declare it as an input, and check its `#!` line")
            }
            Self::NotFound { program } => format!("install `{program}`, or add its folder to PATH"),
            Self::Hidden { .. } => {
                "declare it as an input and run it by its relative path, or run the recipe in place with `isolate=#false`"
                    .to_owned()
            }
            Self::Start { source, .. } => match source.raw_os_error() {
                Some(libc::ENOEXEC) => "a script without a `#!` line is started through its interpreter: `run \"sh\" …`".to_owned(),
                Some(libc::EACCES) => "make it executable: `chmod +x`".to_owned(),
                _ => return None,
            },
            Self::TimedOut { .. } => "raise the node's `timeout`, or find out what it waits for".to_owned(),
            Self::Signalled { signal: libc::SIGKILL, .. } => {
                "signal 9 comes from outside; often the machine ran out of memory".to_owned()
            }
            Self::Setup { .. } => {
                "set OSGRAPH_ISOLATION=copy to do without namespaces, or `isolate=#false` to run in place".to_owned()
            }
            Self::Log { .. } => "check the space left and the permissions of the store".to_owned(),
            Self::Unidentified { .. } => "correct the tool's `identify` command".to_owned(),
            Self::NoProgram | Self::Failed { .. } | Self::Signalled { .. } | Self::Cancelled | Self::Layout(_) => {
                return None;
            }
        })
    }

    pub(super) fn setup(step: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let step = step.into();
        move |source| Self::Setup { step, source }
    }
}

fn signal_name(signal: i32) -> &'static str {
    match signal {
        libc::SIGABRT => " (abort)",
        libc::SIGBUS => " (bus error)",
        libc::SIGFPE => " (arithmetic error)",
        libc::SIGHUP => " (hang-up)",
        libc::SIGILL => " (illegal instruction)",
        libc::SIGINT => " (interrupt)",
        libc::SIGKILL => " (kill)",
        libc::SIGPIPE => " (broken pipe)",
        libc::SIGSEGV => " (segmentation fault)",
        libc::SIGTERM => " (terminate)",
        _ => "",
    }
}

fn quoted(printed: &str) -> String {
    printed.lines().last().map(|line| format!(": {line}")).unwrap_or_default()
}

/// A command as one would type it, for messages; long ones are cut.
pub fn shown(argv: &[String]) -> String {
    const LONGEST: usize = 200;
    let mut text = String::new();
    for arg in argv {
        if !text.is_empty() {
            text.push(' ');
        }
        let plain = !arg.is_empty() && arg.chars().all(|c| c.is_alphanumeric() || "-_./=:,+@%".contains(c));
        if plain {
            text.push_str(arg);
        } else {
            text.push('\'');
            text.push_str(&arg.replace('\'', "'\\''").replace('\n', "\\n"));
            text.push('\'');
        }
    }
    if text.chars().count() > LONGEST {
        text = text.chars().take(LONGEST - 1).chain(['…']).collect();
    }
    text
}
