//! Doing nothing, fast: is everything still as it was when the last run ended with "fresh"?
//!
//! Reads the state file, stats what it names, asks git and tools again, and that is all: no
//! database, no pipeline text, no runtime. Any doubt is a "no", and the survey decides.

use std::path::Path;
use std::sync::Arc;

use crate::digest::Digest;
use crate::inputs::Index;
use crate::inputs::git::{GitProgram, GitSource};
use crate::inputs::input::{GitAnswer, GitQuestion, ToolQuestion};
use crate::inputs::verify::{Moved, verify};
use crate::run::gates;
use crate::survey::snapshot::{Answer, Snapshot};

/// What the caller asks, beyond what is on disk. Two runs with the same question and the same
/// disk have the same answer.
pub struct Question<'a> {
    pub project: &'a Path,
    pub file: &'a Path,
    pub store: &'a Path,
    pub targets: &'a [String],
    /// Whether archives are left out of it.
    pub no_archive: bool,
    pub set: &'a [(String, String)],
    pub environment: &'a dyn Fn(&str) -> Option<String>,
    /// Where tools are looked up.
    pub search_path: &'a str,
}

impl Question<'_> {
    /// `names`: the environment names that give parameters.
    pub fn digest(&self, names: &[String]) -> Digest {
        let Self { project, file, store, targets, no_archive, set, environment, search_path } = self;
        let mut hasher = blake3::Hasher::new();
        let mut put = |text: &str| {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        };
        for path in [project, file, store] {
            put(&path.to_string_lossy());
        }
        put(search_path);
        put(&targets.len().to_string());
        for target in *targets {
            put(target);
        }
        put(if *no_archive { "no archive" } else { "archives" });
        for (name, value) in *set {
            put(name);
            put(value);
        }
        // By the first two, git and walks find the user's own ignore rules.
        let own = ["HOME".to_owned(), "XDG_CONFIG_HOME".to_owned()];
        for name in own.iter().chain(names) {
            put(name);
            put(&environment(name).map_or_else(|| "unset".to_owned(), |value| format!("={value}")));
        }
        hasher.finalize().into()
    }
}

/// The outcome of the check: "yes", or what a survey goes on with.
pub enum Idle {
    /// Everything is fresh.
    Fresh(Box<Settled>),
    Doubtful(Box<Doubt>),
}

/// The state in which everything is fresh.
pub struct Settled {
    pub answer: Answer,
    /// Without its index.
    pub snapshot: Snapshot,
}

/// The state that was read and what moved since.
pub struct Doubt {
    pub snapshot: Snapshot,
    pub index: Arc<Index>,
    pub moved: Moved,
}

/// Asks the engine which ids it has for references; none when it does not answer.
pub type Look<'a> = dyn Fn(&[&str]) -> Option<Vec<Option<String>>> + Sync + 'a;

/// `identify` asks a tool, `images` the container engine; an error or another answer is doubt.
pub fn check(
    mut snapshot: Snapshot,
    question: &Question<'_>,
    git: &GitProgram,
    identify: &(dyn Fn(&ToolQuestion) -> Option<String> + Sync),
    images: &Look<'_>,
) -> Idle {
    let index = Arc::new(std::mem::take(&mut snapshot.index));
    let asked = question.digest(&snapshot.meta.names);
    let answer = snapshot.meta.answer.clone().filter(|answer| answer.answers(asked, &gates::machine));
    let (moved, programs_agree) = std::thread::scope(|scope| {
        // Programs are waited for beside the stats.
        let programs = answer
            .as_ref()
            .filter(|answer| {
                !answer.tools.is_empty() || !answer.sources.is_empty() || !answer.images.is_empty()
            })
            .map(|answer| scope.spawn(|| agree(answer, git, identify, images)));
        let moved = verify(&index);
        (moved, programs.is_none_or(|thread| thread.join().unwrap_or(false)))
    });
    match answer {
        Some(answer) if moved.is_empty() && programs_agree => {
            Idle::Fresh(Box::new(Settled { answer, snapshot }))
        }
        _ => {
            // Nobody else has it yet, so it is not copied but for the file that is left behind.
            let index = Arc::new(Arc::unwrap_or_clone(index).owned());
            Idle::Doubtful(Box::new(Doubt { snapshot, index, moved }))
        }
    }
}

/// The state of the run before and what moved since, without an answer: for those who will look
/// at everything anyway.
pub fn doubt(mut snapshot: Snapshot) -> Doubt {
    let index = Arc::new(std::mem::take(&mut snapshot.index).owned());
    let moved = verify(&index);
    Doubt { snapshot, index, moved }
}

fn agree(
    answer: &Answer,
    git: &GitProgram,
    identify: &(dyn Fn(&ToolQuestion) -> Option<String> + Sync),
    images: &Look<'_>,
) -> bool {
    std::thread::scope(|scope| {
        let images = (!answer.images.is_empty()).then(|| {
            scope.spawn(|| {
                let names: Vec<&str> = answer.images.iter().map(|(name, _)| name.as_str()).collect();
                images(&names).is_some_and(|found| found.iter().eq(answer.images.iter().map(|(_, id)| id)))
            })
        });
        let tools: Vec<_> = answer
            .tools
            .iter()
            .map(|(question, known)| scope.spawn(move || identify(question).as_ref() == Some(known)))
            .collect();
        let sources =
            answer.sources.iter().all(|(question, known)| stands(question, known, git) == Some(true));
        tools.into_iter().all(|tool| tool.join().unwrap_or(false))
            && sources
            && images.is_none_or(|images| images.join().unwrap_or(false))
    })
}

/// Whether a git reference still comes to the same. One process, unless it moved to another tree.
fn stands(question: &GitQuestion, known: &GitAnswer, git: &GitProgram) -> Option<bool> {
    let GitQuestion { path, reference, submodules } = question;
    let source = GitSource::open(path, git).ok()?;
    let resolved = source.resolve(reference).ok()?;
    if resolved.tree != known.tree {
        return Some(false);
    }
    let facts = source.facts_of(resolved, &known.traits, *submodules).ok()?;
    Some(GitAnswer::digest(&facts) == known.facts)
}
