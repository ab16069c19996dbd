//! `binary-extract`: one file out of a tree artifact, and the gates it must pass.

use std::io::Read;
use std::time::Duration;

use crate::digest::Digest;
use crate::event::Event;
use crate::path::RelPath;
use crate::pipeline::{BinaryExtract, Check, Expect, NodeName};
use crate::record::{Artifact, Image};
use crate::run::docker::EngineError;
use crate::run::elf;
use crate::run::gates::{self, CheckEnd, GateFailure};
use crate::run::host::{self, HostError, Job, Place};
use crate::run::image;
use crate::run::task::{Context, TaskError, Upstream, tree_of};
use crate::store::{Placement, Store, Target};
use crate::tree::Entry;

/// Finds the file. What it must be is verified apart, by [`verify`].
pub fn make(extract: &BinaryExtract, upstream: &Upstream, context: &Context) -> Result<Artifact, TaskError> {
    let node = &upstream.node;
    let artifact = upstream.artifact.as_ref().ok_or(TaskError::Cancelled)?;
    let path = &extract.path.value;
    if let Artifact::Image(image) = artifact {
        return from_image(node, image, path, context);
    }
    let missing = || TaskError::NotInArtifact { node: node.clone(), path: path.clone() };
    let mut at = Entry::Directory { digest: tree_of(artifact).ok_or_else(missing)? };
    for name in path.names() {
        let Entry::Directory { digest } = at else { return Err(missing()) };
        let directory = context.store.directory(digest).ok_or(crate::store::StoreError::NoTree(digest))?;
        at = directory.get(name).cloned().ok_or_else(missing)?;
    }
    match at {
        Entry::File { digest, size, executable: _ } => {
            Ok(Artifact::Entry(Entry::File { digest, size, executable: true }))
        }
        _ => Err(TaskError::NotAFile { node: node.clone(), path: path.clone() }),
    }
}

/// How many links are followed before they are taken for a circle.
const LINKS: usize = 16;

/// One pass from the engine into the store.
fn from_image(
    node: &NodeName,
    image: &Image,
    path: &RelPath,
    context: &Context,
) -> Result<Artifact, TaskError> {
    let name = image::ensure(node, image, context)?;
    let session = context.engine.session()?;
    let missing = || TaskError::NotInArtifact { node: node.clone(), path: path.clone() };
    let mut at = path.clone();
    for _ in 0..LINKS {
        let opened = session.archive(&name, &format!("/{at}"), &context.engine_mark);
        let mut archive = tar::Archive::new(match opened {
            Err(EngineError::Refused { status: 404, .. }) => return Err(missing()),
            other => other?,
        });
        let read = TaskError::io("read an image into", context.store.root());
        let mut entries = match archive.entries() {
            Ok(entries) => entries,
            Err(error) => return Err(read(error)),
        };
        let mut entry = match entries.next().ok_or_else(missing)? {
            Ok(entry) => entry,
            Err(error) => return Err(read(error)),
        };
        match entry.header().entry_type() {
            tar::EntryType::Regular | tar::EntryType::Continuous => {
                let size = entry.size();
                let mut batch = context.store.batch();
                let (digest, size) = batch.add(&mut entry, size)?;
                batch.finish()?;
                return Ok(Artifact::Entry(Entry::File { digest, size, executable: true }));
            }
            tar::EntryType::Symlink => {
                let target = entry.link_name().ok().flatten().ok_or_else(missing)?;
                let target = target.to_str().ok_or_else(missing)?;
                let folder = at.parent().unwrap_or_else(RelPath::root);
                at = resolve(&folder, target).ok_or_else(missing)?;
            }
            _ => return Err(TaskError::NotAFile { node: node.clone(), path: path.clone() }),
        }
    }
    Err(missing())
}

