//! Builds an image from a Dockerfile.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::dockerfile::{Analysis, is_proxy};
use crate::event::Event;
use crate::inputs::Observation;
use crate::inputs::input::{DockerfileInput, Input};
use crate::key::{Component, Manifest, Value};
use crate::path::RelPath;
use crate::pipeline::{DockerRecipe, Limits, NodeName};
use crate::record::Artifact;
use crate::run::docker::buildkit::{self, Build, BuildError, Built, Output, SecretValue};
use crate::run::docker::{PROJECT_LABEL, Session, temporary_name};
use crate::run::image::context::NodeContext;
use crate::run::image::failure;
use crate::run::image::keeper::{ensure, find, keep_layers, keeper_tag};
use crate::run::image::others::Others;
use crate::run::image::printer::Printer;
use crate::run::image::rewrite::rewrite;
use crate::run::image::space;
use crate::run::image::stop::Stop;
use crate::run::recipe;
use crate::run::secrets;
use crate::run::task::{Context, Made, Task, TaskError, Upstream, tree_of};
use crate::tree::TreeDigest;

/// How often a pause asks whether the run shall stop.
const HEARTBEAT: Duration = Duration::from_millis(50);

/// Before the second attempt after a fault of the network; doubled for each further one.
const PAUSE: Duration = Duration::from_secs(1);

/// What is built: a recipe, and what other nodes give to it.
pub struct Request<'a> {
    pub recipe: &'a DockerRecipe,
    pub limits: &'a Limits,
    /// The image to build on.
    pub base: Option<&'a Upstream>,
    /// A tree, and where it stands in the context.
    pub app: Option<(&'a RelPath, &'a Upstream)>,
    /// Also what the engine's own cache holds is made anew.
    pub no_cache: bool,
}

/// Builds it, trying again as often as its limits say.
pub fn make(task: &Task, request: &Request<'_>, context: &Context) -> Result<Made, TaskError> {
    let started = Instant::now();
    let mut attempt = 1;
    loop {
        match once(task, request, context) {
            Ok(made) => return Ok(Made { duration: started.elapsed(), ..made }),
            Err(error) => {
                let of_network = matches!(&error, TaskError::Build(error) if error.is_retryable());
                let of_step = matches!(&error, TaskError::Step(_));
                let again = of_network || of_step || matches!(error, TaskError::BuildTimedOut(_));
                if !again || attempt > request.limits.retries || context.cancel.is_cancelled() {
                    return Err(error);
                }
                if of_network {
                    pause(PAUSE * 2u32.saturating_pow(attempt - 1), context);
                }
                attempt += 1;
                let (node, error) = (task.node.name.clone(), error.to_string());
                context.say(Event::NodeRetried { node, attempt, error });
            }
        }
    }
}

fn pause(time: Duration, context: &Context) {
    let end = Instant::now() + time;
    while Instant::now() < end && !context.cancel.is_cancelled() {
        std::thread::sleep(HEARTBEAT);
    }
}

fn once(task: &Task, request: &Request<'_>, context: &Context) -> Result<Made, TaskError> {
    let Request { recipe, limits, base, app, no_cache } = request;
    let node = &task.node.name;
    let session = context.engine.session()?;
    context.sweeper.begin(context);
    let facts = session.wait(session.engine().facts())?;
    facts.require_buildkit()?;
    warn_of_little_room(node, &session, &facts.root, context)?;
    let (folder, file) = inputs(task)?;
    let mounted = base.map(|base| mounted_base(base, context)).transpose()?;
    let name = |reference: &str| {
        if file.base.iter().any(|base| base == reference) {
            return mounted.clone();
        }
        let locked = file.locked.iter().find(|(known, _)| known == reference);
        locked.map(|(_, digest)| pinned(reference, digest))
    };
    let app = match app {
        Some((into, upstream)) => Some((*into, tree_of_upstream(upstream)?)),
        None => None,
    };
    let sent = NodeContext::new(folder, app, &context.store)?;
    let (files, bytes) = sent.extent();
    let bytes = bytesize::ByteSize(bytes).display().iec();
    context.stage(node, &format!("a context of {files} files, {bytes}"));
    let others = Others::of(task, file);
    others.fetch(task, &session, context)?;
    let values = secrets::values(&recipe.secrets, context)?;
    let printable = values.iter().filter_map(|(_, bytes)| String::from_utf8(bytes.clone()).ok()).collect();
    let printer = Printer::new(node, &file.analysis, printable, context)?;
    let temporary = temporary_name(&keeper_part(task));
    let agent = (context.environment)("SSH_AUTH_SOCK");
    let build = Build {
        args: recipe
            .args
            .iter()
            .filter(|(name, _)| {
                let Analysis { args, idle_args, .. } = &file.analysis;
                args.contains(&name.value) || idle_args.contains(&name.value) || is_proxy(&name.value)
            })
            .map(|(name, value)| (name.value.clone(), value.clone()))
            .collect(),
        target: recipe.target.clone(),
        platform: recipe.platform.as_ref().map(|platform| platform.value.clone()),
        labels: labels(recipe, context),
        network: recipe.network.clone().filter(|mode| mode != "default"),
        secrets: values.into_iter().map(|(id, bytes)| (id, SecretValue::new(bytes))).collect(),
        ssh: recipe.ssh.iter().filter_map(|id| Some((id.clone(), agent.clone()?.into()))).collect(),
        cache_from: recipe.cache_from.clone(),
        cache_to: recipe.cache_to.clone(),
        no_cache: *no_cache || has_another_secret(task, context)?,
        source_date_epoch: Some(0),
        credentials: (context.keyring)()?.lookup(),
        output: Output::Image { tags: vec![temporary.clone()] },
        ..Build::new(
            Arc::new(sent),
            rewrite(&file.text, &file.analysis, &name),
            format!("{} {node}", context.engine_mark),
        )
    };
    let built = run(&session, build, &printer, limits.timeout, context);
    printer.keep_times()?;
    let built = match built {
        Ok(built) => built,
        Err(error) => {
            printer.flush()?;
            return Err(failure::told(error, &recipe.dockerfile.value, &file.analysis));
        }
    };
    let id = built.image_id.unwrap_or_else(|| temporary.clone());
    let found = session.wait(session.engine().inspect(&id))?;
    let found = found.ok_or_else(|| TaskError::ImageGone(node.clone()))?;
    let mut image = found.image(&facts.store);
    session.wait(session.engine().tag(&found.id, &keeper_tag(&image)))?;
    // Only now that it has another name: an image goes with its last one.
    session.wait(session.engine().untag(&temporary))?;
    if recipe.keep_in_store {
        image.kept = Some(keep_layers(node, &found.id, &session, context)?);
    }
    let others_stood = others.stood(&session)?;
    Ok(Made {
        artifact: Artifact::Image(image),
        standing: Vec::new(),
        log: printer.keep()?,
        duration: Duration::ZERO,
        inputs_stood: others_stood && recipe::inputs_stood(task),
    })
}

