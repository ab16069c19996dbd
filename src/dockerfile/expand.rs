//! Variables, quotes and escapes of one word, as BuildKit treats them.
//!
//! Knows the notation; what a variable holds is asked of the caller. What nobody can tell makes
//! the word unknown, with the reason.

use std::collections::BTreeSet;

use super::trim;

/// What a word or a variable comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Known(String),
    /// Why it cannot be told.
    Unknown(String),
}

/// What a variable holds.
pub(super) enum Found {
    Set(String),
    Unset,
    /// Why it cannot be told.
    Unknown(String),
}

/// A word after expansion.
#[derive(Debug)]
pub(super) struct Expanded {
    pub value: Value,
    /// Every name that was asked for, also where its value made no difference.
    pub used: BTreeSet<String>,
}

/// Values longer than this are not followed: `ENV A=$A$A` doubles with every line.
const LONGEST: usize = 1 << 16;

/// `${a:-${b:-…}}` deeper than this is a mistake, not a stack overflow.
const DEEPEST: usize = 32;

/// Expands `word`; the error says what is wrong with its notation.
pub(super) fn expand(word: &str, escape: char, find: &dyn Fn(&str) -> Found) -> Result<Expanded, String> {
    let mut reader = Reader {
        chars: word.chars().collect(),
        at: 0,
        escape,
        find,
        unknown: None,
        used: BTreeSet::new(),
        depth: 0,
    };
    let text = reader.until(None, false)?;
    let value = match reader.unknown {
        Some(why) => Value::Unknown(why),
        None => Value::Known(text),
    };
    Ok(Expanded { value, used: reader.used })
}

