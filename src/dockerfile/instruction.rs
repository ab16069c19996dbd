//! One instruction: its word, flags and arguments, as written.
//!
//! Knows how BuildKit splits them; puts no variables in and gives no flag a meaning.

use std::ops::Range;
use std::rc::Rc;

use super::heredoc;
use super::lines::Logical;
use super::mistake::{Fault, Mistake};

/// All that BuildKit knows.
const WORDS: &[&str] = &[
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// Between an instruction and its arguments, and between those.
const BLANKS: [char; 5] = [' ', '\t', '\r', '\u{b}', '\u{c}'];

#[derive(Clone, Debug)]
pub(super) struct Instruction {
    /// In capitals: `COPY`.
    pub word: &'static str,
    pub flags: Vec<Flag>,
    /// The text of its here-documents.
    pub bodies: Vec<String>,
    /// What `ONBUILD` holds.
    pub trigger: Option<Rc<Instruction>>,
    logical: Rc<Logical>,
    /// In the joined text: the instruction, and its arguments without flags.
    whole: Range<usize>,
    arguments: Range<usize>,
}

/// `--name=value`, without the quotes that may stand in it.
#[derive(Clone, Debug)]
pub(super) struct Flag {
    pub name: String,
    pub value: Option<String>,
    /// Bytes of the file.
    pub span: Range<usize>,
}

/// A word of the arguments, with its quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Argument {
    pub text: String,
    /// Bytes of the file.
    pub span: Range<usize>,
}

/// Parses what of `logical` stands from `from` on.
pub(super) fn parse(logical: &Rc<Logical>, from: usize, escape: char) -> Result<Instruction, Mistake> {
    let text = &logical.text[from..];
    let begin = from + (text.len() - text.trim_start().len());
    let end = from + text.trim_end().len();
    let text = &logical.text[begin..end];
    let word_end = begin + text.find(BLANKS).unwrap_or(text.len());
    let written = &logical.text[begin..word_end];
    let Some(word) = WORDS.iter().find(|word| word.eq_ignore_ascii_case(written)) else {
        let fault = Fault::UnknownInstruction(written.to_owned());
        return Err(Mistake::new(fault, logical.place(begin..word_end), logical.line));
    };
    let (flags, rest) = flags(logical, word_end..end, escape);
    let rest_text = &logical.text[rest..end];
    let arguments = rest + (rest_text.len() - rest_text.trim_start().len())..end;
    let mut instruction = Instruction {
        word,
        flags,
        bodies: Vec::new(),
        trigger: None,
        logical: logical.clone(),
        whole: begin..end,
        arguments: arguments.clone(),
    };
    if *word == "ONBUILD" {
        if arguments.is_empty() {
            return Err(instruction.mistake(Fault::MissingArgument("ONBUILD".to_owned())));
        }
        let trigger = inner(logical, arguments.start, escape)?;
        instruction.trigger = Some(Rc::new(trigger));
    }
    Ok(instruction)
}

/// What `ONBUILD` holds; never another `ONBUILD`, so this goes one level deep.
fn inner(logical: &Rc<Logical>, from: usize, escape: char) -> Result<Instruction, Mistake> {
    let text = &logical.text[from..];
    let word = text.split(BLANKS).next().unwrap_or(text).to_ascii_uppercase();
    if matches!(&*word, "ONBUILD" | "FROM" | "MAINTAINER") {
        let span = logical.place(from..from + word.len());
        return Err(Mistake::new(Fault::BadTrigger(word), span, logical.line));
    }
    parse(logical, from, escape)
}

impl Instruction {
    pub fn line(&self) -> u32 {
        self.logical.line
    }

    /// The whole instruction in the file.
    pub fn span(&self) -> Range<usize> {
        self.logical.place(self.whole.clone())
    }

    /// Its text with continuations joined, here-documents below it.
    pub fn text(&self) -> String {
        let mut text = self.logical.text[self.whole.clone()].to_owned();
        for body in &self.bodies {
            text.push('\n');
            text.push_str(body);
        }
        text
    }

    /// What follows the flags, as written.
    pub fn rest(&self) -> &str {
        &self.logical.text[self.arguments.clone()]
    }

    pub fn mistake(&self, fault: Fault) -> Mistake {
        Mistake::new(fault, self.span(), self.line())
    }

