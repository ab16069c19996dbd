//! What an extracted binary must be before anyone gets it: expectations on the file, and runs of
//! it that must succeed.
//!
//! How a program is run is the caller's business: it hands in a function. All failures of a file
//! are found at once. A binary for another machine is run where this one can; where it cannot, its
//! checks have neither passed nor failed, and that is what is said of them.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::Duration;

use super::elf::{self, Format, Linkage, LinkageError, Machine};
use crate::pipeline::{Check, Expect, Linking, Span};

mod linking;
mod memo;
mod trial;

pub use memo::{Gates, Unproven, machine, standing, unproven};
pub use trial::verify;

/// An expectation that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GateFailure {
    NotElf {
        found: Format,
    },
    /// `wanted` as written.
    WrongMachine {
        wanted: String,
        found: Format,
        span: Span,
    },
    /// It asks for more of its machine than it may.
    Linked {
        wanted: Linking,
        found: Linkage,
    },
    /// What it asks for cannot be found out.
    Unreadable {
        why: &'static str,
    },
    /// Bytes.
    TooSmall {
        size: u64,
        min: u64,
    },
    /// Bytes.
    TooLarge {
        size: u64,
        max: u64,
    },
    CheckFailed {
        args: Vec<String>,
        end: CheckEnd,
        span: Span,
    },
}

/// How a run of the binary ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckEnd {
    /// 0 is success.
    Exited(i32),
    /// The signal's number.
    Killed(i32),
    TimedOut(Duration),
    /// Why it could not be started.
    NotStarted(String),
    /// Why the kernel would not have it, or could not load it.
    Refused(&'static str),
}

/// What [`check`] found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Findings {
    pub failures: Vec<GateFailure>,
    /// Why no check was run, where this machine cannot run the binary.
    pub not_run: Option<String>,
}

/// Checks everything: `file` as it will be published, and each run that is asked for. The runs
/// are left out when the file is none that could run, because they would fail of that alone.
pub fn check(
    file: &Path,
    expect: &Expect,
    checks: &[Check],
    run: &mut dyn FnMut(&Path, &Check) -> CheckEnd,
) -> io::Result<Findings> {
    let mut opened = File::open(file)?;
    let size = opened.metadata()?.len();
    let mut head = Vec::with_capacity(elf::HEAD);
    opened.by_ref().take(elf::HEAD as u64).read_to_end(&mut head)?;
    let mut failures = inspect(&head, size, expect);
    let machine = match elf::identify(&head) {
        Format::Elf(machine) => Some(machine),
        _ => None,
    };
    let foreign = machine.filter(|machine| !machine.is_here());
    let linkage = match machine {
        Some(_) if expect.linking.is_some() || foreign.is_some() => {
            Some(Linkage::read(&|into, at| opened.read_at(into, at)))
        }
        _ => None,
    };
    if let (Some(wanted), Some(found)) = (expect.linking, &linkage) {
        failures.extend(match found {
            Ok(found) => linking::judge(wanted, found),
            Err(LinkageError::Broken(why)) => Some(GateFailure::Unreadable { why }),
            Err(LinkageError::Read(error)) => return Err(io::Error::new(error.kind(), error.to_string())),
        });
    }
    let runs = !failures
        .iter()
        .any(|failure| matches!(failure, GateFailure::NotElf { .. } | GateFailure::WrongMachine { .. }));
    let mut not_run = None;
    for check in checks.iter().filter(|_| runs) {
        let end = match foreign {
            // An emulator would say so with an exit code of its own.
            Some(_) if wants_what_is_not_here(&linkage) => CheckEnd::Refused("its interpreter is not here"),
            _ => run(file, check),
        };
        match (end, foreign) {
            (CheckEnd::Exited(0), _) => {}
            (CheckEnd::Refused(_), Some(machine)) => {
                let here = Machine::here();
                not_run = Some(format!("this machine is {here}, the binary is for {machine}"));
                break;
            }
            (end, _) => {
                failures.push(GateFailure::CheckFailed { args: check.args.clone(), end, span: check.span });
            }
        }
    }
    Ok(Findings { failures, not_run })
}

fn wants_what_is_not_here(linkage: &Option<Result<Linkage, LinkageError>>) -> bool {
    let interpreter = linkage.as_ref().and_then(|found| found.as_ref().ok()?.interpreter.as_deref());
    interpreter.is_some_and(|interpreter| !Path::new(interpreter).exists())
}

