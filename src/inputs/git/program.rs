//! The `git` program and the two environments it runs in.
//!
//! Knows how to start git and how to read its failure; nothing of what is asked.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::GitError;

/// Which git to run, and for whom.
#[derive(Clone, Debug)]
pub struct GitProgram {
    /// A path, or a bare name that is looked up in `search_path`.
    pub program: PathBuf,
    /// The `PATH` that git gets: it starts parts of itself from there.
    pub search_path: OsString,
    pub user: User,
}

/// Where the user's own git configuration lies. Never looked at for content.
#[derive(Clone, Debug, Default)]
pub struct User {
    /// `HOME`
    pub home: Option<PathBuf>,
    /// `XDG_CONFIG_HOME`
    pub config_home: Option<PathBuf>,
}

/// Settings that change what an archive holds, pinned over those of the repository. Given on
/// the command line, because `safe.directory` only counts there or in files of the user.
const PINNED: &[&str] = &[
    "safe.directory=*",
    "core.attributesFile=/dev/null",
    "core.autocrlf=false",
    "core.eol=lf",
    "core.safecrlf=false",
    "core.bigFileThreshold=512m",
    "core.quotePath=true",
    "core.useReplaceRefs=false",
    "core.fsmonitor=false",
    "tar.umask=0022",
    "log.showSignature=false",
    "log.date=default",
    "mailmap.file=/dev/null",
    "mailmap.blob=",
    "i18n.logOutputEncoding=UTF-8",
    "grep.lineNumber=false",
    "grep.column=false",
    "submodule.recurse=false",
];

impl GitProgram {
    /// Git in `folder` for a question about content: no configuration but the repository's, and
    /// of that nothing that could change an archive.
    pub(super) fn neutral(&self, folder: &Path) -> Command {
        let mut command = self.start(folder);
        command
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_ATTR_NOSYSTEM", "1")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .env("HOME", "/nonexistent");
        for setting in PINNED {
            command.args(["-c", setting]);
        }
        command
    }

    /// Git in `folder` for a question that the user's configuration has a say in.
    pub(super) fn personal(&self, folder: &Path) -> Command {
        let mut command = self.start(folder);
        if let Some(home) = &self.user.home {
            command.env("HOME", home);
        }
        if let Some(config_home) = &self.user.config_home {
            command.env("XDG_CONFIG_HOME", config_home);
        }
        // A file system monitor would start a daemon that outlives us.
        command.args(["-c", "safe.directory=*", "-c", "core.fsmonitor=false"]);
        command
    }

    fn start(&self, folder: &Path) -> Command {
        #[expect(clippy::disallowed_methods, reason = "an owner of processes")]
        let mut command = Command::new(&self.program);
        command
            .env_clear()
            .env("PATH", &self.search_path)
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_DISCOVERY_ACROSS_FILESYSTEM", "1")
            .env("GIT_LITERAL_PATHSPECS", "0")
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs `command` to its end, whatever its exit code.
    pub(super) fn output(&self, command: &mut Command) -> Result<Output, GitError> {
        command.output().map_err(|source| self.not_started(source))
    }

    /// Runs `command` and takes its output, or its failure.
    pub(super) fn answer(&self, command: &mut Command, folder: &Path) -> Result<Vec<u8>, GitError> {
        let output = self.output(command)?;
        if output.status.success() { Ok(output.stdout) } else { Err(failed(command, folder, &output.stderr)) }
    }

    pub(super) fn not_started(&self, source: std::io::Error) -> GitError {
        GitError::Program { program: self.program.clone(), source }
    }
}

/// The failure of `command`, in git's own last words.
pub(super) fn failed(command: &Command, folder: &Path, stderr: &[u8]) -> GitError {
    let mut words = command.get_args().map(|word| word.to_string_lossy());
    let mut subcommand = String::new();
    while let Some(word) = words.next() {
        if word == "-c" {
            words.next();
        } else {
            subcommand = word.into_owned();
            break;
        }
    }
    let text = String::from_utf8_lossy(stderr);
    let line = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
    let detail = line.trim().trim_start_matches("fatal: ").to_owned();
    GitError::Failed { path: folder.to_owned(), command: subcommand, detail }
}
