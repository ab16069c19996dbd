//! `secret "github-token" env="GITHUB_TOKEN" required=#false version="2"`

use crate::pipeline::diagnostic::Diagnostic;
use crate::pipeline::model::{Secret, SecretSource};
use crate::pipeline::scope::Scope;
use crate::pipeline::syntax::SyntaxNode;

pub(super) fn decode(scope: &Scope, node: &SyntaxNode) -> Option<Secret> {
    scope.shape(node, &["env", "file", "required", "version"]);
    let id = scope.argument(node).and_then(|id| scope.filled(id));
    let required = scope.boolean(node, "required").unwrap_or(true);
    let version = scope.property(node, "version").map(|version| version.value);
    let from = match (node.property("env"), node.property("file")) {
        (Some(env), None) => scope
            .text(&env)
            .and_then(|name| scope.filled(name))
            .map(|name| SecretSource::Environment(name.value)),
        (None, Some(file)) => {
            scope.text(&file).and_then(|path| scope.filled(path)).map(|path| SecretSource::File(path.value))
        }
        (env, _) => {
            let (message, label) = match env {
                Some(_) => ("a secret has one source", "both `env` and `file`"),
                None => ("a secret needs a source", "neither `env` nor `file`"),
            };
            let mistake = Diagnostic::new("secret-source", message, node.span(), label);
            scope.report(
                mistake
                    .help("name an environment variable with `env=\"NAME\"` or a file with `file=\"path\"`"),
            );
            None
        }
    };
    Some(Secret { id: id?, from: from?, required, version })
}
