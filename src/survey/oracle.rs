//! The path oracle: what one path counts for and through which line, or why it counts for nothing.
//!
//! Nodes come composed by a scout, so what is declared where is what keys are made of; of each
//! declared folder the walk's own rules are asked about the one path. Nothing is hashed.

use std::fs;
use std::path::{Path, PathBuf};

use crate::inputs::git::GitSource;
use crate::inputs::input::{GitInput, Input};
use crate::inputs::observe::{Observer, lead};
use crate::inputs::walk::WalkError;
use crate::key::compose::{Composed, Placed};
use crate::path::RelPath;
use crate::pipeline::{Node, NodeName, ParamOrigin, Pipeline, SecretSource, Span, Work};
use crate::plan::oracle::{Effect, Form, Note, Passed, Place, Sight, Use, Why};
use crate::survey::gather::{GatherError, Scouted, Surroundings, Trouble};

mod declared;
mod folder;

use declared::{Declared, declared};

/// All that is asked about a path.
pub struct Scene<'a> {
    pub around: &'a Surroundings<'a>,
    pub pipeline: &'a Pipeline,
    /// The pipeline file, absolute, and its text.
    pub file: &'a Path,
    pub text: &'a str,
    /// Absolute.
    pub lock: &'a Path,
    /// The nodes in question with what a scout found of them.
    pub nodes: &'a [(&'a Node, Scouted)],
}

/// Why a path cannot be told about.
#[derive(Debug, thiserror::Error)]
pub enum OracleError {
    #[error(transparent)]
    Walk(#[from] WalkError),
    #[error(transparent)]
    Gather(#[from] GatherError),
}

/// A path as it was asked about.
struct Asked {
    /// Absolute, without links but perhaps the last name.
    place: PathBuf,
    form: Form,
}

/// What is found of one path.
#[derive(Default)]
struct Found {
    counts: Vec<Use>,
    passed: Vec<Passed>,
}

/// One node, and where its line is.
struct Case<'a> {
    scene: &'a Scene<'a>,
    asked: &'a Asked,
    node: &'a Node,
}

/// Looks at an absolute path; `named` is how the reader named it.
pub fn look(
    scene: &Scene<'_>,
    observer: &mut Observer<'_>,
    named: &str,
    path: &Path,
) -> Result<Sight, OracleError> {
    let asked = Asked::new(path, named.ends_with('/'));
    let mut found = Found::default();
    for (node, composed) in scene.nodes {
        let case = Case { scene, asked: &asked, node };
        let declared = declared(node, scene.around);
        match composed {
            Ok(composed) => case.inputs(composed, &declared, observer, &mut found)?,
            Err(trouble) => case.trouble(trouble, &declared, &mut found),
        }
        case.tools(&declared, &mut found);
        case.secrets(&mut found);
        case.parameters(&mut found);
    }
    scene.published(&asked, &mut found);
    scene.elsewhere(&asked, &mut found);
    Ok(Sight { path: named.to_owned(), form: asked.form, counts: found.counts, passed: found.passed })
}

impl Asked {
    fn new(path: &Path, is_folder: bool) -> Self {
        let place = match (path.parent(), path.file_name()) {
            (Some(folder), Some(name)) => lead(folder).0.join(name),
            // `..` at its end, or the root.
            _ => lead(path).0,
        };
        let form = match fs::symlink_metadata(&place) {
            Ok(meta) if meta.is_dir() => Form::Folder,
            Ok(meta) if meta.is_symlink() => Form::Link,
            Ok(_) => Form::File,
            // A slash says what is meant.
            Err(_) if is_folder => Form::Folder,
            Err(_) => Form::Absent,
        };
        Self { place, form }
    }

    fn is_folder(&self) -> bool {
        self.form == Form::Folder
    }

    /// Whether it is a folder that holds `path`.
    fn holds(&self, path: &Path) -> bool {
        self.is_folder() && path != self.place && path.starts_with(&self.place)
    }

    fn below(&self, root: &Path) -> Option<RelPath> {
        relative(self.place.strip_prefix(root).ok()?)
    }
}

fn relative(path: &Path) -> Option<RelPath> {
    match path.as_os_str().is_empty() {
        true => Some(RelPath::root()),
        false => RelPath::parse(path.to_str()?).ok(),
    }
}

impl Scene<'_> {
    /// A path as it is shown: from the project's root where it lies there.
    fn shown(&self, path: &Path) -> String {
        path.strip_prefix(self.around.project).unwrap_or(path).display().to_string()
    }

