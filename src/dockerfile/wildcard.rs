//! Wildcard patterns over `/`-separated paths, in the two dialects that a docker build has.
//!
//! `COPY` sources follow Go's `filepath.Match`; `.dockerignore` follows moby's matcher, which turns
//! a pattern into a regular expression, so that `**`, `^` and negated classes behave as those do.
//! Matching takes at most pattern times path steps, whatever the pattern.

use super::paths::prefixes;

/// A pattern, compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Glob {
    tokens: Vec<Token>,
    /// What a matching path begins and ends with: most do not, and are dismissed at once.
    head: String,
    tail: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Char(char),
    /// `?`: one character that is no slash.
    One,
    /// `*`: characters that are no slashes.
    Star,
    /// `**` at the end: anything.
    Any,
    /// `**` before something: nothing, or anything that ends in a slash. Always followed by `Body`.
    Deep,
    /// The inside of a `Deep`.
    Body,
    /// `^` outside of a class, in moby's dialect: the beginning.
    Begin,
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Glob {
    /// Every character stands for itself.
    pub fn literal(text: &str) -> Self {
        Self::new(text.chars().map(Token::Char).collect())
    }

    /// Go's `filepath.Match`, but that folders before the first wildcard are taken as they are:
    /// BuildKit looks for the rest below them. None when it is malformed.
    pub fn source(pattern: &str) -> Option<Self> {
        let mut tokens = Vec::new();
        let mut wild = false;
        for (at, part) in pattern.split('/').enumerate() {
            if at > 0 {
                tokens.push(Token::Char('/'));
            }
            wild |= has_wildcard(part);
            if wild {
                go(part, &mut tokens)?;
            } else {
                tokens.extend(part.chars().map(Token::Char));
            }
        }
        Some(Self::new(tokens))
    }

    /// moby's dialect. None when it is malformed, or means what nobody can have meant: an escaped
    /// letter, a wildcard or a named class in brackets.
    pub fn moby(pattern: &str) -> Option<Self> {
        // Only what Go's matcher takes is a pattern at all.
        go(pattern, &mut Vec::new())?;
        let chars: Vec<char> = pattern.chars().collect();
        let (mut tokens, mut at) = (Vec::new(), 0);
        while let Some(c) = chars.get(at) {
            at += 1;
            match c {
                '*' if chars.get(at) == Some(&'*') => {
                    at += 1;
                    at += usize::from(chars.get(at) == Some(&'/'));
                    if at == chars.len() {
                        tokens.push(Token::Any);
                    } else {
                        tokens.extend([Token::Deep, Token::Body]);
                    }
                }
                '*' => tokens.push(Token::Star),
                '?' => tokens.push(Token::One),
                '^' => tokens.push(Token::Begin),
                '[' => tokens.push(class(&chars, &mut at, true)?),
                '\\' => {
                    let escaped = chars.get(at)?;
                    if escaped.is_ascii_alphanumeric() || !escaped.is_ascii() {
                        return None;
                    }
                    tokens.push(Token::Char(*escaped));
                    at += 1;
                }
                c => tokens.push(Token::Char(*c)),
            }
        }
        Some(Self::new(tokens))
    }

    fn new(tokens: Vec<Token>) -> Self {
        fn literal<'t>(tokens: impl Iterator<Item = &'t Token>) -> Vec<char> {
            let chars = tokens.map_while(|token| match token {
                Token::Char(c) => Some(*c),
                _ => None,
            });
            chars.collect()
        }
        let head = literal(tokens.iter()).iter().collect();
        let tail = literal(tokens.iter().rev()).iter().rev().collect();
        Self { tokens, head, tail }
    }

    /// Whether the whole path matches.
    pub fn matches(&self, path: &str) -> bool {
        path.starts_with(&self.head) && path.ends_with(&self.tail) && run(&self.tokens, path)
    }

    /// Whether the path or a folder above it matches.
    pub fn covers(&self, path: &str) -> bool {
        prefixes(path).any(|prefix| self.matches(prefix))
    }

    /// Whether anything strictly below `folder` could match. Says yes where it cannot tell.
    pub fn reaches_below(&self, folder: &str) -> bool {
        if folder.is_empty() {
            return true;
        }
        if self.tokens.iter().any(Token::may_be_slash) {
            let inside = format!("{folder}/");
            return self.head.starts_with(&inside) || inside.starts_with(&self.head);
        }
        let mut parts = self.tokens.split(|token| *token == Token::Char('/'));
        folder.split('/').all(|name| parts.next().is_some_and(|part| run(part, name)))
            && parts.next().is_some()
    }
}

