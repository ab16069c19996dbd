//! Starts a program by `execve` alone.
//!
//! The standard library starts a program by `execvp` wherever something is to be done between fork
//! and exec, and the C library's `execvp` gives a file that the kernel refuses to `/bin/sh`: a
//! binary for another machine then fails as a script full of mistakes, with an exit code of its
//! own. Whether it could be started at all is known only without that.

use std::ffi::{CString, c_char};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::ptr;

use super::program::Environment;

/// Has `command` become `program` by `execve`, or fail with what that says. What is to be done
/// before must have been asked of the command before.
pub(super) fn exec_alone(
    command: &mut Command,
    program: &Path,
    argv: &[String],
    environment: &Environment,
) -> io::Result<()> {
    let program = CString::new(program.as_os_str().as_bytes())?;
    let argv = argv.iter().map(|arg| CString::new(arg.as_bytes()).map_err(io::Error::from));
    let variables = environment.iter().map(|(name, value)| {
        CString::new([name.as_bytes(), b"=", value.as_bytes()].concat()).map_err(io::Error::from)
    });
    let (argv, variables) = (List::new(argv)?, List::new(variables)?);
    let exec = move || {
        // SAFETY: all three are strings with an end, the lists end with a null pointer, and the
        // closure owns them; nothing is allocated between fork and exec.
        unsafe { libc::execve(program.as_ptr(), argv.pointer(), variables.pointer()) };
        Err(io::Error::last_os_error())
    };
    // SAFETY: the closure makes one system call and reads its error.
    unsafe { command.pre_exec(exec) };
    Ok(())
}

/// Strings as `execve` takes them.
struct List {
    /// Into `texts`; the last one is null.
    pointers: Vec<*const c_char>,
    _texts: Vec<CString>,
}

// SAFETY: nothing is ever changed, and what the pointers lead to moves with them.
unsafe impl Send for List {}
// SAFETY: as above.
unsafe impl Sync for List {}

impl List {
    fn new(texts: impl Iterator<Item = io::Result<CString>>) -> io::Result<Self> {
        let texts: Vec<CString> = texts.collect::<io::Result<_>>()?;
        let pointers = texts.iter().map(|text| text.as_ptr()).chain([ptr::null()]).collect();
        Ok(Self { pointers, _texts: texts })
    }

    fn pointer(&self) -> *const *const c_char {
        self.pointers.as_ptr()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(program: &Path) -> io::Result<std::process::ExitStatus> {
        let argv = ["called".to_owned(), "-c".to_owned(), "test \"$0 $A\" = 'called b' && exit 7".to_owned()];
        let environment = [("A".into(), "b".into())].into();
        let mut command = Command::new(program);
        exec_alone(&mut command, program, &argv, &environment)?;
        command.status()
    }

    #[test]
    fn a_program_gets_its_arguments_and_its_environment() {
        assert_eq!(started(Path::new("/bin/sh")).unwrap().code(), Some(7));
    }

    #[test]
    fn what_the_kernel_refuses_no_shell_is_given() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("script");
        std::fs::write(&file, "exit 0\n").unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&file, mode).unwrap();
        assert_eq!(started(&file).unwrap_err().raw_os_error(), Some(libc::ENOEXEC));
        // What it is there for: the usual way.
        let mut usual = Command::new(&file);
        // SAFETY: nothing is done.
        unsafe { usual.pre_exec(|| Ok(())) };
        assert!(usual.status().is_ok_and(|status| status.success()) || cfg!(not(target_env = "gnu")));
    }
}
