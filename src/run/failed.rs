//! What is told of a node that failed: the line that somebody wrote, and its last words.

use crate::event::{Event, Place};
use crate::inputs::input::Input;
use crate::pipeline::{AppEmbed, BaseImage, Command, HostRecipe, NodeName, Recipe, Span, Work};
use crate::run::host::{HostError, shown};
use crate::run::task::{Context, Severity, Task, TaskError};

pub fn told(node: &NodeName, task: Option<&Task>, error: &TaskError, context: &Context) -> Event {
    let log = context.log_path(node);
    let printed = end_of(&log).ok();
    let text = printed.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
    let lines: Vec<&str> = match error.last_words() {
        // Other steps may have gone on talking.
        Some(words) => words.iter().map(String::as_str).collect(),
        None => text.lines().collect(),
    };
    Event::NodeFailed {
        node: node.clone(),
        message: chain(error),
        help: error.help(),
        at: task.and_then(|task| place(task, error, context)),
        tail: lines[lines.len().saturating_sub(TAIL)..].iter().map(|line| (*line).to_owned()).collect(),
        log: printed.as_ref().map(|_| log.display().to_string()),
    }
}

/// What of the Dockerfile or the pipeline file failed. A fault of the machine is nobody's line.
fn place(task: &Task, error: &TaskError, context: &Context) -> Option<Place> {
    if let TaskError::Step(failure) = error
        && let Some((path, line)) = &failure.place
    {
        let text = task.composed.inputs.iter().find_map(|placed| match &placed.input {
            Input::Dockerfile(file) => Some(file.text.as_str()),
            _ => None,
        })?;
        return Some(Place::of(path.to_string(), text, *line));
    }
    if !matches!(error.severity(), Severity::Failed | Severity::Missing) {
        return None;
    }
    let span = failed_run(task, error).unwrap_or(task.node.name_span);
    let declared = &context.declared;
    let line = span.line(&declared.text)?;
    // As it may have been called from another folder; here it is named from its own.
    let name = declared.name.rsplit('/').next().unwrap_or(&declared.name);
    Some(Place::of(name, &declared.text, line))
}

/// Where the command stands that ended badly.
fn failed_run(task: &Task, error: &TaskError) -> Option<Span> {
    let TaskError::Host(
        HostError::Failed { command, .. }
        | HostError::Signalled { command, .. }
        | HostError::TimedOut { command, .. }
        | HostError::Start { command, .. },
    ) = error
    else {
        return None;
    };
    let run = recipe(&task.node.work)?.runs.iter().find(|run| shown(&run.value) == *command)?;
    Some(run.span)
}

fn recipe(work: &Work) -> Option<&HostRecipe> {
    match work {
        Work::BaseImage(BaseImage { recipe: Recipe::Host(host), .. })
        | Work::AppEmbed(AppEmbed { recipe: Recipe::Host(host), .. })
        | Work::Command(Command { recipe: host, .. }) => Some(host),
        _ => None,
    }
}

/// How many of the last lines of a failed recipe are shown.
const TAIL: usize = 20;

/// The last bytes of a log, however long it is: more than [`TAIL`] lines of any terminal.
fn end_of(log: &std::path::Path) -> std::io::Result<Vec<u8>> {
    use std::io::{Read as _, Seek as _, SeekFrom};
    const MOST: u64 = 64 << 10;
    let mut file = std::fs::File::open(log)?;
    let size = file.metadata()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(MOST)))?;
    let mut bytes = Vec::new();
    file.take(MOST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// An error and what caused it, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut at = error.source();
    while let Some(cause) = at {
        let more = cause.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        at = cause.source();
    }
    text
}
