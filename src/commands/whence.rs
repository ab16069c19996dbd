//! `osgraph whence FILE`: looks a file's content up in what was ever made here.

use std::collections::HashSet;

use crate::commands::args::{Format, Whence as Args};
use crate::commands::exit::Exit;
use crate::commands::fault::Fault;
use crate::commands::ground::Ground;
use crate::commands::history;
use crate::commands::screen::{Screen, now};
use crate::digest::Digest;
use crate::inputs::hash;
use crate::inputs::stat::Stat;
use crate::key::compose::PROVENANCE;
use crate::key::{Facet, Value};
use crate::path::RelPath;
use crate::record::{Artifact, Record, RunId};
use crate::report::whence::{self, Made, Origin, Packed, Published, Whence};
use crate::store::{Hit, Publication, Published as What, Store};
use crate::tree::{Entry, TreeDigest};

/// Nodes in a line of descent; a pipeline is not deeper, and a circle would not end.
const DEEPEST: usize = 200;

pub fn run(ground: &Ground, args: &Args, screen: &Screen) -> Result<Exit, Fault> {
    let path = ground.here.join(&args.path);
    let unreadable = |source| Fault::Unreadable { path: path.clone(), source };
    let path = std::fs::canonicalize(&path).map_err(unreadable)?;
    let stat = Stat::of(&path).map_err(unreadable)?;
    if stat.kind() != rustix::fs::FileType::RegularFile {
        return Err(Fault::Usage(format!("`{}` is no file", args.path.display())));
    }
    let meter = screen.meter(|| "hashing".to_owned());
    let hashed = hash::file(&path, &stat, &mut Vec::new())
        .map_err(|error| Fault::NotFound(format!("`{}` cannot be read: {error}", args.path.display())))?;
    drop(meter);
    let store = history::open(ground)?;
    let project = ground.project_id();
    let all = store.all_records(&project)?;
    let mut published = store.publications(&project)?;
    published.extend(store.archive_history(&project)?);
    let here = path.strip_prefix(&ground.project).ok().and_then(|path| RelPath::parse(path.to_str()?).ok());
    let at_path = here.as_ref().and_then(|here| published.iter().find(|one| one.path == *here));
    let altered = at_path
        .filter(|one| matches!(&one.entry, Some(Entry::File { digest, .. }) if *digest != hashed.digest))
        .map(|one| Published { node: one.node.clone(), run: one.run });
    let origin = origin(hashed.digest, &published, &all, &store)?;
    let whence = Whence {
        file: args.path.display().to_string(),
        digest: hashed.digest,
        size: stat.size,
        altered,
        origin,
    };
    screen.answer(&match screen.format {
        Format::Json => whence::json(&whence),
        Format::Text => whence::text(&whence, now(), screen.palette),
    });
    Ok(if whence.origin.is_some() { Exit::Done } else { Exit::NodeFailed })
}

/// The newest record that has the content: as its artifact, in it, or as an archive of it.
fn origin(
    digest: Digest,
    published: &[Publication],
    all: &[Hit],
    store: &Store,
) -> Result<Option<Origin>, Fault> {
    let is_it = |entry: &Entry| matches!(entry, Entry::File { digest: one, .. } if *one == digest);
    let archive =
        published.iter().find(|one| one.what == What::Archive && one.entry.as_ref().is_some_and(is_it));
    if let Some(archive) = archive {
        // What the node had when the archive was published, or had made before.
        let record = all.iter().find(|hit| hit.node == archive.node && hit.run <= archive.run);
        if let Some(record) = record.map(|hit| store.record_by_key(&hit.key)).transpose()?.flatten() {
            let made = made(&record, all, store, 0)?;
            return Ok(Some(Origin { member: None, is_archive: true, packed: Vec::new(), made }));
        }
    }
    // A file that passes through several nodes is from the first that had it.
    let mut lacking: HashSet<TreeDigest> = HashSet::new();
    let mut found: Option<(&Hit, Option<RelPath>)> = None;
    for hit in all {
        let member = match &hit.artifact {
            Artifact::Entry(Entry::Directory { digest: tree }) => {
                match member(*tree, digest, &RelPath::root(), &mut lacking, store) {
                    Some(member) => Some(member),
                    None => continue,
                }
            }
            Artifact::Entry(entry) if is_it(entry) => None,
            _ => continue,
        };
        let is_better = match &found {
            None => true,
            Some((known, at)) => at.is_some() && member.is_none() && hit.run <= known.run,
        };
        if is_better {
            found = Some((hit, member));
        }
    }
    let Some((hit, member)) = found else { return Ok(None) };
    let Some(record) = store.record_by_key(&hit.key)? else { return Ok(None) };
    let packed = packed(&record, all, store)?;
    Ok(Some(Origin { member, is_archive: false, packed, made: made(&record, all, store, 0)? }))
}

/// What the newest packages of each node tell that were made of a record's artifact.
fn packed(record: &Record, all: &[Hit], store: &Store) -> Result<Vec<Packed>, Fault> {
    let value = record.artifact.value();
    let mut packed: Vec<Packed> = Vec::new();
    for hit in all {
        let is_tree = matches!(hit.artifact, Artifact::Entry(Entry::Directory { .. }));
        if !is_tree || packed.iter().any(|one| one.node == hit.node) {
            continue;
        }
        let Some(package) = store.record_by_key(&hit.key)? else { continue };
        let components = package.manifest.components();
        if components.iter().any(|one| one.facet == Facet::Upstream && one.value == value) {
            let told = whence::told(components);
            if !told.is_empty() {
                packed.push(Packed { node: package.node.clone(), run: package.run, told });
            }
        }
    }
    Ok(packed)
}

/// Where in a tree the content is. `lacking` are folders that do not have it.
fn member(
    tree: TreeDigest,
    digest: Digest,
    at: &RelPath,
    lacking: &mut HashSet<TreeDigest>,
    store: &Store,
) -> Option<RelPath> {
    if lacking.contains(&tree) {
        return None;
    }
    let directory = store.directory(tree)?;
    for (name, entry) in directory.entries() {
        let below = at.child(name);
        match entry {
            Entry::File { digest: one, .. } if *one == digest => return Some(below),
            Entry::Directory { digest: inner } => {
                if let Some(found) = member(*inner, digest, &below, lacking, store) {
                    return Some(found);
                }
            }
            _ => {}
        }
    }
    lacking.insert(tree);
    None
}

/// A record with the records of what it was made from.
fn made(record: &Record, all: &[Hit], store: &Store, depth: usize) -> Result<Made, Fault> {
    let mut from = Vec::new();
    for one in record.manifest.components() {
        // What a package tells of a node is among its own inputs; the node itself comes further down.
        let is_read = one.facet == Facet::Upstream && !one.label.starts_with(PROVENANCE);
        if !is_read || depth >= DEEPEST {
            continue;
        }
        if let Some(above) = maker(&one.value, record.run, all)
            && let Some(above) = store.record_by_key(&above.key)?
        {
            from.push(made(&above, all, store, depth + 1)?);
        }
    }
    Ok(Made {
        node: record.node.clone(),
        key: record.key,
        run: store.run(record.run)?,
        duration_ms: record.duration_ms,
        inputs: whence::own_inputs(record.manifest.components()),
        from,
    })
}

/// The newest record that yielded `value` before `run` was through.
fn maker<'a>(value: &Value, run: RunId, all: &'a [Hit]) -> Option<&'a Hit> {
    all.iter().find(|hit| hit.run <= run && hit.artifact.value() == *value)
}
