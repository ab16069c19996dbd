//! `group`: a name for several nodes.

use crate::pipeline::decode::children;
use crate::pipeline::model::Group;
use crate::pipeline::scope::Scope;
use crate::pipeline::syntax::SyntaxNode;

pub(super) fn decode(scope: &Scope, node: &SyntaxNode) -> Option<Group> {
    let mut members = Vec::new();
    let seen = children(scope, node, &["member"], |seen, child| {
        if child.name() != "member" {
            return false;
        }
        seen.note(child);
        scope.shape(child, &[]);
        members.extend(scope.references(child));
        true
    });
    scope.require(&seen, node, "member", "member \"node\"");
    scope.distinct("member", members.iter().map(|member| (member.value.0.as_str(), member.span)));
    Some(Group { members })
}
