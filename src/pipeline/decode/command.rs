//! `command`: any programs, with what they read and write.

use crate::pipeline::decode::host::{self, Host};
use crate::pipeline::decode::{children, limits};
use crate::pipeline::diagnostic::Diagnostic;
use crate::pipeline::model::{Command, From, Limits, NodeName, Spanned};
use crate::pipeline::scope::Scope;
use crate::pipeline::syntax::SyntaxNode;

const OWN: [&str; 3] = ["from", "after", "host"];

pub(super) fn decode(scope: &Scope, node: &SyntaxNode) -> Option<Command> {
    scope.properties(node, &["isolate"]);
    let mut allowed = host::CHILDREN.to_vec();
    allowed.extend(OWN);
    allowed.extend(limits::CHILDREN);
    let mut host = Host::default();
    host.isolation(scope, node);
    let (mut froms, mut after) = (Vec::new(), Vec::new());
    let mut limits = Limits::default();
    let seen = children(scope, node, &allowed, |seen, child| match child.name() {
        "host" => {
            scope.once(seen, child);
            host.block(scope, child);
            true
        }
        "from" => {
            seen.note(child);
            froms.extend(from(scope, child));
            true
        }
        "after" => {
            seen.note(child);
            scope.shape(child, &[]);
            after.extend(scope.references(child));
            true
        }
        _ => limits::child(scope, &mut limits, seen, child) || host.child(scope, seen, child),
    });
    match seen.place("host") {
        None => scope.require(&seen, node, "run", "run \"program\" \"argument\""),
        // Inputs are the node's as much as the recipe's; all else belongs into one place.
        Some(block) => {
            let direct = seen.iter().filter(|(name, _)| host::CHILDREN.contains(name) && *name != "input");
            for (name, place) in direct {
                let message = format!("`{name}` stands beside a `host` block");
                let mistake = Diagnostic::new("mixed-recipe", message, place, "move it into the block");
                scope.report(mistake.label(block, "the block"));
            }
        }
    }
    let recipe = host.finish(scope, node.span());
    Some(Command { recipe, froms, after, limits })
}

fn from(scope: &Scope, node: &SyntaxNode) -> Option<From> {
    scope.shape(node, &["into"]);
    let name = scope.argument(node);
    let into = match node.property("into") {
        Some(_) => Some(scope.into(node)?),
        None => None,
    };
    let Spanned { value, span } = name?;
    Some(From { node: Spanned::new(NodeName(value), span), into })
}
