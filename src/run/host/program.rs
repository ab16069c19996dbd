//! Programs and the environment they get: look-up in `PATH`, the fixed variables, identity.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{Access, access};

use super::cancel::Cancel;
use super::error::{HostError, shown};
use super::process::{Ended, Limits, Running, Streams};

/// An identify command that takes longer hangs.
const IDENTIFY_TIMEOUT: Duration = Duration::from_secs(30);

/// What is said by an identify command beyond this is not an identity.
const LONGEST_IDENTITY: usize = 64 * 1024;

/// A home that is nobody's, for programs that run in place.
pub(super) const NO_HOME: &str = "/nonexistent";

/// The absolute path of an executable file: `name` itself where it is absolute, else the first
/// of that name in the folders of `path`. Relative folders in `path` are passed over, and a
/// `name` with a slash in it is relative to a work folder that this function does not know.
pub fn resolve_program(name: &str, path: &OsStr) -> Option<PathBuf> {
    program_places(name, path).into_iter().find(|program| is_program(program))
}

/// Where [`resolve_program`] looks, in its order.
pub fn program_places(name: &str, path: &OsStr) -> Vec<PathBuf> {
    if name.starts_with('/') {
        return vec![PathBuf::from(name)];
    }
    if name.is_empty() || name.contains('/') {
        return Vec::new();
    }
    std::env::split_paths(path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .collect()
}

pub fn is_program(path: &Path) -> bool {
    path.is_file() && access(path, Access::EXEC_OK).is_ok()
}

/// Everything a program finds in its environment.
pub(super) type Environment = BTreeMap<OsString, OsString>;

/// The fixed variables, and over them the declared ones.
pub(super) fn environment(
    path: &OsStr,
    home: &Path,
    tmpdir: &Path,
    declared: &[(String, String)],
) -> Environment {
    let mut all: Environment = [
        ("PATH", path),
        ("HOME", home.as_os_str()),
        ("TMPDIR", tmpdir.as_os_str()),
        ("TZ", OsStr::new("UTC")),
        ("LANG", OsStr::new("C.UTF-8")),
    ]
    .into_iter()
    .map(|(name, value)| (name.into(), value.into()))
    .collect();
    all.extend(declared.iter().map(|(name, value)| (name.into(), value.into())));
    all
}

/// Runs a tool's identify command in `folder` and gives what it printed, trimmed: its standard
/// output, or its standard error where that is empty (`java -version`). The environment is the
/// fixed one of a recipe in place plus `env`.
pub fn identify(
    command: &[String],
    env: &[(String, String)],
    path: &OsStr,
    folder: &Path,
    cancel: &Cancel,
) -> Result<String, HostError> {
    let name = command.first().ok_or(HostError::NoProgram)?;
    let environment = environment(path, Path::new(NO_HOME), Path::new("/tmp"), env);
    let path = environment.get(OsStr::new("PATH")).map_or(path, |path| path);
    let program = if name.contains('/') { Some(folder.join(name)) } else { resolve_program(name, path) };
    let program = program.ok_or_else(|| HostError::NotFound { program: name.clone() })?;

    let mut running = Running::start(&program, command, &environment, folder, None, Streams::Apart, false)?;
    let mut printed = [Vec::new(), Vec::new()];
    let limits =
        Limits { deadline: Some(Instant::now() + IDENTIFY_TIMEOUT), grace: Duration::from_secs(1), cancel };
    let ended = running.watch(&limits, &mut |stream, bytes| {
        let room = LONGEST_IDENTITY.saturating_sub(printed[stream].len());
        printed[stream].extend_from_slice(&bytes[..bytes.len().min(room)]);
        Ok(())
    })?;
    let [out, err] = printed.map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned());
    let said = if out.is_empty() { err } else { out };
    match ended {
        Ended::Exited(0) => Ok(said),
        Ended::Exited(code) => Err(HostError::Unidentified { command: shown(command), code, printed: said }),
        Ended::Signalled(signal) => Err(HostError::Signalled { command: shown(command), signal }),
        Ended::TimedOut => Err(HostError::TimedOut { command: shown(command), limit: IDENTIFY_TIMEOUT }),
        Ended::Cancelled => Err(HostError::Cancelled),
    }
}
