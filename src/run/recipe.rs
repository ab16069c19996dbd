//! A `host { … }` recipe: prepares its place, runs its programs, takes its outputs.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::event::Event;
use crate::inputs::input::Input;
use crate::inputs::stat::Stat;
use crate::key::compose::Stand;
use crate::path::RelPath;
use crate::pipeline::{HostRecipe, Limits, NodeName, SecretSource};
use crate::record::Artifact;
use crate::run::collect;
use crate::run::host::{self, HostError, Job, Mount, MountSource, Place};
use crate::run::publish::set_foreign_aside;
use crate::run::secrets;
use crate::run::source::from_folder;
use crate::run::task::{Context, Made, Task, TaskError, Upstream, tree_of};
use crate::run::wanted;
use crate::store::{Lease, Placement, StoreError, Target};
use crate::tree::{Entry, Tree};

/// Where programs are looked up besides the folders of declared tools.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Runs the recipe. `produced` is called as soon as the outputs of a recipe in place stand.
pub fn make(
    task: &Task,
    recipe: &HostRecipe,
    limits: &Limits,
    upstreams: &[Upstream],
    lease: Option<&Lease>,
    context: &Context,
    produced: &mut dyn FnMut(),
) -> Result<Made, TaskError> {
    let started = Instant::now();
    let mut attempt = 1;
    loop {
        match once(task, recipe, limits, upstreams, lease, context, produced) {
            Ok(made) => return Ok(Made { duration: started.elapsed(), ..made }),
            Err(error) => {
                let again = matches!(
                    &error,
                    TaskError::Host(
                        HostError::Failed { .. } | HostError::Signalled { .. } | HostError::TimedOut { .. }
                    )
                );
                if !again || attempt > limits.retries || context.cancel.is_cancelled() {
                    return Err(error);
                }
                attempt += 1;
                let (node, error) = (task.node.name.clone(), error.to_string());
                context.say(Event::NodeRetried { node, attempt, error });
            }
        }
    }
}

fn once(
    task: &Task,
    recipe: &HostRecipe,
    limits: &Limits,
    upstreams: &[Upstream],
    lease: Option<&Lease>,
    context: &Context,
    produced: &mut dyn FnMut(),
) -> Result<Made, TaskError> {
    let node = &task.node.name;
    let secrets = secret_entries(recipe, context)?;
    let mut env: Vec<(String, String)> =
        recipe.env.iter().map(|(name, value)| (name.value.clone(), value.clone())).collect();
    env.extend(passed(recipe, context));
    env.extend(secrets.iter().cloned());
    let runs: Vec<Vec<String>> = recipe.runs.iter().map(|run| run.value.clone()).collect();
    let log = context.log_path(node);
    let stdin = lease.and_then(|lease| lease.file().try_clone().ok());
    let mut job = Job {
        runs: &runs,
        env,
        redact: secrets.into_iter().map(|(_, value)| value).filter(|value| !value.is_empty()).collect(),
        place: Place::InPlace { root: &context.project },
        timeout: limits.timeout,
        grace: Job::GRACE,
        path: search_path(recipe, context),
        stdin,
        no_shell: false,
        log: log.clone(),
    };
    let mut print =
        |line: &str| context.say(Event::NodePrinted { node: node.clone(), line: line.to_owned() });
    if recipe.isolate {
        let scratch = context.scratch()?;
        let room = scratch.join("room");
        let result = (|| {
            fs::create_dir(&room).map_err(TaskError::io("create", &room))?;
            let mounts = mounts(task, upstreams, &scratch, context)?;
            job.place = Place::Private {
                scratch: &room,
                mounts,
                outputs: recipe.outputs.iter().map(|output| output.value.clone()).collect(),
                masks: vec![context.project.clone(), context.store.root().to_path_buf()],
                copies: context.copies,
            };
            let done = host::run(&job, &mut print, &context.cancel)?;
            context.stage(node, done.isolation.describe());
            let (tree, _) = collect::outputs(node, &done.work, &recipe.outputs, true, context)?;
            made(task, context, tree, Vec::new(), done.printed, &log)
        })();
        context.store.discard([&scratch])?;
        return result;
    }
    let aside = Aside::move_outputs(recipe, context)?;
    let done = host::run(&job, &mut print, &context.cancel);
    match done {
        Ok(done) => {
            produced();
            let collected = collect::outputs(node, &context.project, &recipe.outputs, false, context);
            match collected {
                Ok((tree, standing)) => {
                    aside.drop_old(node, context)?;
                    made(task, context, tree, standing, done.printed, &log)
                }
                Err(error) => {
                    aside.put_back(context)?;
                    Err(error)
                }
            }
        }
        Err(error) => {
            aside.put_back(context)?;
            Err(error.into())
        }
    }
}

