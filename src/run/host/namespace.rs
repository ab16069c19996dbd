//! A private view of the file system for one program, on Linux: a mount namespace that is
//! prepared between fork and exec, and that dies with its processes.
//!
//! Everything is spelled out beforehand as a list of steps, so that the forked child only makes
//! system calls. Root needs a mount namespace alone; everybody else gets it inside a user
//! namespace that maps them to themselves. Knows places, not what they hold.

use std::ffi::{CStr, CString};
use std::fmt;
use std::io::{self, PipeReader, PipeWriter, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};

use rustix::fs::{Mode, OFlags};
use rustix::mount::{MountPropagationFlags, mount_bind_recursive, mount_change};
use rustix::thread::{UnshareFlags, unshare_unsafe};

use super::error::HostError;
use super::place::{Folders, WORK};

/// What this machine lets the executor do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// How a mount namespace is had, or why there is none.
    pub namespaces: Result<Flavor, String>,
}

/// How a mount namespace is had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavor {
    /// Directly, by a caller who may mount.
    Mount,
    /// Inside a user namespace.
    User,
}

/// Tried once per process, by making a namespace and mounting in it.
pub fn capabilities() -> &'static Capabilities {
    static TRIED: OnceLock<Capabilities> = OnceLock::new();
    TRIED.get_or_init(|| {
        let namespaces = attempt(Flavor::Mount)
            .or_else(|_| attempt(Flavor::User).map_err(|(step, error)| format!("cannot {step}: {error}")));
        Capabilities { namespaces }
    })
}

/// The steps into one job's namespace; used once for each of its programs.
#[derive(Debug)]
pub(super) struct Namespace {
    steps: Arc<[Step]>,
}

impl Namespace {
    /// `masks` that lie in `/tmp` are hidden with it, and those around `/tmp` cannot be masked;
    /// both are left out, as are those that do not exist.
    pub fn new(flavor: Flavor, folders: &Folders, masks: &[PathBuf]) -> Result<Self, HostError> {
        let mut steps = entry(flavor);
        // Sources first: they may lie where nothing is to be seen later.
        for (at, from) in &folders.shown {
            steps.push(Step::bind(from, at, true)?);
        }
        let (around, beside): (Vec<_>, Vec<_>) =
            maskable(masks).into_iter().partition(|mask| folders.scratch().starts_with(mask));
        for mask in &beside {
            steps.push(Step::bind(&folders.mask(), mask, true)?);
        }
        // After the binds, which it carries along. If the scratch folder lies in `/tmp`, nothing
        // is masked after this: what could be lies in `/tmp` too.
        steps.push(Step::bind(&folders.tmp(), Path::new("/tmp"), false)?);
        for mask in &around {
            steps.push(Step::bind(&folders.mask(), mask, true)?);
        }
        steps.push(Step::Enter(c_string(Path::new(WORK))?));
        Ok(Self { steps: steps.into() })
    }

    /// Starts a program inside; it must be named absolutely or relative to the work folder.
    /// `start` spawns the command and may be called again when it is refused.
    pub fn start<T>(
        &self,
        command: &mut Command,
        start: impl FnOnce(&mut Command) -> io::Result<T>,
    ) -> Result<io::Result<T>, HostError> {
        let (report, reporter) = io::pipe().map_err(HostError::setup("open a pipe"))?;
        walk_before_exec(command, Arc::clone(&self.steps), reporter);
        let started = start(command);
        match started {
            Err(source) => match failed_step(report) {
                Some(step) => {
                    let step = self
                        .steps
                        .get(step)
                        .map_or_else(|| "enter the namespace".to_owned(), Step::to_string);
                    Err(HostError::Setup { step, source })
                }
                None => Ok(Err(source)),
            },
            ok => Ok(ok),
        }
    }
}

