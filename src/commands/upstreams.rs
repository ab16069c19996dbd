//! The images of others that a pipeline builds on, and the lock file that pins them.
//!
//! Reads the Dockerfiles of all docker nodes and nothing else of the project.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::commands::fault::Fault;
use crate::commands::ground::Ground;
use crate::commands::load::{self, Loaded};
use crate::digest::Digest;
use crate::dockerfile::{Question, analyse, normal_platform};
use crate::graph::NodeIndex;
use crate::inputs::observe::ObserveError;
use crate::pipeline::lock::Locked;
use crate::pipeline::{DockerRecipe, Lock};
use crate::reference::Reference;
use crate::survey::dockerfiles::tags;
use crate::survey::gather::{GatherError, Trouble};

/// An image of others that nodes build on.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// In full.
    pub image: String,
    pub reference: Reference,
    /// As `linux/arm64`.
    pub platform: String,
    /// Whether the pipeline or a Dockerfile names the platform, and not this engine's is meant.
    pub is_explicit: bool,
    pub nodes: Vec<NodeIndex>,
}

/// Every image that some docker node builds on and no node makes, without those that are named by
/// digest, sorted. `platform` says what the engine runs on, if anybody wants to know.
pub fn find(
    ground: &Ground,
    loaded: &Loaded,
    platform: &dyn Fn() -> Result<String, Fault>,
) -> Result<Vec<Upstream>, Fault> {
    let nodes = &loaded.pipeline.nodes;
    let own: Vec<String> = nodes
        .iter()
        .flat_map(tags)
        .filter_map(|tag| Reference::parse(&tag).ok())
        .map(|reference| reference.to_string())
        .collect();
    let (mut found, mut troubles) = (Vec::new(), Vec::new());
    for (at, node) in nodes.iter().enumerate() {
        let Some(recipe) = node.docker() else { continue };
        match of(ground, recipe, &platform()?) {
            Ok(list) => {
                for one in list.into_iter().filter(|one| !own.contains(&one.image)) {
                    add(&mut found, one, NodeIndex::new(at));
                }
            }
            Err(error) => {
                let span = Some(recipe.dockerfile.span);
                troubles.push(Trouble { node: node.name.clone(), span, error });
            }
        }
    }
    if !troubles.is_empty() {
        return Err(Fault::inputs(&loaded.source, troubles));
    }
    found.sort_by(|a, b| (&a.image, &a.platform).cmp(&(&b.image, &b.platform)));
    Ok(found)
}

fn add(found: &mut Vec<Upstream>, one: Upstream, node: NodeIndex) {
    match found.iter_mut().find(|known| known.image == one.image && known.platform == one.platform) {
        Some(known) => {
            known.is_explicit &= one.is_explicit;
            if !known.nodes.contains(&node) {
                known.nodes.push(node);
            }
        }
        None => found.push(Upstream { nodes: vec![node], ..one }),
    }
}

/// Those of one Dockerfile, for an engine that runs on `builder`.
fn of(ground: &Ground, recipe: &DockerRecipe, builder: &str) -> Result<Vec<Upstream>, GatherError> {
    let place = &recipe.dockerfile.value;
    let named = place.to_string();
    let text =
        std::fs::read_to_string(place.under(&ground.project)).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => ObserveError::Missing { path: named },
            _ => ObserveError::Read { path: named, source },
        })?;
    let args: Vec<(String, String)> =
        recipe.args.iter().map(|(name, value)| (name.value.clone(), value.clone())).collect();
    let target = recipe.platform.as_ref().map_or(builder, |platform| platform.value.as_str());
    let question = Question {
        text: &text,
        args: &args,
        target: recipe.target.as_deref(),
        platform: Some(target),
        builder: Some(builder),
    };
    let analysis = analyse(&question).map_err(|mistake| GatherError::Dockerfile {
        path: place.clone(),
        help: mistake.help(),
        mistake,
    })?;
    let mut list = Vec::new();
    for base in &analysis.bases {
        let reference = Reference::parse(&base.reference).map_err(|error| GatherError::Upstream {
            path: place.clone(),
            line: base.line,
            error,
        })?;
        if reference.digest().is_some() {
            continue;
        }
        let platform = base.platform.as_deref().unwrap_or(target);
        // A variable may well stand for the engine's own platform.
        let is_explicit = match &base.platform {
            None => recipe.platform.is_some(),
            Some(_) => !analysis.steps.iter().any(|step| step.line == base.line && step.text.contains('$')),
        };
        // What the analysis took for a platform is one.
        let Some(platform) = normal_platform(platform) else { continue };
        list.push(Upstream {
            image: reference.to_string(),
            reference,
            platform,
            is_explicit,
            nodes: Vec::new(),
        });
    }
    Ok(list)
}

/// Whether anybody needs an entry. Where a platform is left to the engine, another engine may need
/// the entry of another platform.
pub fn is_used(entry: Locked<'_>, upstreams: &[Upstream]) -> bool {
    upstreams
        .iter()
        .any(|one| one.image == entry.image && (one.platform == entry.platform || !one.is_explicit))
}

/// The lock file of a pipeline.
pub struct LockFile {
    path: PathBuf,
    /// As the reader knows it.
    pub shown: String,
    /// Of its text; none where there is no file.
    pub digest: Option<Digest>,
    pub lock: Lock,
}

impl LockFile {
    pub fn read(ground: &Ground) -> Result<Self, Fault> {
        let shown = Path::new(&ground.shown).with_extension("lock").display().to_string();
        let (lock, digest) = load::read_lock(ground)?;
        Ok(Self { path: ground.lock(), shown, digest, lock })
    }

    /// Replaces the file as a whole: whoever reads it meanwhile sees the old one or the new one.
    pub fn write(&self, text: &str) -> Result<(), Fault> {
        let wrong = |source| Fault::Io { action: format!("write `{}`", self.shown), source };
        let temporary =
            self.path.with_extension(format!("lock.{}", rustix::process::getpid().as_raw_nonzero()));
        let written = std::fs::File::create(&temporary)
            .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
            .and_then(|()| std::fs::rename(&temporary, &self.path));
        if written.is_err() {
            // Half of it is of no use; the error says what happened.
            let _ = std::fs::remove_file(&temporary);
        }
        written.map_err(wrong)
    }
}
