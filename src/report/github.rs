//! The dialect of GitHub Actions: groups, and annotations on the run's page.
//!
//! The machine reads commands out of the very log that recipes print into, so what they print is
//! marked: a line that begins with `::` would be obeyed, and so would `##[…]` anywhere in it.

use miette::{Diagnostic, SourceCode};

use crate::event::Place;
use crate::report::sections::{Dialect, Severity};

#[derive(Default)]
pub struct Github {
    /// Where the project lies in the repository, `sub/project`: annotations are made from its root. Empty
    /// where it is the root itself, or nobody knows.
    pub project: String,
}

impl Dialect for Github {
    fn open(&self, _: &str, title: &str, _: i64) -> String {
        format!("::group::{}\n", data(title))
    }

    fn close(&self, _: &str, _: i64) -> String {
        "::endgroup::\n".to_owned()
    }

    fn guard(&self, line: &str) -> String {
        format!("| {}", line.replace("##[", "## ["))
    }

    fn annotate(&self, severity: Severity, title: &str, message: &str, at: Option<&Place>) -> Option<String> {
        let place = at.map(|at| {
            let file = match self.project.as_str() {
                "" => at.file.clone(),
                project => format!("{project}/{}", at.file),
            };
            format!("file={},line={},", property(&file), at.line)
        });
        let place = place.unwrap_or_default();
        Some(format!("::{} {place}title={}::{}", command(severity), property(title), data(message)))
    }
}

const fn command(severity: Severity) -> &'static str {
    match severity {
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

/// An annotation at each place of a diagnostic and of those related to it, one a line: how
/// mistakes of a pipeline file appear in a pull request.
pub fn annotations(diagnostic: &dyn Diagnostic) -> String {
    let mut out = String::new();
    annotate_into(diagnostic, None, &mut out);
    out
}

fn annotate_into(diagnostic: &dyn Diagnostic, outer: Option<&dyn SourceCode>, out: &mut String) {
    let source = diagnostic.source_code().or(outer);
    if let Some(related) = diagnostic.related() {
        for one in related {
            annotate_into(one, source, out);
        }
        return;
    }
    let mut message = diagnostic.to_string();
    if let Some(help) = diagnostic.help() {
        message.push_str(&format!("\nhelp: {help}"));
    }
    let place = diagnostic
        .labels()
        .and_then(|mut labels| labels.next())
        .and_then(|label| source?.read_span(label.inner(), 0, 0).ok())
        .and_then(|at| Some((at.name()?.to_owned(), at.line() + 1, at.column() + 1)));
    let properties = match place {
        Some((file, line, column)) => format!(" file={},line={line},col={column}", property(&file)),
        None => " title=osgraph".to_owned(),
    };
    out.push_str(&format!("::error{properties}::{}\n", data(&message)));
}

/// The text of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a command's property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests;
