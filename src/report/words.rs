//! The one place where a [`Reason`] becomes words.
//!
//! A reason's values are digests, sizes and texts that count in a key; secrets never get that far,
//! so everything in a reason may be shown. Nothing here colours or aligns.

use crate::key::Value;
use crate::plan::{Code, Instruction, Reason};
use crate::report::quantity::{count, size, size_change};
use crate::tree::{Change, ChangeKind, Entry};

/// Characters of one side of a text's old → new.
const TEXT: usize = 56;

/// Characters of a long text that are kept before the first difference.
const LEAD: usize = 12;

/// One reason as one line: `` `input app` changed: `src/a.php` modified, 4.1 → 4.3 KiB ``.
pub fn cause(reason: &Reason) -> String {
    match difference(reason).filter(|_| reason.label != "assumed") {
        Some(difference) => format!("{}: {difference}", subject(reason)),
        None => subject(reason),
    }
}

/// All reasons of one node as one line: the first root cause, and how many more there are.
pub fn headline(reasons: &[Reason]) -> String {
    let Some(first) = reasons.iter().find(|r| is_root(r.code)).or(reasons.first()) else {
        return String::new();
    };
    match reasons.len() - 1 {
        0 => cause(first),
        more => format!("{} (and {})", cause(first), count(more, "more cause")),
    }
}

/// That checks of a binary have neither passed nor failed: ``check `version` was not run: …``.
pub fn not_run(checks: &[String], reason: &str) -> String {
    let names: Vec<String> = checks.iter().map(|check| format!("`{check}`")).collect();
    let (noun, verb) = if names.len() == 1 { ("check", "was") } else { ("checks", "were") };
    format!("{noun} {} {verb} not run: {reason}", names.join(", "))
}

/// Whether the cause lies in the node itself and not in what runs before it.
pub fn is_root(code: Code) -> bool {
    !matches!(code, Code::UpstreamChanged | Code::UpstreamStale)
}

/// What happened, without old and new.
pub fn subject(reason: &Reason) -> String {
    let label = &reason.label;
    let other = reason.node.as_ref().map_or(label.as_str(), |node| node.as_ref());
    match reason.code {
        Code::NeverBuilt => "never built".to_owned(),
        Code::InputChanged
        | Code::OptionChanged
        | Code::EnvironmentChanged
        | Code::DockerfileChanged
        | Code::PlatformChanged => format!("`{label}` changed"),
        Code::FromMoved => {
            format!("`{}` means another image", label.strip_prefix("from ").unwrap_or(label))
        }
        Code::UpstreamChanged => format!("upstream `{other}` changed"),
        Code::UpstreamStale => format!("upstream `{other}` must run first"),
        // Not a component of the file's: `--assume-fresh` puts it there.
        Code::ComponentAdded | Code::ComponentRemoved if label == "assumed" => match reason.code {
            Code::ComponentAdded => "built from what is assumed to be fresh".to_owned(),
            _ => "no longer built from what was assumed to be fresh".to_owned(),
        },
        Code::ComponentAdded => format!("`{label}` is new"),
        Code::ComponentRemoved => format!("`{label}` is gone"),
        Code::ArtifactMissing => "its artifact is no longer in the store".to_owned(),
        Code::ImageMissing => "its image is no longer in the engine".to_owned(),
        Code::TagMissing => format!("tag `{label}` is missing"),
        Code::TagMoved => format!("tag `{label}` was moved to another image"),
        Code::Forced => "asked for with `--force`".to_owned(),
        Code::Rebuild => "asked for with `--rebuild`".to_owned(),
        Code::OutputMissing => format!("output `{label}` is missing"),
        Code::OutputAltered => format!("output `{label}` was altered"),
        Code::PublishingChanged => format!("output `{label}` is not published yet"),
        Code::GateChanged => format!("`{label}` is not verified yet"),
    }
}

/// Old → new, as far as the reason has them.
fn difference(reason: &Reason) -> Option<String> {
    if let Some(first) = reason.changes.first() {
        let rest = reason.changes.len() - 1;
        return Some(match (rest, reason.more) {
            (0, false) => one_change(first),
            (0, true) => format!("`{}` and more paths", first.path),
            (_, false) => format!("`{}` and {}", first.path, count(rest, "more path")),
            (_, true) => format!("`{}` and more than {}", first.path, count(rest, "more path")),
        });
    }
    if reason.code == Code::DockerfileChanged
        && let Some(first) = reason.instructions.first()
    {
        let told = instruction(first);
        return Some(match reason.instructions.len() - 1 {
            0 => told,
            more => format!("{told} and {}", count(more, "more instruction")),
        });
    }
    Some(match (&reason.old, &reason.new) {
        (Some(old), Some(new)) => value_change(old, new),
        (None, Some(new)) => value(new),
        (Some(old), None) => format!("was {}", value(old)),
        (None, None) => return None,
    })
}

fn one_change(change: &Change) -> String {
    let verb = match change.kind {
        ChangeKind::Added => "added",
        ChangeKind::Removed => "removed",
        ChangeKind::Modified => "modified",
    };
    format!("`{}` {verb}, {}", change.path, change_size(change))
}

/// An instruction that differs: `line 4, "RUN a" → "RUN b"`.
pub fn instruction(one: &Instruction) -> String {
    let line = one.line.map_or_else(String::new, |line| format!("line {line}, "));
    match (&one.old, &one.new) {
        (Some(old), Some(new)) => {
            let same = old.chars().zip(new.chars()).take_while(|(a, b)| a == b).count();
            format!("{line}{} → {}", quote(old, same), quote(new, same))
        }
        (None, Some(new)) => format!("{line}{} is new", quote(new, 0)),
        (Some(old), None) => format!("{} is gone", quote(old, 0)),
        (None, None) => line,
    }
}

