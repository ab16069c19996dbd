//! `base-image`: the slow step.

use crate::pipeline::decode::recipe;
use crate::pipeline::model::BaseImage;
use crate::pipeline::scope::Scope;
use crate::pipeline::syntax::SyntaxNode;

pub(super) fn decode(scope: &Scope, node: &SyntaxNode) -> Option<BaseImage> {
    let (_, recipe, limits, context) = recipe::decode(scope, node, &[], |_, _| false);
    if let Some(needed) = context {
        scope.report(needed);
    }
    Some(BaseImage { recipe: recipe?, limits })
}
