//! A path below a declared folder: what the walk's rules, and a Dockerfile's, make of it.

use std::path::Path;

use crate::dockerfile::{Question, Reach, Read, idle_reads};
use crate::inputs::Observation;
use crate::inputs::ignore_rules::{Decision, Rules};
use crate::inputs::input::{DockerfileInput, Input};
use crate::inputs::observe::Observer;
use crate::inputs::walk::trace::{Fate, rule_files, trace};
use crate::inputs::walk::{Request, WalkError};
use crate::key::compose::{Composed, Placed};
use crate::path::RelPath;
use crate::pipeline::{AppEmbed, Span, Work};
use crate::plan::oracle::{Effect, Note, Passed, Place, Use, Why};
use crate::survey::context;
use crate::survey::oracle::{Case, Found, OracleError};

/// A declared folder in which the path may lie.
pub fn look(
    case: &Case<'_>,
    composed: &Composed<Input>,
    placed: &Placed<Input>,
    folder: &Observation,
    span: Option<Span>,
    observer: &mut Observer<'_>,
    found: &mut Found,
) -> Result<(), OracleError> {
    let (label, root) = (&placed.label, &folder.root);
    let dockerfile = composed.inputs.iter().find_map(|one| match &one.input {
        Input::Dockerfile(file) if placed.label == "context" => Some(file),
        _ => None,
    });
    let rules = match (dockerfile, case.node.docker()) {
        (Some(file), Some(recipe)) => {
            let rules = context::Rules::read(observer, root, recipe, case.scene.around.project)?;
            let own = format!("{}.dockerignore", file.path.display());
            if case.asked.place == rules.file || case.asked.place == Path::new(&own) {
                found.counts.push(case.used(label, Effect::Decide, span));
            }
            Some((file, rules))
        }
        _ => None,
    };
    if is_rule(case, folder.request())? {
        found.counts.push(case.used(label, Effect::Decide, span));
    }
    if case.asked.place == *root {
        found.counts.push(case.used(label, Effect::Run, span));
        return Ok(());
    }
    if case.asked.holds(root) {
        found.counts.push(Use { note: Some(Note::HoldsIt), ..case.used(label, Effect::Run, span) });
        return Ok(());
    }
    let Some(path) = case.asked.below(root) else { return Ok(()) };
    let place = |decision: &Decision| Place {
        file: decision.file.as_deref().map(|file| case.scene.shown(file)).unwrap_or_default(),
        line: decision.line(),
        text: decision.pattern.clone(),
    };
    let at = |at: &RelPath| (*at != path).then(|| case.scene.shown(&at.under(root)));
    let out = |why, left_out: &RelPath| Passed { at: at(left_out), ..case.passed(label, why, span) };
    let fate = trace(folder.request(), &path, case.asked.is_folder())?;
    let passed = match &fate {
        Fate::Counts | Fate::MayHold => {
            let note = (fate == Fate::MayHold).then_some(Note::MayHold);
            let place = rules.as_ref().and_then(|(file, _)| copied(case, file, folder, &path));
            found.counts.push(Use { place, note, ..case.used(label, Effect::Run, span) });
            return Ok(());
        }
        Fate::Cut(left_out) => cut(case, folder, &path, left_out, out(Why::Output, left_out)),
        Fate::Ignored(left_out, by) => Passed { place: Some(place(by)), ..out(Why::Ignored, left_out) },
        Fate::Excluded(left_out, by) => {
            let span = case.exclude(&by.pattern).or(span);
            let line = span.and_then(|span| span.line(case.scene.text));
            let rule = Place { file: case.scene.shown(case.scene.file), line, text: by.pattern.clone() };
            Passed { span, line, place: Some(rule), ..out(Why::Excluded, left_out) }
        }
        Fate::Unselected(left_out) => match &rules {
            Some((file, rules)) => unselected(case, file, rules, &path, out(Why::NotCopied, left_out)),
            None => out(Why::NotCopied, left_out),
        },
        Fate::Repository => out(Why::Repository, &path),
        Fate::Behind(left_out) => out(Why::Behind, left_out),
    };
    found.passed.push(passed);
    Ok(())
}

/// Whether the path says what a walk leaves out.
fn is_rule(case: &Case<'_>, request: &Request) -> Result<bool, WalkError> {
    let place = &case.asked.place;
    if !request.ignore_rules {
        return Ok(false);
    }
    if rule_files(request)?.contains(place) {
        return Ok(true);
    }
    let Some(folder) = place.parent().filter(|_| place.ends_with(".gitignore")) else { return Ok(false) };
    let Some(below) = folder.strip_prefix(&request.root).ok().and_then(super::relative) else {
        return Ok(false);
    };
    Ok(matches!(trace(request, &below, true)?, Fate::Counts | Fate::MayHold))
}