/// What a file's first [`elf::HEAD`] bytes and its size say. How it is linked they do not.
pub fn inspect(head: &[u8], size: u64, expect: &Expect) -> Vec<GateFailure> {
    let Expect { elf, arch, min_size, max_size, linking } = expect;
    let found = elf::identify(head);
    let mut failures = Vec::new();
    let is_elf = matches!(found, Format::Elf(_));
    if (*elf || linking.is_some()) && !is_elf {
        failures.push(GateFailure::NotElf { found });
    } else if let Some(arch) = arch {
        let wanted = Machine::named(&arch.value);
        if wanted.is_none() || !matches!(found, Format::Elf(machine) if Some(machine) == wanted) {
            failures.push(GateFailure::WrongMachine { wanted: arch.value.clone(), found, span: arch.span });
        }
    }
    if let Some(min) = min_size.filter(|min| size < *min) {
        failures.push(GateFailure::TooSmall { size, min });
    }
    if let Some(max) = max_size.filter(|max| size > *max) {
        failures.push(GateFailure::TooLarge { size, max });
    }
    failures
}

impl GateFailure {
    /// What the user can do about it.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::NotElf { .. } => Some("is `path` that of the binary inside its image?"),
            Self::WrongMachine { .. } => Some("build for that platform, or change `expect arch`"),
            Self::Linked { wanted: Linking::Static, .. } => {
                Some("link it with `-static` or `-static-pie`, or do not expect it to be static")
            }
            Self::Linked { wanted: Linking::Glibc, found } if found.is_static() => {
                Some("build it for glibc, or do not expect `libc=\"glibc\"`")
            }
            Self::Linked { wanted: Linking::Glibc, .. } => {
                Some("link other libraries into it, or do not expect `libc=\"glibc\"`")
            }
            Self::Unreadable { .. } => Some("is it a program, whole and not packed?"),
            Self::TooSmall { .. } => Some("is something missing in it? otherwise lower `expect min-size`"),
            Self::TooLarge { .. } => Some("is there too much in it? otherwise raise `expect max-size`"),
            Self::CheckFailed { end: CheckEnd::TimedOut(_), .. } => Some("give the check a longer `timeout`"),
            Self::CheckFailed { .. } => None,
        }
    }
}

impl fmt::Display for GateFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotElf { found } => write!(f, "it is no ELF binary, it is {found}"),
            Self::WrongMachine { wanted, found, .. } => write!(f, "it is not for {wanted}, it is {found}"),
            Self::Linked { wanted, found } => linking::fmt(*wanted, found, f),
            Self::Unreadable { why } => write!(f, "it does not say how it is linked: {why}"),
            Self::TooSmall { size, min } => {
                write!(f, "it has {}, less than {}", Bytes(*size), Bytes(*min))
            }
            Self::TooLarge { size, max } => {
                write!(f, "it has {}, more than {}", Bytes(*size), Bytes(*max))
            }
            Self::CheckFailed { args, end, .. } => {
                let args = args.join(" ");
                match end {
                    CheckEnd::Exited(code) => write!(f, "its check `{args}` exited with {code}"),
                    CheckEnd::Killed(signal) => write!(f, "its check `{args}` was killed by signal {signal}"),
                    CheckEnd::TimedOut(after) => {
                        write!(
                            f,
                            "its check `{args}` did not end within {}",
                            humantime::format_duration(*after)
                        )
                    }
                    CheckEnd::NotStarted(error) => {
                        write!(f, "its check `{args}` could not be started: {error}")
                    }
                    CheckEnd::Refused(why) => {
                        write!(f, "its check `{args}` could not be started: {why}")
                    }
                }
            }
        }
    }
}

