//! Tokens of KDL 2 text: just enough to know where nodes begin and end.
//!
//! Validates what can be judged token by token (closed strings, escapes, keywords, numbers), and
//! says what is wrong in this project's words. Knows nothing of nodes or of what values mean;
//! contents of strings are decoded by [`super::reader`].

use crate::pipeline::diagnostic::Diagnostic;
use crate::pipeline::model::Span;
use crate::pipeline::suggest;

/// What a [`Token`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A bare or quoted string: may name a node or a property, or be a value.
    Text,
    /// A number or `#keyword`: only ever a value.
    Literal,
    Equals,
    Open,
    Close,
    /// `;`
    Semicolon,
    Newline,
    /// `/-`
    Slashdash,
    End,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub kind: TokenKind,
    pub start: usize,
    pub end: usize,
}

impl Token {
    pub fn span(&self) -> Span {
        span(self.start, self.end)
    }
}

/// A span from byte offsets; files over 4 GiB are refused long before.
pub(super) fn span(start: usize, end: usize) -> Span {
    Span { offset: start as u32, length: (end - start) as u32 }
}

pub(super) const KEYWORDS: [&str; 6] = ["true", "false", "null", "inf", "-inf", "nan"];

/// Reads tokens one after another; mistakes are collected, never returned.
pub(super) struct Lexer<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    pub mistakes: Vec<Diagnostic>,
}

