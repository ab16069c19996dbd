//! Splits KDL text into its top-level nodes, and judges its structure.
//!
//! This stands before the `kdl` parser for three reasons: that parser is slow enough to be worth
//! running on all cores, a node at a time; about a thousand nested nodes overflow its stack; and
//! its recovery from stray tokens recurses once for each, so a large broken file would too. What
//! passes here is balanced, shallow and structurally sound. Knows nothing of values.

use std::ops::Range;

use crate::pipeline::diagnostic::Diagnostic;
use crate::pipeline::lexer::{Lexer, Token, TokenKind};

/// How deep nodes may stand in one another. Pipelines need four levels.
pub(super) const MAX_DEPTH: usize = 64;

/// How deep commented-out blocks may stand in one another: `kdl` reads each of them up to four
/// times over, so its time is 4 to the power of this.
pub(super) const MAX_SLASHDASH_DEPTH: usize = 3;

/// Reading stops after so many mistakes; nobody reads more.
pub(super) const MAX_MISTAKES: usize = 100;

/// What [`scan`] found.
#[derive(Debug, Default)]
pub(super) struct Scanned {
    /// The sound top-level nodes, as byte ranges in the order of the file.
    pub chunks: Vec<Range<usize>>,
    pub mistakes: Vec<Diagnostic>,
}

/// Where in a node the scanner stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Before a node.
    Start,
    /// After a node's name or an entry; whether that last entry may name a property.
    Entries { property: bool },
    /// After `name=`.
    Value,
    /// After children that are commented out.
    Discarded,
    /// After the children.
    Closed,
}

/// An open `{`.
struct Block {
    brace: Token,
    /// `/-{`: only the block is commented out, its node goes on.
    discarded: bool,
    /// Whether the block or its node is commented out.
    removed: bool,
}

struct Scanner<'t> {
    lexer: Lexer<'t>,
    open: Vec<Block>,
    place: Place,
    slashdash: Option<Token>,
    /// Whether the node that is being read is commented out.
    removed: bool,
    /// Start of the current top-level node, and how many mistakes there were then.
    chunk: Option<(usize, usize)>,
    chunks: Vec<Range<usize>>,
}

/// Reads all of `text`.
pub(super) fn scan(text: &str) -> Scanned {
    let mut scanner = Scanner {
        lexer: Lexer::new(text),
        open: Vec::new(),
        place: Place::Start,
        slashdash: None,
        removed: false,
        chunk: None,
        chunks: Vec::new(),
    };
    while scanner.step() {}
    Scanned { chunks: scanner.chunks, mistakes: scanner.lexer.mistakes }
}

