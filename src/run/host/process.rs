//! One program and the process group it leads: started without a shell, watched without busy
//! waiting, and gone with all its descendants when this module says so.
//!
//! In place, nothing runs between fork and exec, so that the standard library can use
//! `posix_spawn`. No parent-death signal is set: it would reach the leader alone and leave its
//! children writing; instead a recipe that outlives a killed osgraph runs on, holding the lease
//! it has as its standard input, and nobody takes its output. A descendant that makes a session
//! of its own (a daemon) is outside the group and is not followed.

use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{OnceLock, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::Mode;
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, kill_process_group, test_kill_process_group, waitid,
};

use super::cancel::Cancel;
use super::direct;
use super::error::{HostError, shown};
use super::namespace::Namespace;
use super::program::Environment;

/// How long a killed group is waited for: killing is immediate but for processes that hang in
/// the kernel, and for zombies that nobody reaps (a container without an init).
const GONE_WITHIN: Duration = Duration::from_secs(2);

/// How often a group without its leader is looked at; no descriptor tells of its end.
const GROUP_CHECK: Duration = Duration::from_millis(10);

/// Shared while a child is between fork and exec, when it holds every descriptor of ours.
static STARTING: RwLock<()> = RwLock::new(());

/// Waits until no child holds descriptors that are closed by now. After an executable was
/// written this makes it startable: a child forked meanwhile by another thread would hold it
/// open for writing, and `exec` would say "text file busy".
pub(super) fn settle() {
    drop(STARTING.write().unwrap_or_else(PoisonError::into_inner));
}

/// Where a program's output goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Streams {
    /// One pipe for both, so that lines keep their order.
    Together,
    /// Standard output is stream 0, standard error stream 1.
    Apart,
}

/// What a watched program is held to.
pub(super) struct Limits<'a> {
    pub deadline: Option<Instant>,
    pub grace: Duration,
    pub cancel: &'a Cancel,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Exited(i32),
    Signalled(i32),
    TimedOut,
    Cancelled,
}

/// Takes what a program prints: the stream's index, the bytes.
pub(super) type Take<'a> = &'a mut dyn FnMut(usize, &[u8]) -> Result<(), HostError>;

/// Where a program starts.
pub(super) enum Start<'a> {
    Folder(&'a Path),
    Namespace(&'a Namespace),
}

impl<'a> From<&'a Path> for Start<'a> {
    fn from(folder: &'a Path) -> Self {
        Self::Folder(folder)
    }
}

/// A started program. Dropped early, its group is killed.
pub(super) struct Running {
    child: Child,
    group: Pid,
    reaped: Option<ExitStatus>,
    /// It would not die.
    abandoned: bool,
    exit: ExitWatch,
    pipes: [Option<PipeReader>; 2],
}

