//! What a worker needs to know to make one node, and what it comes back with.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::digest::Digest;
use crate::event::{Event, Sink};
use crate::inputs::git::{GitError, GitProgram};
use crate::inputs::input::Input;
use crate::inputs::stat::Stat;
use crate::key::Key;
use crate::key::compose::Composed;
use crate::path::RelPath;
use crate::pipeline::{Node, NodeName, SourceFile};
use crate::record::{Artifact, RunId};
use crate::reference::ReferenceError;
use crate::run::archive::ArchiveError;
use crate::run::dist::DistError;
use crate::run::docker::buildkit::BuildError;
use crate::run::docker::keep::KeepError;
use crate::run::docker::{CredentialsError, EngineError, Keyring, RegistryError, Service};
use crate::run::gates::GateFailure;
use crate::run::host::{Cancel, HostError};
use crate::run::image::{StepFailure, Sweeper};
use crate::run::pulse::{Pulse, Watched};
use crate::store::{Announced, PlaceError, Placement, Publication, Store, StoreError, Work, bytes_of};
use crate::tally::Tally;
use crate::tree::TreeDigest;

/// One node to be made.
#[derive(Debug)]
pub struct Task {
    pub node: Node,
    pub composed: Composed<Input>,
}

/// Looks up a digest by path and stat.
pub type Known = dyn Fn(&Path, &Stat) -> Option<Digest> + Send + Sync;

/// Gives the value of a name in the caller's environment.
pub type Environment = dyn Fn(&str) -> Option<String> + Send + Sync;

/// Gives what a node published in earlier runs.
pub type Earlier = dyn Fn(&NodeName) -> Vec<Publication> + Send + Sync;

/// What all tasks of a run share.
pub struct Context {
    /// Absolute, without links.
    pub project: PathBuf,
    /// Under which the store keeps this pipeline's history.
    pub project_id: String,
    pub store: Arc<Store>,
    pub sink: Arc<dyn Sink>,
    pub pulse: Pulse,
    /// What the nodes were declared in.
    pub declared: SourceFile,
    pub cancel: Cancel,
    pub run: RunId,
    pub git: GitProgram,
    /// The caller's environment, for names that are passed and for secrets.
    pub environment: Box<Environment>,
    /// The caller's PATH.
    pub search_path: OsString,
    /// When osgraph started.
    pub begun: Instant,
    /// Work folders of copies even where a namespace could be had.
    pub copies: bool,
    /// Whether osgraph itself put something at this path before, in any run.
    pub owned: Box<dyn Fn(&RelPath) -> bool + Send + Sync>,
    /// What a node published in earlier runs.
    pub published: Box<Earlier>,
    /// Every archive that this project ever published, now and in earlier runs.
    pub archives: Box<dyn Fn() -> Vec<Publication> + Send + Sync>,
    /// Of all archives in the pipeline, for retention.
    pub archive_patterns: Vec<crate::run::retention::Pattern>,
    /// Whether archives stay as they are: none is made, none removed.
    pub no_archive: bool,
    /// Where they stand, and whose they are.
    pub archive_paths: Vec<(NodeName, RelPath)>,
    /// The digest of a file that was looked at before and has not moved since.
    pub known: Box<Known>,
    pub engine: Arc<Service>,
    /// Where the images of nodes may be pulled from.
    pub pulls: HashMap<NodeName, String>,
    /// The user's credentials for registries, read when they are wanted.
    pub keyring: Box<dyn Fn() -> Result<Arc<Keyring>, CredentialsError> + Send + Sync>,
    /// What marks this pipeline's things in an engine.
    pub engine_mark: String,
    pub sweeper: Sweeper,
}

impl Context {
    pub fn say(&self, event: Event) {
        self.pulse.hear(&event);
        self.sink.emit(event);
    }

    /// A new, empty folder in the store's temporary space.
    pub fn scratch(&self) -> Result<PathBuf, TaskError> {
        let path = self.store.scratch()?;
        std::fs::create_dir(&path).map_err(TaskError::io("create", &path))?;
        Ok(path)
    }

    pub fn stage(&self, node: &NodeName, stage: &str) {
        self.say(Event::NodeProgressed { node: node.clone(), stage: stage.to_owned() });
    }

