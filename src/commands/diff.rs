//! `osgraph diff`: what two runs, or one node in two runs, made differently, and why.

use crate::commands::args::{Diff, Format};
use crate::commands::exit::Exit;
use crate::commands::fault::Fault;
use crate::commands::ground::Ground;
use crate::commands::history;
use crate::commands::screen::{Screen, now};
use crate::key::Key;
use crate::path::RelPath;
use crate::pipeline::NodeName;
use crate::plan::Reason;
use crate::plan::reason::between;
use crate::record::{Artifact, Record, Run, RunId};
use crate::report::difference::{self, Between, Pair};
use crate::store::Store;
use crate::survey::why::Historian;
use crate::tree::{self, Change, ChangeKind, Entry};

/// Changed members looked for in one artifact.
const MEMBERS: usize = 1_000;

/// What an argument names: a run, or one node of it.
struct Named {
    node: Option<NodeName>,
    run: Run,
}

pub fn run(ground: &Ground, args: &Diff, screen: &Screen) -> Result<Exit, Fault> {
    let store = history::open(ground)?;
    let (old, new) = (named(&args.old, &store)?, named(&args.new, &store)?);
    let project = ground.project_id();
    let (before, after) = (store.keys_at(&project, old.run.id)?, store.keys_at(&project, new.run.id)?);
    let pairs = match (&old.node, &new.node) {
        (None, None) => {
            let mut names: Vec<&NodeName> = after.iter().map(|(node, _)| node).collect();
            names.extend(
                before.iter().map(|(node, _)| node).filter(|node| !after.iter().any(|(n, _)| n == *node)),
            );
            let pair = |node: &&NodeName| pair(node, key(&before, node), key(&after, node), &store);
            names.iter().map(pair).collect::<Result<Vec<Pair>, Fault>>()?
        }
        (Some(a), Some(b)) => {
            let (from, to) = (key(&before, a), key(&after, b));
            let missing = |node: &NodeName, run: &Run| {
                Fault::NotFound(format!("`{node}` had no record yet when run {} was through", run.id))
            };
            let from = from.ok_or_else(|| missing(a, &old.run))?;
            let to = to.ok_or_else(|| missing(b, &new.run))?;
            vec![pair(b, Some(from), Some(to), &store)?]
        }
        _ => {
            return Err(Fault::Usage("name two runs, or one node in two runs: NODE@RUN NODE@RUN".to_owned()));
        }
    };
    screen.answer(&match screen.format {
        Format::Json => difference::json(&old.run, &new.run, &pairs),
        Format::Text => difference::text(&old.run, &new.run, &pairs, now(), screen.palette),
    });
    Ok(Exit::Done)
}

/// `41` or `embed@41`.
fn named(argument: &str, store: &Store) -> Result<Named, Fault> {
    let (node, run) = match argument.rsplit_once('@') {
        Some((node, run)) => (Some(NodeName(node.to_owned())), run),
        None => (None, argument),
    };
    let id = run
        .parse()
        .map_err(|_| Fault::Usage(format!("`{argument}` is neither the number of a run nor NODE@RUN")))?;
    let run = store.run(RunId(id))?.ok_or(Fault::NoRun(id))?;
    Ok(Named { node, run })
}

fn key(list: &[(NodeName, Key)], node: &NodeName) -> Option<Key> {
    list.iter().find(|(name, _)| name == node).map(|(_, key)| *key)
}

fn pair(node: &NodeName, old: Option<Key>, new: Option<Key>, store: &Store) -> Result<Pair, Fault> {
    let mut pair = Pair {
        node: node.clone(),
        change: Between::Same,
        causes: Vec::new(),
        members: Vec::new(),
        more: false,
    };
    let (old, new) = match (old, new) {
        (None, _) => {
            pair.change = Between::Added;
            return Ok(pair);
        }
        (_, None) => {
            pair.change = Between::Removed;
            return Ok(pair);
        }
        (Some(old), Some(new)) if old == new => return Ok(pair),
        (Some(old), Some(new)) => (old, new),
    };
    let (Some(old), Some(new)) = (store.record_by_key(&old)?, store.record_by_key(&new)?) else {
        pair.change = Between::Forgotten;
        return Ok(pair);
    };
    pair.change =
        if old.artifact.value() == new.artifact.value() { Between::SameArtifact } else { Between::Changed };
    pair.causes = causes(&old, &new, store);
    pair.members = members(&old.artifact, &new.artifact, store);
    pair.more = pair.members.len() > MEMBERS;
    pair.members.truncate(MEMBERS);
    Ok(pair)
}

/// What differs in the manifests, folders spelled out.
fn causes(old: &Record, new: &Record, store: &Store) -> Vec<Reason> {
    let historian = Historian::new(store, "", "");
    let mut reasons = between(&old.manifest, &new.manifest);
    reasons.iter_mut().for_each(|reason| historian.list_changes(reason));
    reasons
}

/// What differs in the artifacts. Of images the digests say all that can be told without the engine.
fn members(old: &Artifact, new: &Artifact, store: &Store) -> Vec<Change> {
    match (old, new) {
        (
            Artifact::Entry(Entry::Directory { digest: old }),
            Artifact::Entry(Entry::Directory { digest: new }),
        ) => tree::diff(*old, *new, MEMBERS + 1, &mut |digest| store.directory(digest)),
        (Artifact::Entry(old), Artifact::Entry(new)) if old != new => vec![Change {
            path: RelPath::root(),
            kind: ChangeKind::Modified,
            old: Some(old.clone()),
            new: Some(new.clone()),
        }],
        _ => Vec::new(),
    }
}