impl<'t> Lexer<'t> {
    /// Starts behind a byte order mark, if there is one.
    pub fn new(text: &'t str) -> Self {
        let at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        Self { text, bytes: text.as_bytes(), at, mistakes: Vec::new() }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn char_at(&self, at: usize) -> Option<char> {
        match self.bytes.get(at) {
            None => None,
            Some(byte) if byte.is_ascii() => Some(char::from(*byte)),
            Some(_) => self.text[at..].chars().next(),
        }
    }

    fn starts_with(&self, text: &str) -> bool {
        self.bytes[self.at..].starts_with(text.as_bytes())
    }

    fn mistake(&mut self, code: &'static str, message: String, span: Span, label: &str, help: &str) {
        let mut diagnostic = Diagnostic::new(code, message, span, label);
        if !help.is_empty() {
            diagnostic = diagnostic.help(help);
        }
        self.mistakes.push(diagnostic);
    }

    /// The next token; spaces, comments, line continuations and type annotations are passed over.
    pub fn next(&mut self) -> Token {
        loop {
            let start = self.at;
            let Some(c) = self.char_at(start) else {
                return Token { kind: TokenKind::End, start, end: start };
            };
            let one = |kind| Token { kind, start, end: start + 1 };
            let token = match c {
                '{' => one(TokenKind::Open),
                '}' => one(TokenKind::Close),
                ';' => one(TokenKind::Semicolon),
                '=' => one(TokenKind::Equals),
                '"' => self.quoted(),
                '#' => self.hash(),
                '/' if self.starts_with("//") => {
                    self.skip_line();
                    continue;
                }
                '/' if self.starts_with("/*") => {
                    self.skip_block_comment();
                    continue;
                }
                '/' if self.starts_with("/-") => Token { kind: TokenKind::Slashdash, start, end: start + 2 },
                '\\' => {
                    self.continuation();
                    continue;
                }
                '(' => {
                    self.annotation();
                    continue;
                }
                c if is_newline(c) => {
                    let length = if self.starts_with("\r\n") { 2 } else { c.len_utf8() };
                    Token { kind: TokenKind::Newline, start, end: start + length }
                }
                c if is_space(c) => {
                    self.at += c.len_utf8();
                    continue;
                }
                c if is_identifier(c) => self.bareword(),
                c => {
                    self.at += c.len_utf8();
                    let shown = if is_forbidden(c) { c.escape_unicode().to_string() } else { c.to_string() };
                    self.mistake(
                        "unexpected-character",
                        format!("`{shown}` has no place outside a string"),
                        span(start, self.at),
                        "not expected here",
                        "put the text in double quotes",
                    );
                    continue;
                }
            };
            self.at = token.end;
            return token;
        }
    }

    fn skip_line(&mut self) {
        while let Some(c) = self.char_at(self.at) {
            if is_newline(c) {
                break;
            }
            self.at += c.len_utf8();
        }
    }

    fn skip_block_comment(&mut self) {
        let start = self.at;
        let mut depth = 0_u32;
        while self.at < self.bytes.len() {
            if self.starts_with("/*") {
                depth += 1;
                self.at += 2;
            } else if self.starts_with("*/") {
                depth -= 1;
                self.at += 2;
                if depth == 0 {
                    return;
                }
            } else {
                self.at += 1;
            }
        }
        let message = "the comment is not closed".to_owned();
        self.mistake(
            "unclosed-comment",
            message,
            span(start, start + 2),
            "opened here",
            "close it with `*/`",
        );
    }

    /// `\`, spaces, perhaps a comment, and the line break that it hides.
    fn continuation(&mut self) {
        let start = self.at;
        self.at += 1;
        loop {
            match self.char_at(self.at) {
                None => return,
                Some('/') if self.starts_with("//") => self.skip_line(),
                Some('/') if self.starts_with("/*") => self.skip_block_comment(),
                Some(c) if is_newline(c) => {
                    self.at += if self.starts_with("\r\n") { 2 } else { c.len_utf8() };
                    return;
                }
                Some(c) if is_space(c) => self.at += c.len_utf8(),
                Some(_) => break,
            }
        }
        self.mistake(
            "stray-backslash",
            "`\\` continues a line, but something follows it".to_owned(),
            span(start, start + 1),
            "must be the last on its line",
            "put text that holds a backslash in double quotes, as `\"a\\\\b\"`",
        );
    }

    /// `(type)`: KDL has them, pipelines do not.
    fn annotation(&mut self) {
        let start = self.at;
        while let Some(c) = self.char_at(self.at) {
            if is_newline(c) || matches!(c, '{' | '}' | ';') {
                break;
            }
            self.at += c.len_utf8();
            if c == ')' {
                break;
            }
        }
        self.mistake(
            "type-annotation",
            "type annotations mean nothing in a pipeline".to_owned(),
            span(start, self.at),
            "remove this",
            "",
        );
    }

    fn bareword(&mut self) -> Token {
        let start = self.at;
        let mut end = start;
        while let Some(c) = self.char_at(end).filter(|c| is_identifier(*c)) {
            end += c.len_utf8();
        }
        let word = &self.text[start..end];
        let token = Token { kind: TokenKind::Text, start, end };
        if KEYWORDS.contains(&word) {
            let help = format!("KDL 2 writes `#{word}`, or `\"{word}\"` for the text");
            let message = format!("`{word}` is not a string");
            self.mistake("bare-keyword", message, token.span(), "needs a `#` or quotes", &help);
            return token;
        }
        // KDL 1 wrote raw strings as r"…" and r#"…"#.
        if word == "r" && matches!(self.bytes.get(end), Some(b'"' | b'#')) {
            let message = "raw strings have no `r` in KDL 2".to_owned();
            self.mistake("raw-string", message, token.span(), "remove the `r`", "write `#\"…\"#`");
            return token;
        }
        let kind = if looks_like_number(word) { TokenKind::Literal } else { TokenKind::Text };
        if kind == TokenKind::Literal
            && let Err(why) = check_number(word)
        {
            let message = format!("`{word}` is not a number: {why}");
            self.mistake("bad-number", message, token.span(), "not a number", "put text in double quotes");
            return token;
        }
        self.separated(end);
        Token { kind, ..token }
    }

    /// A raw string or a `#keyword`.
    fn hash(&mut self) -> Token {
        let start = self.at;
        let hashes = self.bytes[start..].iter().take_while(|byte| **byte == b'#').count();
        let mut end = start + hashes;
        if self.bytes.get(end) == Some(&b'"') {
            return self.raw(start, hashes);
        }
        while let Some(c) = self.char_at(end).filter(|c| is_identifier(*c)) {
            end += c.len_utf8();
        }
        let token = Token { kind: TokenKind::Literal, start, end };
        let word = &self.text[start + hashes..end];
        if hashes > 1 || !KEYWORDS.contains(&word) {
            let message = format!("`{}` is no keyword", &self.text[start..end]);
            let help = match suggest::nearest(word, KEYWORDS) {
                Some(near) => format!("did you mean `#{near}`?"),
                None => "KDL knows `#true`, `#false`, `#null`, `#inf`, `#-inf` and `#nan`".to_owned(),
            };
            self.mistake("unknown-keyword", message, token.span(), "not a keyword", &help);
        } else {
            self.separated(end);
        }
        token
    }

    fn raw(&mut self, start: usize, hashes: usize) -> Token {
        let quote = start + hashes;
        let multi = self.opens_block(quote);
        let quotes = if multi { 3 } else { 1 };
        let mut end = quote + quotes;
        let closes = |end: usize| {
            let (body, tail) = (&self.bytes[end..], quotes + hashes);
            body.len() >= tail
                && body[..quotes].iter().all(|byte| *byte == b'"')
                && body[quotes..tail].iter().all(|byte| *byte == b'#')
        };
        loop {
            match self.char_at(end) {
                Some('"') if closes(end) => {
                    end += quotes + hashes;
                    self.separated(end);
                    return Token { kind: TokenKind::Text, start, end };
                }
                Some(c) if multi || !is_newline(c) => end += c.len_utf8(),
                _ => return self.unclosed(start, quote + quotes, end),
            }
        }
    }

    fn quoted(&mut self) -> Token {
        let start = self.at;
        let multi = self.opens_block(start);
        let quotes = if multi { 3 } else { 1 };
        let mut end = start + quotes;
        loop {
            match self.char_at(end) {
                Some('"') if !multi || self.bytes[end..].starts_with(b"\"\"\"") => {
                    end += quotes;
                    self.separated(end);
                    return Token { kind: TokenKind::Text, start, end };
                }
                Some('\\') => end = self.escape(end),
                Some(c) if multi || !is_newline(c) => end += c.len_utf8(),
                _ => return self.unclosed(start, start + quotes, end),
            }
        }
    }

    /// Whether `"""` and a line break stand at `at`: a string of several lines.
    fn opens_block(&self, at: usize) -> bool {
        self.bytes[at..].starts_with(b"\"\"\"") && self.char_at(at + 3).is_some_and(is_newline)
    }

    fn unclosed(&mut self, start: usize, opened: usize, end: usize) -> Token {
        let message = "the string is not closed".to_owned();
        let help = "a string of several lines begins with `\"\"\"` and a line break";
        let help = if end < self.bytes.len() { help } else { "" };
        self.mistake("unclosed-string", message, span(start, opened), "opened here", help);
        Token { kind: TokenKind::Text, start, end }
    }

    /// The end of the escape at `start`, which is reported if KDL has none like it.
    fn escape(&mut self, start: usize) -> usize {
        let after = start + 1;
        let end = match self.char_at(after) {
            Some('n' | 'r' | 't' | '\\' | '"' | 'b' | 'f' | 's') => return after + 1,
            Some(c) if is_newline(c) || is_space(c) => {
                let mut end = after;
                while let Some(c) = self.char_at(end).filter(|c| is_newline(*c) || is_space(*c)) {
                    end += c.len_utf8();
                }
                return end;
            }
            Some('u') => {
                let digits = self.text[after + 1..].strip_prefix('{').and_then(|rest| rest.split_once('}'));
                let code = digits.map(|(digits, _)| digits).filter(|digits| {
                    (1..=6).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit())
                });
                let scalar = code.and_then(|d| u32::from_str_radix(d, 16).ok()).and_then(char::from_u32);
                match (code, scalar) {
                    (Some(digits), Some(_)) => return after + digits.len() + 3,
                    _ => after + 1,
                }
            }
            Some(c) => after + c.len_utf8(),
            None => return after,
        };
        let message = format!("`{}` is no escape", &self.text[start..end]);
        let help = "write a backslash as `\\\\`, or the whole string raw: `#\"…\"#`";
        self.mistake("bad-escape", message, span(start, end), "not an escape", help);
        end
    }