impl Running {
    /// Starts `program`, absolute or relative to where it starts, with `argv` as it was written.
    pub fn start<'a>(
        program: &Path,
        argv: &[String],
        environment: &Environment,
        start: impl Into<Start<'a>>,
        stdin: Option<&File>,
        streams: Streams,
        no_shell: bool,
    ) -> Result<Self, HostError> {
        let failed = |source| HostError::Start { command: shown(argv), source };
        #[expect(clippy::disallowed_methods, reason = "an owner of processes")]
        let mut command = Command::new(program);
        if let [name, args @ ..] = argv {
            command.arg0(name).args(args);
        }
        command.env_clear().envs(environment).process_group(0);
        command.stdin(match stdin {
            Some(file) => Stdio::from(file.try_clone().map_err(failed)?),
            None => Stdio::null(),
        });
        let pipes = connect(&mut command, streams).map_err(failed)?;
        let begin = |command: &mut Command| {
            if no_shell {
                // The last thing before the program, so it is asked for last.
                direct::exec_alone(command, program, argv, environment)?;
            }
            spawn(command)
        };
        let child = match start.into() {
            Start::Folder(folder) => {
                command.current_dir(folder);
                set_umask(&mut command);
                begin(&mut command)
            }
            Start::Namespace(namespace) => namespace.start(&mut command, begin)?,
        };
        // The command holds the writing ends of the pipes.
        drop(command);
        let mut child = child.map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => {
                HostError::NotFound { program: argv.first().cloned().unwrap_or_default() }
            }
            _ => failed(source),
        })?;
        let group = Pid::from_child(&child);
        match ExitWatch::new(group) {
            Ok(exit) => Ok(Self { child, group, reaped: None, abandoned: false, exit, pipes }),
            Err(source) => {
                let _ = kill_process_group(group, Signal::KILL);
                let _ = child.wait();
                Err(failed(source))
            }
        }
    }

    /// Gives what the program prints to `take` until it and its whole group are gone.
    pub fn watch(&mut self, limits: &Limits<'_>, take: Take<'_>) -> Result<Ended, HostError> {
        let mut buffer = Vec::new();
        let mut stopping: Option<(Ended, Instant)> = None;
        let mut killed = false;
        while !self.is_over(stopping.is_some()) {
            let now = Instant::now();
            if stopping.is_none() {
                let why = if limits.cancel.is_cancelled() {
                    Some(Ended::Cancelled)
                } else if limits.deadline.is_some_and(|deadline| deadline <= now) {
                    Some(Ended::TimedOut)
                } else {
                    None
                };
                if let Some(why) = why {
                    self.signal(Signal::TERM);
                    stopping = Some((why, now + limits.grace));
                }
            }
            if let Some((_, kill_at)) = stopping
                && kill_at <= now
            {
                if killed {
                    // Hangs in the kernel: not waited for any longer.
                    break;
                }
                self.signal(Signal::KILL);
                killed = true;
                stopping = stopping.map(|(why, _)| (why, now + GONE_WITHIN));
            }
            let until = match stopping {
                Some((_, kill_at)) if self.reaped.is_some() => Some(kill_at.min(now + GROUP_CHECK)),
                Some((_, kill_at)) => Some(kill_at),
                None => limits.deadline,
            };
            let cancel = stopping.is_none().then(|| limits.cancel.fd());
            if self.wait(until.map(|until| until.saturating_duration_since(now)), cancel) {
                self.read(&mut buffer, READS_A_TURN, take)?;
            }
        }
        let status = self.end();
        self.read(&mut buffer, usize::MAX, take)?;
        match (stopping, status) {
            (Some((why, _)), _) => Ok(why),
            (None, Ok(status)) => Ok(match status.code() {
                Some(code) => Ended::Exited(code),
                None => Ended::Signalled(status.signal().unwrap_or_default()),
            }),
            (None, Err(error)) => Err(HostError::setup("learn how a program ended")(error)),
        }
    }

    /// Whether there is nothing left to wait for: the leader, and, when it was told to stop, the
    /// others that were told so too.
    fn is_over(&mut self, stopping: bool) -> bool {
        if !self.exit.over {
            return false;
        }
        if !stopping {
            return true;
        }
        // Until it is reaped the leader itself keeps the group in being.
        self.reap().is_err() || !self.group_lives()
    }

    /// Sleeps until output, exit, cancel or the timeout; whether a pipe has something.
    fn wait(&mut self, timeout: Option<Duration>, cancel: Option<BorrowedFd<'_>>) -> bool {
        let mut fds: Vec<PollFd<'_>> = Vec::with_capacity(4);
        fds.extend(self.pipes.iter().flatten().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        let pipes = fds.len();
        if self.reaped.is_none() {
            fds.push(PollFd::from_borrowed_fd(self.exit.fd(), PollFlags::IN));
        }
        let exit = pipes..fds.len();
        fds.extend(cancel.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
        let timeout = timeout.map(|timeout| Timespec {
            tv_sec: timeout.as_secs().try_into().unwrap_or(i32::MAX.into()),
            tv_nsec: timeout.subsec_nanos().into(),
        });
        if poll(&mut fds, timeout.as_ref()).is_err() {
            // Interrupted: the caller looks again.
            return false;
        }
        let exited = fds[exit].iter().any(|fd| !fd.revents().is_empty());
        let printed = fds[..pipes].iter().any(|fd| !fd.revents().is_empty());
        if exited {
            self.exit.over = true;
        }
        printed
    }

    /// Reads what is there, at most `reads` portions of each stream.
    fn read(&mut self, buffer: &mut Vec<u8>, reads: usize, take: Take<'_>) -> Result<(), HostError> {
        for (stream, slot) in self.pipes.iter_mut().enumerate() {
            let mut left = reads;
            while let Some(pipe) = slot
                && left > 0
            {
                left -= 1;
                buffer.resize(PORTION, 0);
                match pipe.read(buffer) {
                    Ok(0) => *slot = None,
                    Ok(length) => take(stream, &buffer[..length])?,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    // A pipe that cannot be read has nothing more to say.
                    Err(_) => *slot = None,
                }
            }
        }
        Ok(())
    }

    /// Kills what is left of the group and waits for it to be gone. Output that was written
    /// before is still in the pipe; a daemon that holds the pipe open is not waited for.
    fn end(&mut self) -> io::Result<ExitStatus> {
        // While the leader is not reaped its number cannot be anyone else's, and while the group
        // lives neither.
        if self.reaped.is_none() || self.group_lives() {
            self.signal(Signal::KILL);
        }
        if !self.exit.over {
            // Killed, and hanging in the kernel: waiting would be for ever.
            self.abandoned = true;
            return Err(io::ErrorKind::TimedOut.into());
        }
        let status = self.reap()?;
        let until = Instant::now() + GONE_WITHIN;
        let mut pause = Duration::from_micros(200);
        while self.group_lives() && Instant::now() < until {
            thread::sleep(pause);
            pause = (pause * 2).min(GROUP_CHECK);
        }
        Ok(status)
    }

    fn reap(&mut self) -> io::Result<ExitStatus> {
        if let Some(status) = self.reaped {
            return Ok(status);
        }
        let status = self.child.wait()?;
        self.reaped = Some(status);
        Ok(status)
    }

    fn signal(&self, signal: Signal) {
        // Refused only when nobody is left, or for programs of other users, who end themselves.
        let _ = kill_process_group(self.group, signal);
    }

    fn group_lives(&self) -> bool {
        test_kill_process_group(self.group).is_ok()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.reaped.is_none() && !self.abandoned {
            self.signal(Signal::KILL);
            let _ = self.reap();
        }
    }
}

/// As much as a pipe holds.
const PORTION: usize = 64 * 1024;

/// Between two looks at the clock and the cancel request.
const READS_A_TURN: usize = 16;

fn connect(command: &mut Command, streams: Streams) -> io::Result<[Option<PipeReader>; 2]> {
    let (out, out_end) = pipe()?;
    match streams {
        Streams::Together => {
            command.stdout(out_end.try_clone()?).stderr(out_end);
            Ok([Some(out), None])
        }
        Streams::Apart => {
            let (err, err_end) = pipe()?;
            command.stdout(out_end).stderr(err_end);
            Ok([Some(out), Some(err)])
        }
    }
}

/// A pipe that blocks its writer but not its reader.
fn pipe() -> io::Result<(PipeReader, PipeWriter)> {
    let (reader, writer) = io::pipe()?;
    rustix::io::ioctl_fionbio(&reader, true)?;
    Ok((reader, writer))
}

fn spawn(command: &mut Command) -> io::Result<Child> {
    let _starting = STARTING.read().unwrap_or_else(PoisonError::into_inner);
    let mut pause = Duration::from_millis(1);
    loop {
        match command.spawn() {
            // Somebody else's child holds it: this library is not alone in its process.
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy && pause < GROUP_CHECK * 10 => {
                thread::sleep(pause);
                pause *= 2;
            }
            result => return result,
        }
    }
}

/// Makes new files 644 and folders 755, whatever the caller's umask. Where it is the usual one
/// nothing is done, which leaves the fast way of starting programs open.
fn set_umask(command: &mut Command) {
    static USUAL: OnceLock<bool> = OnceLock::new();
    let usual = *USUAL.get_or_init(|| {
        // The only way to ask without setting it, which would race with other threads.
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        status.lines().any(|line| line.strip_prefix("Umask:").is_some_and(|mask| mask.trim() == "0022"))
    });
    if !usual {
        let set = || {
            rustix::process::umask(Mode::from_raw_mode(0o022));
            Ok(())
        };
        // SAFETY: between fork and exec the closure makes one system call and nothing else.
        unsafe { command.pre_exec(set) };
    }
}

/// Tells through a descriptor that a process has ended, without reaping it.
struct ExitWatch {
    fd: OwnedFd,
    over: bool,
}

impl ExitWatch {
    fn new(process: Pid) -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        if let Ok(fd) = rustix::process::pidfd_open(process, rustix::process::PidfdFlags::empty()) {
            return Ok(Self { fd, over: false });
        }
        Self::by_thread(process)
    }

    /// Where a process has no descriptor (before Linux 5.3, in some sandboxes, elsewhere): a
    /// thread waits for its end and hangs up.
    fn by_thread(process: Pid) -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        thread::Builder::new().name("exit-watch".to_owned()).spawn(move || {
            let wait = || waitid(WaitId::Pid(process), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
            while wait().is_err_and(|error| error == rustix::io::Errno::INTR) {}
            drop(writer);
        })?;
        Ok(Self { fd: reader.into(), over: false })
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_can_stand_in_for_a_process_descriptor() {
        let mut child = Command::new("/bin/sh").args(["-c", "sleep 0.05; exit 3"]).spawn().unwrap();
        let watch = ExitWatch::by_thread(Pid::from_child(&child)).unwrap();
        let started = Instant::now();
        poll(&mut [PollFd::from_borrowed_fd(watch.fd(), PollFlags::IN)], None).unwrap();
        assert!(started.elapsed() >= Duration::from_millis(40));
        assert_eq!(child.wait().unwrap().code(), Some(3), "the watch does not reap");
    }
}