fn warn_of_little_room(
    node: &NodeName,
    session: &Session,
    root: &str,
    context: &Context,
) -> Result<(), TaskError> {
    let Some(free) = session.wait(session.engine().free_disk())? else { return Ok(()) };
    let last = match context.store.latest_record(&context.project_id, node)?.map(|record| record.artifact) {
        Some(Artifact::Image(image)) => find(session, &image)?.map(|facts| facts.bytes),
        _ => None,
    };
    if let Some(message) = space::scarce(free, last, root) {
        context.warn(node, message, Some(space::HELP.to_owned()));
    }
    Ok(())
}

/// The engine builds; a timeout or an interruption ends it.
fn run(
    session: &Session,
    build: Build,
    printer: &Printer<'_>,
    timeout: Option<Duration>,
    context: &Context,
) -> Result<Built, TaskError> {
    let stop = Stop::after(timeout, context);
    let engine = session.engine();
    let on = |progress| printer.take(progress);
    let token = stop.token().clone();
    let built = session.wait(buildkit::build(engine.dialer(), engine.api(), build, &on, token));
    match built {
        Err(BuildError::Cancelled) if context.cancel.is_cancelled() => Err(TaskError::Cancelled),
        Err(BuildError::Cancelled) => Err(TaskError::BuildTimedOut(timeout.unwrap_or_default())),
        Err(BuildError::Step { step, message, log }) => {
            Err(BuildError::Step { step, message: printer.clean(&message), log: printer.clean(&log) }.into())
        }
        Err(BuildError::Refused { message }) => {
            Err(BuildError::Refused { message: printer.clean(&message) }.into())
        }
        other => Ok(other?),
    }
}

fn inputs(task: &Task) -> Result<(Option<&Observation>, &DockerfileInput), TaskError> {
    let mut found = (None, None);
    for placed in &task.composed.inputs {
        match &placed.input {
            Input::Folder(folder) => found.0 = Some(&**folder),
            Input::Dockerfile(file) => found.1 = Some(&**file),
            _ => {}
        }
    }
    // The composer puts it there.
    Ok((found.0, found.1.ok_or(TaskError::Cancelled)?))
}

/// Whether a versioned secret is not the one that the node last succeeded with. The engine's cache
/// knows nothing of secrets, and would give what the old one made.
fn has_another_secret(task: &Task, context: &Context) -> Result<bool, TaskError> {
    let versions = |manifest: &Manifest| -> Vec<Component> {
        let is_secret =
            |one: &&Component| one.label.starts_with("secret ") && one.value != Value::Text(String::new());
        manifest.components().iter().filter(is_secret).cloned().collect()
    };
    let now = versions(&task.composed.own);
    if now.is_empty() {
        return Ok(false);
    }
    let latest = context.store.latest_record(&context.project_id, &task.node.name)?;
    Ok(latest.is_none_or(|record| versions(&record.manifest) != now))
}

/// The name under which the base is there to be built on.
fn mounted_base(base: &Upstream, context: &Context) -> Result<String, TaskError> {
    match base.artifact.as_ref() {
        Some(Artifact::Image(image)) => ensure(&base.node, image, context),
        Some(Artifact::Entry(_)) => Err(TaskError::NoImage(base.node.clone())),
        None => Err(TaskError::Cancelled),
    }
}

fn tree_of_upstream(upstream: &Upstream) -> Result<TreeDigest, TaskError> {
    let artifact = upstream.artifact.as_ref().ok_or(TaskError::Cancelled)?;
    tree_of(artifact).ok_or_else(|| TaskError::NeedsEngine(upstream.node.clone()))
}

/// `name:tag` with the digest that it was locked to.
fn pinned(reference: &str, digest: &str) -> String {
    match reference.split_once('@') {
        Some((name, _)) => format!("{name}@{digest}"),
        None => format!("{reference}@{digest}"),
    }
}

fn labels(recipe: &DockerRecipe, context: &Context) -> Vec<(String, String)> {
    let mut labels = recipe.labels.clone();
    labels.push((PROJECT_LABEL.to_owned(), context.engine_mark.clone()));
    labels
}

/// Lower-case letters and digits that stand for the node.
fn keeper_part(task: &Task) -> String {
    crate::digest::Digest::of(task.node.name.0.as_bytes()).hex()[..12].to_owned()
}
