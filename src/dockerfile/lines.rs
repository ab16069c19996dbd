//! Lines of text to instructions: directives, comments, continuations, here-documents.
//!
//! Follows BuildKit's line rules, not a shell's. Knows nothing of what an instruction means but
//! whether a here-document may follow it.

use std::ops::Range;
use std::rc::Rc;

use super::analysis::Syntax;
use super::heredoc;
use super::instruction::{self, Instruction};
use super::mistake::{Fault, Mistake};

/// Far beyond any Dockerfile; below it nothing here takes noticeable time.
const MOST: usize = 1 << 20;

/// A Dockerfile as a list of instructions.
#[derive(Debug)]
pub(super) struct Script {
    pub escape: char,
    pub syntax: Option<Syntax>,
    pub instructions: Vec<Instruction>,
}

/// One instruction's text with its continuations joined, and where each part came from.
#[derive(Debug)]
pub(super) struct Logical {
    pub text: String,
    /// From 1.
    pub line: u32,
    /// From its first to its last byte, without here-documents.
    pub span: Range<usize>,
    /// Offsets in `text` and in the file, ascending.
    pieces: Vec<(usize, usize)>,
}

impl Logical {
    /// Where bytes of the joined text stand in the file.
    pub fn place(&self, range: Range<usize>) -> Range<usize> {
        let start = self.offset(range.start);
        // The last byte's place, so that a word at a line's end does not reach into the next line.
        let end = if range.is_empty() { start } else { self.offset(range.end - 1) + 1 };
        start..end
    }

    fn offset(&self, at: usize) -> usize {
        let piece = self.pieces.partition_point(|(joined, _)| *joined <= at);
        piece.checked_sub(1).map_or(self.span.start, |piece| {
            let (joined, place) = self.pieces[piece];
            place + (at - joined)
        })
    }
}

/// Reads a whole Dockerfile.
pub(super) fn read(text: &str) -> Result<Script, Mistake> {
    if text.len() > MOST {
        return Err(Mistake::new(Fault::TooLong { limit: MOST }, 0..0, 1));
    }
    let mut rows = Rows::new(text);
    let mut directives = Directives::default();
    let mut instructions = Vec::new();
    while let Some(row) = rows.next() {
        let begin = row.begin + (row.text.len() - row.text.trim_start().len());
        let line = row.text.trim_start();
        directives.read(line, begin, row.line)?;
        let escape = directives.escape.unwrap_or('\\');
        if line.starts_with('#') {
            continue;
        }
        let (part, mut goes_on) = cut_continuation(line, escape);
        if !goes_on && part.is_empty() {
            continue;
        }
        let mut logical = Logical {
            text: part.to_owned(),
            line: row.line,
            span: begin..begin + line.len(),
            pieces: vec![(0, begin)],
        };
        while goes_on {
            let Some(row) = rows.next() else { break };
            let bare = row.text.trim_start();
            if bare.is_empty() || bare.starts_with('#') {
                continue;
            }
            let (part, more) = cut_continuation(row.text, escape);
            logical.pieces.push((logical.text.len(), row.begin));
            logical.text.push_str(part);
            logical.span.end = row.begin + row.text.len();
            goes_on = more;
        }
        // A lone escape character makes a line of nothing.
        if logical.text.trim().is_empty() {
            continue;
        }
        let logical = Rc::new(logical);
        let mut instruction = instruction::parse(&logical, 0, escape)?;
        if instruction.may_hold_heredocs() {
            for opener in heredoc::openers(&logical.text) {
                let body = rows.heredoc(&opener).ok_or_else(|| {
                    let fault = Fault::UnendedHeredoc(opener.word.clone());
                    Mistake::new(fault, logical.span.clone(), logical.line)
                })?;
                instruction.bodies.push(body.to_owned());
            }
        }
        instructions.push(instruction);
    }
    Ok(Script { escape: directives.escape.unwrap_or('\\'), syntax: directives.syntax, instructions })
}

/// The line without a continuation at its end, and whether there was one. An escape character
/// before it takes its meaning away.
fn cut_continuation(line: &str, escape: char) -> (&str, bool) {
    let trimmed = line.trim_end_matches([' ', '\t']);
    match trimmed.strip_suffix(escape) {
        Some(before) if !before.ends_with(escape) => (before, true),
        _ => (line, false),
    }
}

/// One line of the file, without its end.
struct Row<'t> {
    text: &'t str,
    begin: usize,
    line: u32,
}

struct Rows<'t> {
    text: &'t str,
    at: usize,
    line: u32,
}

impl<'t> Rows<'t> {
    fn new(text: &'t str) -> Self {
        let at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        Self { text, at, line: 0 }
    }

    fn next(&mut self) -> Option<Row<'t>> {
        let (begin, rest) = (self.at, &self.text[self.at..]);
        if rest.is_empty() {
            return None;
        }
        let length = rest.find('\n').map_or(rest.len(), |at| at + 1);
        self.at += length;
        self.line += 1;
        Some(Row { text: rest[..length].trim_end_matches(['\r', '\n']), begin, line: self.line })
    }

    /// The lines up to the opener's word; none when it never comes.
    fn heredoc(&mut self, opener: &heredoc::Opener) -> Option<&'t str> {
        let begin = self.at;
        while let Some(row) = self.next() {
            let line = if opener.strips_tabs { row.text.trim_start_matches('\t') } else { row.text };
            if line == opener.word {
                return Some(&self.text[begin..row.begin]);
            }
        }
        None
    }
}

/// The `# name=value` lines at the top.
#[derive(Default)]
struct Directives {
    escape: Option<char>,
    syntax: Option<Syntax>,
    checked: bool,
    /// After a `#!` line only `syntax` is looked for.
    shebang: bool,
    done: bool,
}

impl Directives {
    fn read(&mut self, line: &str, begin: usize, number: u32) -> Result<(), Mistake> {
        if self.done {
            return Ok(());
        }
        if number == 1 && line.starts_with("#!") {
            self.shebang = true;
            return Ok(());
        }
        let Some((name, value)) = directive(line) else {
            self.done = true;
            return Ok(());
        };
        let span = begin..begin + line.trim_end().len();
        let twice = match &*name {
            "syntax" => {
                let image = value.split(' ').next().unwrap_or(value).to_owned();
                self.syntax.replace(Syntax { image, line: number, span: span.clone() }).is_some()
            }
            "check" => std::mem::replace(&mut self.checked, true),
            "escape" if self.shebang => false,
            "escape" => match value {
                "\\" | "`" => self.escape.replace(if value == "`" { '`' } else { '\\' }).is_some(),
                _ => return Err(Mistake::new(Fault::BadEscape(value.to_owned()), span, number)),
            },
            _ => {
                self.done = true;
                false
            }
        };
        if twice { Err(Mistake::new(Fault::DirectiveTwice(name), span, number)) } else { Ok(()) }
    }
}

/// `# Name = value` as `name` and `value`.
fn directive(line: &str) -> Option<(String, &str)> {
    let (name, value) = line.strip_prefix('#')?.trim_start().split_once('=')?;
    let (name, value) = (name.trim_end(), value.trim());
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric())
        && !value.is_empty();
    is_name.then(|| (name.to_ascii_lowercase(), value))
}