/// Existing masks in canonical form, without those that `/tmp` or another mask covers.
pub(super) fn maskable(masks: &[PathBuf]) -> Vec<PathBuf> {
    let tmp = Path::new("/tmp").canonicalize().unwrap_or_else(|_| PathBuf::from("/tmp"));
    let masks: Vec<PathBuf> = masks
        .iter()
        .filter_map(|mask| mask.canonicalize().ok())
        .filter(|mask| mask.is_dir() && !mask.starts_with(&tmp) && !tmp.starts_with(mask))
        .collect();
    let mut outermost: Vec<PathBuf> = Vec::new();
    for mask in &masks {
        let covered = masks.iter().any(|other| other != mask && mask.starts_with(other));
        if !covered && !outermost.contains(mask) {
            outermost.push(mask.clone());
        }
    }
    outermost
}

/// One thing the child does before the program is its own.
#[derive(Debug)]
enum Step {
    Unshare(Flavor),
    /// Writes `text` to a file of `/proc/self`.
    Identity {
        file: &'static CStr,
        text: String,
    },
    /// Nothing that is mounted from here on is seen outside, nor the other way round.
    Detach,
    Bind {
        from: CString,
        at: CString,
        read_only: bool,
    },
    Enter(CString),
    /// Ends a trial.
    Stop,
}

impl Step {
    fn bind(from: &Path, at: &Path, read_only: bool) -> Result<Self, HostError> {
        Ok(Self::Bind { from: c_string(from)?, at: c_string(at)?, read_only })
    }

