//! The instructions of a Dockerfile that have to do with a reason: those that differ, those that copy
//! what changed, those that build on an image which moved.

use crate::dockerfile::{Reach, Read};
use crate::inputs::Observation;
use crate::inputs::input::{DockerfileInput, Input};
use crate::key::Value;
use crate::path::RelPath;
use crate::plan::instructions::differing;
use crate::plan::{Code, Instruction, Reason};
use crate::survey::context::behind_links;
use crate::survey::why::Case;

/// Fills them in, where the node is built from a Dockerfile.
pub fn name(reason: &mut Reason, case: &Case<'_>) {
    let Some(path) = case.dockerfile else { return };
    let dockerfile = case.inputs.iter().find_map(|placed| match &placed.input {
        Input::Dockerfile(file) => Some(&**file),
        _ => None,
    });
    let Some(file) = dockerfile else { return };
    reason.instructions = match reason.code {
        Code::DockerfileChanged => changed(reason, path, file),
        Code::FromMoved => built_on(reason, path, file),
        Code::InputChanged if reason.label == "context" => {
            let seen = case.inputs.iter().find_map(|placed| match &placed.input {
                Input::Folder(folder) if placed.label == "context" => Some(&**folder),
                _ => None,
            });
            seen.map_or_else(Vec::new, |seen| copied(reason, path, file, seen))
        }
        _ => return,
    };
}

fn changed(reason: &Reason, path: &RelPath, file: &DockerfileInput) -> Vec<Instruction> {
    let Some(Value::Text(old)) = &reason.old else { return Vec::new() };
    let all = differing(old, file.analysis.instructions());
    all.into_iter()
        .map(|(line, old, new)| Instruction { file: path.to_string(), line, old, new, changes: Vec::new() })
        .collect()
}

fn built_on(reason: &Reason, path: &RelPath, file: &DockerfileInput) -> Vec<Instruction> {
    let reference = reason.label.strip_prefix("from ").unwrap_or_default();
    let bases = file.analysis.bases.iter().filter(|base| base.reference == reference);
    let mut lines: Vec<u32> = bases.map(|base| base.line).collect();
    lines.dedup();
    lines.into_iter().map(|line| at(path, file, line, Vec::new())).collect()
}

/// The instruction in a line, as it is.
fn at(path: &RelPath, file: &DockerfileInput, line: u32, changes: Vec<usize>) -> Instruction {
    let text = file.analysis.instructions().find(|(one, _)| *one == line);
    let new = text.map(|(_, text)| text.lines().next().unwrap_or_default().to_owned());
    Instruction { file: path.to_string(), line: Some(line), old: None, new, changes }
}

/// Each instruction that copies something of what changed.
fn copied(reason: &Reason, path: &RelPath, file: &DockerfileInput, seen: &Observation) -> Vec<Instruction> {
    let mut reads: Vec<Read> = file.analysis.reads.clone();
    reads.extend(behind_links(&file.analysis, seen, &reads));
    let reach = Reach::with(&file.analysis, &reads);
    let mut found: Vec<(u32, Vec<usize>)> = Vec::new();
    for (position, change) in reason.changes.iter().enumerate() {
        let by = reach.by(change.path.as_str()).map(|read| read.line);
        let Some(line) = by.or(file.analysis.everything.as_ref().map(|all| all.line)) else { continue };
        match found.iter_mut().find(|(known, _)| *known == line) {
            Some((_, changes)) => changes.push(position),
            None => found.push((line, vec![position])),
        }
    }
    found.into_iter().map(|(line, changes)| at(path, file, line, changes)).collect()
}
