//! `source-archive`: the application's tree.

use crate::pipeline::decode::{archive, children};
use crate::pipeline::diagnostic::Diagnostic;
use crate::pipeline::model::{Placed, Source, SourceArchive, Span, Spanned};
use crate::pipeline::scope::Scope;
use crate::pipeline::syntax::SyntaxNode;

const CHILDREN: [&str; 7] = ["auto", "git", "dir", "exclude", "overlay", "output", "archive"];

pub(super) fn decode(scope: &Scope, node: &SyntaxNode) -> Option<SourceArchive> {
    let mut places: Vec<Place> = Vec::new();
    let (mut excludes, mut overlays, mut archives) = (Vec::new(), Vec::new(), Vec::new());
    let mut output = None;
    let mistakes = scope.count();
    children(scope, node, &CHILDREN, |seen, child| {
        match child.name() {
            "git" | "auto" | "dir" => {
                scope.once(seen, child);
                places.extend(place(scope, child));
            }
            "exclude" => {
                scope.shape(child, &[]);
                excludes.extend(scope.arguments(child).into_iter().filter_map(|glob| scope.filled(glob)));
                seen.note(child);
            }
            "overlay" => {
                overlays.extend(placed(scope, child));
                seen.note(child);
            }
            "output" => {
                scope.once(seen, child);
                scope.shape(child, &[]);
                output = scope.path(child);
            }
            "archive" => {
                archives.extend(archive::decode(scope, child));
                seen.note(child);
            }
            _ => return false,
        }
        true
    });
    // One with a mistake was reported; without it another would be first.
    let source = if scope.count() == mistakes { choose(scope, node, places) } else { None };
    Some(SourceArchive { source: source?, excludes, overlays, output, archives })
}

/// A `git`, `dir` or `auto` as it is written.
struct Place {
    source: Source,
    path: Spanned<String>,
    /// Its word in the file.
    word: Span,
    /// Whether what it says depends on a parameter, so that it may be empty.
    may_be_empty: bool,
}

/// The first of several that says anything. Nothing is tried: one that is written and does not work is
/// an error, and never a reason to take the next.
fn choose(scope: &Scope, node: &SyntaxNode, places: Vec<Place>) -> Option<Source> {
    if places.is_empty() {
        let message = "`source-archive` needs `git`, `dir` or `auto`";
        let mistake = Diagnostic::new("missing-child", message, node.name_span(), "has neither");
        scope.report(mistake.help("add `git \"path\" ref=\"HEAD\"` for committed files, or `dir \"path\"`"));
        return None;
    }
    if let Some(at) = places.iter().position(|place| !place.may_be_empty)
        && let Some(after) = places.get(at + 1)
    {
        let message = "a source is the first of `git`, `dir` and `auto` that is not empty";
        let mistake = Diagnostic::new("mixed-source", message, after.word, "never reached");
        let mistake = mistake.label(places[at].word, "never empty");
        scope.report(mistake.help("write one of them, or give the earlier one's path by a parameter"));
        return None;
    }
    let spans: Vec<Span> = places.iter().map(|place| place.path.span).collect();
    let chosen = places.into_iter().find(|place| !place.path.value.is_empty());
    if chosen.is_none() {
        let mut spans = spans.into_iter();
        let first = spans.next().unwrap_or_default();
        let mistake = Diagnostic::new("empty-value", "the source is empty", first, "something belongs here");
        let mistake = spans.fold(mistake, |mistake, span| mistake.label(span, "or here"));
        scope.report(mistake.help("give the path of a repository or a folder"));
    }
    chosen.map(|place| place.source)
}

fn place(scope: &Scope, node: &SyntaxNode) -> Option<Place> {
    let versioned = node.name() != "dir";
    scope.shape(node, if versioned { &["ref", "submodules"] } else { &[] });
    let argument = scope.single(node);
    let path = argument.as_ref().and_then(|argument| scope.text(argument));
    let submodules = scope.boolean(node, "submodules").unwrap_or(false);
    let reference = match node.property("ref").filter(|_| versioned) {
        Some(entry) => scope.text(&entry).and_then(|reference| scope.filled(reference)),
        None => Some(Spanned::new("HEAD".to_owned(), node.name_span())),
    };
    let reference = reference?;
    // git would read it as an option.
    if reference.value.starts_with('-') {
        let message = format!("`{}` is no git reference", reference.value);
        scope.bad_value(reference.span, message, "name a branch, a tag or a commit");
        return None;
    }
    let may_be_empty = scope.literal_text(&argument?)?.value.contains("${");
    let path = path?;
    let source = match node.name() {
        "git" => Source::Git { path: path.clone(), reference, submodules },
        "auto" => Source::Auto { path: path.clone(), reference, submodules },
        _ => Source::Dir { path: path.clone() },
    };
    Some(Place { source, path, word: node.name_span(), may_be_empty })
}

/// `overlay "a" into="b"`, `copy "a" into="b"`.
pub(super) fn placed(scope: &Scope, node: &SyntaxNode) -> Option<Placed> {
    scope.shape(node, &["into"]);
    let (from, into) = (scope.path(node), scope.into(node));
    Some(Placed { from: from?, into: into? })
}