/// Where a link leads inside an image, whose root nothing leaves.
fn resolve(folder: &RelPath, target: &str) -> Option<RelPath> {
    let mut names: Vec<&str> = if target.starts_with('/') { Vec::new() } else { folder.names().collect() };
    for name in target.split('/') {
        match name {
            "" | "." => {}
            ".." => drop(names.pop()),
            name => names.push(name),
        }
    }
    RelPath::parse(&names.join("/")).ok()
}

/// What stands in the store's memos for "this file passed these gates". Timeouts and places in the
/// pipeline file do not count.
pub fn gate_memo(artifact: &Artifact, extract: &BinaryExtract) -> Digest {
    let Expect { elf, arch, min_size, max_size } = &extract.expect;
    let arch = arch.as_ref().map(|arch| &arch.value);
    let checks: Vec<&Vec<String>> = extract.checks.iter().map(|check| &check.args).collect();
    Digest::of(
        format!("gates 1 {:?} {elf} {arch:?} {min_size:?} {max_size:?} {checks:?}", artifact.value())
            .as_bytes(),
    )
}

/// Whether the gates were passed before.
pub fn is_verified(store: &Store, artifact: &Artifact, extract: &BinaryExtract) -> bool {
    let nothing = extract.expect == Expect::default() && extract.checks.is_empty();
    nothing || store.memo_get(&gate_memo(artifact, extract)).ok().flatten().is_some()
}

/// Verifies every expectation and check, and remembers that they held.
pub fn verify(
    node: &NodeName,
    artifact: &Artifact,
    extract: &BinaryExtract,
    context: &Context,
) -> Result<(), TaskError> {
    if is_verified(&context.store, artifact, extract) {
        return Ok(());
    }
    let Artifact::Entry(Entry::File { digest, size, .. }) = artifact else { return Ok(()) };
    let failures = if extract.checks.is_empty() {
        let mut head = Vec::with_capacity(elf::HEAD);
        context
            .store
            .open_content(digest)?
            .take(elf::HEAD as u64)
            .read_to_end(&mut head)
            .map_err(TaskError::io("read", context.store.root()))?;
        gates::inspect(&head, *size, &extract.expect)
    } else {
        run_checks(node, *digest, *size, extract, context)?
    };
    if !failures.is_empty() {
        return Err(TaskError::Gates(failures));
    }
    context.store.memo_put(&gate_memo(artifact, extract), b"passed")?;
    Ok(())
}

fn run_checks(
    node: &NodeName,
    digest: Digest,
    size: u64,
    extract: &BinaryExtract,
    context: &Context,
) -> Result<Vec<GateFailure>, TaskError> {
    let scratch = context.scratch()?;
    let file = scratch.join("binary");
    let target = Target::new(file.clone(), true);
    context.store.place(&[Placement { digest, size, targets: vec![target] }])?;
    let failures = gates::check(&file, &extract.expect, &extract.checks, &mut |file, check: &Check| {
        let mut command = vec![file.display().to_string()];
        command.extend(check.args.iter().cloned());
        let runs = [command];
        let job = Job {
            runs: &runs,
            env: Vec::new(),
            redact: Vec::new(),
            place: Place::InPlace { root: &scratch },
            timeout: Some(check.timeout),
            grace: Duration::from_secs(1),
            path: "/usr/local/bin:/usr/bin:/bin".into(),
            stdin: None,
            log: scratch.join("log"),
        };
        let mut print =
            |line: &str| context.say(Event::NodePrinted { node: node.clone(), line: line.to_owned() });
        match host::run(&job, &mut print, &context.cancel) {
            Ok(_) => CheckEnd::Exited(0),
            Err(HostError::Failed { code, .. }) => CheckEnd::Exited(code),
            Err(HostError::Signalled { signal, .. }) => CheckEnd::Killed(signal),
            Err(HostError::TimedOut { limit, .. }) => CheckEnd::TimedOut(limit),
            Err(error) => CheckEnd::NotStarted(error.to_string()),
        }
    })
    .map_err(TaskError::io("read", &file));
    context.store.discard([&scratch])?;
    if context.cancel.is_cancelled() {
        return Err(TaskError::Cancelled);
    }
    failures
}
