//! Where a command stands: project, pipeline file, store and the caller's environment.
//!
//! The one place that reads the environment and starts the programs that a survey asks.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::commands::args::Cli;
use crate::commands::fault::Fault;
use crate::commands::images;
use crate::commands::prepare::PROGRAM;
use crate::inputs::git::{GitProgram, User};
use crate::inputs::input::ToolQuestion;
use crate::inputs::stat::boot_id;
use crate::run::docker::endpoint::choose;
use crate::run::docker::{CredentialsError, Keyring, Service, Surroundings, mark};
use crate::run::host::{self, Cancel, HostError};
use crate::survey::gather::Resolved;
use crate::survey::idle::{self, Doubt, Idle, Question};
use crate::survey::snapshot::Snapshot;

/// Resolved general options.
pub struct Ground {
    /// Absolute, without links.
    pub project: PathBuf,
    /// The pipeline file, absolute.
    pub file: PathBuf,
    /// As the reader knows it.
    pub shown: String,
    /// Absolute; may not exist yet.
    pub store: PathBuf,
    /// What a relative path on the command line is relative to: `-C`, else where osgraph stands.
    pub here: PathBuf,
    pub set: Vec<(String, String)>,
    pub git: GitProgram,
    pub search_path: OsString,
    /// Copies instead of namespaces: `OSGRAPH_ISOLATION=copy`.
    pub copies: bool,
    /// The container engine, where there is one and somebody wants it.
    pub engine: Arc<Service>,
}

/// The caller's environment, one name at a time.
#[expect(clippy::disallowed_methods, reason = "this is the owner of the environment")]
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The container engine, where there is one. Nothing is looked for before it is wanted.
pub fn engine_service() -> Service {
    Service::new(|| choose(&Surroundings { variable: &environment, read: &|path| std::fs::read(path) }))
}

/// The credentials that the docker CLI keeps for registries.
pub fn keyring() -> Result<Arc<Keyring>, CredentialsError> {
    let around = Surroundings { variable: &environment, read: &|path| std::fs::read(path) };
    Keyring::read(&around).map(Arc::new)
}

impl Ground {
    /// The lock file beside the pipeline file: `pipeline.lock`.
    pub fn lock(&self) -> PathBuf {
        self.file.with_extension("lock")
    }

    pub fn of(cli: &Cli) -> Result<Self, Fault> {
        let general = &cli.general;
        let here = general.directory.clone().unwrap_or_else(|| PathBuf::from("."));
        let file = here.join(&general.file);
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let project = std::fs::canonicalize(folder)
            .map_err(|source| Fault::NoFolder { path: folder.into(), source })?;
        let name = file.file_name().ok_or_else(|| Fault::NoPipeline { path: file.clone() })?;
        let store = match &general.store {
            Some(store) => absolute(&here.join(store))?,
            None => project.join("cache"),
        };
        let search_path = OsString::from(environment("PATH").unwrap_or_default());
        Ok(Self {
            here: here.clone(),
            file: project.join(name),
            shown: file.strip_prefix(".").unwrap_or(&file).display().to_string(),
            store,
            set: cli.settings().map(|set| (set.name.clone(), set.value.clone())).collect(),
            git: GitProgram {
                program: PathBuf::from("git"),
                search_path: search_path.clone(),
                user: User {
                    home: environment("HOME").map(PathBuf::from),
                    config_home: environment("XDG_CONFIG_HOME").map(PathBuf::from),
                },
            },
            search_path,
            copies: environment("OSGRAPH_ISOLATION").as_deref() == Some("copy"),
            engine: Arc::new(engine_service()),
            project,
        })
    }

    /// Under which the store keeps this pipeline's history. A store that lies in the project goes
    /// where the project goes, so there its path is left out.
    pub fn project_id(&self) -> String {
        let file = match self.store.starts_with(&self.project) {
            true => self.file.strip_prefix(&self.project).unwrap_or(&self.file),
            false => &self.file,
        };
        file.display().to_string()
    }

    /// What marks this pipeline's things in an engine. Projects there are told apart by where they
    /// and their stores lie: what one store has no record of may be dear to another.
    pub fn engine_mark(&self) -> String {
        mark(&format!("{}\n{}", self.store.display(), self.file.display()))
    }

    /// Where the state of this pipeline lies.
    pub fn state(&self) -> PathBuf {
        let name = crate::digest::Digest::of(self.project_id().as_bytes()).short();
        self.store.join("state").join(format!("{name}.v1"))
    }

    pub fn question<'a>(&'a self, targets: &'a [String], no_archive: bool) -> Question<'a> {
        Question {
            project: &self.project,
            file: &self.file,
            store: &self.store,
            targets,
            no_archive,
            set: &self.set,
            environment: &environment,
            search_path: self.search_path.to_str().unwrap_or_default(),
        }
    }

    /// What a tool says it is; none when its program is not there.
    pub fn identify(&self, question: &ToolQuestion) -> Result<Option<String>, String> {
        let cancel = Cancel::new().map_err(|error| error.to_string())?;
        let env: Vec<(String, String)> =
            question.pass.iter().filter_map(|name| Some((name.clone(), environment(name)?))).collect();
        match host::identify(&question.identify, &env, &self.search_path, &self.project, &cancel) {
            Ok(text) => Ok(Some(text)),
            Err(HostError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    /// The ids that the engine has for references; none when it does not answer.
    pub fn image_ids(&self, references: &[&str]) -> Option<Vec<Option<String>>> {
        let found = images::look(&self.engine, references).ok()?;
        Some(found.into_iter().map(|facts| facts.map(|facts| facts.id)).collect())
    }

    /// Whether everything is as it was when the last run of `targets` ended with "fresh".
    pub fn idle(&self, targets: &[String], no_archive: bool) -> Idle {
        self.idle_of(self.snapshot(), targets, no_archive)
    }

    /// The same of a state that was read already.
    pub fn idle_of(&self, snapshot: Snapshot, targets: &[String], no_archive: bool) -> Idle {
        let identify = |question: &_| self.identify(question).ok().flatten();
        let images = |references: &[&str]| self.image_ids(references);
        idle::check(snapshot, &self.question(targets, no_archive), &self.git, &identify, &images)
    }

    /// What the last run left behind, and what moved since.
    pub fn doubt(&self) -> Doubt {
        idle::doubt(self.snapshot())
    }

    /// What the last run left behind.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::read(&self.state(), &boot_id(), PROGRAM)
    }

    pub fn resolve(&self, program: &str) -> Resolved {
        let mut searched = host::program_places(program, &self.search_path);
        let found = searched.iter().position(|place| host::is_program(place));
        let program = found.map(|at| searched[at].clone());
        searched.truncate(found.unwrap_or(searched.len()));
        Resolved { program, searched }
    }
}

/// Absolute and as free of links as what exists of it allows.
fn absolute(path: &Path) -> Result<PathBuf, Fault> {
    let wrong = |source| Fault::NoFolder { path: path.into(), source };
    let path = std::path::absolute(path).map_err(wrong)?;
    if let Ok(found) = std::fs::canonicalize(&path) {
        return Ok(found);
    }
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => Ok(absolute(parent)?.join(name)),
        _ => Ok(path),
    }
}
