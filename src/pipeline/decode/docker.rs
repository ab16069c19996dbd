//! The children of a node that is built from a Dockerfile.

use crate::path::RelPath;
use crate::pipeline::decode::secret;
use crate::pipeline::model::{DockerRecipe, Secret, Span, Spanned};
use crate::pipeline::scope::{Scope, Seen};
use crate::pipeline::suggest;
use crate::pipeline::syntax::SyntaxNode;

pub(super) const CHILDREN: [&str; 15] = [
    "context",
    "dockerfile",
    "arg",
    "secret",
    "target",
    "platform",
    "label",
    "network",
    "tag",
    "keep",
    "push",
    "pull",
    "cache-from",
    "cache-to",
    "ssh",
];

/// What was read so far.
#[derive(Default)]
pub(super) struct Docker {
    pub contexts: Vec<Spanned<RelPath>>,
    dockerfile: Option<Spanned<RelPath>>,
    args: Vec<(Spanned<String>, String)>,
    secrets: Vec<Secret>,
    target: Option<String>,
    platform: Option<Spanned<String>>,
    labels: Vec<(Spanned<String>, String)>,
    network: Option<String>,
    tags: Vec<Spanned<String>>,
    keep_in_store: bool,
    push: Option<Spanned<String>>,
    pull: Option<Spanned<String>>,
    cache_from: Vec<String>,
    cache_to: Vec<String>,
    ssh: Vec<String>,
}

impl Docker {
    /// Takes `child` if it is one of these.
    pub fn child<'d>(&mut self, scope: &Scope, seen: &mut Seen<'d>, child: &SyntaxNode<'d>) -> bool {
        let many = ["context", "arg", "secret", "label", "tag", "cache-from", "cache-to", "ssh"];
        if !CHILDREN.contains(&child.name()) {
            return false;
        }
        if many.contains(&child.name()) {
            seen.note(child);
        } else {
            scope.once(seen, child);
        }
        if child.name() != "secret" {
            scope.shape(child, &[]);
        }
        let words = || scope.arguments(child).into_iter().filter_map(|text| scope.filled(text));
        let word = || scope.argument(child).and_then(|text| scope.filled(text));
        // A parameter that is empty by default switches these on when it is given.
        let is_given = |text: &Spanned<String>| !text.value.is_empty();
        let given = || scope.arguments(child).into_iter().filter(is_given);
        let image = || scope.argument(child).filter(is_given).filter(|image| is_image(scope, image));
        match child.name() {
            "context" => self.contexts.extend(scope.path(child)),
            "dockerfile" => self.dockerfile = scope.path(child),
            "arg" => self.args.extend(scope.pair(child)),
            "secret" => self.secrets.extend(secret::decode(scope, child)),
            "target" => self.target = word().map(|target| target.value),
            "platform" => self.platform = word().filter(|platform| is_platform(scope, platform)),
            "label" => self.labels.extend(scope.pair(child)),
            "network" => {
                self.network = word().and_then(|mode| one_of(scope, mode, &["default", "none", "host"]))
            }
            "tag" => self.tags.extend(given().filter(|tag| is_image(scope, tag))),
            "keep" => {
                self.keep_in_store = word().and_then(|place| one_of(scope, place, &["store"])).is_some()
            }
            "push" => self.push = image(),
            "pull" => self.pull = image(),
            "cache-from" => self.cache_from.extend(given().map(|text| text.value)),
            "cache-to" => self.cache_to.extend(given().map(|text| text.value)),
            "ssh" => self.ssh.extend(words().map(|text| text.value)),
            _ => return false,
        }
        true
    }

    /// The recipe, once all children are read. `span` is the node's.
    pub fn finish(self, scope: &Scope, node: &SyntaxNode, seen: &Seen, span: Span) -> Option<DockerRecipe> {
        let contexts = seen.iter().filter(|(name, _)| *name == "context");
        for (_, again) in contexts.skip(1) {
            let message = "a Docker build has one context";
            scope.bad_value(again, message, "name the folder that holds all that the Dockerfile copies");
        }
        scope.distinct("build argument", self.args.iter().map(|(name, _)| (name.value.as_str(), name.span)));
        scope.distinct("label", self.labels.iter().map(|(name, _)| (name.value.as_str(), name.span)));
        scope
            .distinct("secret", self.secrets.iter().map(|secret| (secret.id.value.as_str(), secret.id.span)));
        scope.distinct("tag", self.tags.iter().map(|tag| (tag.value.as_str(), tag.span)));
        let context = self.contexts.into_iter().next();
        if context.is_none() && seen.has("context") {
            return None;
        }
        let dockerfile = match (self.dockerfile, &context) {
            (Some(dockerfile), _) => dockerfile,
            (None, _) if seen.has("dockerfile") => return None,
            (None, Some(context)) => Spanned::new(context.value.child("Dockerfile"), context.span),
            (None, None) => {
                scope.require(seen, node, "dockerfile", "dockerfile \"builder/Dockerfile\"");
                return None;
            }
        };
        Some(DockerRecipe {
            context,
            dockerfile,
            args: self.args,
            secrets: self.secrets,
            target: self.target,
            platform: self.platform,
            labels: self.labels.into_iter().map(|(name, value)| (name.value, value)).collect(),
            network: self.network,
            tags: self.tags,
            keep_in_store: self.keep_in_store,
            push: self.push,
            pull: self.pull,
            cache_from: self.cache_from,
            cache_to: self.cache_to,
            ssh: self.ssh,
            span,
        })
    }
}

pub(super) fn one_of(scope: &Scope, text: Spanned<String>, known: &[&str]) -> Option<String> {
    if known.contains(&text.value.as_str()) {
        return Some(text.value);
    }
    scope.bad_value(
        text.span,
        format!("`{}` is not possible here", text.value),
        suggest::help(&text.value, known),
    );
    None
}

/// `os/arch` or `os/arch/variant`.
fn is_platform(scope: &Scope, text: &Spanned<String>) -> bool {
    let parts: Vec<&str> = text.value.split('/').collect();
    let plain = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let fine = matches!(parts.len(), 2 | 3) && parts.iter().all(plain);
    if !fine {
        let message = format!("`{}` is no platform", text.value);
        scope.bad_value(text.span, message, "write it as `linux/amd64` or `linux/arm64/v8`");
    }
    fine
}

/// Roughly what engines accept; they judge the rest.
fn is_image(scope: &Scope, text: &Spanned<String>) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/:@".contains(c);
    let fine = text.value.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.value.chars().all(plain);
    if !fine {
        let message = format!("`{}` is no image name", text.value);
        scope.bad_value(text.span, message, "write it as `registry/name:tag`");
    }
    fine
}
