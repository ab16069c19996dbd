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
use crate::key::{Facet, Key, Value};
use crate::path::RelPath;
use crate::record::{Artifact, Record, RunId};
use crate::report::whence::{self, Made, Origin, Packed, Published, Whence};
use crate::store::{Hit, Publication, Published as What, Store};
use crate::tree::{Entry, TreeDigest};

/// Nodes in a line of descent; a pipeline is not deeper, and a circle would not end.
const DEEPEST: usize = 200;

pub fn run(ground: &Ground, args: &Args, screen: &Screen) -> Result<Exit, Fault> {
    let unreadable = Fault::reading(&args.path);
    let path = std::fs::canonicalize(ground.here.join(&args.path)).map_err(&unreadable)?;
    let stat = Stat::of(&path).map_err(&unreadable)?;
    if stat.kind() != rustix::fs::FileType::RegularFile {
        return Err(Fault::usage(
            format!("`{}` is no file", args.path.display()),
            "name a file: one in that folder, or an archive of it",
        ));
    }
    let meter = screen.meter(|| "hashing".to_owned());
    let hashed = hash::file(&path, &stat, &mut Vec::new()).map_err(|error| {
        let message = format!("`{}` cannot be read: {error}", args.path.display());
        Fault::usage(message, "wait until it is written, and see that this user may read it")
    })?;
    drop(meter);
    let store = history::open(ground)?;
    let project = ground.project_id();
    let all = store.all_records(&project)?;
    let mut published = store.publications(&project)?;
    published.extend(store.archive_history(&project)?);
    let here = path.strip_prefix(&ground.project).ok().and_then(|path| RelPath::parse(path.to_str()?).ok());
    let place = here.as_ref().and_then(|here| place(here, &published, &store));
    let (place, altered) = match place {
        Some(place) if is_file(&place.entry, hashed.digest) => (Some(place), None),
        Some(place) => (None, Some(Published { node: place.of.node.clone(), run: place.of.run })),
        None => (None, None),
    };
    let library = Library { store: &store, project: &project, all: &all };
    let origin = library.origin(hashed.digest, place.as_ref(), &published)?;
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

fn is_file(entry: &Entry, digest: Digest) -> bool {
    matches!(entry, Entry::File { digest: one, .. } if *one == digest)
}

/// What was put at a path.
struct Place<'a> {
    of: &'a Publication,
    /// What was put there: the publication's own entry, or one in its folder.
    entry: Entry,
    /// Where that is in what was published.
    below: RelPath,
}

/// What stands published at `here`, by itself or in a folder. None for what is not osgraph's.
fn place<'a>(here: &RelPath, published: &'a [Publication], store: &Store) -> Option<Place<'a>> {
    published.iter().find_map(|of| {
        let below = here.below(&of.path)?;
        let entry = below.names().try_fold(of.entry.clone()?, |entry, name| match entry {
            Entry::Directory { digest } => store.directory(digest)?.get(name).cloned(),
            Entry::File { .. } | Entry::Symlink { .. } => None,
        })?;
        matches!(entry, Entry::File { .. }).then_some(Place { of, entry, below })
    })
}

/// What was made in this project.
struct Library<'a> {
    store: &'a Store,
    project: &'a str,
    /// Newest first.
    all: &'a [Hit],
}