    /// Tells of work whose bytes `tally` counts, until the answer is dropped. `what` is a stage: `packing
    /// x.tar.gz`.
    pub fn moving(&self, node: &NodeName, what: impl Into<String>, tally: &Arc<Tally>) -> Watched {
        self.pulse.moving(node, what, tally)
    }

    /// [`Store::place`], told of while it goes on.
    pub fn place(&self, node: &NodeName, what: &str, placements: &[Placement]) -> Result<(), TaskError> {
        let tally = Arc::new(Tally::of(bytes_of(placements)));
        let _watched = self.moving(node, what, &tally);
        Ok(self.store.place_counted(placements, &tally)?)
    }

    pub fn warn(&self, node: &NodeName, message: String, help: Option<String>) {
        self.say(Event::Warned { node: Some(node.clone()), message, help });
    }

    /// Tells other runs on this store that `node` is being made here, until dropped.
    pub fn announce(&self, node: &NodeName, key: Option<&Key>) -> Option<Announced> {
        let (project, log) = (self.project_id.as_str(), self.log_path(node));
        self.store.announce(Work { node, project, run: self.run, log, key })
    }

    /// Where a node's captured output goes while it runs.
    pub fn log_path(&self, node: &NodeName) -> PathBuf {
        log_path(self.store.root(), self.run, node)
    }
}

/// Where the captured output of a node that failed stays.
pub fn log_path(store: &Path, run: RunId, node: &NodeName) -> PathBuf {
    let safe = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    let name: String = node.0.chars().map(safe).collect();
    store.join("logs").join(format!("{run}-{name}.log"))
}

/// An upstream's artifact, as its reader gets it.
#[derive(Clone, Debug)]
pub struct Upstream {
    pub label: String,
    pub node: NodeName,
    /// None while it is still being stored: only a node in place starts then.
    pub artifact: Option<Artifact>,
}

/// A file, link or empty folder that a node left at its published place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// From the project's root.
    pub path: RelPath,
    pub stat: Stat,
    /// Of the content, or of a link's target; stands for nothing where there is a folder.
    pub digest: Digest,
    pub is_link: bool,
}

impl Standing {
    pub fn folder(path: RelPath, stat: Stat) -> Self {
        Self { path, stat, digest: Digest::of(b""), is_link: false }
    }

    pub fn is_folder(&self) -> bool {
        self.stat.kind() == rustix::fs::FileType::Directory
    }
}

/// What making a node came to.
#[derive(Debug)]
pub struct Made {
    pub artifact: Artifact,
    /// Outputs that already stand where they are published, for recipes in place.
    pub standing: Vec<Standing>,
    pub log: Option<Digest>,
    pub duration: Duration,
    /// Whether its inputs are still what they were when its key was computed.
    pub inputs_stood: bool,
}