fn made(
    task: &Task,
    context: &Context,
    tree: Tree,
    standing: Vec<super::task::Standing>,
    printed: u64,
    log: &Path,
) -> Result<Made, TaskError> {
    context.store.put_tree(&tree)?;
    let log = if printed > 0 {
        let mut text = fs::File::open(log).map_err(TaskError::io("read", log))?;
        let mut batch = context.store.batch();
        let (digest, _) = batch.add(&mut text, printed)?;
        batch.finish()?;
        let _ = fs::remove_file(log);
        Some(digest)
    } else {
        None
    };
    Ok(Made {
        artifact: Artifact::Entry(Entry::Directory { digest: tree.root }),
        standing,
        log,
        duration: Duration::ZERO,
        inputs_stood: inputs_stood(task),
    })
}

/// Whether every declared input is still what it was when the key was computed.
pub fn inputs_stood(task: &Task) -> bool {
    task.composed.inputs.iter().all(|placed| match &placed.input {
        Input::Folder(folder) => folder.still_stands(),
        Input::Leaf(path, seen) => Stat::of(path).is_ok_and(|stat| stat == seen.stat),
        Input::Dockerfile(file) => Stat::of(&file.path).is_ok_and(|stat| stat == file.seen.stat),
        // A commit does not change.
        Input::Git(_) => true,
    })
}

/// Declared names taken from the caller's environment.
fn passed(recipe: &HostRecipe, context: &Context) -> Vec<(String, String)> {
    let value = |name: &String| Some((name.clone(), (context.environment)(name)?));
    recipe.pass_env.iter().filter_map(|name| value(&name.value)).collect()
}

/// Secrets as environment entries: under their own variable, or `OSGRAPH_SECRET_ID` for a file's.
fn secret_entries(recipe: &HostRecipe, context: &Context) -> Result<Vec<(String, String)>, TaskError> {
    let mut out = Vec::new();
    for secret in &recipe.secrets {
        let id = &secret.id.value;
        let Some(bytes) = secrets::value(secret, context)? else { continue };
        let text = String::from_utf8(bytes).map_err(|error| TaskError::SecretUnreadable {
            id: id.clone(),
            source: std::io::Error::new(std::io::ErrorKind::InvalidData, error.utf8_error()),
        })?;
        out.push(match &secret.from {
            SecretSource::Environment(name) => (name.clone(), text),
            SecretSource::File(_) => {
                let upper = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
                let name: String = id.chars().map(upper).collect();
                (format!("OSGRAPH_SECRET_{name}"), text.trim_end_matches(['\n', '\r']).to_owned())
            }
        });
    }
    Ok(out)
}

/// The fixed PATH, with the folders of declared tools before it.
fn search_path(recipe: &HostRecipe, context: &Context) -> OsString {
    let mut folders: Vec<PathBuf> = Vec::new();
    for tool in &recipe.tools {
        let found = host::resolve_program(&tool.program.value, &context.search_path);
        if let Some(folder) = found.as_deref().and_then(Path::parent)
            && !folders.iter().any(|known| known == folder)
        {
            folders.push(folder.to_path_buf());
        }
    }
    let mut path = OsString::new();
    for folder in folders {
        path.push(folder);
        path.push(":");
    }
    path.push(PATH);
    path
}

fn mounts(
    task: &Task,
    upstreams: &[Upstream],
    scratch: &Path,
    context: &Context,
) -> Result<Vec<Mount>, TaskError> {
    let mut mounts = Vec::new();
    for placed in &task.composed.inputs {
        let from = match &placed.input {
            Input::Folder(folder) if folder.is_whole => MountSource::Folder { path: folder.root.clone() },
            Input::Folder(folder) => {
                // More lies there than was declared: what counts is unpacked beside it.
                let mut batch = context.store.batch();
                let leaves = from_folder(&task.node.name, folder, &mut batch, &mut true, context)?;
                batch.finish()?;
                let tree = Tree::from_leaves(&leaves);
                context.store.put_tree(&tree)?;
                MountSource::Folder { path: context.store.unpacked(tree.root)? }
            }
            Input::Leaf(path, seen) => {
                MountSource::File { path: path.clone(), executable: seen.stat.is_executable() }
            }
            // Only source archives read git, and images Dockerfiles; they are no host recipes.
            Input::Git(_) | Input::Dockerfile(_) => continue,
        };
        mounts.push(Mount { at: placed.at.clone(), from });
    }
    for (order, (read, upstream)) in task.composed.reads.iter().zip(upstreams).enumerate() {
        let entries: Vec<(RelPath, Entry)> = match (&read.stand, &upstream.artifact) {
            // What is only told of stands in a dist's manifest.
            (_, None) | (Stand::Told { .. }, _) => continue,
            (_, Some(Artifact::Image(_))) => return Err(TaskError::NeedsEngine(upstream.node.clone())),
            (Stand::At(path), Some(Artifact::Entry(entry))) => vec![(path.clone(), entry.clone())],
            // Each output by itself: laid down as one tree, they would hide, or be hidden by, what
            // else stands in the folders above them.
            (Stand::Own(outputs), Some(artifact)) => {
                let mut entries = Vec::with_capacity(outputs.len());
                for output in outputs {
                    entries.push((output.clone(), output_of(upstream, artifact, output, context)?));
                }
                entries
            }
        };
        for (part, (at, entry)) in entries.into_iter().enumerate() {
            let from = match entry {
                Entry::Directory { digest } => MountSource::Folder { path: context.store.unpacked(digest)? },
                Entry::File { digest, size, executable } => {
                    let path = scratch.join(format!("upstream-{order}-{part}"));
                    let target = Target::new(path.clone(), executable);
                    let placement = Placement { digest, size, targets: vec![target] };
                    context.place(&task.node.name, "laying its inputs out", &[placement])?;
                    MountSource::File { path, executable }
                }
                Entry::Symlink { target } => MountSource::Link { target: target.into() },
            };
            mounts.push(Mount { at, from });
        }
    }
    Ok(mounts)
}

