//! From pipeline text to judged nodes: what `run`, `explain` and dry runs share.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::commands::fault::Fault;
use crate::commands::ground::Ground;
use crate::commands::images::EngineImages;
use crate::commands::load::{self, Loaded};
use crate::commands::uncommitted::Uncommitted;
use crate::digest::Digest;
use crate::graph::NodeIndex;
use crate::inputs::index::Loose;
use crate::inputs::input::{GitAnswer, GitQuestion, Input, ToolQuestion};
use crate::inputs::observe::{Known, Observer, Progress};
use crate::inputs::sightings::Sightings;
use crate::inputs::stat::{Clock, Stat, boot_id};
use crate::key::compose::Composed;
use crate::path::RelPath;
use crate::pipeline::{Node, NodeName, Pipeline, Work, check};
use crate::plan::judge::{Judged, Order, Reading, Subject, judge};
use crate::plan::{Code, Explanation, Verdict};
use crate::record::Artifact;
use crate::run::gates::{self, Unproven};
use crate::store::Store;
use crate::survey::facts::{Cache, StoreFacts, is_at_hand};
use crate::survey::gather::{Surroundings, gather};
use crate::survey::idle::Doubt;
use crate::survey::snapshot::Meta;
use crate::survey::why::{Case, Historian};

mod notes;

/// The version of the program that a state file belongs to.
pub const PROGRAM: &str = env!("CARGO_PKG_VERSION");

/// What is asked of nodes by name.
#[derive(Default)]
pub struct Orders<'a> {
    pub targets: &'a [String],
    pub force: &'a [String],
    pub rebuild: &'a [String],
    pub assume_fresh: &'a [String],
    /// Leave archives as they are: neither make, nor miss, nor remove any.
    pub no_archive: bool,
}

/// Names with every group spelled out: what is asked of a group is asked of its members.
pub fn spelled_out(names: &[String], pipeline: &Pipeline) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut todo: Vec<&str> = names.iter().rev().map(String::as_str).collect();
    while let Some(name) = todo.pop() {
        match pipeline.nodes.iter().find(|node| node.name.0 == name).map(|node| &node.work) {
            Some(Work::Group(group)) => {
                todo.extend(group.members.iter().rev().map(|one| one.value.0.as_str()))
            }
            _ if out.iter().any(|known| known == name) => {}
            _ => out.push(name.to_owned()),
        }
    }
    out
}

/// Everything known of the nodes of a run, by position: upstreams first.
pub struct Prepared {
    pub loaded: Loaded,
    pub store: Arc<Store>,
    pub targets: Vec<NodeIndex>,
    pub order: Vec<NodeIndex>,
    pub nodes: Vec<Node>,
    pub names: Vec<NodeName>,
    pub composed: Vec<Composed<Input>>,
    pub subjects: Vec<Subject>,
    pub known: Arc<Known>,
    sightings: Option<Sightings>,
    tools: Vec<(ToolQuestion, String)>,
    sources: Vec<(GitQuestion, GitAnswer)>,
    images: Vec<(String, Option<String>)>,
    owns: HashSet<Digest>,
    requested: HashSet<usize>,
    published: HashSet<RelPath>,
    pub project_id: String,
}

