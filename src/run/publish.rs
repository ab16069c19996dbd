//! Puts artifacts where people want them, file by file, each replaced by a rename.
//!
//! What is already right is not touched. What stands in the way is moved aside first: osgraph's
//! own to the trash, anything else to the store's `displaced/`, because it is not ours to remove.
//! A large file of osgraph's own is not only moved aside but written over, see [`crate::store`]:
//! until the new one stands, nothing does. A crash leaves some files new, some old and some
//! missing; the next run sees and mends that.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::FileType;

use crate::digest::Digest;
use crate::inputs::hash;
use crate::inputs::stat::{Stat, device_of};
use crate::path::RelPath;
use crate::pipeline::{Node, NodeName, Seed};
use crate::record::Artifact;
use crate::run::standing::{self, Found};
use crate::run::task::{Context, Standing, TaskError, tree_of};
use crate::run::wanted::{self, Publishing, Unknown, Wanted};
use crate::store::{Placement, Publication, Published, StoreError, Target, WORTHWHILE};
use crate::tree::{Entry, Leaf, Leaves};

/// One node's outputs to be published.
pub struct Request<'a> {
    pub node: &'a Node,
    pub artifact: &'a Artifact,
    pub publishing: Publishing,
    /// Already at their places.
    pub standing: Vec<Standing>,
}

/// What stands afterwards.
#[derive(Debug, Default)]
pub struct Outcome {
    pub standing: Vec<Standing>,
    pub publications: Vec<Publication>,
}

/// A file on its way: where it is staged and where it goes.
struct Move {
    node: NodeName,
    /// The published path that it belongs to.
    root: RelPath,
    staged: PathBuf,
    path: RelPath,
    digest: Digest,
    size: u64,
    is_link: bool,
}

