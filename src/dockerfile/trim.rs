//! `${name#pattern}`, `${name%pattern}`, `${name/pattern/text}`.
//!
//! The outer result is the notation's: its error is a mistake. The inner one's error says why the
//! outcome is not followed.

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Start,
    End,
}

type Outcome = Result<Result<String, String>, String>;

/// Beyond these every way to match is no longer tried.
const LONGEST_VALUE: usize = 512;
const LONGEST_PATTERN: usize = 64;

enum Part {
    Char(char),
    /// `?`
    One,
    /// `*`
    Some,
}

/// Cuts the shortest or longest match of `pattern` off one side.
pub(super) fn cut(value: &str, pattern: &str, side: Side, longest: bool) -> Outcome {
    let pattern = parts(pattern)?;
    let chars: Vec<char> = value.chars().collect();
    if is_too_long(&chars, &pattern) {
        return Ok(Err(too_long()));
    }
    let most = chars.len();
    let lengths: Vec<usize> = if longest { (0..=most).rev().collect() } else { (0..=most).collect() };
    let rest = lengths.into_iter().find_map(|length| match side {
        Side::Start => matches(&pattern, &chars[..length]).then(|| &chars[length..]),
        Side::End => matches(&pattern, &chars[most - length..]).then(|| &chars[..most - length]),
    });
    Ok(Ok(rest.map_or_else(|| value.to_owned(), |rest| rest.iter().collect())))
}

/// Replaces the first, or every, longest match of `pattern`.
pub(super) fn replace(value: &str, pattern: &str, text: &str, all: bool) -> Outcome {
    let pattern = parts(pattern)?;
    let chars: Vec<char> = value.chars().collect();
    if is_too_long(&chars, &pattern) {
        return Ok(Err(too_long()));
    }
    if pattern.is_empty() || text.contains(['$', '\\']) {
        return Ok(Err("versions of BuildKit replace it differently".to_owned()));
    }
    let (mut out, mut at, mut done) = (String::new(), 0, false);
    while at < chars.len() {
        let end = (at + 1..=chars.len()).rev().find(|end| matches(&pattern, &chars[at..*end]));
        match end {
            Some(end) if all || !done => {
                out.push_str(text);
                at = end;
                done = true;
            }
            _ => {
                out.push(chars[at]);
                at += 1;
            }
        }
    }
    Ok(Ok(out))
}

fn is_too_long(value: &[char], pattern: &[Part]) -> bool {
    value.len() > LONGEST_VALUE || pattern.len() > LONGEST_PATTERN
}

fn too_long() -> String {
    "it is too long to be cut".to_owned()
}

fn parts(pattern: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        parts.push(match c {
            '*' => Part::Some,
            '?' => Part::One,
            '\\' => match chars.next() {
                Some(c @ ('*' | '?' | '\\' | '/' | '}')) => Part::Char(c),
                Some(c) => return Err(format!("`\\{c}` is no escape in a pattern")),
                None => return Err("a pattern ends in a backslash".to_owned()),
            },
            c => Part::Char(c),
        });
    }
    Ok(parts)
}

/// Whether `pattern` matches the whole text.
fn matches(pattern: &[Part], text: &[char]) -> bool {
    let (mut p, mut t) = (0, 0);
    // Where the last `*` stands, and how far it reached: it takes one more when the rest fails.
    let mut star: Option<(usize, usize)> = None;
    loop {
        match (pattern.get(p), text.get(t)) {
            (Some(Part::Some), _) => {
                star = Some((p, t));
                p += 1;
            }
            (None, None) => return true,
            (Some(Part::One), Some(_)) => (p, t) = (p + 1, t + 1),
            (Some(Part::Char(a)), Some(b)) if a == b => (p, t) = (p + 1, t + 1),
            _ => match star {
                Some((at, reached)) if reached < text.len() => {
                    star = Some((at, reached + 1));
                    (p, t) = (at + 1, reached + 1);
                }
                _ => return false,
            },
        }
    }
}
