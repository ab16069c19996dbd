//! What is asked of BuildKit and what it yields: plain data.

use std::fmt;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::run::docker::buildkit::auth::Lookup;
use crate::run::docker::buildkit::context::Context;
use crate::run::docker::buildkit::secrets::SecretValue;

/// One build of a Dockerfile.
pub struct Build {
    pub context: Arc<dyn Context>,
    pub dockerfile: Vec<u8>,
    /// Names the copy of the context that the engine keeps, so that next time only what changed is
    /// sent. One for each node of a project.
    pub context_id: String,
    pub args: Vec<(String, String)>,
    /// The stage to build; none: the last.
    pub target: Option<String>,
    /// As `linux/arm64`; none: the engine's own.
    pub platform: Option<String>,
    pub labels: Vec<(String, String)>,
    /// `none` or `host` for every `RUN`; none: the engine's default.
    pub network: Option<String>,
    /// Names and addresses for every `RUN`'s `/etc/hosts`.
    pub add_hosts: Vec<(String, String)>,
    pub secrets: Vec<(String, SecretValue)>,
    /// Ids and sockets of ssh agents; a mount without an id means `default`.
    pub ssh: Vec<(String, PathBuf)>,
    /// As in `--cache-from` of buildx.
    pub cache_from: Vec<String>,
    /// As in `--cache-to` of buildx.
    pub cache_to: Vec<String>,
    /// Runs every step, whatever BuildKit's cache holds.
    pub no_cache: bool,
    /// Seconds since 1970, unless `args` say it. Counts with engines that know it.
    pub source_date_epoch: Option<u64>,
    pub output: Output,
    pub credentials: Lookup,
}

impl Build {
    /// The plainest build: no arguments, no secrets, no credentials, no output.
    pub fn new(
        context: Arc<dyn Context>,
        dockerfile: impl Into<Vec<u8>>,
        context_id: impl Into<String>,
    ) -> Self {
        Self {
            context,
            dockerfile: dockerfile.into(),
            context_id: context_id.into(),
            args: Vec::new(),
            target: None,
            platform: None,
            labels: Vec::new(),
            network: None,
            add_hosts: Vec::new(),
            secrets: Vec::new(),
            ssh: Vec::new(),
            cache_from: Vec::new(),
            cache_to: Vec::new(),
            no_cache: false,
            source_date_epoch: None,
            output: Output::Nothing,
            credentials: Arc::new(|_| None),
        }
    }
}

/// Where the last stage goes.
pub enum Output {
    /// Into the engine's image store, under these names; without any, as an image without a name.
    Image { tags: Vec<String> },
    /// Its file system as a tar stream into this sink.
    Tar(Box<dyn Write + Send>),
    /// Nowhere: it is built all the same.
    Nothing,
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image { tags } => f.debug_struct("Image").field("tags", tags).finish(),
            Self::Tar(_) => f.write_str("Tar"),
            Self::Nothing => f.write_str("Nothing"),
        }
    }
}

/// What a build yielded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// The id by which the engine knows the image, if one was asked for.
    pub image_id: Option<String>,
    /// In the order in which they began.
    pub steps: Vec<StepTime>,
}

impl Built {
    /// How many instructions came from BuildKit's cache, of how many. `FROM` does nothing that
    /// could.
    pub fn cached(&self) -> (usize, usize) {
        let counted =
            || self.steps.iter().filter(|step| step.place.is_some() && !step.name.contains("] FROM "));
        (counted().filter(|step| step.cached).count(), counted().count())
    }
}

/// One step of a build that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepTime {
    pub name: String,
    pub place: Option<Place>,
    pub duration: Duration,
    pub cached: bool,
}

/// An instruction's place in its stage, from 1: `[build 2/7]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Empty in a Dockerfile of a single stage.
    pub stage: String,
    pub index: u32,
    pub total: u32,
}