    /// The node that publishes a path or a folder above it; none for one of an earlier time.
    fn publisher(&self, path: &RelPath) -> Option<(RelPath, Option<NodeName>)> {
        let mut at = Some(path.clone());
        while let Some(path) = at {
            if let Some(node) = self.around.published.get(&path) {
                return Some((path, node.clone()));
            }
            at = path.parent();
        }
        None
    }

    fn published(&self, asked: &Asked, found: &mut Found) {
        let Some((path, Some(node))) =
            asked.below(self.around.project).and_then(|path| self.publisher(&path))
        else {
            return;
        };
        let paths = crate::pipeline::check::published_paths(self.pipeline);
        let span = paths.into_iter().find(|one| one.path == path).map(|one| one.span);
        if !self.nodes.iter().any(|(one, _)| one.name == node) {
            return;
        }
        found.counts.push(Use {
            node,
            label: path.to_string(),
            effect: Effect::Restore,
            span,
            line: span.and_then(|span| span.line(self.text)),
            place: None,
            note: None,
        });
    }

    /// What is said of a path that no node makes anything of.
    fn elsewhere(&self, asked: &Asked, found: &mut Found) {
        let blank = |why| Passed {
            why,
            node: None,
            label: None,
            span: None,
            line: None,
            place: None,
            at: None,
            other: None,
        };
        if asked.place == self.file {
            found.passed.push(blank(Why::Pipeline));
        } else if asked.place.starts_with(self.around.store) {
            // Whoever declares a folder above it is cut off it, all in the same way.
            found.passed.retain(|one| one.why != Why::Store);
            found.passed.push(blank(Why::Store));
        }
        if !found.counts.is_empty() || !found.passed.is_empty() {
            return;
        }
        let earlier = asked.below(self.around.project).and_then(|path| self.publisher(&path));
        found.passed.push(match earlier {
            Some((at, other)) => Passed { at: Some(at.to_string()), other, ..blank(Why::Output) },
            None => blank(Why::Undeclared),
        });
    }
}