/// Surveys the nodes that `orders` needs. `writing`: whether anything may be written, even a
/// clock file.
pub fn prepare(
    ground: &Ground,
    loaded: Loaded,
    doubt: Doubt,
    store: Arc<Store>,
    orders: &Orders<'_>,
    progress: &Progress,
) -> Result<Prepared, Fault> {
    let spell = |names: &[String]| spelled_out(names, &loaded.pipeline);
    let (force, rebuild, assume) = (spell(orders.force), spell(orders.rebuild), spell(orders.assume_fresh));
    let orders = &Orders { force: &force, rebuild: &rebuild, assume_fresh: &assume, ..*orders };
    let project_id = ground.project_id();
    let targets = loaded.graph.targets(orders.targets)?;
    let order = loaded.graph.closure(&targets);
    let node = |index: &NodeIndex| {
        let node = loaded.pipeline.nodes[index.index()].clone();
        if orders.no_archive { Node { work: node.work.without_archives(), ..node } } else { node }
    };
    let nodes: Vec<Node> = order.iter().map(node).collect();
    let names: Vec<NodeName> = nodes.iter().map(|node| node.name.clone()).collect();
    let positions: HashMap<&NodeName, usize> =
        names.iter().enumerate().map(|(at, name)| (name, at)).collect();
    let by_index: HashMap<NodeIndex, usize> =
        order.iter().enumerate().map(|(at, index)| (*index, at)).collect();

    let published = published(&loaded, &store, &project_id)?;
    let clock =
        if store.is_read_only() { Clock::distrusting() } else { Clock::read(&store.root().join("tmp")) };
    let mut observer = Observer::new(doubt.index, doubt.moved, clock, progress);
    let identify = |question: &ToolQuestion| ground.identify(question);
    let resolve = |program: &str| ground.resolve(program);
    let images = EngineImages::new(&ground.engine, &store, &project_id, &loaded.lock);
    let (assumed, obscured) = obscured(&loaded, &assume);
    let around = Surroundings {
        project: &ground.project,
        store: &ground.store,
        git: &ground.git,
        identify: &identify,
        resolve: &resolve,
        published: &published,
        images: &images,
        assumed: &assumed,
        obscured: &obscured,
    };
    // Both were read before there was an observer.
    observer.note_read(&ground.file, &loaded.digest);
    for (path, read) in &loaded.param_files {
        let path = path.under(&ground.project);
        match read {
            Some(digest) => observer.note_read(&path, digest),
            None => observer.note_present(&observer.follow(&path)),
        }
    }
    let refs: Vec<&Node> = nodes.iter().collect();
    let mut gathered = gather(&loaded.pipeline, &refs, &around, &mut observer)
        .map_err(|troubles| Fault::inputs(&loaded.source, troubles))?;
    for one in check::published_paths(&loaded.pipeline) {
        if let Some(at) = positions.get(&loaded.pipeline.nodes[one.node].name) {
            gathered.nodes[*at].spans.push((one.path.to_string(), one.span));
        }
    }
    for (node, composed) in nodes.iter().zip(&mut gathered.nodes) {
        if matches!(node.work, Work::BinaryExtract(_)) {
            // What an artifact must be is asked of it as a whole.
            composed.spans.push(("expect".to_owned(), node.span));
        }
        if let Some(recipe) = node.docker() {
            let names = recipe.tags.iter().chain(&recipe.push);
            composed.spans.extend(names.map(|name| (name.value.clone(), name.span)));
        }
    }

    let mut subjects = Vec::with_capacity(nodes.len());
    for (at, (node, composed)) in nodes.iter().zip(&gathered.nodes).enumerate() {
        let reads: Vec<Reading> = composed
            .reads
            .iter()
            .filter_map(|read| {
                let up = *positions.get(&read.node)?;
                Some(Reading { label: read.label.clone(), up, content: read.wants_content() })
            })
            .collect();
        let follows = loaded
            .graph
            .upstreams(order[at])
            .iter()
            .filter_map(|up| by_index.get(&up.node).copied())
            .filter(|up| !reads.iter().any(|read| read.up == *up))
            .collect();
        subjects.push(Subject {
            own: composed.own.clone(),
            reads,
            follows,
            order: order_of(node, orders, &store, &project_id, &images)?,
        });
    }
    for name in orders.force.iter().chain(orders.rebuild).chain(orders.assume_fresh) {
        if !positions.contains_key(&NodeName(name.clone())) {
            loaded.graph.targets(std::slice::from_ref(name))?;
            return Err(Fault::not_needed(name));
        }
    }
    let owns: Vec<Digest> = subjects.iter().map(|subject| subject.own.own_digest()).collect();
    let owns = store.known_owns(&owns)?;
    let requested = if orders.targets.is_empty() {
        HashSet::new()
    } else {
        targets.iter().filter_map(|index| by_index.get(index).copied()).collect()
    };
    let known = observer.known();
    let current = store.publications(&project_id)?.into_iter().map(|one| one.path).collect();
    Ok(Prepared {
        targets,
        order,
        names,
        composed: gathered.nodes,
        subjects,
        known,
        sightings: Some(observer.finish()),
        tools: gathered.tools,
        sources: gathered.sources,
        images: gathered.images,
        owns,
        requested,
        published: current,
        project_id,
        nodes,
        loaded,
        store,
    })
}

/// The nodes that are taken as they were, and those that went into one of them: nobody knows when.
fn obscured(loaded: &Loaded, assume: &[String]) -> (HashSet<NodeName>, HashSet<NodeName>) {
    let graph = &loaded.graph;
    let assumed: Vec<NodeIndex> = assume.iter().filter_map(|name| graph.find(name)).collect();
    let above: Vec<NodeIndex> =
        assumed.iter().flat_map(|node| graph.upstreams(*node)).map(|up| up.node).collect();
    let names = |nodes: &[NodeIndex]| nodes.iter().map(|node| graph.name(*node).clone()).collect();
    (names(&assumed), names(&graph.closure(&above)))
}

