//! Runs a job: prepares its place, then its programs one after another until one fails.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::cancel::Cancel;
use super::error::{HostError, shown};
use super::job::{Finished, Isolation, Job, Place};
use super::layout::Layout;
use super::namespace::{Capabilities, Namespace, capabilities, maskable};
use super::output::Output;
use super::place::{self, Folders};
use super::process::{Ended, Limits, Running, Start, Streams};
use super::program::{Environment, NO_HOME, environment, resolve_program};

/// Blocks until the job's programs, and everything they started in their process group, have
/// ended. `on_line` gets each line they print, without its end, as it comes.
///
/// On an error what was printed is in the log, and the scratch folder is left as it is.
pub fn run(job: &Job<'_>, on_line: &mut dyn FnMut(&str), cancel: &Cancel) -> Result<Finished, HostError> {
    run_with(capabilities, job, on_line, cancel)
}

/// [`run`] on a machine that can what `capabilities` says; asked only for a private place.
pub(super) fn run_with<'c>(
    capabilities: impl FnOnce() -> &'c Capabilities,
    job: &Job<'_>,
    on_line: &mut dyn FnMut(&str),
    cancel: &Cancel,
) -> Result<Finished, HostError> {
    let started = Instant::now();
    let deadline = job.timeout.and_then(|timeout| started.checked_add(timeout));
    let limits = Limits { deadline, grace: job.grace, cancel };
    let stage = Stage::prepare(capabilities, job, cancel)?;
    let mut output = Output::new(&job.redact, &job.log, on_line);
    for argv in job.runs {
        if cancel.is_cancelled() {
            return Err(HostError::Cancelled);
        }
        let ended = stage.run(job, argv, &limits, &mut output)?;
        judge(ended, argv, job.timeout)?;
    }
    if let Some(folders) = &stage.folders {
        folders.hide_shown();
    }
    Ok(Finished {
        isolation: stage.isolation,
        printed: output.printed(),
        work: stage.work,
        duration: started.elapsed(),
    })
}

fn judge(ended: Ended, argv: &[String], timeout: Option<Duration>) -> Result<(), HostError> {
    let command = || shown(argv);
    match ended {
        Ended::Exited(0) => Ok(()),
        Ended::Exited(code) => Err(HostError::Failed { command: command(), code }),
        Ended::Signalled(signal) => Err(HostError::Signalled { command: command(), signal }),
        Ended::TimedOut => {
            Err(HostError::TimedOut { command: command(), limit: timeout.unwrap_or_default() })
        }
        Ended::Cancelled => Err(HostError::Cancelled),
    }
}

/// A prepared place.
struct Stage {
    isolation: Isolation,
    /// As seen from outside.
    work: PathBuf,
    environment: Environment,
    folders: Option<Folders>,
    namespace: Option<Namespace>,
    /// Folders of which a program inside sees nothing.
    hidden: Vec<PathBuf>,
}

impl Stage {
    fn prepare<'c>(
        capabilities: impl FnOnce() -> &'c Capabilities,
        job: &Job<'_>,
        cancel: &Cancel,
    ) -> Result<Self, HostError> {
        let environment = |home: &Path, tmpdir: &Path| environment(&job.path, home, tmpdir, &job.env);
        let (scratch, mounts, outputs, masks, copies) = match &job.place {
            Place::InPlace { root } => {
                return Ok(Self {
                    isolation: Isolation::InPlace,
                    work: root.to_path_buf(),
                    environment: environment(Path::new(NO_HOME), Path::new("/tmp")),
                    folders: None,
                    namespace: None,
                    hidden: Vec::new(),
                });
            }
            Place::Private { scratch, mounts, outputs, masks, copies } => {
                (scratch, mounts, outputs, masks, copies)
            }
        };
        let mut folders = Folders::make(scratch, &Layout::new(mounts, outputs)?)?;
        let flavor = if *copies { None } else { capabilities().namespaces.as_ref().ok().copied() };
        if let Some(flavor) = flavor {
            let mut hidden = maskable(masks);
            hidden.push(PathBuf::from("/tmp"));
            return Ok(Self {
                isolation: Isolation::Namespace,
                work: folders.work(),
                environment: environment(Path::new(place::HOME), Path::new(place::TMPDIR)),
                namespace: Some(Namespace::new(flavor, &folders, masks)?),
                folders: Some(folders),
                hidden,
            });
        }
        folders.copy_shown(cancel)?;
        Ok(Self {
            isolation: Isolation::Copies,
            work: folders.work(),
            environment: environment(&folders.home(), &folders.tmpdir()),
            folders: Some(folders),
            namespace: None,
            hidden: Vec::new(),
        })
    }

    fn run(
        &self,
        job: &Job<'_>,
        argv: &[String],
        limits: &Limits<'_>,
        output: &mut Output<'_>,
    ) -> Result<Ended, HostError> {
        let program = self.program(argv)?;
        let start = match &self.namespace {
            Some(namespace) => Start::Namespace(namespace),
            None => Start::Folder(&self.work),
        };
        let stdin = job.stdin.as_ref();
        let env = &self.environment;
        let mut running = Running::start(&program, argv, env, start, stdin, Streams::Together, job.no_shell)?;
        let ended = running.watch(limits, &mut |_, bytes| output.feed(bytes));
        // Also when it failed: the last line says why.
        output.finish()?;
        ended
    }

    /// What to execute. A name with a slash is taken as it is, from the work folder, where an
    /// earlier program may just have made it.
    fn program(&self, argv: &[String]) -> Result<PathBuf, HostError> {
        let name = argv.first().ok_or(HostError::NoProgram)?;
        if name.contains('/') && !name.starts_with('/') {
            return Ok(if self.namespace.is_some() { PathBuf::from(name) } else { self.work.join(name) });
        }
        if self.namespace.is_some() && Path::new(name).starts_with(place::WORK) {
            return Ok(PathBuf::from(name));
        }
        let path = self.environment.get(OsStr::new("PATH")).map(|path| path.as_os_str()).unwrap_or_default();
        let program =
            resolve_program(name, path).ok_or_else(|| HostError::NotFound { program: name.clone() })?;
        let real = if self.hidden.is_empty() { None } else { program.canonicalize().ok() };
        let hidden = self.hidden.iter().find(|hidden| {
            program.starts_with(hidden) || real.as_ref().is_some_and(|real| real.starts_with(hidden))
        });
        match hidden {
            Some(hidden) => Err(HostError::Hidden { program: name.clone(), hidden: hidden.clone() }),
            None => Ok(program),
        }
    }
}
