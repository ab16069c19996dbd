//! `binary-extract`: one file out of a tree artifact, and the gates it must pass.

use std::io::Read;
use std::time::Duration;

use crate::digest::Digest;
use crate::event::Event;
use crate::path::RelPath;
use crate::pipeline::{BinaryExtract, Check, Expect, NodeName};
use crate::record::{Artifact, Image};
use crate::run::docker::{EngineError, ImageArchive};
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
    let open = |path: &str| match session.archive(&name, path, &context.engine_mark) {
        Err(EngineError::Refused { status: 404, .. }) => Err(missing()),
        other => Ok(tar::Archive::new(other?)),
    };
    let named = format!("/{path}");
    let mut archive = open(&named)?;
    let mut found = first_entry(&mut archive, context)?;
    if let Found::Link = found {
        // Only the engine can tell where it leads: folders above it may be links themselves.
        let target = archive.into_inner().link_target(&named)?;
        archive = open(&target)?;
        found = first_entry(&mut archive, context)?;
    }
    match found {
        Found::File(digest, size) => Ok(Artifact::Entry(Entry::File { digest, size, executable: true })),
        Found::Nothing => Err(missing()),
        Found::Link | Found::Other => Err(TaskError::NotAFile { node: node.clone(), path: path.clone() }),
    }
}

/// What stands first in an archive.
enum Found {
    /// A file, which is in the store now.
    File(Digest, u64),
    Link,
    Other,
    Nothing,
}

fn first_entry(archive: &mut tar::Archive<ImageArchive>, context: &Context) -> Result<Found, TaskError> {
    let read = || TaskError::io("read an image into", context.store.root());
    let first = archive.entries().map_err(read())?.next();
    let Some(mut entry) = first.transpose().map_err(read())? else { return Ok(Found::Nothing) };
    Ok(match entry.header().entry_type() {
        tar::EntryType::Regular | tar::EntryType::Continuous => {
            let size = entry.size();
            let mut batch = context.store.batch();
            let (digest, size) = batch.add(&mut entry, size)?;
            batch.finish()?;
            Found::File(digest, size)
        }
        tar::EntryType::Symlink => Found::Link,
        _ => Found::Other,
    })
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