/// Everything that was ever published, with the node that publishes it now, if one does.
pub fn published(
    loaded: &Loaded,
    store: &Store,
    project_id: &str,
) -> Result<BTreeMap<RelPath, Option<NodeName>>, Fault> {
    let mut published: BTreeMap<RelPath, Option<NodeName>> =
        store.ever_published(project_id)?.into_iter().map(|path| (path, None)).collect();
    for one in check::published_paths(&loaded.pipeline) {
        published.insert(one.path, Some(loaded.pipeline.nodes[one.node].name.clone()));
    }
    Ok(published)
}

/// Surveys and judges `targets` without writing anything, not even a store where none is.
pub fn judged(
    ground: &Ground,
    loaded: Loaded,
    doubt: Doubt,
    targets: &[String],
    progress: &Progress,
) -> Result<(Prepared, Vec<Judged>), Fault> {
    load::refuse_tracked(ground, &loaded)?;
    let store = Arc::new(Store::open_read_only(&ground.store)?);
    let orders = Orders { targets, ..Orders::default() };
    let prepared = prepare(ground, loaded, doubt, store, &orders, progress)?;
    let judged = judge(&prepared.subjects, &prepared.facts(ground, Cache::default()));
    Ok((prepared, judged))
}

fn order_of(
    node: &Node,
    orders: &Orders<'_>,
    store: &Store,
    project_id: &str,
    images: &EngineImages<'_>,
) -> Result<Order, Fault> {
    let named = |list: &[String]| list.contains(&node.name.0);
    if matches!(node.work, Work::Group(_)) {
        return Ok(Order::Nothing);
    }
    if named(orders.assume_fresh) {
        let latest = store.latest_record(project_id, &node.name)?;
        let record = latest.filter(|record| is_at_hand(&record.artifact, pull_of(node), store, images));
        let record = record.ok_or_else(|| Fault::NothingToAssume(node.name.clone()))?;
        return Ok(Order::Assume(record.artifact));
    }
    Ok(if named(orders.rebuild) {
        Order::Force(Code::Rebuild)
    } else if named(orders.force) {
        Order::Force(Code::Forced)
    } else {
        Order::Judge
    })
}

impl Orders<'_> {
    /// Whether only targets are asked for, so that the answer can be remembered.
    pub fn is_plain(&self) -> bool {
        self.force.is_empty() && self.rebuild.is_empty() && self.assume_fresh.is_empty()
    }
}

impl Prepared {
    /// What the survey saw, once.
    pub fn take_sightings(&mut self) -> Option<Sightings> {
        self.sightings.take()
    }