/// Publishes several nodes at once, so that every content is read and hashed once however often
/// it is wanted. Archives must have been packed. One outcome for each request.
pub fn publish(requests: &[Request<'_>], context: &Context) -> Result<Vec<Outcome>, TaskError> {
    let mut stages = Stages::new(context);
    let result = publish_staged(requests, context, &mut stages);
    stages.remove()?;
    result
}

fn publish_staged(
    requests: &[Request<'_>],
    context: &Context,
    stages: &mut Stages<'_>,
) -> Result<Vec<Outcome>, TaskError> {
    let mut outcomes = Vec::with_capacity(requests.len());
    let mut placements: HashMap<Digest, Placement> = HashMap::new();
    let mut moves: Vec<(usize, Move)> = Vec::new();
    let mut folders: Vec<(usize, RelPath)> = Vec::new();
    let mut kept: Vec<BTreeSet<RelPath>> = Vec::new();
    for (order, request) in requests.iter().enumerate() {
        let mut outcome = Outcome { standing: request.standing.clone(), publications: Vec::new() };
        let mut stays: BTreeSet<RelPath> = BTreeSet::new();
        let done: BTreeMap<&RelPath, &Standing> = request.standing.iter().map(|s| (&s.path, s)).collect();
        for (path, leaf) in all_leaves(&request.publishing.wanted, context)? {
            stays.insert(path.clone());
            if done.contains_key(&path) {
                continue;
            }
            match standing::look(&context.project, &path, &leaf, &*context.known) {
                Found::Right(standing) => {
                    outcome.standing.push(standing);
                    continue;
                }
                Found::Folder(stat) => {
                    outcome.standing.push(Standing::folder(path, stat));
                    continue;
                }
                Found::Missing | Found::Altered => {}
            }
            stage(order, request, path, leaf, stages, &mut placements, &mut moves, &mut folders)?;
        }
        for Seed { path, from } in &request.publishing.seeds {
            let path = output_of(request).map_or_else(|| path.value.clone(), |root| root.join(&path.value));
            if Stat::of(&path.under(&context.project)).is_ok() {
                continue;
            }
            let found = wanted::find(request.artifact, &from.value, &context.store)
                .map_err(|Unknown| lost(request))?;
            let Some(Entry::File { digest, size, executable }) = found else {
                let node = request.node.name.clone();
                return Err(TaskError::NotInArtifact { node, path: from.value.clone() });
            };
            let leaf = Leaf::File { digest, size, executable };
            outcome.publications.push(publication(request, &path, Published::Seed, None, context));
            stage(order, request, path, leaf, stages, &mut placements, &mut moves, &mut folders)?;
        }
        for Wanted { path, what, entry } in &request.publishing.wanted {
            outcome.publications.push(publication(request, path, *what, Some(entry.clone()), context));
        }
        outcomes.push(outcome);
        kept.push(stays);
    }
    for (_, step) in &moves {
        if let Some(placement) = placements.get_mut(&step.digest)
            && let Some(target) = placement.targets.iter_mut().find(|target| target.path == step.staged)
            && is_spent(step, context)
            && fs::rename(step.path.under(&context.project), &step.staged).is_ok()
        {
            target.over();
        }
    }
    let placements: Vec<Placement> = placements.into_values().collect();
    if let Some(first) = requests.first().filter(|_| !placements.is_empty()) {
        let what = match requests.len() {
            1 => "putting its outputs in place".to_owned(),
            many => format!("putting the outputs of {many} nodes in place"),
        };
        context.place(&first.node.name, &what, &placements)?;
    }
    for (order, path) in folders {
        let request = &requests[order];
        make_way(&path, &root_of(request, &path), &request.node.name, context)?;
        let there = path.under(&context.project);
        create_folder(&there)?;
        let stat = Stat::of(&there).map_err(TaskError::io("read", &there))?;
        outcomes[order].standing.push(Standing::folder(path, stat));
    }
    for (order, step) in moves {
        let standing = put(step, context)?;
        if !is_seed(&requests[order], &standing.path) {
            outcomes[order].standing.push(standing);
        }
    }
    for (request, stays) in requests.iter().zip(&kept) {
        remove_leftovers(request, stays, context)?;
    }
    Ok(outcomes)
}

fn is_seed(request: &Request<'_>, path: &RelPath) -> bool {
    let root = output_of(request);
    request.publishing.seeds.iter().any(|seed| {
        root.as_ref().map_or_else(|| seed.path.value == *path, |root| root.join(&seed.path.value) == *path)
    })
}

/// The folder in which a dist stands: seeds are relative to it.
fn output_of(request: &Request<'_>) -> Option<RelPath> {
    request
        .publishing
        .wanted
        .iter()
        .find(|wanted| wanted.what == Published::Output)
        .map(|wanted| wanted.path.clone())
}

fn lost(request: &Request<'_>) -> TaskError {
    match tree_of(request.artifact) {
        Some(tree) => StoreError::NoTree(tree).into(),
        None => StoreError::Absent(Digest::of(b"")).into(),
    }
}

fn publication(
    request: &Request<'_>,
    path: &RelPath,
    what: Published,
    entry: Option<Entry>,
    context: &Context,
) -> Publication {
    Publication { path: path.clone(), node: request.node.name.clone(), what, entry, run: context.run }
}

fn all_leaves(wanted: &[Wanted], context: &Context) -> Result<Leaves, TaskError> {
    let mut all = Leaves::new();
    for one in wanted {
        let leaves = wanted::leaves(one, &context.store).map_err(|Unknown| match &one.entry {
            Entry::Directory { digest } => TaskError::from(StoreError::NoTree(*digest)),
            _ => TaskError::from(StoreError::Absent(Digest::of(b""))),
        })?;
        all.extend(leaves);
    }
    Ok(all)
}

#[expect(clippy::too_many_arguments, reason = "the three lists are what staging fills")]
fn stage(
    order: usize,
    request: &Request<'_>,
    path: RelPath,
    leaf: Leaf,
    stages: &mut Stages<'_>,
    placements: &mut HashMap<Digest, Placement>,
    moves: &mut Vec<(usize, Move)>,
    folders: &mut Vec<(usize, RelPath)>,
) -> Result<(), TaskError> {
    let node = request.node.name.clone();
    let root = root_of(request, &path);
    match leaf {
        Leaf::EmptyDirectory => folders.push((order, path)),
        Leaf::Symlink { target } => {
            let staged = stages.next(&path)?;
            std::os::unix::fs::symlink(&target, &staged).map_err(TaskError::io("create", &staged))?;
            let digest = Digest::of(target.as_bytes());
            moves.push((order, Move { node, root, staged, path, digest, size: 0, is_link: true }));
        }
        Leaf::File { digest, size, executable } => {
            let staged = stages.next(&path)?;
            let placement =
                placements.entry(digest).or_insert_with(|| Placement { digest, size, targets: Vec::new() });
            placement.targets.push(Target::new(staged.clone(), executable));
            moves.push((order, Move { node, root, staged, path, digest, size, is_link: false }));
        }
    }
    Ok(())
}

/// Renames one staged file to its place and stats it there: a rename moves the ctime.
fn put(step: Move, context: &Context) -> Result<Standing, TaskError> {
    let Move { node, root, staged, path, digest, size: _, is_link } = step;
    make_way(&path, &root, &node, context)?;
    let there = path.under(&context.project);
    fs::rename(&staged, &there).map_err(TaskError::io("publish", &there))?;
    let stat = Stat::of(&there).map_err(TaskError::io("read", &there))?;
    Ok(Standing { path, stat, digest, is_link })
}

/// The published path that holds `path`, or itself where none does (a seed).
fn root_of(request: &Request<'_>, path: &RelPath) -> RelPath {
    let mut wanted = request.publishing.wanted.iter().map(|one| &one.path);
    wanted.find(|root| path.is_within(root)).unwrap_or(path).clone()
}

/// Whether a large file of ours stands where another is to stand.
fn is_spent(step: &Move, context: &Context) -> bool {
    let large = |stat: &Stat| stat.kind() == FileType::RegularFile && stat.size >= WORTHWHILE;
    step.size >= WORTHWHILE
        && Stat::of(&step.path.under(&context.project)).is_ok_and(|stat| large(&stat))
        && above(&step.path).iter().all(|folder| leads_on(folder, &step.root, context) == Some(true))
        && (context.owned)(&step.path)
}

/// The folders above a path, the topmost first.
fn above(path: &RelPath) -> Vec<RelPath> {
    let mut above: Vec<RelPath> = std::iter::successors(path.parent(), RelPath::parent).collect();
    above.reverse();
    above
}

/// Whether what stands at a folder above an output may be gone through; none when nothing is there.
fn leads_on(folder: &RelPath, root: &RelPath, context: &Context) -> Option<bool> {
    let there = folder.under(&context.project);
    match Stat::of(&there).ok()?.kind() {
        FileType::Directory => Some(true),
        // A link that leads to a folder is the user's arrangement of their disk. Inside an
        // output it is not: behind it lies what is not ours to write or to replace.
        FileType::Symlink => Some(there.is_dir() && (folder == root || !folder.is_within(root))),
        _ => Some(false),
    }
}

/// Sees to it that nothing is at `path` and that the folders above it are there.
fn make_way(path: &RelPath, root: &RelPath, node: &NodeName, context: &Context) -> Result<(), TaskError> {
    for folder in above(path) {
        match leads_on(&folder, root, context) {
            Some(true) => continue,
            Some(false) => move_away(&folder, node, context)?,
            None => {}
        }
        create_folder(&folder.under(&context.project))?;
    }
    if Stat::of(&path.under(&context.project)).is_ok() {
        move_away(path, node, context)?;
    }
    Ok(())
}

fn create_folder(path: &Path) -> Result<(), TaskError> {
    match fs::create_dir(path) {
        Ok(()) => fs::set_permissions(path, fs::Permissions::from_mode(0o755))
            .map_err(TaskError::io("create", path)),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(TaskError::io("create", path)(error)),
    }
}

fn move_away(path: &RelPath, node: &NodeName, context: &Context) -> Result<(), TaskError> {
    let there = path.under(&context.project);
    for (name, kept) in set_foreign_aside(path, context)? {
        let message = format!("`{name}` was there before and is not osgraph's: kept as `{}`", kept.display());
        context.warn(node, message, None);
    }
    Ok(context.store.discard([&there])?)
}

/// Moves what osgraph did not make away from an output's place: all of it, or the files in a
/// folder of ours that are not.
pub fn set_foreign_aside(output: &RelPath, context: &Context) -> Result<Vec<(RelPath, PathBuf)>, TaskError> {
    let mut out = Vec::new();
    let mut todo = vec![output.clone()];
    while let Some(path) = todo.pop() {
        let there = path.under(&context.project);
        let Ok(stat) = Stat::of(&there) else { continue };
        if stat.kind() == FileType::Directory {
            let below = below(&path, context)?;
            // An empty folder holds nothing that could be lost, and one with something of ours in
            // it stays where it is, without what is not.
            if below.is_empty() || below.iter().any(|path| holds_ours(path, context)) {
                todo.extend(below);
                continue;
            }
        } else if (context.owned)(&path) {
            continue;
        }
        let kept = context.store.displace(context.run, &there, &path)?;
        out.push((path, kept));
    }
    Ok(out)
}

/// What is in a folder. Names that are not UTF-8 are nothing of ours, and no path names them.
fn below(folder: &RelPath, context: &Context) -> Result<Vec<RelPath>, TaskError> {
    let there = folder.under(&context.project);
    let entries = fs::read_dir(&there).map_err(TaskError::io("list", &there))?;
    Ok(entries.flatten().filter_map(|entry| Some(folder.child(entry.file_name().to_str()?))).collect())
}

fn holds_ours(path: &RelPath, context: &Context) -> bool {
    match Stat::of(&path.under(&context.project)) {
        Ok(stat) if stat.kind() == FileType::Directory => {
            below(path, context).is_ok_and(|below| below.iter().any(|path| holds_ours(path, context)))
        }
        _ => (context.owned)(path),
    }
}

/// Removes what this node published at the same places earlier and does not want any more, where
/// it is still what was published. Anything else in an output folder is left alone and reported.
fn remove_leftovers(
    request: &Request<'_>,
    stays: &BTreeSet<RelPath>,
    context: &Context,
) -> Result<(), TaskError> {
    let roots: Vec<&Wanted> =
        request.publishing.wanted.iter().filter(|one| matches!(one.entry, Entry::Directory { .. })).collect();
    if roots.is_empty() {
        return Ok(());
    }
    let mut before = Leaves::new();
    for earlier in (context.published)(&request.node.name) {
        if let Some(entry) = earlier.entry
            && roots.iter().any(|root| root.path == earlier.path)
        {
            let earlier = Wanted { path: earlier.path, what: earlier.what, entry };
            if let Ok(leaves) = wanted::leaves(&earlier, &context.store) {
                before.extend(leaves);
            }
        }
    }
    for (path, leaf) in &before {
        // What became a seed is the user's from now on.
        if stays.contains(path) || is_seed(request, path) {
            continue;
        }
        let there = path.under(&context.project);
        match standing::look(&context.project, path, leaf, &*context.known) {
            Found::Right(_) => context.store.discard([&there])?,
            // Only an empty folder goes.
            Found::Folder(_) => drop(fs::remove_dir(&there)),
            Found::Missing | Found::Altered => continue,
        }
        let mut above = path.parent();
        while let Some(folder) = above {
            // An empty folder may be what is wanted now.
            let stays = stays.contains(&folder) || roots.iter().any(|root| root.path == folder);
            if stays || fs::remove_dir(folder.under(&context.project)).is_err() {
                break;
            }
            above = folder.parent();
        }
    }
    report_foreign(request, &roots, stays, context);
    Ok(())
}

fn report_foreign(request: &Request<'_>, roots: &[&Wanted], stays: &BTreeSet<RelPath>, context: &Context) {
    let mut foreign = Vec::new();
    for root in roots {
        let mut todo = vec![root.path.clone()];
        while let Some(folder) = todo.pop() {
            let Ok(entries) = fs::read_dir(folder.under(&context.project)) else { continue };
            for entry in entries.flatten() {
                let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
                let path = folder.child(&name);
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    todo.push(path);
                } else if name.starts_with(".osgraph-") {
                    // On its way out, from where the store's own trash cannot be reached.
                } else if !stays.contains(&path) && !is_seed(request, &path) && !(context.owned)(&path) {
                    foreign.push(path);
                }
            }
        }
    }
    foreign.sort();
    if let Some(first) = foreign.first() {
        let rest = match foreign.len() {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        context.warn(
            &request.node.name,
            format!("`{first}`{rest} in the output folder is not osgraph's: left alone"),
            None,
        );
    }
}

/// Folders on the outputs' own file systems in which files are staged.
struct Stages<'a> {
    context: &'a Context,
    /// By device.
    rooms: HashMap<u64, PathBuf>,
    /// Of rooms outside of the store.
    notes: Vec<PathBuf>,
    count: usize,
}

impl<'a> Stages<'a> {
    fn new(context: &'a Context) -> Self {
        Self { context, rooms: HashMap::new(), notes: Vec::new(), count: 0 }
    }

    /// A path that does not exist yet, on the file system of `output`.
    fn next(&mut self, output: &RelPath) -> Result<PathBuf, TaskError> {
        let there = output.under(&self.context.project);
        let folder =
            there.ancestors().skip(1).find(|folder| folder.is_dir()).unwrap_or(&self.context.project);
        let device = device_of(folder).unwrap_or(0);
        self.count += 1;
        if !self.rooms.contains_key(&device) {
            let scratch = self.context.scratch()?;
            let room = if device_of(&scratch) == Some(device) {
                scratch
            } else {
                self.context.store.discard([&scratch])?;
                let room = folder.join(format!(".osgraph-stage-{}", self.context.run));
                self.notes.push(self.context.store.note_elsewhere(&room)?);
                create_folder(&room)?;
                room
            };
            self.rooms.insert(device, room);
        }
        Ok(self.rooms[&device].join(self.count.to_string()))
    }

    fn remove(self) -> Result<(), TaskError> {
        for room in self.rooms.into_values() {
            let _ = fs::remove_dir(&room);
            if room.exists() {
                self.context.store.discard([&room])?;
            }
        }
        for note in self.notes {
            let _ = fs::remove_file(note);
        }
        Ok(())
    }
}

/// Hashes on all cores what [`standing::look`] will ask for, so that it finds it known.
pub fn look_all(
    project: &Path,
    leaves: &[(RelPath, Leaf)],
    known: &(dyn Fn(&Path, &Stat) -> Option<Digest> + Sync),
) -> Vec<Found> {
    let size = |(_, leaf): &(RelPath, Leaf)| if let Leaf::File { size, .. } = leaf { *size } else { 0 };
    hash::each_by_size(leaves, size, |(path, leaf), _| {
        standing::look(project, path, leaf, &|path, stat| known(path, stat))
    })
}
