//! Mistakes in a pipeline file: what is wrong, where, and what would mend it.

use std::fmt;
use std::sync::Arc;

use miette::{LabeledSpan, NamedSource, Severity};

use crate::pipeline::model::Span;

/// The pipeline file's text and the name it is shown by.
#[derive(Clone, Debug)]
pub struct SourceFile {
    pub name: String,
    pub text: Arc<str>,
}

/// One mistake. Messages are lower-case fragments with names in backticks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// A stable code, as `unknown-kind`.
    pub code: &'static str,
    pub message: String,
    /// The first label is where the mistake is; others are related places.
    pub labels: Vec<(Span, String)>,
    pub help: Option<String>,
}

impl Diagnostic {
    pub fn new(code: &'static str, message: impl Into<String>, span: Span, label: impl Into<String>) -> Self {
        Self { code, message: message.into(), labels: vec![(span, label.into())], help: None }
    }

    #[must_use]
    pub fn label(mut self, span: Span, label: impl Into<String>) -> Self {
        self.labels.push((span, label.into()));
        self
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// All mistakes of one pipeline file, in the order of the file.
#[derive(Clone, Debug)]
pub struct Diagnostics {
    pub list: Vec<Diagnostic>,
    name: String,
    /// None when it has lines that nobody could read.
    source: Option<Arc<NamedSource<Arc<str>>>>,
    reports: Vec<Report>,
}

/// Mistakes that are shown; more are counted. Whoever made so many mends the first ones first.
const SHOWN: usize = 50;

/// Bytes of a line that is shown in a report.
const LINE: usize = 2_000;

impl Diagnostics {
    pub fn new(source: &SourceFile, mut list: Vec<Diagnostic>) -> Self {
        list.sort_by_key(|d| d.labels.first().map_or(0, |(span, _)| span.offset));
        let shown = &list[..list.len().min(SHOWN)];
        let is_readable =
            shown.iter().flat_map(|d| &d.labels).all(|(span, _)| is_readable(&source.text, *span));
        let named = is_readable.then(|| Arc::new(NamedSource::new(&source.name, source.text.clone())));
        let report = |d: &Diagnostic| {
            let mut diagnostic = d.clone();
            if named.is_none()
                && let Some((span, _)) = d.labels.first()
            {
                let (line, column) = place(&source.text, *span);
                diagnostic.message = format!("{} ({}:{line}:{column})", d.message, source.name);
            }
            Report { diagnostic, source: named.clone() }
        };
        let reports = shown.iter().map(report).collect();
        Self { name: source.name.clone(), source: named, reports, list }
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.list.as_slice() {
            [_] => fmt::Display::fmt(&self.reports[0], f),
            many if many.len() > SHOWN => {
                write!(f, "{} mistakes in `{}`, of which these are the first {SHOWN}", many.len(), self.name)
            }
            many => write!(f, "{} mistakes in `{}`", many.len(), self.name),
        }
    }
}

impl std::error::Error for Diagnostics {}

impl miette::Diagnostic for Diagnostics {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        match self.reports.as_slice() {
            [one] => miette::Diagnostic::code(one),
            _ => None,
        }
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        match self.reports.as_slice() {
            [one] => one.help(),
            _ => None,
        }
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.source.as_deref().map(|source| source as &dyn miette::SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        match self.reports.as_slice() {
            [one] => miette::Diagnostic::labels(one),
            _ => None,
        }
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn miette::Diagnostic> + 'a>> {
        match self.reports.as_slice() {
            [_] => None,
            many => Some(Box::new(many.iter().map(|r| r as &dyn miette::Diagnostic))),
        }
    }
}

/// Whether the line of `span`, and those around it, are short enough to be shown.
fn is_readable(text: &str, span: Span) -> bool {
    let bytes = text.as_bytes();
    let at = (span.offset as usize).min(bytes.len());
    let end = (at + span.length as usize).min(bytes.len());
    let short = span.length as usize <= LINE;
    short && !has_long_line(bytes[..at].iter().rev()) && !has_long_line(bytes[end..].iter())
}

/// Whether the rest of this line, or the next one, is too long: one line of context is shown.
fn has_long_line<'a>(bytes: impl Iterator<Item = &'a u8>) -> bool {
    let (mut ends, mut length) = (0, 0);
    for byte in bytes {
        if *byte == b'\n' {
            (ends, length) = (ends + 1, 0);
        } else {
            length += 1;
        }
        if ends == 2 || length > LINE {
            break;
        }
    }
    length > LINE
}

/// Line and column of a span's start, from 1.
fn place(text: &str, span: Span) -> (usize, usize) {
    let before = text.get(..span.offset as usize).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or("");
    (before.bytes().filter(|byte| *byte == b'\n').count() + 1, line.chars().count() + 1)
}

/// One diagnostic with the text it points into, as miette wants it.
#[derive(Clone, Debug)]
struct Report {
    diagnostic: Diagnostic,
    source: Option<Arc<NamedSource<Arc<str>>>>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.diagnostic.message)
    }
}

impl std::error::Error for Report {}

impl miette::Diagnostic for Report {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.diagnostic.code))
    }

    fn severity(&self) -> Option<Severity> {
        Some(Severity::Error)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.diagnostic.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display + 'a>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.source.as_deref().map(|source| source as &dyn miette::SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.source.as_ref()?;
        Some(Box::new(self.diagnostic.labels.iter().map(|(span, text)| {
            LabeledSpan::new(Some(text.clone()), span.offset as usize, span.length as usize)
        })))
    }
}
