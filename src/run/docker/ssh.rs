//! A stream through the `ssh` program, at whose other end `docker system dial-stdio` passes on.
//!
//! The user's own ssh does it, with its configuration, agent and known hosts. It is never asked for
//! a password: nobody may be there to type one.

use std::io;
use std::pin::Pin;
use std::process::Stdio;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

use crate::run::docker::address::SshTarget;

/// As much of what `ssh` complains about as a message holds.
const MOST_SAID: usize = 2000;

/// Starts `ssh`. Whether it gets through shows at the first read.
pub fn start(target: &SshTarget) -> io::Result<SshStream> {
    let mut child = command(target).spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => io::Error::new(error.kind(), "the program `ssh` was not found"),
        _ => error,
    })?;
    let (Some(stdin), Some(stdout), Some(stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(io::Error::other("ssh has no pipes"));
    };
    Ok(SshStream {
        stdin,
        stdout,
        stderr: Some(stderr),
        said: Vec::new(),
        has_answered: false,
        _child: child,
    })
}

fn command(target: &SshTarget) -> Command {
    let mut command = Command::new("ssh");
    command.args(arguments(target)).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // Ctrl-C is for osgraph, which may still have to tidy up at the other end.
    command.process_group(0).kill_on_drop(true);
    command
}

fn arguments(SshTarget { user, host, port, socket }: &SshTarget) -> Vec<String> {
    let mut arguments: Vec<String> =
        ["-o", "BatchMode=yes", "-o", "ConnectTimeout=30", "-T"].map(str::to_owned).into();
    if let Some(port) = port {
        arguments.extend(["-p".to_owned(), port.to_string()]);
    }
    if let Some(user) = user {
        arguments.extend(["-l".to_owned(), user.clone()]);
    }
    arguments.extend(["--".to_owned(), host.clone(), "docker".to_owned()]);
    if let Some(socket) = socket {
        // The other side's shell reads this.
        arguments.push(format!("--host=unix://'{}'", socket.replace('\'', r"'\''")));
    }
    arguments.extend(["system", "dial-stdio"].map(str::to_owned));
    arguments
}

/// The two ends of a running `ssh`, which ends with this.
pub struct SshStream {
    stdin: ChildStdin,
    stdout: ChildStdout,
    /// None once it is closed.
    stderr: Option<ChildStderr>,
    said: Vec<u8>,
    has_answered: bool,
    /// Killed when dropped.
    _child: Child,
}

impl SshStream {
    /// Takes in what `ssh` says beside, so that it never waits for a reader. Ready when it has closed.
    fn poll_said(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while let Some(stderr) = &mut self.stderr {
            let mut space = [0; 512];
            let mut space = ReadBuf::new(&mut space);
            let read = ready!(Pin::new(stderr).poll_read(context, &mut space));
            if read.is_err() || space.filled().is_empty() {
                self.stderr = None;
            }
            let room = MOST_SAID.saturating_sub(self.said.len()).min(space.filled().len());
            self.said.extend_from_slice(&space.filled()[..room]);
        }
        Poll::Ready(())
    }

    fn failure(&self) -> io::Error {
        let said = String::from_utf8_lossy(&self.said);
        let said: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        io::Error::new(
            io::ErrorKind::ConnectionRefused,
            match said.as_slice() {
                [] => "ssh ended without a word".to_owned(),
                lines => format!("ssh said `{}`", lines.join("; ")),
            },
        )
    }
}

impl AsyncRead for SshStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let closed = self.poll_said(context).is_ready();
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stdout).poll_read(context, buffer))?;
        if buffer.filled().len() > before || buffer.remaining() == 0 {
            self.has_answered = true;
            return Poll::Ready(Ok(()));
        }
        if self.has_answered {
            return Poll::Ready(Ok(()));
        }
        // It ended before it said anything of use: what it complained about is the answer.
        if !closed {
            ready!(self.poll_said(context));
        }
        Poll::Ready(Err(self.failure()))
    }
}

impl AsyncWrite for SshStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stdin).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stdin).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stdin).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ssh_is_told_as_little_as_it_needs() {
        let mut target = SshTarget { user: None, host: "build.example".into(), port: None, socket: None };
        assert_eq!(
            arguments(&target).join(" "),
            "-o BatchMode=yes -o ConnectTimeout=30 -T -- build.example docker system dial-stdio"
        );
        target = SshTarget {
            user: Some("me".into()),
            port: Some(2222),
            socket: Some("/run/it's.sock".into()),
            ..target
        };
        assert_eq!(
            arguments(&target)[5..].join(" "),
            r"-p 2222 -l me -- build.example docker --host=unix://'/run/it'\''s.sock' system dial-stdio"
        );
    }
}
