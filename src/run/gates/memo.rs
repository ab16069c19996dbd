//! What the store remembers of gates: that a binary passed them, or that this machine could not
//! run its checks. The second holds for a machine like this one alone, so that another looks anew.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::event::Event;
use crate::pipeline::{BinaryExtract, Expect, Linking, Node, NodeName, Work};
use crate::record::Artifact;
use crate::run::elf::Machine;
use crate::store::{Store, StoreError};

/// How a binary stands with its gates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gates {
    Passed,
    /// Expectations hold, and no check was run: why not.
    NotRun(String),
    /// To be verified.
    Open,
}

/// How `artifact` stands with the gates of `extract`.
pub fn standing(store: &Store, artifact: &Artifact, extract: &BinaryExtract) -> Gates {
    standing_on(&machine, store, artifact, extract)
}

/// The same on some machine, which is asked for only when it matters.
fn standing_on(
    machine: &dyn Fn() -> Digest,
    store: &Store,
    artifact: &Artifact,
    extract: &BinaryExtract,
) -> Gates {
    if extract.expect == Expect::default() && extract.checks.is_empty() {
        return Gates::Passed;
    }
    let recall = |memo: &Digest| store.memo_get(memo).ok().flatten();
    let gates = gates(artifact, extract);
    if recall(&gates).is_some() {
        return Gates::Passed;
    }
    if extract.checks.is_empty() {
        return Gates::Open;
    }
    match recall(&refused(&gates, &machine())) {
        Some(reason) => Gates::NotRun(String::from_utf8_lossy(&reason).into_owned()),
        None => Gates::Open,
    }
}

/// A binary whose checks could not be run on a machine like this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unproven {
    pub node: NodeName,
    /// Each as its arguments.
    pub checks: Vec<String>,
    pub reason: String,
}

impl From<Unproven> for Event {
    fn from(Unproven { node, checks, reason }: Unproven) -> Self {
        Self::ChecksNotRun { node, checks, reason }
    }
}

/// Whether that is so of a node's artifact.
pub fn unproven(node: &Node, artifact: &Artifact, store: &Store) -> Option<Unproven> {
    let Work::BinaryExtract(extract) = &node.work else { return None };
    let Gates::NotRun(reason) = standing(store, artifact, extract) else { return None };
    let checks = extract.checks.iter().map(|check| check.args.join(" ")).collect();
    Some(Unproven { node: node.name.clone(), checks, reason })
}

/// Remembers how verifying ended.
pub fn remember(
    store: &Store,
    artifact: &Artifact,
    extract: &BinaryExtract,
    not_run: Option<&str>,
) -> Result<(), StoreError> {
    let gates = gates(artifact, extract);
    match not_run {
        None => store.memo_put(&gates, b"passed"),
        Some(reason) => store.memo_put(&refused(&gates, &machine()), reason.as_bytes()),
    }
}

/// What stands in the store's memos for "this file passed these gates". Timeouts and places in the
/// pipeline file do not count. What came later is only named where it is asked for: nobody
/// verifies again because of an upgrade.
fn gates(artifact: &Artifact, extract: &BinaryExtract) -> Digest {
    let Expect { elf, arch, min_size, max_size, linking } = &extract.expect;
    let arch = arch.as_ref().map(|arch| &arch.value);
    let checks: Vec<&Vec<String>> = extract.checks.iter().map(|check| &check.args).collect();
    let mut text =
        format!("gates 1 {:?} {elf} {arch:?} {min_size:?} {max_size:?} {checks:?}", artifact.value());
    text.push_str(match linking {
        None => "",
        Some(Linking::Static) => " static",
        Some(Linking::Glibc) => " glibc",
    });
    Digest::of(text.as_bytes())
}

/// For "a machine like this one cannot run the checks of these gates".
fn refused(gates: &Digest, machine: &Digest) -> Digest {
    Digest::of(format!("gates not run 1 {} {}", gates.hex(), machine.hex()).as_bytes())
}

/// What of this machine decides which programs it runs.
pub fn machine() -> Digest {
    let emulators = emulators(Path::new("/proc/sys/fs/binfmt_misc"));
    Digest::of(format!("{} {}", Machine::here(), emulators.hex()).as_bytes())
}

/// What the kernel was told to start other machines' programs with, where it shows that.
fn emulators(folder: &Path) -> Digest {
    let mut all: Vec<(std::ffi::OsString, Vec<u8>)> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        // The one that cannot be read takes registrations.
        .filter_map(|entry| Some((entry.file_name(), fs::read(entry.path()).ok()?)))
        .collect();
    all.sort();
    Digest::of(format!("{all:?}").as_bytes())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::path::RelPath;
    use crate::pipeline::{Check, Span, Spanned};
    use crate::tree::Entry;

    fn extract() -> BinaryExtract {
        let spanned = |text: &str| Spanned::new(RelPath::parse(text).unwrap(), Span::default());
        BinaryExtract {
            from: Spanned::new(NodeName("image".into()), Span::default()),
            path: spanned("app"),
            output: None,
            expect: Expect { elf: true, min_size: Some(5), ..Expect::default() },
            checks: Vec::new(),
        }
    }

    fn artifact() -> Artifact {
        Artifact::Entry(Entry::File { digest: Digest::of(b"app"), size: 3, executable: true })
    }

    /// What was written down before these gates could say more.
    #[test]
    fn gates_that_were_passed_before_an_upgrade_are_passed_after_it() {
        let text = format!("gates 1 {:?} true None Some(5) None []", artifact().value());
        assert_eq!(gates(&artifact(), &extract()), Digest::of(text.as_bytes()));
    }

    #[test]
    fn each_linking_is_verified_for_itself() {
        let with = |linking| {
            let mut extract = extract();
            extract.expect.linking = linking;
            gates(&artifact(), &extract)
        };
        let all = [with(None), with(Some(Linking::Static)), with(Some(Linking::Glibc))];
        assert!(all[0] != all[1] && all[1] != all[2] && all[0] != all[2]);
    }

    #[test]
    fn what_one_machine_could_not_run_is_open_to_another_until_it_has_passed() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("cache")).unwrap();
        let check = Check { args: vec!["v".into()], timeout: Duration::from_secs(1), span: Span::default() };
        let extract = BinaryExtract { checks: vec![check], ..extract() };
        let elsewhere = || Digest::of(b"another machine");
        let look = || {
            let here = standing(&store, &artifact(), &extract);
            (here, standing_on(&elsewhere, &store, &artifact(), &extract))
        };
        assert_eq!(look(), (Gates::Open, Gates::Open));
        remember(&store, &artifact(), &extract, Some("why")).unwrap();
        assert_eq!(look(), (Gates::NotRun("why".into()), Gates::Open));
        remember(&store, &artifact(), &extract, None).unwrap();
        assert_eq!(look(), (Gates::Passed, Gates::Passed));
    }

    #[test]
    fn a_new_emulator_makes_another_machine_of_this_one() {
        let folder = tempfile::tempdir().unwrap();
        let empty = emulators(folder.path());
        assert_eq!(emulators(&folder.path().join("not mounted")), empty);
        fs::write(folder.path().join("qemu-aarch64"), "enabled\n").unwrap();
        let enabled = emulators(folder.path());
        assert_ne!(enabled, empty);
        fs::write(folder.path().join("qemu-aarch64"), "disabled\n").unwrap();
        assert_ne!(emulators(folder.path()), enabled);
    }
}
