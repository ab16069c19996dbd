//! `app-embed`: the application put into the base.

use crate::path::RelPath;
use crate::pipeline::decode::recipe;
use crate::pipeline::model::AppEmbed;
use crate::pipeline::scope::Scope;
use crate::pipeline::syntax::SyntaxNode;

pub(super) fn decode(scope: &Scope, node: &SyntaxNode) -> Option<AppEmbed> {
    let (mut base, mut app, mut into) = (None, None, Some(RelPath::root()));
    let (seen, recipe, limits, context) = recipe::decode(scope, node, &["base", "app"], |seen, child| {
        match child.name() {
            "base" => {
                scope.once(seen, child);
                scope.shape(child, &[]);
                base = Some(scope.reference(child));
            }
            "app" => {
                scope.once(seen, child);
                scope.shape(child, &["into"]);
                app = scope.reference(child);
                into = scope.into(child);
            }
            _ => return false,
        }
        true
    });
    scope.require(&seen, node, "app", "app \"node\" into=\"folder\"");
    let base = match base {
        Some(base) => Some(base?),
        None => None,
    };
    let (app, into) = (app?, into?);
    // At the root it is a context of its own.
    if let Some(needed) = context.filter(|_| !into.is_root()) {
        scope.report(needed);
    }
    Some(AppEmbed { base, app, into, recipe: recipe?, limits })
}
