//! Reads the pipeline file and what it hangs on: parameter files and the lock file.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::commands::fault::Fault;
use crate::commands::ground::{Ground, environment};
use crate::digest::Digest;
use crate::graph::Graph;
use crate::inputs::git;
use crate::path::RelPath;
use crate::pipeline::{Diagnostics, Document, Lock, Overrides, Pipeline, SourceFile, check};
use crate::survey::snapshot::Snapshot;

/// A pipeline, read and checked.
pub struct Loaded {
    pub source: SourceFile,
    pub pipeline: Pipeline,
    pub graph: Graph,
    /// Its compiled form and the digest of the text.
    pub document: Vec<u8>,
    pub digest: Digest,
    /// Environment names that may give parameters.
    pub names: Vec<String>,
    /// Files that may give parameters, there or not, since one that appears hides a default; and
    /// what was read of those that did.
    pub param_files: Vec<(RelPath, Option<Digest>)>,
    /// Of upstream images. Read, and noted in `param_files`, where there is a node that builds one.
    pub lock: Lock,
}

/// Reads the pipeline; its compiled form is taken from `snapshot` where the text is the same.
pub fn load(ground: &Ground, snapshot: &mut Snapshot) -> Result<Loaded, Fault> {
    let bytes = std::fs::read(&ground.file).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => Fault::NoPipeline { path: ground.file.clone() },
        _ => Fault::Unreadable { path: ground.file.clone(), source },
    })?;
    let digest = Digest::of(&bytes);
    let source = SourceFile::from_bytes(ground.shown.clone(), bytes).map_err(Fault::pipeline)?;
    let compiled = snapshot.document(&digest).and_then(|bytes| Some((Document::decode(&bytes).ok()?, bytes)));
    let (parsed, document) = match compiled {
        Some(known) => known,
        None => {
            let parsed = Document::parse(&source).map_err(Fault::pipeline)?;
            let bytes = parsed.encode();
            (parsed, bytes)
        }
    };
    let read: RefCell<HashMap<RelPath, Digest>> = RefCell::default();
    let overrides = Overrides {
        set: ground.set.clone(),
        env: &environment,
        read_file: &|path: &RelPath| {
            let bytes = std::fs::read(path.under(&ground.project))?;
            read.borrow_mut().insert(path.clone(), Digest::of(&bytes));
            Ok(bytes)
        },
        host_arch: std::env::consts::ARCH,
    };
    let pipeline = parsed.resolve(&source, &overrides).map_err(Fault::pipeline)?;
    let around = check::Surroundings {
        pipeline_file: below(ground, &ground.file),
        store: below(ground, &ground.store),
    };
    check::surroundings(&pipeline, &source, &around).map_err(Fault::pipeline)?;
    let names = parsed.parameters().iter().map(crate::pipeline::params::Declaration::variable).collect();
    let mut param_files: Vec<(RelPath, Option<Digest>)> = parsed
        .parameters()
        .iter()
        .filter_map(|param| param.from_file.as_ref().map(|path| path.value.clone()))
        .map(|path| {
            let digest = read.borrow().get(&path).copied();
            (path, digest)
        })
        .collect();
    drop(parsed);
    let mut lock = Lock::default();
    if pipeline.nodes.iter().any(|node| node.docker().is_some()) {
        let (read, digest) = read_lock(ground)?;
        lock = read;
        param_files.extend(below(ground, &ground.lock()).map(|path| (path, digest)));
    }
    let graph = Graph::build(&pipeline, &source).map_err(Fault::pipeline)?;
    Ok(Loaded { source, pipeline, graph, document, digest, names, param_files, lock })
}

/// The lock file and the digest of its text; an empty one where there is none.
pub fn read_lock(ground: &Ground) -> Result<(Lock, Option<Digest>), Fault> {
    let path = ground.lock();
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok((Lock::default(), None)),
        Err(source) => return Err(Fault::Io { action: format!("read `{}`", path.display()), source }),
    };
    let digest = Digest::of(&bytes);
    let shown = std::path::Path::new(&ground.shown).with_extension("lock").display().to_string();
    let source = SourceFile::from_bytes(shown, bytes).map_err(Fault::pipeline)?;
    Ok((Lock::parse(&source).map_err(Fault::pipeline)?, Some(digest)))
}

/// Refuses outputs that would overwrite a file under version control. Starts git, so it is asked
/// by `check` and by a survey, never by a run that does nothing.
pub fn refuse_tracked(ground: &Ground, loaded: &Loaded) -> Result<(), Fault> {
    if !git::is_repository(&ground.project) {
        return Ok(());
    }
    let paths: Vec<RelPath> =
        check::published_paths(&loaded.pipeline).into_iter().map(|published| published.path).collect();
    // Without git nothing can be told; what needs git says so itself.
    let Ok(tracked) = git::tracked(&ground.project, &paths, &ground.git) else { return Ok(()) };
    let is_file = |path: &RelPath| tracked.contains(path) && path.under(&ground.project).is_file();
    let list = check::tracked_conflicts(&loaded.pipeline, &is_file);
    if list.is_empty() { Ok(()) } else { Err(Fault::pipeline(Diagnostics::new(&loaded.source, list))) }
}

fn below(ground: &Ground, path: &std::path::Path) -> Option<RelPath> {
    RelPath::parse(path.strip_prefix(&ground.project).ok()?.to_str()?).ok()
}
