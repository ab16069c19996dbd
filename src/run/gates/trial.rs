//! Verifies a binary that stands in the store: puts it into a folder of its own, and runs it there
//! as its checks say.
//!
//! Each run has a home and a folder for temporary files that are gone afterwards, however it ends:
//! a program that unpacks itself at its first word leaves nothing behind.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::digest::Digest;
use crate::event::Event;
use crate::pipeline::{BinaryExtract, Check, NodeName};
use crate::record::Artifact;
use crate::run::elf;
use crate::run::gates::memo::{self, Gates};
use crate::run::gates::{self, CheckEnd, Findings};
use crate::run::host::{self, HostError, Job, Place};
use crate::run::task::{Context, TaskError};
use crate::store::{Placement, Target};
use crate::tree::Entry;

/// Verifies every expectation and check, unless that was done before, and remembers how it ended.
/// Gives what the checks printed, as a content of the store.
pub fn verify(
    node: &NodeName,
    artifact: &Artifact,
    extract: &BinaryExtract,
    context: &Context,
) -> Result<Option<Digest>, TaskError> {
    if memo::standing(&context.store, artifact, extract) == Gates::Passed {
        return Ok(None);
    }
    let Artifact::Entry(Entry::File { digest, size, .. }) = artifact else { return Ok(None) };
    let log = context.log_path(node);
    let findings = if extract.checks.is_empty() && extract.expect.linking.is_none() {
        let mut head = Vec::with_capacity(elf::HEAD);
        context
            .store
            .open_content(digest)?
            .take(elf::HEAD as u64)
            .read_to_end(&mut head)
            .map_err(TaskError::io("read", context.store.root()))?;
        Findings { failures: gates::inspect(&head, *size, &extract.expect), not_run: None }
    } else {
        let scratch = context.scratch()?;
        let mut trial = Trial { node, scratch: &scratch, context, printed: Vec::new() };
        let findings = trial.hold(*digest, *size, extract, &log);
        context.store.discard([&scratch])?;
        if context.cancel.is_cancelled() {
            return Err(TaskError::Cancelled);
        }
        findings?
    };
    if !findings.failures.is_empty() {
        return Err(TaskError::Gates(findings.failures));
    }
    memo::remember(&context.store, artifact, extract, findings.not_run.as_deref())?;
    let Ok(mut text) = File::open(&log) else { return Ok(None) };
    let length = text.metadata().map_err(TaskError::io("read", &log))?.len();
    let mut batch = context.store.batch();
    let (kept, _) = batch.add(&mut text, length)?;
    batch.finish()?;
    let _ = fs::remove_file(&log);
    Ok(Some(kept))
}

struct Trial<'a> {
    node: &'a NodeName,
    scratch: &'a Path,
    context: &'a Context,
    /// Of each run, the file with what it printed.
    printed: Vec<(Vec<String>, PathBuf)>,
}

impl Trial<'_> {
    fn hold(
        &mut self,
        digest: Digest,
        size: u64,
        extract: &BinaryExtract,
        log: &Path,
    ) -> Result<Findings, TaskError> {
        let file = self.scratch.join("binary");
        let target = Target::new(file.clone(), true);
        self.context.store.place(&[Placement { digest, size, targets: vec![target] }])?;
        let findings = gates::check(&file, &extract.expect, &extract.checks, &mut |file, check| {
            self.run(file, check).unwrap_or_else(|error| CheckEnd::NotStarted(error.to_string()))
        })
        .map_err(TaskError::io("read", &file))?;
        self.write(log, extract, &findings).map_err(TaskError::io("write", log))?;
        Ok(findings)
    }

    fn run(&mut self, file: &Path, check: &Check) -> Result<CheckEnd, TaskError> {
        let order = self.printed.len();
        let room = self.scratch.join(order.to_string());
        let printed = self.scratch.join(format!("{order}.log"));
        let [work, home, temporary] = ["work", "home", "tmp"].map(|name| room.join(name));
        for folder in [&room, &work, &home, &temporary] {
            fs::create_dir(folder).map_err(TaskError::io("create", folder))?;
        }
        self.printed.push((check.args.clone(), printed.clone()));
        let mut command = vec![file.display().to_string()];
        command.extend(check.args.iter().cloned());
        let runs = [command];
        let job = Job {
            runs: &runs,
            env: [("HOME", &home), ("TMPDIR", &temporary)]
                .map(|(name, folder)| (name.to_owned(), folder.display().to_string()))
                .to_vec(),
            redact: Vec::new(),
            place: Place::InPlace { root: &work },
            timeout: Some(check.timeout),
            grace: Duration::from_secs(1),
            path: "/usr/local/bin:/usr/bin:/bin".into(),
            stdin: None,
            log: printed,
            no_shell: true,
        };
        let node = self.node;
        let mut print =
            |line: &str| self.context.say(Event::NodePrinted { node: node.clone(), line: line.to_owned() });
        let end = match host::run(&job, &mut print, &self.context.cancel) {
            Ok(_) => CheckEnd::Exited(0),
            Err(HostError::Failed { code, .. }) => CheckEnd::Exited(code),
            Err(HostError::Signalled { signal, .. }) => CheckEnd::Killed(signal),
            Err(HostError::TimedOut { limit, .. }) => CheckEnd::TimedOut(limit),
            Err(HostError::NotFound { .. }) => CheckEnd::Refused("its interpreter is not here"),
            Err(error) if error.is_no_program() => CheckEnd::Refused("it is no program for this machine"),
            Err(error) => CheckEnd::NotStarted(error.to_string()),
        };
        // It may be as large as the binary, and the next run unpacks as much.
        self.context.store.discard([&room])?;
        Ok(end)
    }

    /// Puts together what all runs printed, and says which were not run.
    fn write(&self, log: &Path, extract: &BinaryExtract, findings: &Findings) -> io::Result<()> {
        if extract.checks.is_empty() {
            return Ok(());
        }
        fs::create_dir_all(log.parent().unwrap_or(log))?;
        let mut out = File::create(log)?;
        if let Some(reason) = &findings.not_run {
            for check in &extract.checks {
                writeln!(out, "check `{}`: not run: {reason}", check.args.join(" "))?;
            }
            return Ok(());
        }
        for (args, printed) in &self.printed {
            writeln!(out, "check `{}`", args.join(" "))?;
            match File::open(printed) {
                Ok(mut printed) => drop(io::copy(&mut printed, &mut out)?),
                // It printed nothing.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
