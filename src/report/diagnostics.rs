//! Errors as a person reads them: miette's drawing on a terminal, a plain form elsewhere.
//!
//! Which code osgraph exits with is the command line's business.

use std::error::Error;
use std::fmt;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, ThemeCharacters, ThemeStyles};

use crate::report::colour::Palette;

/// Who reads the error.
#[derive(Clone, Copy, Debug)]
pub struct Reader {
    pub is_terminal: bool,
    pub palette: Palette,
    /// Columns to wrap at.
    pub width: usize,
}

/// The text of a diagnostic with its labels, causes and help, and a line's end at its end.
/// Into a file or pipe it is drawn in ASCII and not wrapped, so that tools can search it.
pub fn render(diagnostic: &dyn Diagnostic, reader: Reader) -> String {
    let characters = if reader.is_terminal { ThemeCharacters::unicode() } else { ThemeCharacters::ascii() };
    let styles = if reader.palette.is_on() { ThemeStyles::ansi() } else { ThemeStyles::none() };
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme { characters, styles })
        .with_links(false)
        .with_cause_chain()
        .with_width(reader.width.max(20))
        .with_wrap_lines(reader.is_terminal)
        .without_syntax_highlighting()
        .with_context_lines(1);
    let mut out = String::new();
    if handler.render_report(&mut out, diagnostic).is_err() {
        // Only a source that cannot be read gets here: the message must not be lost with it.
        out = format!("{diagnostic}\n");
    }
    if !out.ends_with('\n') {
        out.push('\n');
    }
    out
}

/// An error that points at no text: its message, what caused it, and what would mend it.
pub fn render_error(error: &(dyn Error + 'static), help: Option<&str>, reader: Reader) -> String {
    render(&Plain { error, help }, reader)
}

struct Plain<'a> {
    error: &'a (dyn Error + 'static),
    help: Option<&'a str>,
}

impl fmt::Debug for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.error, f)
    }
}

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.error, f)
    }
}

impl Error for Plain<'_> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

impl Diagnostic for Plain<'_> {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.map(|help| Box::new(help) as Box<dyn fmt::Display + 'a>)
    }
}

#[cfg(test)]
mod tests;