    /// Reports a value that runs into the next one.
    fn separated(&mut self, end: usize) {
        let fine = match self.char_at(end) {
            None | Some('=' | '{' | '}' | ';' | '\\') => true,
            Some('/') => matches!(self.bytes.get(end + 1), Some(b'/' | b'*')),
            Some(c) => is_newline(c) || is_space(c),
        };
        if !fine {
            let message = "two values need a space between them".to_owned();
            self.mistake("missing-space", message, span(end, end), "add a space here", "");
        }
    }

    /// Passes over the rest of a broken line, stopping before what may close a node.
    pub fn skip_to_line_end(&mut self) {
        while let Some(byte) = self.peek() {
            if matches!(byte, b'{' | b'}' | b';' | b'"' | b'#')
                || self.char_at(self.at).is_some_and(is_newline)
            {
                return;
            }
            if self.starts_with("//") || self.starts_with("/*") || byte == b'\\' {
                return;
            }
            self.at += self.char_at(self.at).map_or(1, char::len_utf8);
        }
    }
}

fn is_newline(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn is_space(c: char) -> bool {
    matches!(
        c,
        '\t' | ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
}

/// Characters that KDL allows nowhere, not even in strings.
fn is_forbidden(c: char) -> bool {
    matches!(
        c,
        '\0'..='\u{8}' | '\u{e}'..='\u{1f}' | '\u{7f}' | '\u{200e}' | '\u{200f}' | '\u{202a}'
            ..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
    )
}

fn is_identifier(c: char) -> bool {
    !matches!(c, '\\' | '/' | '(' | ')' | '{' | '}' | '[' | ']' | ';' | '"' | '#' | '=')
        && !is_newline(c)
        && !is_space(c)
        && !is_forbidden(c)
}

fn looks_like_number(word: &str) -> bool {
    let unsigned = word.strip_prefix(['+', '-']).unwrap_or(word);
    let unsigned = unsigned.strip_prefix('.').unwrap_or(unsigned);
    unsigned.starts_with(|c: char| c.is_ascii_digit())
}

fn check_number(word: &str) -> Result<(), &'static str> {
    let unsigned = word.strip_prefix(['+', '-']).unwrap_or(word);
    let radix = match unsigned.get(..2) {
        Some("0x") => 16,
        Some("0o") => 8,
        Some("0b") => 2,
        _ => 10,
    };
    if radix != 10 {
        return integer(&unsigned[2..], radix);
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    match (mantissa.split_once('.'), exponent) {
        (None, None) => integer(mantissa, 10),
        (None, Some(exponent)) => digits(mantissa, 10).and(digits(exponent, 10)),
        (Some((whole, part)), exponent) => {
            digits(whole, 10).and(digits(part, 10)).and(exponent.map_or(Ok(()), |e| digits(e, 10)))
        }
    }
}

fn digits(text: &str, radix: u32) -> Result<(), &'static str> {
    let well_formed =
        text.starts_with(|c: char| c.is_digit(radix)) && text.chars().all(|c| c == '_' || c.is_digit(radix));
    if well_formed { Ok(()) } else { Err("it has a part that is no digit") }
}

fn integer(text: &str, radix: u32) -> Result<(), &'static str> {
    digits(text, radix)?;
    let value = i128::from_str_radix(&text.replace('_', ""), radix);
    value.map(|_| ()).map_err(|_| "it is too large")
}
