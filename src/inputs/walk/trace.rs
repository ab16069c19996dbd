//! What a walk makes of one path, and by which rule, without walking.
//!
//! Goes down to the path folder by folder and asks at each what the walk itself asks there, in the
//! same order. What lies at the path need not exist.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rustix::fs::FileType;

use super::{Request, WalkError, is_tracked};
use crate::inputs::ignore_rules::{Decision, Rules};
use crate::inputs::selection::Choice;
use crate::inputs::stat::Stat;
use crate::path::RelPath;

/// What becomes of a path. Where a folder above it is left out, that is the one which is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    Counts,
    /// A folder that counts only when something in it does.
    MayHold,
    /// Never counts, whatever is there: outputs, the store.
    Cut(RelPath),
    Ignored(RelPath, Decision),
    Excluded(RelPath, Decision),
    /// The selection does not want it.
    Unselected(RelPath),
    /// A repository's own folder.
    Repository,
    /// A folder above it is none: a link, which counts as such, or a file.
    Behind(RelPath),
}

/// What a walk makes of `path`. `is_folder` is what it takes the path for where nothing is there.
pub fn trace(request: &Request, path: &RelPath, is_folder: bool) -> Result<Fate, WalkError> {
    let mut consulted = Vec::new();
    let mut rules = match request.ignore_rules {
        true => Rules::above(&request.root, &request.project, &mut consulted)?,
        false => Rules::none(),
    };
    let excludes = Rules::none().patterns(&request.excludes, &request.root)?;
    let mut folder = RelPath::root();
    let mut ignored: Option<(RelPath, Decision)> = None;
    let mut fate = Fate::Counts;
    let count = path.names().count();
    for (at, name) in path.names().enumerate() {
        let is_last = at + 1 == count;
        let above = folder.under(&request.root);
        if request.ignore_rules {
            rules = rules.read(&above.join(".gitignore"), &above, &mut consulted)?;
        }
        if name == ".git" {
            return Ok(Fate::Repository);
        }
        let here = folder.child(name);
        if request.cuts.contains(&here) {
            return Ok(Fate::Cut(here));
        }
        let absolute = above.join(name);
        let kind = Stat::of(&absolute).map(|stat| stat.kind()).ok();
        let kind = match (kind, is_last && !is_folder) {
            (Some(kind), _) => kind,
            (None, true) => FileType::RegularFile,
            (None, false) => FileType::Directory,
        };
        let directory = kind == FileType::Directory;
        if ignored.is_none() {
            ignored = rules
                .decision(&absolute, directory)
                .filter(|decision| decision.ignores)
                .map(|decision| (here.clone(), decision));
        }
        if let Some((place, decision)) = &ignored
            && !is_tracked(request, &here, directory)
        {
            return Ok(Fate::Ignored(place.clone(), decision.clone()));
        }
        if let Some(decision) = excludes.decision(&absolute, directory).filter(|decision| decision.ignores) {
            return Ok(Fate::Excluded(here, decision));
        }
        let choice = request.selection.as_ref().map_or(Choice::Counts, |all| all.choice(&here, kind));
        fate = match choice {
            Choice::LeftOut => return Ok(Fate::Unselected(here)),
            Choice::Enter => Fate::MayHold,
            Choice::Counts if directory && ignored.is_some() => Fate::MayHold,
            Choice::Counts => Fate::Counts,
        };
        if !is_last && !directory {
            return Ok(Fate::Behind(here));
        }
        folder = here;
    }
    Ok(fate)
}

/// Every file that may say what a walk leaves out, above its root and outside the tree: there or not.
pub fn rule_files(request: &Request) -> Result<BTreeSet<PathBuf>, WalkError> {
    if !request.ignore_rules {
        return Ok(BTreeSet::new());
    }
    let mut consulted = Vec::new();
    Rules::above(&request.root, &request.project, &mut consulted)?;
    let is_rule = |path: &Path| path.file_name().is_some_and(|name| name != ".git");
    Ok(consulted.into_iter().map(|one| one.path).filter(|path| is_rule(path)).collect())
}

#[cfg(test)]
mod tests;