impl Scanner<'_> {
    /// Takes one token; false at the end, or when reading on makes no sense.
    fn step(&mut self) -> bool {
        // What the token itself has wrong belongs to the node that it begins.
        let mistakes = self.lexer.mistakes.len();
        let token = self.lexer.next();
        if self.lexer.mistakes.len() > MAX_MISTAKES {
            self.lexer.mistakes.truncate(MAX_MISTAKES);
            return false;
        }
        let begins = !matches!(token.kind, TokenKind::Newline | TokenKind::Semicolon | TokenKind::End);
        if self.chunk.is_none() && begins {
            self.chunk = Some((token.start, mistakes));
        }
        match token.kind {
            TokenKind::End => return self.finish(token),
            TokenKind::Newline => self.terminator(token, true),
            TokenKind::Semicolon => self.terminator(token, false),
            TokenKind::Slashdash => self.comment_out(token),
            TokenKind::Text => self.text(token),
            TokenKind::Literal => self.literal(token),
            TokenKind::Equals => self.equals(token),
            TokenKind::Open => return self.open(token),
            TokenKind::Close => self.close(token),
        }
        true
    }

    fn mistake(&mut self, code: &'static str, message: &str, token: Token, label: &str, help: &str) {
        let mut diagnostic = Diagnostic::new(code, message, token.span(), label);
        if !help.is_empty() {
            diagnostic = diagnostic.help(help);
        }
        self.lexer.mistakes.push(diagnostic);
        // The rest of the line is read leniently: one mistake, one report.
        if matches!(token.kind, TokenKind::Text | TokenKind::Literal | TokenKind::Equals) {
            self.lexer.skip_to_line_end();
        }
        self.place = Place::Entries { property: true };
        self.slashdash = None;
    }

    fn text(&mut self, token: Token) {
        self.place = match self.place {
            Place::Start => {
                self.removed = self.slashdash.is_some();
                Place::Entries { property: false }
            }
            Place::Entries { .. } => Place::Entries { property: true },
            Place::Value => Place::Entries { property: false },
            Place::Discarded | Place::Closed => return self.unterminated(token),
        };
        self.slashdash = None;
    }

    fn literal(&mut self, token: Token) {
        match self.place {
            Place::Start => {
                let help = "put the name in double quotes";
                return self.mistake(
                    "missing-name",
                    "a node needs a name",
                    token,
                    "a value cannot be one",
                    help,
                );
            }
            Place::Entries { .. } | Place::Value => self.place = Place::Entries { property: false },
            Place::Discarded | Place::Closed => return self.unterminated(token),
        }
        self.slashdash = None;
    }

    fn unterminated(&mut self, token: Token) {
        let message = "a node ends with its block";
        self.mistake(
            "missing-line-break",
            message,
            token,
            "belongs to nothing",
            "begin a new line after `}`, or write `;`",
        );
    }

    fn equals(&mut self, token: Token) {
        if self.place == (Place::Entries { property: true }) {
            self.place = Place::Value;
            return;
        }
        let message = "`=` needs the name of a property before it";
        self.mistake(
            "stray-equals",
            message,
            token,
            "no name before this",
            "arguments are written without `=`, as `tag \"v1\"`",
        );
    }

    fn comment_out(&mut self, token: Token) {
        if self.slashdash.is_some() || self.place == Place::Value {
            return self.mistake(
                "stray-slashdash",
                "`/-` must stand before what it removes",
                token,
                "removes nothing",
                "",
            );
        }
        self.slashdash = Some(token);
    }

    fn terminator(&mut self, token: Token, newline: bool) {
        if let Some(slashdash) = self.slashdash {
            // Line breaks may stand between `/-` and what it removes.
            if newline {
                return;
            }
            self.mistake("stray-slashdash", "`/-` removes nothing", slashdash, "nothing follows", "");
        } else if !newline && self.place == Place::Start {
            self.mistake("stray-semicolon", "`;` ends no node", token, "no node before this", "remove it");
        }
        self.end_value(token);
        self.place = Place::Start;
        self.slashdash = None;
        if self.open.is_empty() {
            self.end_chunk(token.start);
        }
    }

    fn end_value(&mut self, token: Token) {
        if self.place == Place::Value {
            self.mistake(
                "missing-value",
                "the property has no value",
                token,
                "a value is missing before this",
                "",
            );
        }
    }

    fn open(&mut self, token: Token) -> bool {
        match self.place {
            Place::Start => {
                let help = "the block must begin on its node's own line";
                self.mistake("missing-name", "a block needs a node", token, "no node before this", help);
            }
            Place::Value => self.end_value(token),
            Place::Closed if self.slashdash.is_none() => {
                self.mistake("second-block", "a node has one block", token, "the second one", "");
            }
            _ => {}
        }
        let discarded = self.slashdash.take().is_some();
        self.open.push(Block { brace: token, discarded, removed: discarded || self.removed });
        let nested = self.open.iter().filter(|block| block.removed).count();
        if self.open.len() > MAX_DEPTH || nested > MAX_SLASHDASH_DEPTH {
            let message = if self.open.len() > MAX_DEPTH {
                format!("nodes stand more than {MAX_DEPTH} levels deep")
            } else {
                format!("commented-out blocks stand more than {MAX_SLASHDASH_DEPTH} levels deep")
            };
            self.lexer.mistakes.push(Diagnostic::new("too-deep", message, token.span(), "one too many"));
            return false;
        }
        self.place = Place::Start;
        true
    }

    fn close(&mut self, token: Token) {
        if let Some(slashdash) = self.slashdash.take() {
            self.mistake("stray-slashdash", "`/-` removes nothing", slashdash, "nothing follows", "");
        }
        self.end_value(token);
        match self.open.pop() {
            Some(block) => self.place = if block.discarded { Place::Discarded } else { Place::Closed },
            None => {
                self.mistake("unbalanced", "`}` closes nothing", token, "no `{` is open", "");
                self.place = Place::Closed;
            }
        }
    }

    fn end_chunk(&mut self, end: usize) {
        if let Some((start, mistakes)) = self.chunk.take()
            && self.lexer.mistakes.len() == mistakes
        {
            self.chunks.push(start..end);
        }
    }

    fn finish(&mut self, token: Token) -> bool {
        if let Some(slashdash) = self.slashdash.take() {
            self.mistake("stray-slashdash", "`/-` removes nothing", slashdash, "nothing follows", "");
        }
        self.end_value(token);
        if let Some(block) = self.open.pop() {
            let message = "the block is not closed";
            self.mistake("unbalanced", message, block.brace, "opened here", "add a `}`");
        }
        self.end_chunk(token.start);
        false
    }
}