/// A size for people that never hides a difference: exact bytes, and rounded where that is shorter.
struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => f.write_str("1 byte"),
            bytes @ ..1024 => write!(f, "{bytes} bytes"),
            bytes => write!(f, "{} ({bytes} bytes)", bytesize::ByteSize(bytes).display().iec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Spanned;

    fn expect() -> Expect {
        let arch = Some(Spanned::new(std::env::consts::ARCH.to_owned(), Span::default()));
        Expect { elf: true, arch, min_size: Some(1000), max_size: Some(1 << 40), linking: None }
    }

    fn version() -> Check {
        Check { args: vec!["version".into()], timeout: Duration::from_secs(90), span: Span::default() }
    }

    #[test]
    fn a_good_binary_passes_and_is_run() {
        let mut runs = 0;
        let mut run = |_: &Path, check: &Check| {
            runs += 1;
            assert_eq!(check.args, ["version"]);
            CheckEnd::Exited(0)
        };
        let found = check(Path::new("/proc/self/exe"), &expect(), &[version()], &mut run).unwrap();
        assert_eq!(found, Findings::default());
        assert_eq!(runs, 1);
    }

    /// A header alone, for a machine that this one is not.
    fn foreign() -> tempfile::NamedTempFile {
        let mut head = [0; elf::HEAD];
        head[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        // SPARC: no machine that this project is built for runs it.
        head[18] = 43;
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), head).unwrap();
        file
    }

    #[test]
    fn a_binary_that_this_machine_refuses_has_neither_passed_nor_failed() {
        let mut refuse = |_: &Path, _: &Check| CheckEnd::Refused("no");
        let elf = Expect { elf: true, ..Expect::default() };
        let found = check(foreign().path(), &elf, &[version(), version()], &mut refuse).unwrap();
        assert_eq!(found.failures, []);
        let here = Machine::here();
        assert_eq!(found.not_run.unwrap(), format!("this machine is {here}, the binary is for machine 43"));
        // What does not hold does not hold, wherever.
        let large = Expect { min_size: Some(1000), ..elf.clone() };
        assert_eq!(check(foreign().path(), &large, &[version()], &mut refuse).unwrap().failures.len(), 1);
        // A binary for this machine has no such excuse.
        let found = check(Path::new("/proc/self/exe"), &elf, &[version()], &mut refuse).unwrap();
        assert_eq!(found.failures[0].to_string(), "its check `version` could not be started: no");
    }

    #[test]
    fn a_binary_for_another_machine_is_run_where_this_one_can() {
        for (end, failures) in [(CheckEnd::Exited(0), 0), (CheckEnd::Exited(1), 1)] {
            let mut run = |_: &Path, _: &Check| end.clone();
            let found = check(foreign().path(), &Expect::default(), &[version()], &mut run).unwrap();
            assert_eq!((found.failures.len(), found.not_run), (failures, None));
        }
    }

    #[test]
    fn linking_is_asked_of_elf_files_alone_and_what_cannot_be_read_does_not_pass() {
        let expect = Expect { linking: Some(Linking::Static), ..Expect::default() };
        assert!(matches!(inspect(b"text", 4, &expect)[..], [GateFailure::NotElf { .. }]));
        let mut run = |_: &Path, _: &Check| unreachable!();
        let failures = check(foreign().path(), &expect, &[], &mut run).unwrap().failures;
        assert_eq!(failures[0].to_string(), "it does not say how it is linked: it has no program headers");
    }

    #[test]
    fn every_failure_is_found_at_once() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "#!/bin/sh\n").unwrap();
        let mut run = |_: &Path, _: &Check| unreachable!("a script is not run as a binary");
        let failures = check(file.path(), &expect(), &[version()], &mut run).unwrap().failures;
        let said: Vec<String> = failures.iter().map(ToString::to_string).collect();
        assert_eq!(said, ["it is no ELF binary, it is a script", "it has 10 bytes, less than 1000 bytes"]);
    }

    #[test]
    fn another_machine_is_refused_and_not_run() {
        let mut expect = expect();
        let other = if std::env::consts::ARCH == "aarch64" { "amd64" } else { "arm64" };
        expect.arch = Some(Spanned::new(other.to_owned(), Span::default()));
        let mut run = |_: &Path, _: &Check| unreachable!();
        let failures = check(Path::new("/proc/self/exe"), &expect, &[version()], &mut run).unwrap().failures;
        assert!(matches!(failures[..], [GateFailure::WrongMachine { .. }]), "{failures:?}");
        // Without `elf=#true` as well: a file of another format is for no machine.
        expect.elf = false;
        assert!(matches!(inspect(b"text", 2000, &expect)[..], [GateFailure::WrongMachine { .. }]));
    }

    #[test]
    fn without_expectations_anything_passes() {
        assert_eq!(inspect(b"", 0, &Expect::default()), []);
    }

    #[test]
    fn bounds_are_inclusive() {
        let bounds = Expect { min_size: Some(5), max_size: Some(5), ..Expect::default() };
        assert_eq!(inspect(b"", 5, &bounds), []);
        assert_eq!(inspect(b"", 4, &bounds), [GateFailure::TooSmall { size: 4, min: 5 }]);
        assert_eq!(inspect(b"", 6, &bounds), [GateFailure::TooLarge { size: 6, max: 5 }]);
    }

    #[test]
    fn each_end_of_a_check_is_worded() {
        let ends = [
            CheckEnd::Exited(3),
            CheckEnd::Killed(11),
            CheckEnd::TimedOut(Duration::from_secs(90)),
            CheckEnd::NotStarted("no".into()),
        ];
        let said: Vec<String> = ends
            .map(|end| {
                let mut run = |_: &Path, _: &Check| end.clone();
                let file = Path::new("/proc/self/exe");
                check(file, &Expect::default(), &[version()], &mut run).unwrap().failures[0].to_string()
            })
            .to_vec();
        insta::assert_snapshot!(said.join("\n"), @r"
        its check `version` exited with 3
        its check `version` was killed by signal 11
        its check `version` did not end within 1m 30s
        its check `version` could not be started: no
        ");
    }
}