impl Token {
    /// Whether it can stand for a slash without being one.
    fn may_be_slash(&self) -> bool {
        match self {
            Self::Char(_) | Self::One | Self::Star | Self::Begin => false,
            Self::Any | Self::Deep | Self::Body => true,
            Self::Class { .. } => self.takes('/'),
        }
    }

    /// Whether it takes this one character.
    fn takes(&self, c: char) -> bool {
        match self {
            Self::Char(own) => *own == c,
            Self::One | Self::Star => c != '/',
            // Go's `.` is no line end.
            Self::Any | Self::Body => c != '\n',
            Self::Deep | Self::Begin => false,
            Self::Class { negated, ranges } => {
                ranges.iter().any(|(from, to)| (*from..=*to).contains(&c)) != *negated
            }
        }
    }
}

/// Whether Go would look for a wildcard in it: an escaped one is none.
pub(super) fn has_wildcard(text: &str) -> bool {
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '*' | '?' | '[' => return true,
            '\\' => drop(chars.next()),
            _ => {}
        }
    }
    false
}

/// Runs all ways to match side by side, one character after another.
fn run(tokens: &[Token], text: &str) -> bool {
    let mut here = vec![false; tokens.len() + 1];
    here[0] = true;
    skip(tokens, &mut here, true);
    for c in text.chars() {
        let mut there = vec![false; tokens.len() + 1];
        let mut alive = false;
        for (at, token) in tokens.iter().enumerate().filter(|(at, _)| here[*at]) {
            if !token.takes(c) {
                continue;
            }
            alive = true;
            match token {
                Token::Star | Token::Any => there[at] = true,
                Token::Body => {
                    there[at] = true;
                    there[at + 1] |= c == '/';
                }
                _ => there[at + 1] = true,
            }
        }
        if !alive {
            return false;
        }
        skip(tokens, &mut there, false);
        here = there;
    }
    here[tokens.len()]
}

/// Steps that take no character only lead forward, so one sweep finds them all.
fn skip(tokens: &[Token], states: &mut [bool], is_begin: bool) {
    for (at, token) in tokens.iter().enumerate() {
        if !states[at] {
            continue;
        }
        match token {
            Token::Star | Token::Any => states[at + 1] = true,
            Token::Deep => {
                states[at + 1] = true;
                states[at + 2] = true;
            }
            Token::Begin if is_begin => states[at + 1] = true,
            _ => {}
        }
    }
}

/// Appends what Go's `filepath.Match` makes of `pattern`; none when it is malformed.
fn go(pattern: &str, tokens: &mut Vec<Token>) -> Option<()> {
    let chars: Vec<char> = pattern.chars().collect();
    let mut at = 0;
    while let Some(c) = chars.get(at) {
        at += 1;
        tokens.push(match c {
            '*' => Token::Star,
            '?' => Token::One,
            '[' => class(&chars, &mut at, false)?,
            '\\' => {
                at += 1;
                Token::Char(*chars.get(at - 1)?)
            }
            c => Token::Char(*c),
        });
    }
    Some(())
}

/// A class, after its `[`. `strict` refuses what a regular expression reads differently.
fn class(chars: &[char], at: &mut usize, strict: bool) -> Option<Token> {
    let negated = chars.get(*at) == Some(&'^');
    *at += usize::from(negated);
    let mut ranges = Vec::new();
    loop {
        if chars.get(*at) == Some(&']') && !ranges.is_empty() {
            *at += 1;
            return Some(Token::Class { negated, ranges });
        }
        let from = member(chars, at, strict)?;
        let mut to = from;
        if chars.get(*at) == Some(&'-') {
            *at += 1;
            to = member(chars, at, strict)?;
        }
        if strict && from > to {
            return None;
        }
        ranges.push((from, to));
    }
}

fn member(chars: &[char], at: &mut usize, strict: bool) -> Option<char> {
    let c = *chars.get(*at)?;
    *at += 1;
    match c {
        '-' | ']' => None,
        '*' | '?' if strict => None,
        '[' if strict && chars.get(*at) == Some(&':') => None,
        '\\' => {
            let escaped = *chars.get(*at)?;
            *at += 1;
            (!strict || !escaped.is_ascii_alphanumeric()).then_some(escaped)
        }
        c => Some(c),
    }
}
