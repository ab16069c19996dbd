//! The lock file: which content each upstream image had when it was last adopted.
//!
//! It stands beside the pipeline file and belongs under version control. Text in, text out, with the
//! same bytes for the same entries. Knows no registry: a digest comes from whoever asked one.

use std::collections::BTreeMap;

use crate::dockerfile::normal_platform;
use crate::pipeline::diagnostic::{Diagnostic, Diagnostics, SourceFile};
use crate::pipeline::model::{Span, Spanned};
use crate::pipeline::scope::Scope;
use crate::pipeline::suggest;
use crate::pipeline::syntax::{Document, SyntaxNode, Value};
use crate::reference::{Reference, is_digest};

/// The form of the file. Another number for another meaning; a newer one is refused.
const VERSION: i128 = 1;

const OPENING: &str = "\
// Which content the upstream images have. Written by `osgraph lock`; belongs under version control.
";

const PROPERTIES: [&str; 2] = ["platform", "digest"];

/// The content of one `pipeline.lock`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// By name in full and platform.
    entries: BTreeMap<(String, String), String>,
}

/// One line of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Locked<'l> {
    /// In full: `docker.io/library/php:8.3-cli`.
    pub image: &'l str,
    /// As `linux/arm64`.
    pub platform: &'l str,
    /// `sha256:…`, as the registry has it: of a manifest, or of a list of them.
    pub digest: &'l str,
}

impl Lock {
    /// Reads the file's text. All mistakes are reported at once.
    pub fn parse(source: &SourceFile) -> Result<Self, Diagnostics> {
        let document = Document::parse(source)?;
        let scope = Scope::new(&source.text);
        let mut lock = Self::default();
        if let Some(node) = top(&scope, &document)
            && is_known(&scope, &node)
        {
            let mut places: BTreeMap<(String, String), Span> = BTreeMap::new();
            for child in node.children() {
                if child.name() != "image" {
                    scope.unknown_child(&node, &child, &["image"]);
                } else if let Some((key, digest)) = entry(&scope, &child) {
                    if let Some(first) = places.insert(key.clone(), child.span()) {
                        let message = format!("`{}` is locked twice for {}", key.0, key.1);
                        let mistake = Diagnostic::new("repeated-lock", message, child.span(), "locked again");
                        let mistake = mistake.label(first, "first locked here");
                        scope.report(
                            mistake.help("keep the one that is meant; `osgraph lock` sorts the rest"),
                        );
                    }
                    lock.entries.insert(key, digest);
                }
            }
        }
        let mistakes = scope.into_mistakes();
        if mistakes.is_empty() { Ok(lock) } else { Err(Diagnostics::new(source, mistakes)) }
    }

    /// The file's text: sorted, one line an entry.
    pub fn render(&self) -> String {
        let mut out = format!("{OPENING}lock version={VERSION} {{\n");
        for Locked { image, platform, digest } in self.iter() {
            // Names, platforms and digests that were let in hold nothing to be escaped.
            out.push_str(&format!("    image \"{image}\" platform=\"{platform}\" digest=\"{digest}\"\n"));
        }
        out.push_str("}\n");
        out
    }

    /// The digest of an image, however its name and the platform are spelled.
    pub fn digest_of(&self, reference: &str, platform: &str) -> Option<&str> {
        self.entries.get(&key(reference, platform)?).map(String::as_str)
    }

    /// Notes a digest that a registry gave; what was locked before is replaced. False when one of
    /// them is not what it should be, and nothing is noted.
    pub fn insert(&mut self, reference: &str, platform: &str, digest: &str) -> bool {
        let Some(key) = key(reference, platform).filter(|_| is_digest(digest)) else { return false };
        self.entries.insert(key, digest.to_owned());
        true
    }

    /// Keeps the entries of which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(Locked<'_>) -> bool) {
        self.entries.retain(|(image, platform), digest| keep(Locked { image, platform, digest }));
    }

    pub fn iter(&self) -> impl Iterator<Item = Locked<'_>> {
        self.entries.iter().map(|((image, platform), digest)| Locked { image, platform, digest })
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// None for what cannot be locked: a name with a digest says itself which content it means.
fn key(reference: &str, platform: &str) -> Option<(String, String)> {
    let reference = Reference::parse(reference).ok().filter(|reference| reference.digest().is_none())?;
    Some((reference.to_string(), normal_platform(platform)?))
}