struct Reader<'f> {
    chars: Vec<char>,
    at: usize,
    escape: char,
    find: &'f dyn Fn(&str) -> Found,
    /// The first thing that could not be told and would have mattered.
    unknown: Option<String>,
    used: BTreeSet<String>,
    depth: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek();
        self.at += usize::from(c.is_some());
        c
    }

    /// Up to `stop`, which is taken too, or to the end. `raw` keeps escapes for a pattern.
    fn until(&mut self, stop: Option<char>, raw: bool) -> Result<String, String> {
        let mut out = String::new();
        while let Some(c) = self.next() {
            if Some(c) == stop {
                return Ok(out);
            }
            match c {
                '$' => out.push_str(&self.dollar()?),
                '\'' => self.single_quoted(&mut out)?,
                '"' => self.double_quoted(&mut out, raw)?,
                c if c == self.escape => {
                    if raw {
                        out.push(c);
                    }
                    out.extend(self.next());
                }
                c => out.push(c),
            }
            self.limit(&mut out);
        }
        match stop {
            Some(stop) => Err(format!("`{stop}` is missing")),
            None => Ok(out),
        }
    }

    fn limit(&mut self, out: &mut String) {
        if out.len() > LONGEST {
            self.unknown.get_or_insert_with(|| format!("it has more than {LONGEST} bytes"));
            out.clear();
        }
    }

    fn single_quoted(&mut self, out: &mut String) -> Result<(), String> {
        loop {
            match self.next() {
                Some('\'') => return Ok(()),
                Some(c) => out.push(c),
                None => return Err("a single quote does not close".to_owned()),
            }
        }
    }

    fn double_quoted(&mut self, out: &mut String, raw: bool) -> Result<(), String> {
        loop {
            match self.next() {
                Some('"') => return Ok(()),
                Some('$') => out.push_str(&self.dollar()?),
                Some(c) if c == self.escape => {
                    if raw {
                        out.push(c);
                    }
                    match self.peek() {
                        None => {}
                        // Only these are escaped between double quotes.
                        Some(next) if next == '"' || next == '$' || next == self.escape => {
                            out.extend(self.next());
                        }
                        Some(_) => out.push(c),
                    }
                }
                Some(c) => out.push(c),
                None => return Err("a double quote does not close".to_owned()),
            }
            self.limit(out);
        }
    }

    /// After a `$`.
    fn dollar(&mut self) -> Result<String, String> {
        if self.peek() != Some('{') {
            let name = self.name();
            return Ok(if name.is_empty() { "$".to_owned() } else { self.plain(&name) });
        }
        self.at += 1;
        if let None | Some('{' | '}' | ':') = self.peek() {
            return Err("`${` is not followed by a name".to_owned());
        }
        if self.depth == DEEPEST {
            return Err(format!("more than {DEEPEST} `${{` inside each other"));
        }
        self.depth += 1;
        let value = self.braced();
        self.depth -= 1;
        value
    }

    /// After a `${`.
    fn braced(&mut self) -> Result<String, String> {
        let name = self.name();
        match self.next() {
            Some('}') => Ok(self.plain(&name)),
            Some(':') => match self.next() {
                Some(sign @ ('-' | '+' | '?')) => self.alternative(&name, sign, true),
                other => Err(unsupported(&format!(":{}", other.map(String::from).unwrap_or_default()))),
            },
            Some(sign @ ('-' | '+' | '?')) => self.alternative(&name, sign, false),
            Some(sign @ ('#' | '%')) => self.trimmed(&name, sign),
            Some('/') => self.replaced(&name),
            Some(other) => Err(unsupported(&other.to_string())),
            None => Err("`}` is missing".to_owned()),
        }
    }

    fn plain(&mut self, name: &str) -> String {
        match self.look_up(name) {
            Found::Set(value) => value,
            Found::Unset => String::new(),
            Found::Unknown(why) => self.untold(why),
        }
    }

    /// `${name-word}`, `${name+word}`, `${name?word}`; with a colon, empty counts as unset.
    fn alternative(&mut self, name: &str, sign: char, colon: bool) -> Result<String, String> {
        // The word is read in any case, but only matters where it is taken.
        let before = self.unknown.take();
        let word = self.until(Some('}'), false)?;
        let unknown_word = std::mem::replace(&mut self.unknown, before);
        let value = match self.look_up(name) {
            Found::Set(value) if colon && value.is_empty() => None,
            Found::Set(value) => Some(value),
            Found::Unset => None,
            Found::Unknown(why) => return Ok(self.untold(why)),
        };
        match (sign, value) {
            ('-' | '?', Some(value)) => Ok(value),
            ('+', None) => Ok(String::new()),
            ('?', None) => {
                let why = if colon { "must not be empty" } else { "must be set" };
                Err(format!("`{name}` {}", if word.is_empty() { why } else { &word }))
            }
            _ => match unknown_word {
                Some(why) => Ok(self.untold(why)),
                None => Ok(word),
            },
        }
    }

    /// `${name#pattern}`, `${name%%pattern}`
    fn trimmed(&mut self, name: &str, sign: char) -> Result<String, String> {
        let word = self.until(Some('}'), true)?;
        let (pattern, longest) = match word.strip_prefix(sign) {
            Some(pattern) => (pattern, true),
            None => (&*word, false),
        };
        let value = self.plain(name);
        let side = if sign == '#' { trim::Side::Start } else { trim::Side::End };
        Ok(trim::cut(&value, pattern, side, longest)?.unwrap_or_else(|why| self.untold(why)))
    }

    /// `${name/pattern/text}`, `${name//pattern/text}`
    fn replaced(&mut self, name: &str) -> Result<String, String> {
        let all = self.peek() == Some('/');
        self.at += usize::from(all);
        let pattern = self.until(Some('/'), true)?;
        let text = self.until(Some('}'), true)?;
        let value = self.plain(name);
        Ok(trim::replace(&value, &pattern, &text, all)?.unwrap_or_else(|why| self.untold(why)))
    }

    fn untold(&mut self, why: String) -> String {
        self.unknown.get_or_insert(why);
        String::new()
    }

    fn look_up(&mut self, name: &str) -> Found {
        // `$1`, `$@` and the like are parameters of a shell, which no Dockerfile sets.
        if !name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            return Found::Unset;
        }
        self.used.insert(name.to_owned());
        (self.find)(name)
    }

    fn name(&mut self) -> String {
        match self.peek() {
            Some(c) if c.is_numeric() => self.take_while(char::is_numeric),
            Some(c) if "@*#?-$!".contains(c) => {
                self.at += 1;
                c.to_string()
            }
            _ => self.take_while(|c| c.is_alphanumeric() || c == '_'),
        }
    }

    fn take_while(&mut self, is_part: impl Fn(char) -> bool) -> String {
        let begin = self.at;
        while self.peek().is_some_and(&is_part) {
            self.at += 1;
        }
        self.chars[begin..self.at].iter().collect()
    }
}

fn unsupported(sign: &str) -> String {
    format!("`{sign}` after a variable's name is not supported")
}
