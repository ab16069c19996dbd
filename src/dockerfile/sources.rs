//! What one `COPY`, `ADD` or `RUN` reads: context paths, images, the network, secrets.

use std::ops::Range;

use super::analyse::Walk;
use super::analysis::{Base, BaseUse, Dynamic, Read, ReadKind, Remote, SecretUse, SshUse};
use super::environment::Environment;
use super::expand::Value;
use super::instruction::{Flag, Instruction};
use super::mistake::{Fault, Mistake};
use super::paths::clean;
use super::stages::{self, Origin, Stages};
use super::wildcard::Glob;

/// The sources of a `COPY` or `ADD`.
pub(super) fn copy(
    walk: &mut Walk,
    instruction: &Instruction,
    environment: &Environment,
) -> Result<(), Mistake> {
    let sources = instruction.sources()?;
    let is_add = instruction.word == "ADD";
    if !is_add && instruction.flag("from")?.is_some_and(|(from, _)| !from.is_empty()) {
        return Ok(());
    }
    let kind = match (is_add, instruction.switch("parents")) {
        (true, _) => ReadKind::Add,
        (false, true) => ReadKind::CopyParents,
        (false, false) => ReadKind::Copy,
    };
    for source in sources {
        match walk.put_in(&source.text, instruction, environment)?.value {
            Value::Unknown(why) => dynamic(walk, why, instruction.line(), source.span),
            Value::Known(url) if is_remote(&url) && is_add => {
                let checksum = instruction.flag("checksum")?.map(|(checksum, _)| checksum.to_owned());
                let remote = Remote { url, checksum, line: instruction.line(), span: source.span };
                walk.analysis.remotes.push(remote);
            }
            Value::Known(url) if is_remote(&url) => {
                return Err(Mistake::new(Fault::RemoteCopy(url), source.span, instruction.line()));
            }
            Value::Known(path) => read(walk, &path, kind, instruction.line(), source.span),
        }
    }
    Ok(())
}

/// The mounts of a `RUN`, but for the images they come from.
pub(super) fn mounts(
    walk: &mut Walk,
    instruction: &Instruction,
    environment: &Environment,
) -> Result<(), Mistake> {
    let line = instruction.line();
    for (mount, flag) in stages::mounts(instruction)? {
        let put_in = |text: &Option<String>| match text {
            Some(text) => walk.put_in(text, instruction, environment).map(|expanded| Some(expanded.value)),
            None => Ok(None),
        };
        let kind = match put_in(&mount.kind)? {
            None => "bind".to_owned(),
            Some(Value::Known(kind)) => kind.to_ascii_lowercase(),
            Some(Value::Unknown(why)) => {
                dynamic(walk, why, line, flag.span.clone());
                continue;
            }
        };
        let is_required = match put_in(&mount.required)? {
            Some(Value::Known(text)) => matches!(&*text, "1" | "t" | "T" | "true" | "TRUE" | "True"),
            Some(Value::Unknown(_)) => true,
            None => false,
        };
        // An id that cannot be told is shown as it is written.
        let known = |value: Option<Value>, written: &Option<String>| match value {
            Some(Value::Known(text)) => Some(text).filter(|text| !text.is_empty()),
            _ => written.clone(),
        };
        match &*kind {
            "secret" => {
                let id = known(put_in(&mount.source)?, &mount.source)
                    .or(known(put_in(&mount.id)?, &mount.id))
                    .or(known(put_in(&mount.target)?, &mount.target).map(|target| file_name(&target)));
                let Some(id) = id else {
                    let fault = Fault::BadMount("a secret needs an `id`".to_owned());
                    return Err(Mistake::new(fault, flag.span.clone(), line));
                };
                walk.analysis.secrets.push(SecretUse { id, required: is_required, line });
            }
            "ssh" => {
                let id =
                    known(put_in(&mount.source)?, &mount.source).or(known(put_in(&mount.id)?, &mount.id));
                let id = id.unwrap_or_else(|| "default".to_owned());
                walk.analysis.ssh.push(SshUse { id, required: is_required, line });
            }
            "bind" if mount.from.as_deref().unwrap_or_default().is_empty() => match put_in(&mount.source)? {
                Some(Value::Unknown(why)) => dynamic(walk, why, line, flag.span.clone()),
                Some(Value::Known(path)) => read(walk, &path, ReadKind::Mount, line, flag.span.clone()),
                None => read(walk, "", ReadKind::Mount, line, flag.span.clone()),
            },
            _ => {}
        }
    }
    Ok(())
}

/// The external images of `--from` and `from=`.
pub(super) fn images(
    walk: &mut Walk,
    stages: &Stages,
    instruction: &Instruction,
    stage: usize,
) -> Result<(), Mistake> {
    let used_by = if instruction.word == "COPY" { BaseUse::Copy } else { BaseUse::Mount };
    for (origin, flag) in stages.origins(instruction, stage)? {
        if let Origin::Image(reference) = origin {
            let span = within(walk.text, flag, &reference);
            let line = instruction.line();
            walk.analysis.bases.push(Base { reference, line, span, platform: None, used_by });
        }
    }
    Ok(())
}

/// Where the reference stands in its flag: after `from=`, if it is written as it is.
fn within(text: &str, flag: &Flag, reference: &str) -> Range<usize> {
    let written = text.get(flag.span.clone()).unwrap_or_default();
    let at = written.match_indices("from=").map(|(at, word)| at + word.len()).find(|at| {
        let rest = written[*at..].strip_prefix(reference);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([',', '"', '\'']))
    });
    at.map_or(flag.span.clone(), |at| {
        let begin = flag.span.start + at;
        begin..begin + reference.len()
    })
}

fn read(walk: &mut Walk, path: &str, kind: ReadKind, line: u32, span: Range<usize>) {
    // BuildKit takes every path from the context's root, also one that would leave it.
    let cleaned = clean(&format!("/{path}"));
    let pattern = match cleaned.trim_start_matches('/') {
        "" => ".",
        pattern => pattern,
    };
    let is_pattern = match kind {
        ReadKind::Copy | ReadKind::Add => Glob::source(pattern).is_some(),
        ReadKind::CopyParents => Glob::moby(pattern).is_some(),
        ReadKind::Mount => true,
    };
    if is_pattern {
        walk.analysis.reads.push(Read { pattern: pattern.to_owned(), kind, line, span });
    } else {
        dynamic(walk, format!("`{pattern}` is no pattern"), line, span);
    }
}

fn dynamic(walk: &mut Walk, why: String, line: u32, span: Range<usize>) {
    walk.analysis.everything.get_or_insert(Dynamic { why, line, span });
}

/// Whether BuildKit takes it from the network: a URL, or a git repository over ssh.
fn is_remote(source: &str) -> bool {
    const SCHEMES: &[&str] = &["http://", "https://", "git://", "ssh://"];
    if SCHEMES.iter().any(|scheme| source.starts_with(scheme)) {
        return true;
    }
    // `git@host:path`
    source.split_once('@').is_some_and(|(user, rest)| {
        let is_name = |text: &str| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        };
        is_name(user) && rest.split_once(':').is_some_and(|(host, path)| is_name(host) && !path.is_empty())
    })
}

fn file_name(path: &str) -> String {
    let path = path.trim_end_matches('/');
    path.rsplit('/').next().unwrap_or(path).to_owned()
}