/// How many paths a reason lists: `1 path`, `3 paths`, `more than 100 paths`.
pub fn paths(reason: &Reason) -> String {
    let paths = count(reason.changes.len(), "path");
    if reason.more { format!("more than {paths}") } else { paths }
}

/// `M`, `A` or `D`, as git has them.
pub const fn mark(kind: ChangeKind) -> char {
    match kind {
        ChangeKind::Added => 'A',
        ChangeKind::Removed => 'D',
        ChangeKind::Modified => 'M',
    }
}

/// What a changed path is and was: `4.1 → 4.3 KiB`, `812 B`, `mode 644 → 755`.
pub fn change_size(change: &Change) -> String {
    match (&change.old, &change.new) {
        (Some(old), Some(new)) => entry_change(old, new),
        (Some(one), None) | (None, Some(one)) => entry(one),
        (None, None) => "unknown".to_owned(),
    }
}

/// One value: `"--release"`, `4.1 KiB`, `folder 0123456789ab`, `image 0123456789ab`.
pub fn value(value: &Value) -> String {
    match value {
        Value::Text(text) => {
            let line = text.lines().next().unwrap_or("");
            let quoted = quote(line, 0);
            match text.lines().count() {
                0 | 1 => quoted,
                lines => format!("{quoted} (first of {})", count(lines, "line")),
            }
        }
        Value::Entry(one) => entry(one),
        Value::Image(digest) => format!("image {}", digest.short()),
    }
}

fn value_change(old: &Value, new: &Value) -> String {
    match (old, new) {
        (Value::Text(old), Value::Text(new)) => match (image_digest(old), image_digest(new)) {
            (Some(old), Some(new)) => format!("{old} → {new}"),
            _ => text_change(old, new),
        },
        (Value::Entry(old), Value::Entry(new)) => entry_change(old, new),
        (Value::Image(old), Value::Image(new)) => format!("image {} → {}", old.short(), new.short()),
        _ => format!("{} → {}", value(old), value(new)),
    }
}

/// `sha256:0123456789ab` of a whole one.
fn image_digest(text: &str) -> Option<&str> {
    let digits = text.strip_prefix("sha256:").filter(|digits| digits.len() == 64)?;
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| &text[.."sha256:".len() + 12])
}

fn entry(entry: &Entry) -> String {
    match entry {
        Entry::File { size: bytes, executable: false, .. } => size(*bytes),
        Entry::File { size: bytes, executable: true, .. } => format!("{}, mode 755", size(*bytes)),
        Entry::Symlink { target } => format!("link to `{target}`"),
        Entry::Directory { digest } => format!("folder {}", digest.0.short()),
    }
}

fn entry_change(old: &Entry, new: &Entry) -> String {
    match (old, new) {
        (
            Entry::File { digest: a, size: x, executable: p },
            Entry::File { digest: b, size: y, executable: q },
        ) => {
            let mut parts = Vec::new();
            if x != y {
                parts.push(size_change(*x, *y));
            } else if a != b {
                parts.push(format!("{}, {} → {}", size(*x), a.short(), b.short()));
            }
            if p != q {
                parts.push(format!("mode {} → {}", mode(*p), mode(*q)));
            }
            parts.join(", ")
        }
        (Entry::Directory { digest: a }, Entry::Directory { digest: b }) => {
            format!("folder {} → {}", a.0.short(), b.0.short())
        }
        _ => format!("{} → {}", entry(old), entry(new)),
    }
}

const fn mode(executable: bool) -> &'static str {
    if executable { "755" } else { "644" }
}

/// The first line that differs, each side cut to the part around the first difference: the
/// output of `tool --version` may be long, and what differs in it is one number.
fn text_change(old: &str, new: &str) -> String {
    let (mut a, mut b) = (old.lines(), new.lines());
    let mut number = 1;
    loop {
        let (x, y) = (a.next(), b.next());
        let (x, y) = match (x, y) {
            (None, None) => return "only line ends differ".to_owned(),
            (x, y) if x == y => {
                number += 1;
                continue;
            }
            sides => sides,
        };
        let same = x.unwrap_or("").chars().zip(y.unwrap_or("").chars()).take_while(|(p, q)| p == q).count();
        let side = |line: Option<&str>| line.map_or_else(|| "nothing".to_owned(), |line| quote(line, same));
        let several = old.lines().nth(1).is_some() || new.lines().nth(1).is_some();
        let line = if several { format!("line {number}, ") } else { String::new() };
        return format!("{line}{} → {}", side(x), side(y));
    }
}

/// `text` in quotes, control characters escaped, at most [`TEXT`] characters around `focus`. Words that
/// stand in quotes, as those of a command do, are not quoted again.
fn quote(text: &str, focus: usize) -> String {
    let is_quoted = text.len() > 1 && text.starts_with('"') && text.ends_with('"');
    let mark = if is_quoted { "" } else { "\"" };
    let length = text.chars().count();
    let start = if length <= TEXT { 0 } else { focus.saturating_sub(LEAD).min(length - TEXT) };
    let mut out = String::from(mark);
    if start > 0 {
        out.push('…');
    }
    for char in text.chars().skip(start).take(TEXT) {
        if char == '\'' || (is_quoted && matches!(char, '"' | '\\')) {
            out.push(char);
        } else {
            out.extend(char.escape_debug());
        }
    }
    if start + TEXT < length {
        out.push('…');
    }
    out.push_str(mark);
    out
}

#[cfg(test)]
mod tests;