    /// Runs in the forked child: only system calls, no memory allocation, no locks.
    fn take(&self) -> io::Result<()> {
        match self {
            Self::Unshare(flavor) => {
                let flags = match flavor {
                    Flavor::Mount => UnshareFlags::NEWNS,
                    Flavor::User => UnshareFlags::NEWNS | UnshareFlags::NEWUSER,
                };
                // SAFETY: the file descriptor table stays shared with nobody new; only
                // `UnshareFlags::FILES` could make descriptors unusable.
                unsafe { unshare_unsafe(flags) }?;
            }
            Self::Identity { file, text } => {
                let file = rustix::fs::open(*file, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
                rustix::io::write(file, text.as_bytes())?;
            }
            Self::Detach => {
                mount_change(c"/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
            }
            Self::Bind { from, at, read_only } => {
                // Recursive, because a user namespace must not uncover what a mount hides.
                mount_bind_recursive(from.as_c_str(), at.as_c_str())?;
                if *read_only {
                    make_read_only(at)?;
                }
            }
            Self::Enter(folder) => {
                rustix::process::chdir(folder.as_c_str())?;
                rustix::process::umask(Mode::from_raw_mode(0o022));
            }
            Self::Stop => return Err(io::Error::from_raw_os_error(libc::ECANCELED)),
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unshare(Flavor::Mount) => f.write_str("make a mount namespace"),
            Self::Unshare(Flavor::User) => f.write_str("make a user and mount namespace"),
            Self::Identity { file, .. } => write!(f, "write `{}`", file.to_string_lossy()),
            Self::Detach => f.write_str("detach the mount namespace"),
            Self::Bind { from, at, .. } => {
                write!(f, "show `{}` at `{}`", from.to_string_lossy(), at.to_string_lossy())
            }
            Self::Enter(folder) => write!(f, "enter `{}`", folder.to_string_lossy()),
            Self::Stop => f.write_str("end the trial"),
        }
    }
}

fn entry(flavor: Flavor) -> Vec<Step> {
    let mut steps = vec![Step::Unshare(flavor)];
    if flavor == Flavor::User {
        // The same user as outside. The kernel asks for `deny` before a group may be mapped.
        let (user, group) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        steps.push(Step::Identity { file: c"/proc/self/setgroups", text: "deny".to_owned() });
        steps.push(Step::Identity { file: c"/proc/self/uid_map", text: format!("{user} {user} 1") });
        steps.push(Step::Identity { file: c"/proc/self/gid_map", text: format!("{group} {group} 1") });
    }
    steps.push(Step::Detach);
    steps
}

/// Makes a namespace and does in it each kind of thing that a job needs.
pub(super) fn attempt(flavor: Flavor) -> Result<Flavor, (String, io::Error)> {
    let other = |error| ("try a namespace".to_owned(), error);
    let mut steps = entry(flavor);
    steps.push(
        Step::bind(Path::new("/tmp"), Path::new("/tmp"), true)
            .map_err(|error| other(io::Error::other(error)))?,
    );
    steps.push(Step::Stop);
    let steps: Arc<[Step]> = steps.into();

    let (report, reporter) = io::pipe().map_err(other)?;
    // Never started: the last step fails.
    #[expect(clippy::disallowed_methods, reason = "an owner of processes")]
    let mut command = Command::new("/");
    walk_before_exec(&mut command, Arc::clone(&steps), reporter);
    match command.spawn() {
        Ok(mut child) => {
            let _ = child.wait();
            Err(other(io::ErrorKind::Other.into()))
        }
        Err(error) => match failed_step(report).and_then(|step| steps.get(step)) {
            Some(Step::Stop) => Ok(flavor),
            Some(step) => Err((step.to_string(), error)),
            None => Err(other(error)),
        },
    }
}

fn walk_before_exec(command: &mut Command, steps: Arc<[Step]>, reporter: PipeWriter) {
    let walk = move || {
        for (index, step) in steps.iter().enumerate() {
            step.take().inspect_err(|_| {
                // Which step it was; the error itself reaches the parent as that of the spawn.
                let _ = rustix::io::write(&reporter, &(index as u32).to_ne_bytes());
            })?;
        }
        Ok(())
    };
    // SAFETY: between fork and exec the closure only makes system calls on data that was made
    // before the fork. It allocates nothing, takes no lock and cannot panic: every step's
    // arguments are C strings or plain numbers, and `io::Error` here holds an errno.
    unsafe { command.pre_exec(walk) };
}

/// The step at which the child gave up; none when it came as far as the exec.
fn failed_step(mut report: PipeReader) -> Option<usize> {
    // The command's closure keeps the other end open, so the end of the pipe cannot be awaited;
    // but a child that reported has ended by now.
    rustix::io::ioctl_fionbio(&report, true).ok()?;
    let mut index = [0; 4];
    report.read_exact(&mut index).ok()?;
    Some(u32::from_ne_bytes(index) as usize)
}

/// Makes a mount and all below it read-only, keeping each one's other flags. (A remount with
/// `mount` would have to repeat them, for every nested mount: a user namespace must not drop
/// any. Hence Linux 5.12 or newer.)
fn make_read_only(at: &CStr) -> io::Result<()> {
    let attributes =
        libc::mount_attr { attr_set: libc::MOUNT_ATTR_RDONLY, attr_clr: 0, propagation: 0, userns_fd: 0 };
    // SAFETY: `at` is NUL-terminated, and `attributes` is of the size that is given; both live
    // over the call, which keeps neither.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            at.as_ptr(),
            libc::AT_RECURSIVE,
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn c_string(path: &Path) -> Result<CString, HostError> {
    CString::new(path.as_os_str().as_bytes())
        .map_err(|_| HostError::Layout(format!("`{}` contains a NUL character", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_are_reduced_to_the_outermost_ones_outside_tmp() {
        let masks = ["/usr/share", "/usr", "/usr/", "/tmp", "/", "/does/not/exist"].map(PathBuf::from);
        assert_eq!(maskable(&masks), [PathBuf::from("/usr")]);
    }

    #[test]
    fn a_refused_step_is_named() {
        if capabilities().namespaces.is_err() {
            return;
        }
        let mut steps = entry(Flavor::User);
        steps.push(Step::bind(Path::new("/does/not/exist"), Path::new("/tmp"), true).unwrap());
        let namespace = Namespace { steps: steps.into() };
        let started = namespace.start(&mut Command::new("/bin/true"), |command| command.spawn());
        let error = started.err().unwrap();
        assert_eq!(error.to_string(), "cannot show `/does/not/exist` at `/tmp`");
    }
}
