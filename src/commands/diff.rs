//! `osgraph diff`: what two runs, or one node in two runs, made differently, and why.

use std::collections::{HashMap, HashSet};

use crate::commands::args::{Diff, Format};
use crate::commands::exit::Exit;
use crate::commands::fault::Fault;
use crate::commands::ground::Ground;
use crate::commands::history;
use crate::commands::screen::{Screen, now};
use crate::key::{Facet, Key, Value};
use crate::path::RelPath;
use crate::pipeline::NodeName;
use crate::plan::Reason;
use crate::plan::reason::between;
use crate::record::{Artifact, Record, Run, RunId};
use crate::report::difference::{self, Between, Pair};
use crate::store::{Hit, Store};
use crate::survey::why::Historian;
use crate::tree::{self, Change, ChangeKind, Entry};

/// Changed members looked for in one artifact.
const MEMBERS: usize = 1_000;

/// Steps that are looked through for what was made again.
const STEPS: usize = 50_000;

/// What an argument names: a run, or one node of it.
struct Named {
    node: Option<NodeName>,
    run: Run,
}

pub fn run(ground: &Ground, args: &Diff, screen: &Screen) -> Result<Exit, Fault> {
    let store = history::open(ground)?;
    let (old, new) = (named(&args.old, &store)?, named(&args.new, &store)?);
    let project = ground.project_id();
    let sides = Sides::of(&store, &project, &old.run, &new.run)?;
    let (before, after) = (&sides.before, &sides.after);
    let pairs = match (&old.node, &new.node) {
        (None, None) => {
            let mut names: Vec<&NodeName> = after.iter().map(|(node, _)| node).collect();
            names.extend(
                before.iter().map(|(node, _)| node).filter(|node| !after.iter().any(|(n, _)| n == *node)),
            );
            let pair = |node: &&NodeName| sides.pair(node, key(before, node), key(after, node));
            names.iter().map(pair).collect::<Result<Vec<Pair>, Fault>>()?
        }
        (Some(a), Some(b)) => {
            let (from, to) = (key(before, a), key(after, b));
            let missing = |node: &NodeName, run: &Run| {
                Fault::not_found(
                    format!("`{node}` had no record yet when run {} was through", run.id),
                    "`osgraph runs` lists runs, `osgraph runs RUN` the nodes that one worked on",
                )
            };
            let from = from.ok_or_else(|| missing(a, &old.run))?;
            let to = to.ok_or_else(|| missing(b, &new.run))?;
            vec![sides.pair(b, Some(from), Some(to))?]
        }
        _ => {
            return Err(Fault::usage(
                "a run and a node cannot be compared",
                "name two runs, as `41 42`, or one node in two runs, as `embed@41 embed@42`",
            ));
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
    let id = run.parse().map_err(|_| {
        let message = format!("`{argument}` is neither the number of a run nor NODE@RUN");
        Fault::usage(message, "`osgraph runs` lists the numbers of runs")
    })?;
    let run = store.run(RunId(id))?.ok_or_else(|| Fault::no_run(id))?;
    Ok(Named { node, run })
}

fn key(list: &[(NodeName, Key)], node: &NodeName) -> Option<Key> {
    list.iter().find(|(name, _)| name == node).map(|(_, key)| *key)
}

/// What nodes had when each of the two runs was through.
struct Sides<'a> {
    store: &'a Store,
    before: Vec<(NodeName, Key)>,
    after: Vec<(NodeName, Key)>,
    /// The records of both, as far as they are still there.
    hits: HashMap<Key, Hit>,
    /// Made once more between the two, from the same inputs, and not known to have come out the same.
    remade: HashSet<(NodeName, Key)>,
}

impl<'a> Sides<'a> {
    fn of(store: &'a Store, project: &str, old: &Run, new: &Run) -> Result<Self, Fault> {
        let (before, after) = (store.keys_at(project, old.id)?, store.keys_at(project, new.id)?);
        let keys: Vec<Key> = before.iter().chain(&after).map(|(_, key)| *key).collect();
        let hits = store.records_by_keys(&keys)?;
        let (first, last) = (old.id.min(new.id), old.id.max(new.id));
        let mut remade = HashSet::new();
        // A record says in which run it was made last: mostly there is nothing to look for.
        if hits.values().any(|hit| hit.run > first) {
            let steps = store.work(project, STEPS)?;
            let between = steps.into_iter().filter(|step| step.run > first && step.run <= last);
            let differs = between.filter(|step| step.same != Some(true));
            remade.extend(differs.filter_map(|step| Some((step.node, step.key?))));
        }
        Ok(Self { store, before, after, hits, remade })
    }

    fn pair(&self, node: &NodeName, old: Option<Key>, new: Option<Key>) -> Result<Pair, Fault> {
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
            (Some(old), Some(new)) if old == new => {
                if self.remade.contains(&(node.clone(), new)) {
                    pair.change = Between::Remade;
                }
                return Ok(pair);
            }
            (Some(old), Some(new)) => (old, new),
        };
        let (Some(old), Some(new)) = (self.store.record_by_key(&old)?, self.store.record_by_key(&new)?)
        else {
            pair.change = Between::Forgotten;
            return Ok(pair);
        };
        pair.change = if old.artifact.value() == new.artifact.value() {
            Between::SameArtifact
        } else {
            Between::Changed
        };
        pair.causes = self.causes(&old, &new);
        pair.members = members(&old.artifact, &new.artifact, self.store);
        pair.more = pair.members.len() > MEMBERS;
        pair.members.truncate(MEMBERS);
        Ok(pair)
    }

    /// What differs in the manifests, upstreams by their names and folders spelled out.
    fn causes(&self, old: &Record, new: &Record) -> Vec<Reason> {
        let historian = Historian::new(self.store, "", "");
        let mut reasons = between(&old.manifest, &new.manifest);
        for reason in &mut reasons {
            if reason.facet == Facet::Upstream {
                reason.node = self
                    .maker(reason.new.as_ref(), &self.after)
                    .or_else(|| self.maker(reason.old.as_ref(), &self.before));
            }
            historian.list_changes(reason);
        }
        reasons
    }

    /// The node of one side that yielded `value`, where only one did: manifests name no nodes.
    fn maker(&self, value: Option<&Value>, side: &[(NodeName, Key)]) -> Option<NodeName> {
        let value = value?;
        let yielded = |key: &Key| self.hits.get(key).is_some_and(|hit| hit.artifact.value() == *value);
        let mut makers = side.iter().filter(|(_, key)| yielded(key)).map(|(node, _)| node);
        makers.next().filter(|_| makers.next().is_none()).cloned()
    }
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