    /// Where a node's seeds stand.
    pub fn seeds(&self, at: usize) -> Vec<RelPath> {
        match &self.nodes[at].work {
            Work::Dist(dist) => {
                dist.seeds.iter().map(|seed| dist.output.value.join(&seed.path.value)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Facts that go on from what was `seen` before.
    pub fn facts<'a>(&'a self, ground: &'a Ground, seen: Cache) -> StoreFacts<'a> {
        StoreFacts {
            store: &self.store,
            project: &ground.project,
            nodes: &self.nodes,
            known: &self.known,
            images: Box::new(EngineImages::new(
                &ground.engine,
                &self.store,
                &self.project_id,
                &self.loaded.lock,
            )),
            owns: self.owns.clone(),
            requested: self.requested.clone(),
            published: self.published.clone(),
            cache: RefCell::new(seen),
        }
    }

    pub fn case<'a>(&'a self, at: usize, judged: &'a [Judged]) -> Case<'a> {
        self.case_of(at, &judged[at], judged)
    }

    /// As [`Self::case`], with a node that was judged again since.
    pub fn case_of<'a>(&'a self, at: usize, one: &'a Judged, all: &'a [Judged]) -> Case<'a> {
        Case {
            name: &self.names[at],
            kind: self.nodes[at].kind(),
            subject: &self.subjects[at],
            judged: one,
            spans: &self.composed[at].spans,
            inputs: &self.composed[at].inputs,
            dockerfile: self.nodes[at].docker().map(|recipe| &recipe.dockerfile.value),
            names: &self.names,
            all,
        }
    }

    pub fn historian(&self) -> Historian<'_> {
        let mut seen = Vec::new();
        let mut commits = HashMap::new();
        for placed in self.composed.iter().flat_map(|one| &one.inputs) {
            match &placed.input {
                Input::Folder(folder) => seen.push(folder.clone()),
                Input::Git(git) => drop(commits.insert(git.facts.tree.clone(), git.source.clone())),
                Input::Leaf(..) | Input::Dockerfile(_) => {}
            }
        }
        Historian { seen, commits, ..Historian::new(&self.store, &self.project_id, &self.loaded.source.text) }
    }

    /// Every node explained, in the order of the run; groups have nothing of their own to say.
    pub fn explain(&self, ground: &Ground, judged: &[Judged]) -> Vec<Explanation> {
        let historian = self.historian();
        let mut uncommitted = Uncommitted::new(&ground.git);
        (0..self.nodes.len())
            .filter(|at| self.subjects[*at].order != Order::Nothing)
            .map(|at| {
                // Looked for only where it is shown: it goes through the whole graph.
                let runs = matches!(judged[at].verdict, Verdict::Stale(_) | Verdict::Waiting(_));
                let below = if runs { self.loaded.graph.affected(&[self.order[at]]) } else { Vec::new() };
                let below: HashSet<NodeIndex> = below.into_iter().collect();
                let downstream = (at + 1..self.nodes.len())
                    .filter(|down| below.contains(&self.order[*down]))
                    // What must run anyway does not hang on this one.
                    .filter(|down| matches!(judged[*down].verdict, Verdict::Waiting(_)))
                    .filter(|down| self.subjects[*down].order != Order::Nothing)
                    .map(|down| self.names[down].clone())
                    .collect();
                let dockerfile = self.composed[at].inputs.iter().find_map(|placed| match &placed.input {
                    Input::Dockerfile(file) => Some(&file.analysis),
                    _ => None,
                });
                let (notes, edits) = self.notes(at, &judged[at], ground);
                let mut one = historian.explain(&self.case(at, judged), dockerfile, downstream, notes, edits);
                uncommitted.mark(&mut one, &self.composed[at].inputs);
                one
            })
            .collect()
    }

    /// Every image that this answer hangs on, by reference or id, and the id that the engine has for
    /// it now: those below, those that the judge asked for, and those made since.
    fn image_rows(&self, ground: &Ground, judged: BTreeSet<String>) -> Vec<(String, Option<String>)> {
        let mut names: Vec<String> = self.images.iter().map(|(name, _)| name.clone()).collect();
        names.extend(judged);
        for node in &self.nodes {
            let Some(recipe) = node.docker() else { continue };
            let latest = self.store.latest_record(&self.project_id, &node.name).ok().flatten();
            if let Some(Artifact::Image(image)) = latest.map(|record| record.artifact) {
                names.push(image.id);
                names.extend(recipe.tags.iter().map(|tag| tag.value.clone()));
            }
        }
        if names.is_empty() {
            return Vec::new();
        }
        names.sort_unstable();
        names.dedup();
        let asked: Vec<&str> = names.iter().map(String::as_str).collect();
        match ground.image_ids(&asked) {
            Some(found) => names.into_iter().zip(found).collect(),
            // An answer that nothing agrees with: the next run looks at everything.
            None => vec![(String::new(), None)],
        }
    }

    /// What the state file remembers beside the index. `images` are the ids that the judge asked for.
    pub fn meta(
        &self,
        ground: &Ground,
        orders: &Orders<'_>,
        all_fresh: bool,
        images: BTreeSet<String>,
        unproven: &[Unproven],
    ) -> Meta {
        let names = &self.loaded.names;
        let nodes = self.subjects.iter().filter(|subject| subject.order != Order::Nothing).count();
        Meta {
            boot: boot_id(),
            program: PROGRAM.to_owned(),
            pipeline: Some(self.loaded.digest),
            names: names.clone(),
            answer: all_fresh.then(|| crate::survey::snapshot::Answer {
                question: ground.question(orders.targets, orders.no_archive).digest(names),
                nodes,
                tools: self.tools.clone(),
                sources: self.sources.clone(),
                images: self.image_rows(ground, images),
                unproven: unproven.to_vec(),
                machine: (!unproven.is_empty()).then(gates::machine),
            }),
        }
    }
}

/// Where the node says that its image may be pulled from.
fn pull_of(node: &Node) -> Option<&str> {
    node.docker()?.pull.as_ref().map(|pull| pull.value.as_str())
}

/// A path's row for the index when it stands where a seed does.
pub fn present(path: &std::path::Path) -> Loose {
    if Stat::of(path).is_ok() { Loose::Present } else { Loose::Absent }
}
