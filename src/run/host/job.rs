//! What to run and where: the executor's request and its answer. Plain data.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::path::RelPath;

/// One recipe's programs and everything they need.
#[derive(Debug)]
pub struct Job<'a> {
    /// Programs with their arguments, run one after another until one fails.
    pub runs: &'a [Vec<String>],
    /// The declared environment with passed names and secrets resolved. It wins over the fixed
    /// one (`PATH`, `HOME`, `TMPDIR`, `TZ`, `LANG`); a later entry over an earlier one.
    pub env: Vec<(String, String)>,
    /// Secret values, replaced by `***` in all captured output.
    pub redact: Vec<String>,
    pub place: Place<'a>,
    /// For all runs together, preparation included.
    pub timeout: Option<Duration>,
    /// Between asking a cancelled or late process group to end and killing it.
    pub grace: Duration,
    /// `PATH` inside, and where programs are looked up.
    pub path: OsString,
    /// Standard input of every program, `/dev/null` where absent. A lease file given here stays
    /// locked for as long as any of the programs lives.
    pub stdin: Option<File>,
    /// Whether programs are started by the kernel or not at all. Otherwise a shell may be given a
    /// file that the kernel refuses, to be read as a script.
    pub no_shell: bool,
    /// Takes the captured lines. Created, or truncated, only when something is printed.
    pub log: PathBuf,
}

impl Job<'_> {
    /// The usual [`Job::grace`].
    pub const GRACE: Duration = Duration::from_secs(5);
}

/// Where a job runs.
#[derive(Debug)]
pub enum Place<'a> {
    /// In the project itself. The environment is fixed all the same: `HOME` is `/nonexistent`
    /// and `TMPDIR` is `/tmp` unless declared.
    InPlace { root: &'a Path },
    /// In a work folder of its own that holds only what is mounted. Inside it is
    /// `/tmp/osgraph/work`, beside an empty `HOME` and `TMPDIR`; all three are writable.
    Private {
        /// An existing empty folder, on the file system where outputs are wanted.
        scratch: &'a Path,
        mounts: Vec<Mount>,
        /// What the recipe makes, relative to the work folder. The folders they stand in are
        /// made and are writable even inside a mounted folder, and an earlier output standing
        /// at such a path in a mounted folder is not shown.
        outputs: Vec<RelPath>,
        /// Folders that shall look empty: the project, the store. Programs must not live there.
        masks: Vec<PathBuf>,
        /// Copies even where a namespace could be had.
        copies: bool,
    },
}

/// A declared input at its place in the work folder. One below another wins over its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    pub at: RelPath,
    pub from: MountSource,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MountSource {
    /// Shown read-only in a namespace; copied, and so writable, elsewhere. A folder that holds
    /// another mount or an output is opened up: itself new and writable, its entries shown.
    Folder {
        path: PathBuf,
    },
    /// Copied (cloned where the file system can), mode 755 or 644, its modification time kept.
    File {
        path: PathBuf,
        executable: bool,
    },
    EmptyFolder,
    /// A symlink with this target.
    Link {
        target: PathBuf,
    },
}

/// How a job was kept from what it did not declare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// Fixed paths, project and store masked.
    Namespace,
    /// A folder of copies at a path of its own; nothing masked.
    Copies,
    InPlace,
}

impl Isolation {
    /// For the log.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Namespace => "isolated in a mount namespace",
            Self::Copies => "isolated in a folder of copies",
            Self::InPlace => "not isolated",
        }
    }
}

/// All programs ended with exit code 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    pub isolation: Isolation,
    /// Bytes written to the log; 0 means that it was not created.
    pub printed: u64,
    /// Where the outputs are now, as seen from outside.
    pub work: PathBuf,
    /// Wall time, preparation included.
    pub duration: Duration,
}
