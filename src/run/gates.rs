//! What an extracted binary must be before anyone gets it: expectations on the file, and runs of
//! it that must succeed.
//!
//! How a program is run is the caller's business: it hands in a function. All failures of a file
//! are found at once.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use super::elf::{self, Format, Machine};
use crate::pipeline::{Check, Expect, Span};

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
}

/// Checks everything: `file` as it will be published, and each run that is asked for. The runs
/// are left out when the file is none that could run, because they would fail of that alone.
pub fn check(
    file: &Path,
    expect: &Expect,
    checks: &[Check],
    run: &mut dyn FnMut(&Path, &Check) -> CheckEnd,
) -> io::Result<Vec<GateFailure>> {
    let mut opened = File::open(file)?;
    let size = opened.metadata()?.len();
    let mut head = Vec::with_capacity(elf::HEAD);
    opened.by_ref().take(elf::HEAD as u64).read_to_end(&mut head)?;
    let mut failures = inspect(&head, size, expect);
    let runs = !failures
        .iter()
        .any(|failure| matches!(failure, GateFailure::NotElf { .. } | GateFailure::WrongMachine { .. }));
    for check in checks.iter().filter(|_| runs) {
        match run(file, check) {
            CheckEnd::Exited(0) => {}
            end => {
                failures.push(GateFailure::CheckFailed { args: check.args.clone(), end, span: check.span });
            }
        }
    }
    Ok(failures)
}

/// What a file's first [`elf::HEAD`] bytes and its size say.
pub fn inspect(head: &[u8], size: u64, expect: &Expect) -> Vec<GateFailure> {
    let Expect { elf, arch, min_size, max_size } = expect;
    let found = elf::identify(head);
    let mut failures = Vec::new();
    let is_elf = matches!(found, Format::Elf(_));
    if *elf && !is_elf {
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
        Expect { elf: true, arch, min_size: Some(1000), max_size: Some(1 << 40) }
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
        let failures = check(Path::new("/proc/self/exe"), &expect(), &[version()], &mut run).unwrap();
        assert_eq!(failures, []);
        assert_eq!(runs, 1);
    }

    #[test]
    fn every_failure_is_found_at_once() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "#!/bin/sh\n").unwrap();
        let mut run = |_: &Path, _: &Check| unreachable!("a script is not run as a binary");
        let failures = check(file.path(), &expect(), &[version()], &mut run).unwrap();
        let said: Vec<String> = failures.iter().map(ToString::to_string).collect();
        assert_eq!(said, ["it is no ELF binary, it is a script", "it has 10 bytes, less than 1000 bytes"]);
    }

    #[test]
    fn another_machine_is_refused_and_not_run() {
        let mut expect = expect();
        let other = if std::env::consts::ARCH == "aarch64" { "amd64" } else { "arm64" };
        expect.arch = Some(Spanned::new(other.to_owned(), Span::default()));
        let mut run = |_: &Path, _: &Check| unreachable!();
        let failures = check(Path::new("/proc/self/exe"), &expect, &[version()], &mut run).unwrap();
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
                check(file, &Expect::default(), &[version()], &mut run).unwrap()[0].to_string()
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