impl Library<'_> {
    /// Where a content is from: of a published file the node that published it, else the newest
    /// record that has it, as an archive, as its artifact or in it.
    fn origin(
        &self,
        digest: Digest,
        place: Option<&Place<'_>>,
        published: &[Publication],
    ) -> Result<Option<Origin>, Fault> {
        let elsewhere = published.iter().find(|one| {
            one.what == What::Archive && one.entry.as_ref().is_some_and(|entry| is_file(entry, digest))
        });
        let newest = self.newest(digest)?;
        // What a node made as a whole, a binary, is that node's also where a package holds it.
        let is_whole = newest.as_ref().is_some_and(|origin| origin.member.is_none());
        let is_held = is_whole && place.is_some_and(|place| !place.below.is_root());
        if !is_held
            && let Some(of) = place.map(|place| place.of).or(elsewhere)
            && let Some(record) = self.published_by(of)?
        {
            let mut origin = self.of(&record, None)?;
            match of.what {
                What::Archive => (origin.is_archive, origin.packed) = (true, Vec::new()),
                What::Checksum => (origin.is_checksum, origin.packed) = (true, Vec::new()),
                What::Output | What::Command | What::Seed => {
                    let below = place.map(|place| &place.below);
                    origin.member = self.member_of(&record.artifact, digest, &of.path, below);
                }
            }
            return Ok(Some(origin));
        }
        Ok(newest)
    }

    /// The record that the node had when it published that. An older one may have been put back, so
    /// the newest record need not be it.
    fn published_by(&self, of: &Publication) -> Result<Option<Record>, Fault> {
        let keys = self.store.keys_at(self.project, of.run)?;
        match keys.into_iter().find(|(node, _)| *node == of.node) {
            Some((_, key)) => Ok(self.store.record_by_key(&key)?),
            None => Ok(None),
        }
    }

    /// Where the artifact has a content that was published at `path`, or `below` it.
    fn member_of(
        &self,
        artifact: &Artifact,
        digest: Digest,
        path: &RelPath,
        below: Option<&RelPath>,
    ) -> Option<RelPath> {
        let Artifact::Entry(root @ Entry::Directory { digest: tree }) = artifact else { return None };
        let at = |place: &RelPath| {
            let found = place.names().try_fold(root.clone(), |entry, name| match entry {
                Entry::Directory { digest } => self.store.directory(digest)?.get(name).cloned(),
                Entry::File { .. } | Entry::Symlink { .. } => None,
            });
            found.is_some_and(|entry| is_file(&entry, digest))
        };
        // A dist's folder is its artifact; outputs of a command stand in theirs at their own paths.
        let places = below.into_iter().flat_map(|below| [below.clone(), path.join(below)]);
        places
            .into_iter()
            .find(at)
            .or_else(|| member(*tree, digest, &RelPath::root(), &mut HashSet::new(), self.store))
    }

    fn newest(&self, digest: Digest) -> Result<Option<Origin>, Fault> {
        // A file that passes through several nodes is from the first that had it.
        let mut lacking: HashSet<TreeDigest> = HashSet::new();
        let mut found: Option<(&Hit, Option<RelPath>)> = None;
        for hit in self.all {
            let member = match &hit.artifact {
                Artifact::Entry(Entry::Directory { digest: tree }) => {
                    match member(*tree, digest, &RelPath::root(), &mut lacking, self.store) {
                        Some(member) => Some(member),
                        None => continue,
                    }
                }
                Artifact::Entry(entry) if is_file(entry, digest) => None,
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
        let Some(record) = self.store.record_by_key(&hit.key)? else { return Ok(None) };
        Ok(Some(self.of(&record, member)?))
    }

    /// The artifact of a record, or a member of it.
    fn of(&self, record: &Record, member: Option<RelPath>) -> Result<Origin, Fault> {
        let made = self.made(record, 0, &mut HashSet::new())?;
        Ok(Origin { member, is_archive: false, is_checksum: false, packed: self.packed(record)?, made })
    }

    /// What the newest packages of each node tell that were made of a record's artifact.
    fn packed(&self, record: &Record) -> Result<Vec<Packed>, Fault> {
        let value = record.artifact.value();
        let mut packed: Vec<Packed> = Vec::new();
        for hit in self.all {
            let is_tree = matches!(hit.artifact, Artifact::Entry(Entry::Directory { .. }));
            if !is_tree || packed.iter().any(|one| one.node == hit.node) {
                continue;
            }
            let Some(package) = self.store.record_by_key(&hit.key)? else { continue };
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

    /// A record with the records of what it was made from. One that several others read is spelled out once: a pipeline of diamonds has more ways
    /// through it than could be told.
    fn made(&self, record: &Record, depth: usize, told: &mut HashSet<Key>) -> Result<Made, Fault> {
        let is_again = !told.insert(record.key);
        let mut from = Vec::new();
        for one in record.manifest.components() {
            // What a package tells of a node is among its own inputs; the node itself comes further down.
            let is_read = one.facet == Facet::Upstream && !one.label.starts_with(PROVENANCE);
            if !is_read || depth >= DEEPEST || is_again {
                continue;
            }
            if let Some(above) = self.maker(&one.value, record.run)
                && let Some(above) = self.store.record_by_key(&above.key)?
            {
                from.push(self.made(&above, depth + 1, told)?);
            }
        }
        Ok(Made {
            node: record.node.clone(),
            key: record.key,
            run: self.store.run(record.run)?,
            duration_ms: record.duration_ms,
            inputs: if is_again { Vec::new() } else { whence::own_inputs(record.manifest.components()) },
            from,
            is_again,
        })
    }

    /// The newest record that yielded `value` before `run` was through.
    fn maker(&self, value: &Value, run: RunId) -> Option<&Hit> {
        self.all.iter().find(|hit| hit.run <= run && hit.artifact.value() == *value)
    }
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