impl Case<'_> {
    fn used(&self, label: &str, effect: Effect, span: Option<Span>) -> Use {
        Use {
            node: self.node.name.clone(),
            label: label.to_owned(),
            effect,
            span,
            line: span.and_then(|span| span.line(self.scene.text)),
            place: None,
            note: None,
        }
    }

    fn passed(&self, label: &str, why: Why, span: Option<Span>) -> Passed {
        Passed {
            why,
            node: Some(self.node.name.clone()),
            label: Some(label.to_owned()),
            span,
            line: span.and_then(|span| span.line(self.scene.text)),
            place: None,
            at: None,
            other: None,
        }
    }

    fn inputs(
        &self,
        composed: &Composed<Input>,
        declared: &[Declared],
        observer: &mut Observer<'_>,
        found: &mut Found,
    ) -> Result<(), OracleError> {
        for placed in &composed.inputs {
            let span = composed.spans.iter().find(|(label, _)| *label == placed.label);
            let span = span.map(|(_, span)| *span).or(declared::span_of(declared, &placed.label));
            self.links(placed, declared, span, found);
            match &placed.input {
                Input::Leaf(path, _) => self.leaf(&placed.label, path, span, found),
                Input::Dockerfile(file) => {
                    self.leaf(&placed.label, &file.path, span, found);
                    self.lock(file, span, found);
                }
                Input::Folder(folder) => {
                    folder::look(self, composed, placed, folder, span, observer, found)?;
                }
                Input::Git(git) => self.git(git, &placed.label, span, found)?,
            }
        }
        Ok(())
    }

    /// The path as a link on the way to what is declared.
    fn links(&self, placed: &Placed<Input>, declared: &[Declared], span: Option<Span>, found: &mut Found) {
        let ways = declared.iter().filter(|one| one.label == placed.label);
        if ways.into_iter().any(|one| lead(&one.path).1.contains(&self.asked.place)) {
            let note = Some(Note::LeadsThere);
            found.counts.push(Use { note, ..self.used(&placed.label, Effect::Run, span) });
        }
    }

    fn leaf(&self, label: &str, path: &Path, span: Option<Span>, found: &mut Found) {
        if path == self.asked.place {
            found.counts.push(self.used(label, Effect::Run, span));
        } else if self.asked.holds(path) {
            let note = Some(Note::HoldsIt);
            found.counts.push(Use { note, ..self.used(label, Effect::Run, span) });
        }
    }

    /// A node that could not be composed: what it declares counts all the same.
    fn trouble(&self, trouble: &Trouble, declared: &[Declared], found: &mut Found) {
        for one in declared {
            let place = lead(&one.path).0;
            if self.asked.place.starts_with(&place) || self.asked.holds(&place) {
                let note = Some(Note::Trouble(trouble.error.to_string()));
                found.counts.push(Use { note, ..self.used(&one.label, Effect::Run, Some(one.span)) });
            }
        }
    }

    fn tools(&self, declared: &[Declared], found: &mut Found) {
        for one in declared.iter().filter(|one| one.is_tool) {
            let (place, links) = lead(&one.path);
            let note = links.contains(&self.asked.place).then_some(Note::LeadsThere);
            if note.is_some() || place == self.asked.place {
                found.counts.push(Use { note, ..self.used(&one.label, Effect::Run, Some(one.span)) });
            }
        }
    }

    fn secrets(&self, found: &mut Found) {
        let host = self.node.host().map(|recipe| &recipe.secrets);
        let docker = self.node.docker().map(|recipe| &recipe.secrets);
        for secret in host.into_iter().chain(docker).flatten() {
            if let SecretSource::File(file) = &secret.from
                && lead(&self.scene.around.project.join(file)).0 == self.asked.place
            {
                let label = format!("secret {}", secret.id.value);
                found.passed.push(self.passed(&label, Why::Secret, Some(secret.id.span)));
            }
        }
    }

    /// The lock file says what images are, each by its line.
    fn lock(&self, file: &crate::inputs::input::DockerfileInput, span: Option<Span>, found: &mut Found) {
        if self.asked.place != self.scene.lock {
            return;
        }
        let mut known: Vec<&str> = Vec::new();
        for base in &file.analysis.bases {
            if file.base.contains(&base.reference) || known.contains(&base.reference.as_str()) {
                continue;
            }
            known.push(&base.reference);
            let place = Place {
                file: self.scene.shown(&file.path),
                line: Some(base.line),
                text: base.reference.clone(),
            };
            let label = format!("from {}", base.reference);
            found.counts.push(Use { place: Some(place), ..self.used(&label, Effect::Decide, span) });
        }
    }

    /// A parameter's file decides of every place in the node that names the parameter.
    fn parameters(&self, found: &mut Found) {
        let Span { offset, length } = self.node.span;
        let Some(text) = self.scene.text.get(offset as usize..(offset + length) as usize) else { return };
        for param in &self.scene.pipeline.params {
            let ParamOrigin::FromFile(path) = &param.origin else { continue };
            if lead(&path.under(self.scene.around.project)).0 != self.asked.place {
                continue;
            }
            let word = format!("${{{}}}", param.name);
            for (at, _) in text.match_indices(&word) {
                let span = Span { offset: offset + at as u32, length: word.len() as u32 };
                let label = format!("param {}", param.name);
                found.counts.push(self.used(&label, Effect::Decide, Some(span)));
            }
        }
    }

    fn git(
        &self,
        git: &GitInput,
        label: &str,
        span: Option<Span>,
        found: &mut Found,
    ) -> Result<(), OracleError> {
        let source: &GitSource = &git.source;
        let commit: String = git.facts.commit.chars().take(9).collect();
        if source.owns(&self.asked.place) {
            found.counts.push(self.used(label, Effect::Decide, span));
            return Ok(());
        }
        if self.asked.holds(source.here()) {
            let note = Some(Note::HoldsIt);
            found.counts.push(Use { note, ..self.used(label, Effect::Run, span) });
            return Ok(());
        }
        let Some(path) = self.asked.below(source.here()) else { return Ok(()) };
        if source.holds(&git.facts.tree, &path).map_err(GatherError::Git)? {
            let pattern = folder::excluded_by(&git.excludes, &path, self.asked.is_folder())?;
            let note = pattern.map_or(Note::Committed(commit), Note::LeftOutLater);
            found.counts.push(Use { note: Some(note), ..self.used(label, Effect::Run, span) });
            return Ok(());
        }
        let ignored = folder::ignored_by(self, source.here(), &path)?;
        found.passed.push(match ignored {
            Some((at, place)) => Passed { place: Some(place), at, ..self.passed(label, Why::Ignored, span) },
            None => Passed {
                place: Some(Place { file: commit, line: None, text: git.question.reference.clone() }),
                ..self.passed(label, Why::Uncommitted, span)
            },
        });
        Ok(())
    }

    /// Where an `exclude` of the node stands.
    fn exclude(&self, pattern: &str) -> Option<Span> {
        let excludes = match &self.node.work {
            Work::SourceArchive(source) => &source.excludes,
            Work::Dist(dist) => &dist.excludes,
            _ => return None,
        };
        // The last of several that say the same.
        excludes.iter().rev().find(|one| one.value.trim_end() == pattern.trim_end()).map(|one| one.span)
    }
}