fn output_of(
    upstream: &Upstream,
    artifact: &Artifact,
    output: &RelPath,
    context: &Context,
) -> Result<Entry, TaskError> {
    let lost = |wanted::Unknown| match tree_of(artifact) {
        Some(tree) => StoreError::NoTree(tree).into(),
        None => TaskError::NotAFile { node: upstream.node.clone(), path: output.clone() },
    };
    wanted::find(artifact, output, &context.store)
        .map_err(lost)?
        .ok_or_else(|| TaskError::NotInArtifact { node: upstream.node.clone(), path: output.clone() })
}

/// Earlier outputs of a recipe in place, out of its way until it is known how it ends: a failed
/// run must leave what was there. What osgraph did not make goes to the store's `displaced/` at
/// once, because a killed run's scratch folder is swept away.
struct Aside {
    scratch: PathBuf,
    /// The output and where its old content is now.
    moved: Vec<(RelPath, PathBuf)>,
    /// What is not osgraph's, below outputs or in their places, and where it is kept.
    foreign: Vec<(RelPath, PathBuf)>,
    outputs: Vec<RelPath>,
}

impl Aside {
    fn move_outputs(recipe: &HostRecipe, context: &Context) -> Result<Self, TaskError> {
        let outputs: Vec<RelPath> = recipe.outputs.iter().map(|output| output.value.clone()).collect();
        let mut aside = Self { scratch: PathBuf::new(), moved: Vec::new(), foreign: Vec::new(), outputs };
        for (order, output) in aside.outputs.iter().enumerate() {
            aside.foreign.extend(set_foreign_aside(output, context)?);
            let path = output.under(&context.project);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent).map_err(TaskError::io("create", parent))?;
            }
            if Stat::of(&path).is_err() {
                continue;
            }
            if aside.scratch.as_os_str().is_empty() {
                aside.scratch = context.scratch()?;
            }
            let there = aside.scratch.join(order.to_string());
            let there = match fs::rename(&path, &there) {
                Ok(()) => there,
                // Another file system: beside the output then.
                Err(_) => {
                    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("output");
                    let beside = path.with_file_name(format!(".osgraph-old-{}-{name}", context.run));
                    context.store.note_elsewhere(&beside)?;
                    fs::rename(&path, &beside).map_err(TaskError::io("move", &path))?;
                    beside
                }
            };
            aside.moved.push((output.clone(), there));
        }
        Ok(aside)
    }

    /// Puts the old outputs back in place of whatever a failed run left.
    fn put_back(self, context: &Context) -> Result<(), TaskError> {
        for output in &self.outputs {
            let path = output.under(&context.project);
            if Stat::of(&path).is_ok() {
                context.store.discard([&path])?;
            }
        }
        for (output, there) in &self.moved {
            let path = output.under(&context.project);
            fs::rename(there, &path).map_err(TaskError::io("put back", &path))?;
        }
        for (name, kept) in &self.foreign {
            let path = name.under(&context.project);
            fs::rename(kept, &path).map_err(TaskError::io("put back", &path))?;
        }
        self.remove_scratch(context)
    }

    fn drop_old(self, node: &NodeName, context: &Context) -> Result<(), TaskError> {
        for (_, there) in &self.moved {
            context.store.discard([there])?;
        }
        for (name, kept) in &self.foreign {
            let message =
                format!("`{name}` was there before and is not osgraph's: kept as `{}`", kept.display());
            context.warn(node, message, None);
        }
        self.remove_scratch(context)
    }

    fn remove_scratch(&self, context: &Context) -> Result<(), TaskError> {
        if !self.scratch.as_os_str().is_empty() {
            context.store.discard([&self.scratch])?;
        }
        Ok(())
    }
}