    /// The flag's value; none when it is not there.
    pub fn flag(&self, name: &str) -> Result<Option<(&str, &Flag)>, Mistake> {
        let Some(flag) = self.flags.iter().find(|flag| flag.name == name) else { return Ok(None) };
        match &flag.value {
            Some(value) => Ok(Some((value, flag))),
            None => {
                let fault = Fault::FlagWithoutValue(format!("--{name}"));
                Err(Mistake::new(fault, flag.span.clone(), self.line()))
            }
        }
    }

    /// Whether a switch such as `--parents` is on.
    pub fn switch(&self, name: &str) -> bool {
        self.flags.iter().any(|flag| {
            flag.name == name && !flag.value.as_deref().is_some_and(|v| v.eq_ignore_ascii_case("false"))
        })
    }

    pub fn may_hold_heredocs(&self) -> bool {
        match &self.trigger {
            Some(trigger) => trigger.may_hold_heredocs(),
            None => matches!(self.word, "ADD" | "COPY" | "RUN") && !matches!(self.list(), Ok(Some(_))),
        }
    }

    /// The arguments as words: those of a list in brackets, else what stands between blanks.
    pub fn words(&self) -> Result<Vec<Argument>, Mistake> {
        if let Some(list) = self.list()? {
            let span = self.logical.place(self.arguments.clone());
            return Ok(list.into_iter().map(|text| Argument { text, span: span.clone() }).collect());
        }
        let text = self.rest();
        let words = text.split(BLANKS).filter(|word| !word.is_empty()).map(|word| {
            // A word is a part of `text`, so the difference of their addresses is its offset.
            let begin = self.arguments.start + (word.as_ptr() as usize - text.as_ptr() as usize);
            Argument { text: word.to_owned(), span: self.logical.place(begin..begin + word.len()) }
        });
        Ok(words.collect())
    }

    /// The sources of `COPY` and `ADD`; here-documents are none.
    pub fn sources(&self) -> Result<Vec<Argument>, Mistake> {
        let mut words = self.words()?;
        if words.len() < 2 {
            return Err(self.mistake(Fault::MissingArgument(self.word.to_owned())));
        }
        words.pop();
        words.retain(|word| !heredoc::is_opener(&word.text));
        Ok(words)
    }

    /// `["a", "b"]`; none when it is something else, which then is read as text.
    fn list(&self) -> Result<Option<Vec<String>>, Mistake> {
        let text = self.rest();
        if !text.starts_with('[') {
            return Ok(None);
        }
        let Ok(values) = serde_json::from_str::<Vec<serde_json::Value>>(text) else { return Ok(None) };
        let strings = values.into_iter().map(|value| match value {
            serde_json::Value::String(text) => Some(text),
            _ => None,
        });
        strings.collect::<Option<Vec<_>>>().map(Some).ok_or_else(|| self.mistake(Fault::BadList))
    }
}

/// The flags at the beginning of `range`, and where the rest begins.
fn flags(logical: &Logical, range: Range<usize>, escape: char) -> (Vec<Flag>, usize) {
    let mut flags = Vec::new();
    let mut at = range.start;
    loop {
        let rest = &logical.text[at..range.end];
        let begin = at + (rest.len() - rest.trim_start().len());
        if !logical.text[begin..range.end].starts_with("--") {
            return (flags, begin);
        }
        let (word, length) = flag_word(&logical.text[begin..range.end], escape);
        at = begin + length;
        // Two dashes alone end the flags.
        let Some(name) = word.strip_prefix("--").filter(|name| !name.is_empty()) else { return (flags, at) };
        let (name, value) = match name.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (name.to_owned(), None),
        };
        flags.push(Flag { name, value, span: logical.place(begin..at) });
    }
}

/// A word up to the next blank outside of quotes, without quotes and escapes, and its length as
/// written.
fn flag_word(text: &str, escape: char) -> (String, usize) {
    let mut word = String::new();
    let mut quote = None;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match quote {
            Some(open) if c == open => quote = None,
            _ if c == escape => word.extend(chars.next().map(|(_, escaped)| escaped)),
            Some(_) => word.push(c),
            None if c.is_whitespace() => return (word, at),
            None if c == '\'' || c == '"' => quote = Some(c),
            None => word.push(c),
        }
    }
    (word, text.len())
}
