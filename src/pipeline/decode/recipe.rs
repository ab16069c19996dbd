//! How an image node is made: from a Dockerfile, or by programs in a `host` block.

use crate::pipeline::decode::docker::{self, Docker};
use crate::pipeline::decode::host::Host;
use crate::pipeline::decode::{children, limits};
use crate::pipeline::diagnostic::Diagnostic;
use crate::pipeline::model::{Limits, Recipe, Span};
use crate::pipeline::scope::{Scope, Seen};
use crate::pipeline::syntax::SyntaxNode;

/// Reads the children of an image node; `own` takes those that only this kind has, named in `words`.
/// Comes with what there is to say where a Docker build needs a context and has none.
pub(super) fn decode<'d>(
    scope: &Scope,
    node: &SyntaxNode<'d>,
    words: &[&'static str],
    mut own: impl FnMut(&mut Seen<'d>, &SyntaxNode<'d>) -> bool,
) -> (Seen<'d>, Option<Recipe>, Limits, Option<Diagnostic>) {
    let mut allowed = words.to_vec();
    allowed.extend(docker::CHILDREN);
    allowed.extend(["host", "input"]);
    allowed.extend(limits::CHILDREN);
    let mut docker = Docker::default();
    let mut host = Host::default();
    let mut block: Option<Span> = None;
    let mut limits = Limits::default();
    let seen = children(scope, node, &allowed, |seen, child| match child.name() {
        "host" => {
            scope.once(seen, child);
            block = Some(child.name_span());
            host.block(scope, child);
            true
        }
        "input" => {
            seen.note(child);
            scope.shape(child, &[]);
            host.inputs.extend(scope.paths(child));
            true
        }
        _ => {
            own(seen, child)
                || limits::child(scope, &mut limits, seen, child)
                || docker.child(scope, seen, child)
        }
    });
    let Some(block) = block else {
        if let Some(place) = seen.place("input") {
            let mistake = Diagnostic::new(
                "mixed-recipe",
                "`input` needs a `host` block",
                place,
                "not used by a Docker build",
            );
            scope.report(mistake.help("a Docker build reads its `context`"));
        }
        let without = (!seen.has("context")).then(|| {
            let message = format!("`{}` needs `context`", node.name());
            Diagnostic::new("missing-child", message, node.name_span(), "has no `context`")
                .help("add `context \"folder\"`")
        });
        let recipe = docker.finish(scope, node, &seen, node.span()).map(Recipe::Docker);
        return (seen, recipe, limits, without);
    };
    let other = |(name, _): &(&str, Span)| docker::CHILDREN.contains(name) && *name != "context";
    for (name, place) in seen.iter().filter(other) {
        let message = format!("`{name}` belongs to a Docker build, but this node runs on the host");
        scope.report(
            Diagnostic::new("mixed-recipe", message, place, "not used").label(block, "runs on the host"),
        );
    }
    // A host recipe has no context of its own; the folder is simply one it may read.
    host.inputs.extend(docker.contexts);
    let recipe = host.finish(scope, block);
    if recipe.outputs.is_empty() {
        let mistake = Diagnostic::new("missing-child", "`host` needs `output`", block, "makes nothing");
        scope.report(mistake.help("add `output \"path\"`"));
    }
    (seen, Some(Recipe::Host(recipe)), limits, None)
}
