//! Makes, keeps and restores nodes: the effects behind the board's moves. Blocking.

use std::collections::HashSet;
use std::fs::File;
use std::io::BufWriter;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::digest::Digest;
use crate::event::Event;
use crate::inputs::hash::cores;
use crate::inputs::stat::Stat;
use crate::key::{Key, Manifest};
use crate::path::RelPath;
use crate::pipeline::{AppEmbed, Archive, BaseImage, Command, NodeName, Recipe, Work};
use crate::plan::Code;
use crate::plan::judge::Order;
use crate::record::{Artifact, Outcome, Record, Step, Why};
use crate::run::follow::Follower;
use crate::run::gates::{self, Gates};
use crate::run::publish::{self, Request};
use crate::run::standing::{Found, look};
use crate::run::task::{Context, Made, Standing, Task, TaskError, Upstream, tree_of};
use crate::run::wanted::{self, Packed, Publishing, Unknown};
use crate::run::{archive, assemble, extract, image, recipe, retire, source};
use crate::store::{Finish, Ingest, Lease, Published, StoreError};
use crate::tally::{Counted, Tally};
use crate::tree::Leaf;

/// What [`make`] came back with.
#[derive(Debug)]
pub enum Product {
    Made(Made),
    /// Another run made it while this one waited for its lease.
    Shared(Record),
}

/// A node that is recorded and published.
#[derive(Debug)]
pub struct Kept {
    pub artifact: Artifact,
    pub standing: Vec<Standing>,
    pub outcome: Outcome,
    pub duration: Duration,
    /// Whether the artifact is the one that this node's latest record had.
    pub same_artifact: bool,
    pub inputs_stood: bool,
}

/// A node whose outputs stand again.
#[derive(Debug)]
pub struct PutBack {
    pub standing: Vec<Standing>,
    /// What its checks printed, where they were run for it.
    pub log: Option<Digest>,
}

/// An upstream whose published outputs a recipe in place read.
#[derive(Debug)]
pub struct ReadInPlace {
    pub task: Arc<Task>,
    pub artifact: Artifact,
    /// As they stood when this run put them there; empty when it did not.
    pub standing: Vec<Standing>,
}

impl ReadInPlace {
    /// Whether they are still the artifact's: another run, with other parameters, may have
    /// published its own meanwhile.
    fn stood(&self, context: &Context) -> bool {
        let stands =
            |one: &Standing| Stat::of(&one.path.under(&context.project)).is_ok_and(|stat| stat == one.stat);
        if !self.standing.iter().all(stands) {
            return false;
        }
        let seen: HashSet<&RelPath> = self.standing.iter().map(|one| &one.path).collect();
        let Ok(publishing) = wanted::publishing(&self.task.node, &self.artifact, &context.store) else {
            return true;
        };
        let read =
            publishing.wanted.iter().filter(|one| matches!(one.what, Published::Output | Published::Command));
        read.flat_map(|one| wanted::leaves(one, &context.store).unwrap_or_default()).all(|(path, leaf)| {
            seen.contains(&path)
                || matches!(
                    look(&context.project, &path, &leaf, &*context.known),
                    Found::Right(_) | Found::Folder(_)
                )
        })
    }
}