/// Why a node was not made, recorded or published.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    #[error(transparent)]
    Host(#[from] HostError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Place(#[from] PlaceError),
    #[error(transparent)]
    Git(#[from] GitError),
    #[error(transparent)]
    Dist(#[from] DistError),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error("{}", sentences(.0))]
    Gates(Vec<GateFailure>),
    #[error("the recipe did not make `{0}`")]
    OutputNotMade(RelPath),
    #[error("the artifact of `{node}` has no `{path}`")]
    NotInArtifact { node: NodeName, path: RelPath },
    #[error("`{path}` in the artifact of `{node}` is no regular file")]
    NotAFile { node: NodeName, path: RelPath },
    #[error("secret `{0}` is not there")]
    SecretMissing(String),
    #[error("secret `{id}` cannot be read")]
    SecretUnreadable { id: String, source: std::io::Error },
    #[error("`{link}` points to `{target}`, which leaves the tree")]
    EscapingLink { link: RelPath, target: String },
    #[error("output `{path}`: {message}")]
    Output { path: RelPath, message: String },
    #[error("could not {action} `{}`", path.display())]
    Io { action: &'static str, path: PathBuf, source: std::io::Error },
    #[error("interrupted")]
    Cancelled,
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error(transparent)]
    Step(Box<StepFailure>),
    #[error(transparent)]
    Keep(#[from] KeepError),
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    #[error(transparent)]
    Reference(ReferenceError),
    #[error("the build took longer than {}", humantime::format_duration(*.0))]
    BuildTimedOut(Duration),
    /// The engine has not got an image any more that it was believed to have.
    #[error("the image of `{0}` is gone from the engine")]
    ImageGone(NodeName),
    #[error("the artifact of `{0}` is no image, and a Dockerfile builds on images only")]
    NoImage(NodeName),
    /// The artifact of an upstream is an image where a tree or file is read.
    #[error("the artifact of `{0}` is an image, which only an engine can read")]
    NeedsEngine(NodeName),
}

fn sentences(failures: &[GateFailure]) -> String {
    failures.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// How bad a failure is: what the exit code is chosen by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The node failed.
    Failed,
    /// Something the node needs is not on this machine.
    Missing,
    /// osgraph's own fault or the machine's: disk, database.
    Internal,
    Interrupted,
    /// Content that was believed to be in the store is not: judge again, and run what makes it.
    Lost,
}

impl TaskError {
    pub fn severity(&self) -> Severity {
        match self {
            Self::Host(HostError::Cancelled) | Self::Archive(ArchiveError::Cancelled) | Self::Cancelled => {
                Severity::Interrupted
            }
            Self::Host(error) if error.is_missing() => Severity::Missing,
            Self::Build(BuildError::Cancelled) => Severity::Interrupted,
            Self::SecretMissing(_) | Self::NeedsEngine(_) => Severity::Missing,
            Self::Engine(error) if error.is_missing() => Severity::Missing,
            Self::Build(error) if error.is_missing() => Severity::Missing,
            Self::Keep(KeepError::Cancelled) | Self::Registry(RegistryError::Cancelled { .. }) => {
                Severity::Interrupted
            }
            Self::Registry(RegistryError::Unreachable { .. } | RegistryError::Unauthorized { .. })
            | Self::Credentials(_) => Severity::Missing,
            Self::ImageGone(_) => Severity::Lost,
            Self::Store(StoreError::Absent(_) | StoreError::Damaged(_) | StoreError::NoTree(_))
            | Self::Place(PlaceError::Damaged { .. })
            | Self::Place(PlaceError::Store(
                StoreError::Absent(_) | StoreError::Damaged(_) | StoreError::NoTree(_),
            )) => Severity::Lost,
            Self::Store(_) | Self::Place(_) | Self::Io { .. } => Severity::Internal,
            _ => Severity::Failed,
        }
    }

    /// The last words of what failed, where they are known better than by the end of its log.
    pub fn last_words(&self) -> Option<&[String]> {
        match self {
            // A step that printed nothing failed by its message alone: the rest is the engine's talk.
            Self::Step(failure) => Some(&failure.printed),
            _ => None,
        }
    }

    pub fn help(&self) -> Option<String> {
        use miette::Diagnostic as _;
        match self {
            Self::Host(error) => error.help(),
            Self::Store(error) => error.help().map(|help| help.to_string()),
            Self::Place(error) => error.help().map(|help| help.to_string()),
            Self::Git(error) => error.help(),
            Self::Engine(error) => error.help(),
            Self::Build(error) => error.help(),
            Self::Step(failure) => failure.help(),
            Self::Keep(error) => error.help(),
            Self::Registry(error) => error.help(),
            Self::Credentials(error) => Some(error.help()),
            Self::Reference(error) => Some(error.help()),
            Self::BuildTimedOut(_) => Some("give the node a longer `timeout`".to_owned()),
            Self::NoImage(node) => {
                Some(format!("build `{node}` from a Dockerfile too, or give this node a `host` block"))
            }
            Self::Dist(error) => error.help(),
            Self::Gates(failures) => failures.iter().find_map(GateFailure::help).map(str::to_owned),
            Self::OutputNotMade(path) => {
                Some(format!("let the recipe write `{path}`, or correct its `output`"))
            }
            Self::NotInArtifact { .. } => Some("correct `path`, or the outputs of that node".to_owned()),
            Self::SecretMissing(id) => Some(format!(
                "provide secret `{id}` as the pipeline file says, or declare it `required=#false`"
            )),
            Self::EscapingLink { link, .. } => {
                Some(format!("make it relative and keep it inside, or `exclude \"/{link}\"`"))
            }
            _ => None,
        }
    }

    pub fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { action, path, source }
    }
}

/// The tree digest of an artifact that is a folder.
pub fn tree_of(artifact: &Artifact) -> Option<TreeDigest> {
    match artifact {
        Artifact::Entry(crate::tree::Entry::Directory { digest }) => Some(*digest),
        _ => None,
    }
}