fn cut(case: &Case<'_>, folder: &Observation, path: &RelPath, at: &RelPath, passed: Passed) -> Passed {
    let place = at.under(&folder.root);
    if case.scene.around.store.starts_with(&place) || place.starts_with(case.scene.around.store) {
        return Passed { why: Why::Store, ..passed };
    }
    if let Work::AppEmbed(AppEmbed { app, into, .. }) = &case.node.work
        && passed.label.as_deref() == Some("context")
        && path.is_within(into)
    {
        return Passed { why: Why::Covered, other: Some(app.value.clone()), ..passed };
    }
    let publisher = place.strip_prefix(case.scene.around.project).ok().and_then(super::relative);
    let publisher = publisher.and_then(|path| case.scene.publisher(&path));
    Passed { other: publisher.and_then(|(_, node)| node), ..passed }
}

/// The instruction that copies a path of the context.
fn copied(case: &Case<'_>, file: &DockerfileInput, seen: &Observation, path: &RelPath) -> Option<Place> {
    let analysis = &file.analysis;
    let shown =
        |line: u32, text: String| Place { file: case.scene.shown(&file.path), line: Some(line), text };
    let mut reads = analysis.reads.clone();
    reads.extend(context::behind_links(analysis, seen, &reads));
    if let Some(read) = Reach::with(analysis, &reads).by(path.as_str()) {
        return Some(shown(read.line, instruction(read)));
    }
    // A folder of which something is copied, or all because it cannot be told.
    let inside = reads.iter().find(|read| RelPath::parse(&read.pattern).is_ok_and(|one| one.is_within(path)));
    match (inside, &analysis.everything) {
        (Some(read), _) => Some(shown(read.line, instruction(read))),
        (None, Some(dynamic)) => Some(shown(dynamic.line, dynamic.why.clone())),
        (None, None) => None,
    }
}

/// `COPY src/`
fn instruction(read: &Read) -> String {
    format!("{} {}", read.kind.word(), read.pattern)
}

/// Why a Dockerfile's build has no use for a path of its context.
fn unselected(
    case: &Case<'_>,
    file: &DockerfileInput,
    rules: &context::Rules,
    path: &RelPath,
    passed: Passed,
) -> Passed {
    if let Some((line, text)) = rules.ignore.by(path.as_str()) {
        let rule = Place { file: case.scene.shown(&rules.file), line: Some(line), text: text.to_owned() };
        return Passed { why: Why::DockerIgnored, place: Some(rule), ..passed };
    }
    let name = case.scene.shown(&file.path);
    let args: Vec<(String, String)> = case.node.docker().map_or_else(Vec::new, |recipe| {
        recipe.args.iter().map(|(name, value)| (name.value.clone(), value.clone())).collect()
    });
    let question = Question {
        text: &file.text,
        args: &args,
        target: case.node.docker().and_then(|recipe| recipe.target.as_deref()),
        platform: Some(&file.platform),
        builder: Some(&file.platform),
    };
    let idle = idle_reads(&question);
    let reads: Vec<Read> = idle.iter().map(|(_, read)| read.clone()).collect();
    let plain = crate::dockerfile::Analysis::default();
    let by = Reach::with(&plain, &reads).by(path.as_str()).cloned();
    let stage = by.and_then(|read| idle.into_iter().find(|(_, one)| *one == read));
    match stage {
        Some((stage, read)) => {
            let text = format!("{} in stage {stage}", instruction(&read));
            let place = Place { file: name, line: Some(read.line), text };
            Passed { why: Why::IdleStage, place: Some(place), ..passed }
        }
        None => Passed { place: Some(Place { file: name, line: None, text: String::new() }), ..passed },
    }
}

/// The last pattern that leaves a path out, or a folder above it.
pub fn excluded_by(
    patterns: &[String],
    path: &RelPath,
    is_folder: bool,
) -> Result<Option<String>, WalkError> {
    let root = Path::new("/");
    let rules = Rules::none().patterns(patterns, root)?;
    let mut at = RelPath::root();
    let count = path.names().count();
    for (number, name) in path.names().enumerate() {
        at = at.child(name);
        let folder = is_folder || number + 1 < count;
        if let Some(by) = rules.decision(&at.under(root), folder).filter(|by| by.ignores) {
            return Ok(Some(by.pattern));
        }
    }
    Ok(None)
}

/// The rule by which git passes a path of a repository over, and the folder above it that it names.
pub fn ignored_by(
    case: &Case<'_>,
    here: &Path,
    path: &RelPath,
) -> Result<Option<(Option<String>, Place)>, WalkError> {
    let request = Request {
        root: here.to_path_buf(),
        project: here.to_path_buf(),
        cuts: Default::default(),
        ignore_rules: true,
        tracked: Default::default(),
        excludes: Vec::new(),
        selection: None,
    };
    Ok(match trace(&request, path, case.asked.is_folder())? {
        Fate::Ignored(at, by) => {
            let file = by.file.as_deref().map(|file| case.scene.shown(file)).unwrap_or_default();
            let place = Place { file, line: by.line(), text: by.pattern };
            Some(((at != *path).then(|| case.scene.shown(&at.under(here))), place))
        }
        _ => None,
    })
}