/// Makes a node. `key` is known unless the node starts before its upstreams are stored; then
/// nobody can share its result, and only its outputs are leased.
pub fn make(
    task: &Task,
    key: Option<&Key>,
    order: &Order,
    upstreams: &[Upstream],
    assumed: bool,
    context: &Context,
    produced: &mut dyn FnMut(),
) -> Result<(Product, Vec<Lease>), TaskError> {
    let mut leases = Vec::new();
    if let Some(key) = key {
        let mut follower = Follower::new(&task.node.name, key, context);
        leases.push(wait(&task.node.name, context, &mut false, |wait| {
            context.store.lease_key(key, &mut || {
                let goes_on = wait();
                follower.look();
                goes_on
            })
        })?);
        follower.finish();
    }
    let outputs: Vec<_> =
        wanted::published_outputs(&task.node).iter().map(|path| path.value.under(&context.project)).collect();
    if wanted::runs_in_place(&task.node) && !outputs.is_empty() {
        let paths: Vec<&std::path::Path> = outputs.iter().map(std::path::PathBuf::as_path).collect();
        leases.extend(wait(&task.node.name, context, &mut false, |wait| {
            context.store.lease_paths(&paths, wait)
        })?);
    }
    // Another run may have made it since it was judged, also one that was through before this one
    // asked for the lease, or that had only its outputs leased.
    if let Some(key) = key
        && !matches!(order, Order::Force(_))
        && let Some(record) = context.store.record_by_key(key)?
        && is_here(&record.artifact, context)
    {
        // Publishing takes the outputs' leases itself.
        leases.truncate(1);
        return Ok((Product::Shared(record), leases));
    }
    let _announced = context.announce(&task.node.name, key);
    let no_cache = *order == Order::Force(Code::Rebuild);
    let started = Instant::now();
    let plain = |(artifact, inputs_stood): (Artifact, bool)| Made {
        artifact,
        standing: Vec::new(),
        log: None,
        duration: started.elapsed(),
        inputs_stood: inputs_stood && recipe::inputs_stood(task),
    };
    let made = match &task.node.work {
        Work::SourceArchive(_) => plain(source::make(task, context)?),
        Work::BinaryExtract(extract) => match upstreams {
            [upstream, ..] => plain((extract::make(extract, upstream, context)?, true)),
            [] => return Err(TaskError::Cancelled),
        },
        Work::Dist(dist) => plain(assemble::make(task, dist, upstreams, assumed, context)?),
        Work::BaseImage(BaseImage { recipe: Recipe::Host(host), limits })
        | Work::AppEmbed(AppEmbed { recipe: Recipe::Host(host), limits, .. })
        | Work::Command(Command { recipe: host, limits, .. }) => {
            recipe::make(task, host, limits, upstreams, leases.last(), context, produced)?
        }
        Work::BaseImage(BaseImage { recipe: Recipe::Docker(docker), limits }) => {
            let request = image::Request { recipe: docker, limits, base: None, app: None, no_cache };
            image::make(task, &request, context)?
        }
        Work::AppEmbed(AppEmbed { recipe: Recipe::Docker(docker), limits, into, .. }) => {
            let of = |label: &str| upstreams.iter().find(|one| one.label == label);
            let app = of("app").map(|app| (into, app));
            let request = image::Request { recipe: docker, limits, base: of("base"), app, no_cache };
            image::make(task, &request, context)?
        }
        Work::Group(_) => return Err(TaskError::Cancelled),
    };
    Ok((Product::Made(made), leases))
}

/// Whether all of an artifact can be had: of an image, whether the engine has it.
fn is_here(artifact: &Artifact, context: &Context) -> bool {
    match artifact {
        Artifact::Entry(_) => context.store.has_artifact(artifact),
        Artifact::Image(one) => {
            let found = context.engine.session().and_then(|session| image::find(&session, one));
            matches!(found, Ok(Some(_)))
        }
    }
}

/// Waits for a lease, saying so once, for as long as nobody interrupts.
fn wait<L>(
    node: &NodeName,
    context: &Context,
    waited: &mut bool,
    lease: impl FnOnce(&mut dyn FnMut() -> bool) -> Result<Option<L>, StoreError>,
) -> Result<L, TaskError> {
    let found = lease(&mut || {
        if !std::mem::replace(waited, true) {
            context.say(Event::NodeWaited { node: node.clone() });
        }
        !context.cancel.is_cancelled()
    })?;
    found.ok_or(TaskError::Cancelled)
}

/// What the history says of a node beside what came of it.
pub struct Told {
    /// See [`Step::began_ms`].
    pub began_ms: u64,
    pub why: Why,
}

