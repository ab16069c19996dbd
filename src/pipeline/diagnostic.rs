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
    source: Arc<NamedSource<Arc<str>>>,
    reports: Vec<Report>,
}

impl Diagnostics {
    pub fn new(source: &SourceFile, mut list: Vec<Diagnostic>) -> Self {
        list.sort_by_key(|d| d.labels.first().map_or(0, |(span, _)| span.offset));
        let source = Arc::new(NamedSource::new(&source.name, source.text.clone()));
        let reports = list.iter().map(|d| Report { diagnostic: d.clone(), source: source.clone() }).collect();
        Self { list, source, reports }
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.list.as_slice() {
            [one] => f.write_str(&one.message),
            many => write!(f, "{} mistakes in `{}`", many.len(), self.source.name()),
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
        Some(&*self.source)
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

/// One diagnostic with the text it points into, as miette wants it.
#[derive(Clone, Debug)]
struct Report {
    diagnostic: Diagnostic,
    source: Arc<NamedSource<Arc<str>>>,
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
        Some(&*self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.diagnostic.labels.iter().map(|(span, text)| {
            LabeledSpan::new(Some(text.clone()), span.offset as usize, span.length as usize)
        })))
    }
}
