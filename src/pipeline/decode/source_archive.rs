//! `source-archive`: the application's tree.

use crate::pipeline::decode::{archive, children};
use crate::pipeline::diagnostic::Diagnostic;
use crate::pipeline::model::{Placed, Source, SourceArchive, Spanned};
use crate::pipeline::scope::Scope;
use crate::pipeline::syntax::SyntaxNode;

const CHILDREN: [&str; 7] = ["auto", "git", "dir", "exclude", "overlay", "output", "archive"];

pub(super) fn decode(scope: &Scope, node: &SyntaxNode) -> Option<SourceArchive> {
    let mut source = None;
    let (mut excludes, mut overlays, mut archives) = (Vec::new(), Vec::new(), Vec::new());
    let mut output = None;
    let seen = children(scope, node, &CHILDREN, |seen, child| {
        match child.name() {
            "git" => {
                scope.once(seen, child);
                source = git(scope, child);
            }
            "auto" => {
                scope.once(seen, child);
                source = git(scope, child).map(|source| match source {
                    Source::Git { path, reference, submodules } => {
                        Source::Auto { path, reference, submodules }
                    }
                    other => other,
                });
            }
            "dir" => {
                scope.once(seen, child);
                scope.shape(child, &[]);
                source = place(scope, child).map(|path| Source::Dir { path });
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
    let mut given: Vec<_> = ["auto", "git", "dir"].iter().filter_map(|word| seen.place(word)).collect();
    given.sort();
    match given.as_slice() {
        [first, .., last] => {
            let message = "a source is one of `git`, `dir` and `auto`";
            let mistake = Diagnostic::new("mixed-source", message, *last, "one too many");
            scope.report(mistake.label(*first, "already given here"));
        }
        [] => {
            let message = "`source-archive` needs `git`, `dir` or `auto`";
            let mistake = Diagnostic::new("missing-child", message, node.name_span(), "has neither");
            scope.report(
                mistake.help("add `git \"path\" ref=\"HEAD\"` for committed files, or `dir \"path\"`"),
            );
        }
        _ => {}
    }
    Some(SourceArchive { source: source?, excludes, overlays, output, archives })
}

fn git(scope: &Scope, node: &SyntaxNode) -> Option<Source> {
    scope.shape(node, &["ref", "submodules"]);
    let path = place(scope, node);
    let submodules = scope.boolean(node, "submodules").unwrap_or(false);
    let reference = match node.property("ref") {
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
    Some(Source::Git { path: path?, reference, submodules })
}

/// A place that may lie outside the project.
fn place(scope: &Scope, node: &SyntaxNode) -> Option<Spanned<String>> {
    scope.filled(scope.argument(node)?)
}

/// `overlay "a" into="b"`, `copy "a" into="b"`.
pub(super) fn placed(scope: &Scope, node: &SyntaxNode) -> Option<Placed> {
    scope.shape(node, &["into"]);
    let (from, into) = (scope.path(node), scope.into(node));
    Some(Placed { from: from?, into: into? })
}