/// Verifies, records and publishes what was made: content is in the store already, then one
/// transaction, then the outputs.
pub fn keep(
    task: &Task,
    product: Product,
    reads: &[ReadInPlace],
    manifest: &Manifest,
    told: Told,
    context: &Context,
) -> Result<Kept, TaskError> {
    let (made, outcome) = match product {
        Product::Made(made) => (made, Outcome::Ran),
        Product::Shared(record) => {
            let made = Made {
                artifact: record.artifact,
                standing: Vec::new(),
                log: record.log,
                duration: Duration::from_millis(record.duration_ms),
                inputs_stood: true,
            };
            (made, Outcome::Restored)
        }
    };
    let node = &task.node.name;
    let Made { artifact, standing, log, duration, inputs_stood } = made;
    let inputs_stood =
        inputs_stood && (outcome != Outcome::Ran || reads.iter().all(|read| read.stood(context)));
    let log = match &task.node.work {
        Work::BinaryExtract(extract) => gates::verify(node, &artifact, extract, context)?.or(log),
        _ => log,
    };
    let before = context.store.latest_record(&context.project_id, node)?;
    let same = before.map(|record| record.artifact == artifact);
    let same_artifact = same == Some(true);
    let record = Record {
        key: manifest.key(),
        own: manifest.own_digest(),
        node: node.clone(),
        manifest: manifest.clone(),
        artifact: artifact.clone(),
        run: context.run,
        duration_ms: duration.as_millis() as u64,
        log,
    };
    keep_inputs(task, context)?;
    let packing = Instant::now();
    let publishing = prepare(task, &artifact, context)?;
    let duration = duration + packing.elapsed();
    let record = Record { duration_ms: duration.as_millis() as u64, ..record };
    let step = Step {
        run: context.run,
        node: node.clone(),
        outcome,
        began_ms: told.began_ms,
        duration_ms: record.duration_ms,
        why: told.why,
        key: (outcome != Outcome::Ran || inputs_stood).then_some(record.key),
        same,
        log,
    };
    let recorded = (outcome == Outcome::Ran && inputs_stood).then_some(&record);
    // What another run made is this node's from now on, too.
    let used = (outcome == Outcome::Restored).then_some((node, record.key, context.run));
    let finish = Finish { record: recorded, used, step: Some(&step), ..Finish::of(&context.project_id) };
    let replaced = context.store.commit(&[finish])?;
    if replaced.first() == Some(&true) {
        let message = "made something else from the same inputs: the recipe is not deterministic".to_owned();
        context.warn(node, message, Some("followers are judged by the new artifact".to_owned()));
    }
    if !inputs_stood {
        let message = "an input changed while the node ran: its result is used, but not recorded".to_owned();
        context.warn(node, message, Some("run again to build from the new content".to_owned()));
    }
    if let Artifact::Image(image) = &artifact {
        image::publish(&task.node, image, context)?;
    }
    let request = Request { node: &task.node, artifact: &artifact, publishing, standing };
    // A recipe in place holds the leases of its outputs already.
    let leased = outcome == Outcome::Ran && wanted::runs_in_place(&task.node);
    let standing = publish_and_note(&[request], leased, context)?.pop().unwrap_or_default();
    Ok(Kept { artifact, standing, outcome, duration, same_artifact, inputs_stood })
}

/// Keeps the directories of walked inputs, so that a later difference can be told file by file.
fn keep_inputs(task: &Task, context: &Context) -> Result<(), TaskError> {
    for placed in &task.composed.inputs {
        if let crate::inputs::input::Input::Folder(folder) = &placed.input {
            context.store.put_tree(folder.tree())?;
        }
    }
    Ok(())
}

/// What is to be published, with every archive packed.
fn prepare(task: &Task, artifact: &Artifact, context: &Context) -> Result<Publishing, TaskError> {
    let look = || {
        wanted::publishing(&task.node, artifact, &context.store).map_err(|Unknown| match tree_of(artifact) {
            Some(tree) => TaskError::Store(StoreError::NoTree(tree)),
            None => TaskError::Store(StoreError::Absent(Digest::of(b""))),
        })
    };
    let publishing = look()?;
    for one in &publishing.unpacked {
        pack(task, artifact, one, context)?;
    }
    let publishing = if publishing.unpacked.is_empty() { publishing } else { look()? };
    // Checksum files are small enough to be written anew rather than looked for.
    for one in &wanted::archives_of(&task.node.work, artifact) {
        if let Some(tree) = tree_of(artifact)
            && let Some(packed) = Packed::recall(&context.store, tree, one)
        {
            context.store.put(wanted::checksum(&one.path.value, &packed).as_bytes())?;
        }
    }
    Ok(publishing)
}

/// Packs one archive into the store and remembers it.
fn pack(task: &Task, artifact: &Artifact, one: &Archive, context: &Context) -> Result<(), TaskError> {
    let Some(tree) = tree_of(artifact) else { return Ok(()) };
    let file_name = one.path.value.file_name().unwrap_or_default();
    let what = format!("packing {file_name}");
    context.stage(&task.node.name, &what);
    let leaves = context.store.tree(tree)?.leaves();
    let sizes = leaves.values().map(|leaf| if let Leaf::File { size, .. } = leaf { *size } else { 0 });
    let tally = Arc::new(Tally::of(sizes.sum()));
    let _watched = context.moving(&task.node.name, what, &tally);
    let scratch = context.scratch()?;
    let path = scratch.join("archive");
    let result = (|| {
        let file = File::create(&path).map_err(TaskError::io("create", &path))?;
        let mut out = BufWriter::with_capacity(1 << 20, file);
        let written = archive::write(
            &archive::Request {
                leaves: &leaves,
                top: archive::stem(&one.path.value, one.format),
                format: one.format,
                threads: NonZeroUsize::new(cores()).unwrap_or(NonZeroUsize::MIN),
                open: &|digest| {
                    let content = context.store.open_content(digest).map_err(std::io::Error::other)?;
                    Ok(Box::new(Counted::new(content, tally.clone())))
                },
                cancelled: &|| context.cancel.is_cancelled(),
            },
            &mut out,
        )?;
        drop(out);
        context.store.ingest(&[Ingest { path: path.clone(), adopt: true }])?;
        let packed = Packed { digest: written.digest, size: written.size, sha256: written.sha256 };
        context.store.memo_put(&wanted::memo(tree, one), &packed.to_bytes())?;
        Ok(())
    })();
    context.store.discard([&scratch])?;
    result
}

