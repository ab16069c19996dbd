//! `.dockerignore`, as BuildKit's walk through a context applies it: the last line wins.
//!
//! A line that matches a folder applies to all below it. An exception (`!`) is only looked at where
//! something is left out by then; so one that matches a folder says nothing about what a line left
//! out below it. Knows nothing of where the file lies but its names.

use super::paths::{clean, prefixes};
use super::wildcard::Glob;

/// The rules of one file.
#[derive(Clone, Debug, Default)]
pub struct Ignore {
    rules: Vec<Rule>,
}

/// Which lines apply to a folder, and so to all below it.
#[derive(Clone, Debug, Default)]
pub struct Above {
    applied: Vec<bool>,
}

#[derive(Clone, Debug)]
struct Rule {
    /// `!`: what matches is not left out after all.
    is_exception: bool,
    shape: Shape,
    /// From 1.
    line: u32,
    /// As written.
    text: String,
}

/// moby matches the simple ones as text. That is more than speed: `^` stands for itself there.
#[derive(Clone, Debug)]
enum Shape {
    Exact(String),
    /// `text**`
    Prefix(String),
    /// `**text`
    Suffix(String),
    Glob(Glob),
}

/// A line that is no pattern, or one that moby reads as nobody means it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{pattern}` in line {line} of the ignore file is no pattern")]
pub struct BadPattern {
    pub pattern: String,
    /// From 1.
    pub line: u32,
}

impl BadPattern {
    pub fn help(&self) -> String {
        match &*self.pattern {
            "!" => "name what is to be kept after the `!`".to_owned(),
            _ => "patterns have `*`, `**`, `?`, `[a-z]`, and `\\` before a sign that shall stand for itself"
                .to_owned(),
        }
    }
}

impl Ignore {
    /// In the context's root.
    pub const NAME: &str = ".dockerignore";

    /// The file beside a Dockerfile that takes the place of the one in the context's root.
    pub fn own_name(dockerfile: &str) -> String {
        format!("{dockerfile}{}", Self::NAME)
    }

    /// Reads the file's lines: comments and blank ones say nothing.
    pub fn parse(text: &str) -> Result<Self, BadPattern> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut rules = Vec::new();
        for (line, number) in text.split('\n').zip(1..) {
            let line = line.strip_suffix('\r').unwrap_or(line);
            if line.starts_with('#') {
                continue;
            }
            let line = line.trim();
            if line.is_empty() {
                continue;
            }
            let (pattern, is_exception) = match line.strip_prefix('!') {
                Some(pattern) => (pattern.trim(), true),
                None => (line, false),
            };
            let cleaned = if pattern.is_empty() { String::new() } else { clean(pattern) };
            let cleaned = match cleaned.strip_prefix('/') {
                Some(rest) if !rest.is_empty() => rest,
                _ => &cleaned,
            };
            // An exception is cleaned once more with its sign, which makes nothing of `!/`.
            let is_nothing = is_exception && (cleaned.is_empty() || cleaned == "/");
            let shape = if is_nothing { None } else { Shape::of(cleaned) };
            let Some(shape) = shape else {
                return Err(BadPattern { pattern: line.to_owned(), line: number });
            };
            rules.push(Rule { is_exception, shape, line: number, text: line.to_owned() });
        }
        Ok(Self { rules })
    }

    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether the path, from the context's root, is left out of the context. A folder that is may
    /// still hold something that is not, and then stands in the context for its sake.
    pub fn excludes(&self, path: &str) -> bool {
        let mut excluded = false;
        let mut above = Above::default();
        for prefix in prefixes(path) {
            (excluded, above) = self.judge(prefix, &above);
        }
        excluded
    }

    /// The line that leaves a path out of the context, and its number; none for one that is in it.
    pub fn by(&self, path: &str) -> Option<(u32, &str)> {
        let (mut excluded, mut above) = (false, Above::default());
        for prefix in prefixes(path) {
            (excluded, above) = self.judge(prefix, &above);
        }
        // The last line that applied is the one that decided.
        let at = above.applied.iter().rposition(|applied| *applied).filter(|_| excluded)?;
        Some((self.rules[at].line, &self.rules[at].text))
    }

    /// The same for a walk, which asks folder by folder: with what was found out for the folder
    /// above, the default for names in the root.
    pub fn judge(&self, path: &str, above: &Above) -> (bool, Above) {
        let mut excluded = false;
        let mut applied = vec![false; self.rules.len()];
        for (at, rule) in self.rules.iter().enumerate() {
            let applies = above.applied.get(at).copied().unwrap_or(false)
                || (rule.is_exception == excluded && rule.shape.matches(path));
            applied[at] = applies;
            if applies {
                excluded = !rule.is_exception;
            }
        }
        (excluded, Above { applied })
    }

    /// Whether something below a folder that is left out may be kept after all. Where not, a walk
    /// need not look into it.
    pub fn may_reinclude_below(&self, folder: &str) -> bool {
        self.rules.iter().any(|rule| rule.is_exception && rule.shape.reaches_below(folder))
    }
}

impl Shape {
    fn of(pattern: &str) -> Option<Self> {
        let glob = Glob::moby(pattern)?;
        let is_plain = |text: &str| !text.contains(['*', '?', '[', ']', '\\']);
        Some(match pattern.strip_prefix("**") {
            Some(rest) if is_plain(rest) => Self::Suffix(rest.to_owned()),
            Some(_) => Self::Glob(glob),
            None if is_plain(pattern) => Self::Exact(pattern.to_owned()),
            None => match pattern.strip_suffix("**") {
                Some(rest) if is_plain(rest) => Self::Prefix(rest.to_owned()),
                _ => Self::Glob(glob),
            },
        })
    }

    fn matches(&self, path: &str) -> bool {
        match self {
            Self::Exact(text) => path == text,
            Self::Prefix(text) => path.starts_with(text),
            Self::Suffix(text) => path.ends_with(text) || text.strip_prefix('/') == Some(path),
            Self::Glob(glob) => glob.matches(path),
        }
    }

    fn reaches_below(&self, folder: &str) -> bool {
        let inside = format!("{folder}/");
        match self {
            _ if folder.is_empty() => true,
            Self::Exact(text) => text.starts_with(&inside),
            Self::Prefix(text) => text.starts_with(&inside) || inside.starts_with(text),
            Self::Suffix(_) => true,
            Self::Glob(glob) => glob.reaches_below(folder),
        }
    }
}
