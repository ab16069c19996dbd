//! What a build says, as lines and stages of its node, and as a log file.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::digest::Digest;
use crate::event::Event;
use crate::pipeline::NodeName;
use crate::run::docker::buildkit::{Place, Progress};
use crate::run::host::Redactor;
use crate::run::task::{Context, TaskError};

/// Bytes that make a transfer worth a word.
const WORTH_TELLING: u64 = 1 << 20;

pub struct Printer<'a> {
    node: &'a NodeName,
    context: &'a Context,
    path: PathBuf,
    inner: Mutex<Inner>,
}

struct Inner {
    log: BufWriter<File>,
    secrets: Vec<String>,
    steps: HashMap<usize, Step>,
    printed: u64,
}

struct Step {
    title: String,
    redactor: Redactor,
    /// The beginning of a line whose end has not come.
    line: Vec<u8>,
}

impl<'a> Printer<'a> {
    pub fn new(node: &'a NodeName, secrets: Vec<String>, context: &'a Context) -> Result<Self, TaskError> {
        let path = context.log_path(node);
        let log = BufWriter::new(File::create(&path).map_err(TaskError::io("create", &path))?);
        let inner = Inner { log, secrets, steps: HashMap::new(), printed: 0 };
        Ok(Self { node, context, path, inner: Mutex::new(inner) })
    }

    pub fn take(&self, progress: Progress) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        match progress {
            Progress::StepStarted { step, place, name } => {
                let title = title(place.as_ref(), &name);
                if place.is_some() {
                    self.context.stage(self.node, &title);
                }
                inner.write(&format!("#{step} {title}"));
                let redactor = Redactor::new(&inner.secrets);
                inner.steps.insert(step, Step { title, redactor, line: Vec::new() });
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
                if current >= WORTH_TELLING {
                    let title = inner.steps.get(&step).map(|step| step.title.clone()).unwrap_or_default();
                    let size = |bytes: u64| bytesize::ByteSize(bytes).display().iec().to_string();
                    let of = total.map(|total| format!(" of {}", size(total))).unwrap_or_default();
                    self.context.stage(self.node, &format!("{title} {what} {}{of}", size(current)));
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

impl Inner {
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
    let instruction = name.split_once("] ").map_or(name, |(_, rest)| rest);
    let stage = if stage.is_empty() { String::new() } else { format!("{stage} ") };
    format!("{stage}step {index} of {total}: {instruction}")
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