/// Puts back the published outputs of nodes whose artifacts are known. All of them at once; when
/// that fails, one by one, so that one's trouble is not another's.
pub fn restore(nodes: &[(&Task, &Artifact)], context: &Context) -> Vec<Result<PutBack, TaskError>> {
    let prepare_one =
        |(task, artifact): &(&Task, &Artifact)| -> Result<(Publishing, Option<Digest>), TaskError> {
            let mut log = None;
            if let Work::BinaryExtract(extract) = &task.node.work
                && gates::standing(&context.store, artifact, extract) == Gates::Open
            {
                log = gates::verify(&task.node.name, artifact, extract, context)?;
            }
            if let Artifact::Image(image) = artifact {
                image::publish(&task.node, image, context)?;
            }
            Ok((prepare(task, artifact, context)?, log))
        };
    let prepared: Vec<Result<(Publishing, Option<Digest>), TaskError>> =
        nodes.iter().map(prepare_one).collect();
    let request = |at: usize| {
        let (task, artifact) = nodes[at];
        let publishing = prepared[at].as_ref().ok()?.0.clone();
        Some(Request { node: &task.node, artifact, publishing, standing: Vec::new() })
    };
    let all: Vec<Request<'_>> = (0..nodes.len()).filter_map(&request).collect();
    if all.len() == nodes.len()
        && let Ok(done) = publish_and_note(&all, false, context)
    {
        let logs = prepared.into_iter().map(|one| one.ok().and_then(|(_, log)| log));
        return done.into_iter().zip(logs).map(|(standing, log)| Ok(PutBack { standing, log })).collect();
    }
    let one_by_one: Vec<Option<Result<Vec<Standing>, TaskError>>> = (0..nodes.len())
        .map(|at| {
            Some(
                publish_and_note(&[request(at)?], false, context)
                    .map(|mut done| done.pop().unwrap_or_default()),
            )
        })
        .collect();
    drop(all);
    one_by_one
        .into_iter()
        .zip(prepared)
        .map(|(done, prepared)| {
            let (_, log) = prepared?;
            Ok(PutBack { standing: done.unwrap_or_else(|| Ok(Vec::new()))?, log })
        })
        .collect()
}

/// Publishes under a lease of the output paths, unless its caller has them `leased`, and notes
/// what stands.
fn publish_and_note(
    requests: &[Request<'_>],
    leased: bool,
    context: &Context,
) -> Result<Vec<Vec<Standing>>, TaskError> {
    if requests
        .iter()
        .all(|request| request.publishing.wanted.is_empty() && request.publishing.seeds.is_empty())
    {
        return Ok(requests.iter().map(|request| request.standing.clone()).collect());
    }
    let paths: Vec<_> = requests
        .iter()
        .filter(|_| !leased)
        .flat_map(|request| request.publishing.wanted.iter().map(|one| one.path.under(&context.project)))
        .collect();
    let paths: Vec<&std::path::Path> = paths.iter().map(std::path::PathBuf::as_path).collect();
    let _lease = match requests.first() {
        Some(first) if !paths.is_empty() => {
            Some(wait(&first.node.name, context, &mut false, |wait| context.store.lease_paths(&paths, wait))?)
        }
        _ => None,
    };
    let mut outcomes = publish::publish(requests, context)?;
    if context.no_archive {
        // They stand as they did, whatever of.
        for (request, outcome) in requests.iter().zip(&mut outcomes) {
            let earlier = (context.published)(&request.node.name).into_iter();
            let archives = earlier.filter(|one| matches!(one.what, Published::Archive | Published::Checksum));
            outcome.publications.extend(archives);
        }
    }
    let finishes: Vec<Finish<'_>> = requests
        .iter()
        .zip(&outcomes)
        .map(|(request, outcome)| Finish {
            publications: Some((&request.node.name, outcome.publications.as_slice())),
            ..Finish::of(&context.project_id)
        })
        .collect();
    context.store.commit(&finishes)?;
    for request in requests {
        retire::retire(request.node, request.artifact, context)?;
    }
    Ok(outcomes.into_iter().map(|outcome| outcome.standing).collect())
}
