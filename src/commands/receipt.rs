//! `osgraph run --receipt FILE`: writes down what a run knew.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::commands::fault::Fault;
use crate::commands::ground::Ground;
use crate::commands::prepare::{PROGRAM, Prepared};
use crate::commands::screen::now;
use crate::inputs::git;
use crate::key::Value;
use crate::plan::privacy::told_param;
use crate::plan::receipt::{self, Noted, Receipt, redacted};
use crate::record::{Outcome, RunId};
use crate::tree::{Directory, Entry, TreeDigest};

/// Writes the receipt of a run that succeeded, beside the file and then in its place.
pub fn write(file: &Path, ground: &Ground, prepared: &Prepared, run: Option<RunId>) -> Result<(), Fault> {
    let receipt = of(ground, prepared, run)?;
    let temporary = file.with_added_extension(format!("{}.tmp", std::process::id()));
    // The destination is never half written.
    let done =
        std::fs::write(&temporary, receipt.to_bytes()).and_then(|()| std::fs::rename(&temporary, file));
    done.map_err(|source| {
        // What could not be written whole is of no use.
        let _ = std::fs::remove_file(&temporary);
        Fault::Io { action: format!("write the receipt `{}`", file.display()), source }
    })?;
    Ok(())
}

fn of(ground: &Ground, prepared: &Prepared, run: Option<RunId>) -> Result<Receipt, Fault> {
    let store = &prepared.store;
    let steps = run.map(|run| store.steps(run)).transpose()?.unwrap_or_default();
    let mut nodes = Vec::new();
    let mut trees = BTreeMap::new();
    for node in &prepared.nodes {
        let Some(record) = store.latest_record(&prepared.project_id, &node.name)? else { continue };
        let artifact = record.artifact.value();
        let named = record.manifest.components().iter().map(|one| &one.value).chain([&artifact]);
        for value in named {
            // One that is no longer in the store cannot be compared file by file.
            if let Value::Entry(Entry::Directory { digest }) = value
                && let Ok(tree) = store.tree(*digest)
            {
                let named = |(digest, directory): (TreeDigest, Arc<Directory>)| {
                    (digest.to_string(), directory.entries().to_vec())
                };
                trees.extend(tree.directories.into_iter().map(named));
            }
        }
        let step = steps.iter().find(|step| step.node == node.name);
        nodes.push(Noted {
            node: node.name.clone(),
            kind: node.kind(),
            outcome: step.map_or(Outcome::Fresh, |step| step.outcome),
            key: record.key.0,
            duration_ms: record.duration_ms,
            manifest: redacted(&record.manifest),
            artifact,
        });
    }
    let pipeline = &prepared.loaded.pipeline;
    let params = pipeline.params.iter();
    Ok(Receipt {
        v: receipt::VERSION,
        osgraph: PROGRAM.to_owned(),
        pipeline: pipeline.name.clone(),
        run,
        revision: git::revision(&ground.project, &ground.git),
        started: now(),
        params: params.map(|one| (one.name.clone(), told_param(&one.name, &one.value))).collect(),
        nodes,
        trees,
    })
}