fn top<'d>(scope: &Scope, document: &'d Document) -> Option<SyntaxNode<'d>> {
    let mut found = None;
    for node in document.nodes() {
        match (node.name(), &found) {
            ("lock", None) => found = Some(node),
            ("lock", Some(first)) => {
                let message = "a lock file has one `lock`";
                let mistake = Diagnostic::new("repeated-lock", message, node.name_span(), "the second one");
                scope.report(mistake.label(first.name_span(), "the first one"));
            }
            (word, _) => {
                let message = format!("`{word}` does not belong into a lock file");
                let mistake = Diagnostic::new("unknown-child", message, node.name_span(), "not known here");
                scope.report(mistake.help(suggest::help(word, &["lock"])));
            }
        }
    }
    if found.is_none() && scope.count() == 0 {
        let message = "the file has no `lock` node";
        let mistake = Diagnostic::new("missing-lock", message, Span::default(), "belongs at the top");
        scope.report(mistake.help("remove the file and write it anew with `osgraph lock`"));
    }
    found
}

/// Whether this osgraph can read it. Of another version nothing else is said.
fn is_known(scope: &Scope, node: &SyntaxNode) -> bool {
    scope.no_arguments(node);
    scope.properties(node, &["version"]);
    let Some(version) = node.property("version") else {
        scope.missing_property(node, "version", "version=1");
        return false;
    };
    let known = version.value == Value::Integer(VERSION);
    if !known {
        let written = match version.value {
            Value::Integer(number) => number.to_string(),
            other => other.type_name().to_owned(),
        };
        let message = format!("version {written} of the lock file is not known");
        let mistake = Diagnostic::new("unknown-lock-version", message, version.value_span, "not known");
        scope.report(mistake.help("use the osgraph that wrote it; this one knows version 1"));
    }
    known
}

/// One `image` line.
fn entry(scope: &Scope, node: &SyntaxNode) -> Option<((String, String), String)> {
    scope.shape(node, &PROPERTIES);
    // One that is misspelt is not missing as well.
    let misspelt = node.properties().any(|entry| !PROPERTIES.contains(&entry.name.unwrap_or_default()));
    let property = |name: &str, example: &str| {
        let entry = node.property(name);
        if entry.is_none() && !misspelt {
            scope.missing_property(node, name, example);
        }
        entry
    };
    let platform = property("platform", "platform=\"linux/amd64\"");
    let digest = property("digest", "digest=\"sha256:…\"");
    let image = scope.single(node).and_then(|entry| scope.literal_text(&entry));
    let image = image.and_then(|text| checked_image(scope, text));
    let platform = platform.and_then(|entry| scope.literal_text(&entry)).and_then(|text| {
        let normal = normal_platform(&text.value);
        if normal.as_deref() != Some(text.value.as_str()) {
            let help = match normal {
                Some(normal) => format!("write `\"{normal}\"`"),
                None => "write it as `linux/amd64` or `linux/arm/v7`".to_owned(),
            };
            scope.bad_value(text.span, format!("`{}` is no platform as locks have it", text.value), help);
            return None;
        }
        normal
    });
    let digest = digest.and_then(|entry| scope.literal_text(&entry)).and_then(|text| {
        if !is_digest(&text.value) {
            let message = format!("`{}` is no digest", text.value);
            scope.bad_value(text.span, message, "remove the line and ask the registry with `osgraph lock`");
            return None;
        }
        Some(text.value)
    });
    Some(((image?, platform?), digest?))
}

fn checked_image(scope: &Scope, text: Spanned<String>) -> Option<String> {
    let reference = match Reference::parse(&text.value) {
        Ok(reference) => reference,
        Err(error) => {
            scope.bad_value(text.span, error.to_string(), error.help());
            return None;
        }
    };
    if reference.digest().is_some() {
        let message = format!("`{}` has a digest, which is never locked", text.value);
        scope.bad_value(text.span, message, "remove the line");
        return None;
    }
    let full = reference.to_string();
    if full != text.value {
        scope.bad_value(
            text.span,
            format!("`{}` is not the full name", text.value),
            format!("write `\"{full}\"`"),
        );
        return None;
    }
    Some(full)
}

#[cfg(test)]
mod tests;
