//! `dist-docker` and `dist-native`: a deployable folder and its archives.

use crate::path::RelPath;
use crate::pipeline::decode::{archive, children, source_archive};
use crate::pipeline::model::{Dist, DistBinary, DistFlavor, Kind, NodeName, Seed, Spanned};
use crate::pipeline::scope::Scope;
use crate::pipeline::syntax::{Entry, SyntaxNode, Value};

const CHILDREN: [&str; 9] =
    ["output", "copy", "exclude", "binary", "seed-once", "archive", "manifest", "fact", "provenance"];

pub(super) fn decode(scope: &Scope, node: &SyntaxNode, kind: Kind) -> Option<Dist> {
    let flavor = if kind == Kind::DistDocker { DistFlavor::Docker } else { DistFlavor::Native };
    let (mut copies, mut excludes, mut binaries) = (Vec::new(), Vec::new(), Vec::new());
    let (mut seeds, mut archives) = (Vec::new(), Vec::new());
    let (mut facts, mut provenance) = (Vec::new(), Vec::new());
    let mut output = None;
    let mut manifest = Some(RelPath::root().child("build-manifest.json"));
    let seen = children(scope, node, &CHILDREN, |seen, child| {
        match child.name() {
            "output" => {
                scope.once(seen, child);
                scope.shape(child, &[]);
                output = scope.path(child);
                return true;
            }
            "manifest" => {
                scope.once(seen, child);
                scope.shape(child, &[]);
                manifest = scope.path(child).and_then(|path| file(scope, path)).map(|path| path.value);
                return true;
            }
            "copy" => copies.extend(source_archive::placed(scope, child)),
            "exclude" => {
                scope.shape(child, &[]);
                excludes.extend(scope.arguments(child).into_iter().filter_map(|glob| scope.filled(glob)));
            }
            "binary" => binaries.extend(binary(scope, child)),
            "seed-once" => seeds.extend(seed(scope, child)),
            "archive" => archives.extend(archive::decode(scope, child)),
            "fact" => facts.extend(fact(scope, child)),
            "provenance" => {
                scope.shape(child, &[]);
                provenance.extend(scope.references(child));
            }
            _ => return false,
        }
        seen.note(child);
        true
    });
    scope.require(&seen, node, "output", "output \"folder\"");
    scope.distinct("fact", facts.iter().map(|(name, _)| (name.value.as_str(), name.span)));
    scope.distinct("provenance", provenance.iter().map(|node| (node.value.as_ref(), node.span)));
    let (output, manifest) = (output?, manifest?);
    Some(Dist { flavor, output, copies, excludes, binaries, seeds, archives, manifest, facts, provenance })
}

/// A name and a value of one line: scripts without a JSON parser read the manifest by lines.
fn fact(scope: &Scope, node: &SyntaxNode) -> Option<(Spanned<String>, String)> {
    let (name, value) = scope.pair(node)?;
    let fits = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-';
    if !name.value.chars().all(fits) {
        let message = format!("`{}` is no name of a fact", name.value.escape_debug());
        scope.bad_value(name.span, message, "use lower-case letters, digits and `-`");
        return None;
    }
    if value.contains(char::is_control) {
        let span = node.arguments().nth(1).map_or(name.span, |value| value.value_span);
        let message = format!("the value of fact `{}` holds a control character", name.value);
        scope.bad_value(span, message, "keep it to one line of text");
        return None;
    }
    Some((name, value))
}

fn binary(scope: &Scope, node: &SyntaxNode) -> Option<DistBinary> {
    scope.shape(node, &["into", "mode"]);
    let reference = scope.reference(node);
    let executable = node.property("mode").map_or(Some(true), |mode| executable(scope, &mode));
    let into = match property_path(scope, node, "into", "into=\"bin/app\"") {
        Some(into) => file(scope, into),
        None => None,
    };
    let reference: Spanned<NodeName> = reference?;
    Some(DistBinary { node: reference, into: into?.value, executable: executable? })
}

/// 755 or 644; trees know no other modes of files.
fn executable(scope: &Scope, entry: &Entry) -> Option<bool> {
    let written = match entry.value {
        Value::Integer(mode) => mode.to_string(),
        _ => scope.text(entry)?.value,
    };
    match written.as_str() {
        "755" | "0755" => Some(true),
        "644" | "0644" => Some(false),
        _ => {
            scope.bad_value(
                entry.value_span,
                format!("`{written}` is no mode of a file here"),
                "write `755` or `644`",
            );
            None
        }
    }
}

fn seed(scope: &Scope, node: &SyntaxNode) -> Option<Seed> {
    scope.shape(node, &["from"]);
    let path = scope.path(node).and_then(|path| file(scope, path));
    let from = property_path(scope, node, "from", "from=\".env.example\"").and_then(|from| file(scope, from));
    let (path, from) = (path?, from?);
    if path.value == from.value {
        scope.bad_value(path.span, "a file cannot be seeded from itself", "name the template in `from`");
        return None;
    }
    Some(Seed { path, from })
}

/// A property that must be there and hold a path.
fn property_path(scope: &Scope, node: &SyntaxNode, name: &str, example: &str) -> Option<Spanned<RelPath>> {
    let Some(entry) = node.property(name) else {
        scope.missing_property(node, name, example);
        return None;
    };
    scope.to_path(scope.text(&entry)?)
}

/// Refuses the folder itself where a file belongs.
fn file(scope: &Scope, path: Spanned<RelPath>) -> Option<Spanned<RelPath>> {
    if path.value.is_root() {
        scope.bad_value(path.span, "a file is needed, this is the folder itself", "name a file in it");
        return None;
    }
    Some(path)
}
