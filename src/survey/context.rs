//! What of a build context counts: what the Dockerfile copies and `.dockerignore` leaves in.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::FileType;

use crate::digest::Digest;
use crate::dockerfile::{Analysis, Ignore, Reach, Read, through_links};
use crate::inputs::Observation;
use crate::inputs::observe::Observer;
use crate::inputs::selection::{Choice, Selection};
use crate::inputs::walk::Request;
use crate::path::RelPath;
use crate::pipeline::DockerRecipe;
use crate::survey::dockerfiles::read_text;
use crate::survey::gather::GatherError;
use crate::tree::Leaf;

/// The ignore file that holds for a context.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Absolute; there or not.
    pub file: PathBuf,
    pub ignore: Arc<Ignore>,
    text: String,
}

impl Rules {
    /// The Dockerfile's own ignore file goes before the one in the context's root.
    pub fn read(
        observer: &mut Observer<'_>,
        root: &Path,
        recipe: &DockerRecipe,
        project: &Path,
    ) -> Result<Self, GatherError> {
        let own = Ignore::own_name(recipe.dockerfile.value.as_str());
        let own = RelPath::parse(&own).unwrap_or_else(|_| recipe.dockerfile.value.clone()).under(project);
        let file = if fs::symlink_metadata(&own).is_ok() {
            own
        } else {
            observer.note_present(&own);
            root.join(Ignore::NAME)
        };
        let text = if fs::symlink_metadata(&file).is_ok() {
            read_text(observer, &file)?.1
        } else {
            observer.note_present(&file);
            String::new()
        };
        let ignore = Ignore::parse(&text).map_err(|bad| GatherError::IgnoreFile {
            path: file.display().to_string(),
            help: bad.help(),
            bad,
        })?;
        Ok(Self { file, ignore: Arc::new(ignore), text })
    }

    fn selection(&self, analysis: &Analysis, reads: &[Read]) -> Selection {
        let reach = Reach::with(analysis, reads);
        let patterns: Vec<String> =
            reads.iter().map(|read| format!("{:?} {}", read.kind, read.pattern)).collect();
        let everything = analysis.everything.is_some();
        let identity =
            Digest::of(format!("{everything}\n{}\n\n{}", patterns.join("\n"), self.text).as_bytes());
        let ignore = Arc::clone(&self.ignore);
        Selection::new(identity, move |path, kind| {
            let is_folder = kind == FileType::Directory;
            let path = path.as_str();
            let left_out = ignore.excludes(path);
            if is_folder && left_out {
                let may = ignore.may_reinclude_below(path) && reach.may_count_below(path);
                return if may { Choice::Enter } else { Choice::LeftOut };
            }
            if left_out {
                return Choice::LeftOut;
            }
            if reach.counts(path) {
                return Choice::Counts;
            }
            match (kind, reach.may_count_below(path)) {
                (FileType::Directory, true) => Choice::Enter,
                // What is copied lies behind it.
                (FileType::Symlink, true) => Choice::Counts,
                _ => Choice::LeftOut,
            }
        })
    }
}

/// What of a context counts: what the Dockerfile copies and `.dockerignore` leaves in. `request` is
/// the walk of the whole folder; `app`, where another node's tree stands, is cut from it already.
pub fn observe(
    observer: &mut Observer<'_>,
    request: Request,
    recipe: &DockerRecipe,
    project: &Path,
    analysis: &Analysis,
) -> Result<Arc<Observation>, GatherError> {
    let rules = Rules::read(observer, &request.root, recipe, project)?;
    let mut reads = analysis.reads.clone();
    loop {
        let selected = Request { selection: Some(rules.selection(analysis, &reads)), ..request.clone() };
        let observation = observer.folder(&selected)?;
        let more = behind_links(analysis, &observation, &reads);
        if more.is_empty() {
            return Ok(observation);
        }
        reads.extend(more);
    }
}

/// What is read beside `reads` because a source leads through a link that was seen in the context.
pub fn behind_links(analysis: &Analysis, seen: &Observation, reads: &[Read]) -> Vec<Read> {
    let leaves = seen.tree().leaves();
    let links: Vec<(&str, &str)> = leaves
        .iter()
        .filter_map(|(path, leaf)| match leaf {
            Leaf::Symlink { target } => Some((path.as_str(), target.as_str())),
            _ => None,
        })
        .collect();
    through_links(analysis, links.iter().copied())
        .into_iter()
        .filter(|read| !reads.iter().any(|known| known.pattern == read.pattern && known.kind == read.kind))
        .collect()
}
