//! What a build says, as lines and stages of its node, and as a log file.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::digest::Digest;
use crate::dockerfile::Analysis;
use crate::event::Event;
use crate::pipeline::NodeName;
use crate::run::docker::buildkit::{Place, Progress};
use crate::run::host::Redactor;
use crate::run::image::pace::{Pace, Stand};
use crate::run::pulse::Watched;
use crate::run::task::{Context, TaskError};
use crate::tally::Tally;

pub struct Printer<'a> {
    node: &'a NodeName,
    context: &'a Context,
    path: PathBuf,
    begun: Instant,
    inner: Mutex<Inner<'a>>,
}

struct Inner<'a> {
    pace: Pace<'a>,
    log: BufWriter<File>,
    secrets: Vec<String>,
    steps: HashMap<usize, Step>,
    printed: u64,
}

struct Step {
    title: String,
    /// What it sends or fetches, by the engine's names: bytes and the total, 0 where it is not known.
    moved: HashMap<String, (u64, u64)>,
    watched: Option<(Arc<Tally>, Watched)>,
    redactor: Redactor,
    /// The beginning of a line whose end has not come.
    line: Vec<u8>,
}

impl<'a> Printer<'a> {
    pub fn new(
        node: &'a NodeName,
        analysis: &'a Analysis,
        secrets: Vec<String>,
        context: &'a Context,
    ) -> Result<Self, TaskError> {
        let times = context.store.instruction_times(&context.project_id, node)?;
        let path = context.log_path(node);
        let log = BufWriter::new(File::create(&path).map_err(TaskError::io("create", &path))?);
        let pace = Pace::new(analysis, &times);
        let inner = Inner { pace, log, secrets, steps: HashMap::new(), printed: 0 };
        Ok(Self { node, context, path, begun: Instant::now(), inner: Mutex::new(inner) })
    }

    pub fn take(&self, progress: Progress) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.pace.take(&progress, self.begun.elapsed());
        match progress {
            Progress::StepKnown { .. } => {}
            Progress::StepStarted { step, place, name } => {
                let title = title(place.as_ref(), &name);
                if place.is_some() {
                    let Stand { step, steps, left, untimed } = inner.pace.stand(self.begun.elapsed());
                    let (node, instruction) = (self.node.clone(), instruction(&name).to_owned());
                    self.context.say(Event::BuildAdvanced { node, step, steps, instruction, left, untimed });
                }
                inner.write(&format!("#{step} {title}"));
                let redactor = Redactor::new(&inner.secrets);
                let (line, moved) = (Vec::new(), HashMap::new());
                inner.steps.insert(step, Step { title, moved, watched: None, redactor, line });
            }
            Progress::Log { step, bytes } => {
                let mut lines = Vec::new();
                if let Some(known) = inner.steps.get_mut(&step) {
                    let mut clean = Vec::with_capacity(bytes.len());
                    known.redactor.feed(&bytes, &mut clean);
                    known.line.extend_from_slice(&clean);
                    lines = whole_lines(&mut known.line);
                }
                self.print(&mut inner, step, lines);
            }
            Progress::StepFinished { step, duration, cached, error } => {
                let mut lines = Vec::new();
                if let Some(known) = inner.steps.get_mut(&step) {
                    known.watched = None;
                    known.redactor.finish(&mut known.line);
                    lines = whole_lines(&mut known.line);
                    let rest = std::mem::take(&mut known.line);
                    if !rest.is_empty() {
                        lines.push(String::from_utf8_lossy(&rest).into_owned());
                    }
                }
                self.print(&mut inner, step, lines);
                let end = match (error, cached) {
                    (Some(error), _) => format!("#{step} failed: {}", inner.clean(&error)),
                    (None, true) => format!("#{step} cached"),
                    (None, false) => format!("#{step} done in {:.1}s", duration.as_secs_f64()),
                };
                inner.write(&end);
            }
            Progress::Transferred { step, what, current, total } => {
                if let Some(known) = inner.steps.get_mut(&step) {
                    known.moved.insert(what, (current, total.unwrap_or(0)));
                    let (tally, _) = known.watched.get_or_insert_with(|| {
                        let tally = Arc::new(Tally::default());
                        let watched = self.context.moving(self.node, known.title.clone(), &tally);
                        (tally, watched)
                    });
                    let (mut done, mut all, mut is_known) = (0, 0, true);
                    for (current, total) in known.moved.values() {
                        (done, all) = (done + current, all + total);
                        is_known &= *total > 0;
                    }
                    tally.set(done, if is_known { all } else { 0 });
                }
            }
        }
    }

    fn print(&self, inner: &mut Inner, step: usize, lines: Vec<String>) {
        for line in lines {
            inner.write(&format!("#{step} {line}"));
            inner.printed += 1;
            self.context.say(Event::NodePrinted { node: self.node.clone(), line });
        }
    }

    /// Text without secrets.
    pub fn clean(&self, text: &str) -> String {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).clean(text)
    }

    /// Keeps how long instructions took, also those of a build that failed later on.
    pub fn keep_times(&self) -> Result<(), TaskError> {
        let times = self.inner.lock().unwrap_or_else(PoisonError::into_inner).pace.times();
        let Context { store, project_id, run, .. } = self.context;
        Ok(store.note_instructions(project_id, self.node, *run, &times)?)
    }

    /// Takes the log into the store; none when nothing was printed.
    pub fn keep(&self) -> Result<Option<Digest>, TaskError> {
        self.flush()?;
        let mut text = File::open(&self.path).map_err(TaskError::io("read", &self.path))?;
        let mut batch = self.context.store.batch();
        let (digest, size) = batch.add(&mut text, 0)?;
        batch.finish()?;
        let _ = std::fs::remove_file(&self.path);
        Ok((size > 0).then_some(digest))
    }

    /// Sees to it that everything said is in the log file, for whoever reads it after a failure.
    pub fn flush(&self) -> Result<(), TaskError> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.log.flush().map_err(TaskError::io("write", Path::new(&self.path)))
    }
}

impl Inner<'_> {
    fn clean(&self, text: &str) -> String {
        let (mut redactor, mut out) = (Redactor::new(&self.secrets), Vec::new());
        redactor.feed(text.as_bytes(), &mut out);
        redactor.finish(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    fn write(&mut self, line: &str) {
        // A log that cannot be written is missed by whoever reads it; the build goes on.
        let _ = writeln!(self.log, "{line}");
    }
}

/// `step 3 of 7: RUN apt-get …`, or the engine's own words.
fn title(place: Option<&Place>, name: &str) -> String {
    let Some(Place { stage, index, total }) = place else { return name.to_owned() };
    let instruction = instruction(name);
    let stage = if stage.is_empty() { String::new() } else { format!("{stage} ") };
    format!("{stage}step {index} of {total}: {instruction}")
}

fn instruction(name: &str) -> &str {
    name.split_once("] ").map_or(name, |(_, rest)| rest)
}

/// Cuts the finished lines off; a carriage return starts a line anew, as on a terminal.
fn whole_lines(text: &mut Vec<u8>) -> Vec<String> {
    let Some(end) = text.iter().rposition(|byte| *byte == b'\n') else { return Vec::new() };
    let rest = text.split_off(end + 1);
    let whole = std::mem::replace(text, rest);
    let last_words = |line: &[u8]| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = line.rsplit(|byte| *byte == b'\r').next().unwrap_or(line);
        String::from_utf8_lossy(line).into_owned()
    };
    whole[..end].split(|byte| *byte == b'\n').map(last_words).collect()
}
