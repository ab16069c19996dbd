//! What counts of a Dockerfile build: the instructions that are carried out, and the images of others
//! that they build on.
//!
//! Asks the engine what those images are, and nothing else of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::digest::Digest;
use crate::dockerfile::{Analysis, Base, BaseUse, Dynamic, Question, analyse};
use crate::inputs::hash::HashError;
use crate::inputs::input::{DockerfileInput, Input, UNRESOLVED};
use crate::inputs::observe::{ObserveError, Observer};
use crate::key::{Facet, Manifest, Value};
use crate::pipeline::{DockerRecipe, Node, NodeName, Recipe, Work};
use crate::run::docker::{EngineError, ImageFacts};
use crate::survey::gather::GatherError;

/// What is known of images of others, asked for many at a time.
pub trait Images {
    /// Each by its reference or id; none for one that the engine does not have.
    ///
    /// # Errors
    /// When there is no engine.
    fn look(&self, references: &[&str]) -> Result<Vec<Option<ImageFacts>>, EngineError>;
    /// What the engine itself runs on, as `linux/amd64`.
    fn platform(&self) -> Result<String, EngineError>;
    /// The digest that a reference is locked to.
    fn locked(&self, reference: &str, platform: &str) -> Option<String>;
    /// Whether the image could not be had from where it was believed to be.
    fn is_refused(&self, image: &Digest) -> bool;
    /// The manifest of the node's latest success.
    fn latest(&self, node: &NodeName) -> Option<Manifest>;
}

/// A file read whole, as the index has it.
pub fn read_text(observer: &mut Observer<'_>, path: &Path) -> Result<(Input, String), GatherError> {
    let named = path.display().to_string();
    let found = observer.follow(path);
    if fs::symlink_metadata(&found).is_err() {
        return Err(ObserveError::Missing { path: named }.into());
    }
    let seen = observer.file(&found)?;
    let text =
        fs::read_to_string(&found).map_err(|source| ObserveError::Read { path: named.clone(), source })?;
    let same = matches!(&seen.entry, crate::tree::Entry::File { digest, .. } if *digest == Digest::of(text.as_bytes()));
    if !same {
        return Err(ObserveError::Hash(HashError::Moved { path: named }).into());
    }
    Ok((Input::Leaf(found, seen), text))
}

/// The node whose image is built on.
pub struct Below<'a> {
    pub node: &'a NodeName,
    /// Its names, of which one must be used, and several may be.
    pub tags: &'a [String],
    /// Whether its image will bring `ONBUILD` instructions with it.
    pub triggers: bool,
}

/// Reads a recipe's Dockerfile.
pub fn dockerfile(
    observer: &mut Observer<'_>,
    project: &Path,
    recipe: &DockerRecipe,
    below: Option<&Below<'_>>,
    images: &dyn Images,
) -> Result<DockerfileInput, GatherError> {
    let path = recipe.dockerfile.value.under(project);
    let (leaf, text) = read_text(observer, &path)?;
    let Input::Leaf(path, seen) = leaf else { return Err(GatherError::NoFolder { path: String::new() }) };
    let builder = images.platform().map_err(GatherError::Engine)?;
    let platform = recipe.platform.as_ref().map_or_else(|| builder.clone(), |one| one.value.clone());
    let args: Vec<(String, String)> =
        recipe.args.iter().map(|(name, value)| (name.value.clone(), value.clone())).collect();
    let question = Question {
        text: &text,
        args: &args,
        target: recipe.target.as_deref(),
        platform: Some(&platform),
        builder: Some(&builder),
    };
    let mut analysis = analyse(&question).map_err(|mistake| GatherError::Dockerfile {
        path: recipe.dockerfile.value.clone(),
        help: mistake.help(),
        mistake,
    })?;
    let named = |tags: &[String]| -> Vec<String> {
        let froms = analysis.bases.iter().map(|base| &base.reference);
        froms.filter(|reference| tags.iter().any(|tag| same_name(tag, reference))).cloned().collect()
    };
    let base = match below {
        None => Vec::new(),
        Some(Below { node, tags, .. }) => {
            let names = named(tags);
            if names.is_empty() {
                let (node, tags) = ((*node).clone(), tags.to_vec());
                return Err(GatherError::BaseUnused { node, tags, path: recipe.dockerfile.value.clone() });
            }
            names
        }
    };
    if analysis.everything.is_none() {
        let own = below.is_some_and(|below| below.triggers);
        analysis.everything = triggered(&analysis, &base, own, images)?;
    }
    let mut locked: Vec<(String, String)> = Vec::new();
    for one in &analysis.bases {
        let is_known = locked.iter().any(|(known, _)| *known == one.reference);
        if !base.contains(&one.reference)
            && !is_known
            && let Some(digest) = images.locked(&one.reference, one.platform.as_deref().unwrap_or(&platform))
        {
            locked.push((one.reference.clone(), digest));
        }
    }
    Ok(DockerfileInput { path, seen, text, analysis, platform, base, locked })
}

/// An image may bring instructions with it, and these may copy anything. That of a node, whose names
/// are `own`, may not be made yet, so it is not looked for.
fn triggered(
    analysis: &Analysis,
    own: &[String],
    own_triggers: bool,
    images: &dyn Images,
) -> Result<Option<Dynamic>, GatherError> {
    let dynamic = |base: &Base| Dynamic {
        why: format!("`{}` brings ONBUILD instructions with it", base.reference),
        line: base.line,
        span: base.span.clone(),
    };
    let froms = analysis.bases.iter().filter(|base| base.used_by == BaseUse::From);
    let (own, froms): (Vec<&Base>, Vec<&Base>) = froms.partition(|base| own.contains(&base.reference));
    if own_triggers && let Some(base) = own.first() {
        return Ok(Some(dynamic(base)));
    }
    let names: Vec<&str> = froms.iter().map(|base| base.reference.as_str()).collect();
    let found = images.look(&names).map_err(GatherError::Engine)?;
    let on_build =
        |facts: &Option<ImageFacts>| facts.as_ref().is_some_and(|one| !one.config.on_build.is_empty());
    let first = froms.into_iter().zip(&found).find(|(_, facts)| on_build(facts));
    Ok(first.map(|(base, _)| dynamic(base)))
}

/// Whether two names mean the same tag: `latest` need not be said.
pub fn same_name(a: &str, b: &str) -> bool {
    let full = |name: &str| match name.rsplit_once('/').map_or(name, |(_, last)| last).contains([':', '@']) {
        true => name.to_owned(),
        false => format!("{name}:latest"),
    };
    full(a) == full(b)
}

/// The images of others that a Dockerfile builds on, and what they are.
pub fn upstream_images(
    node: &NodeName,
    file: &DockerfileInput,
    images: &dyn Images,
    asked: &mut Vec<(String, Option<String>)>,
) -> Result<Vec<(String, Value)>, GatherError> {
    let mut out: Vec<(String, Value)> = Vec::new();
    let references: BTreeSet<&str> = file
        .analysis
        .bases
        .iter()
        .map(|base| base.reference.as_str())
        .filter(|reference| !file.base.iter().any(|base| base == reference))
        .collect();
    let (locked, open): (Vec<&str>, Vec<&str>) =
        references.into_iter().partition(|reference| file.locked.iter().any(|(known, _)| known == reference));
    for reference in locked {
        let digest = file.locked.iter().find(|(known, _)| known == reference);
        out.extend(digest.map(|(_, digest)| (reference.to_owned(), Value::Text(digest.clone()))));
    }
    if open.is_empty() {
        return Ok(out);
    }
    let found = images.look(&open).map_err(GatherError::Engine)?;
    for (reference, facts) in open.into_iter().zip(found) {
        asked.push((reference.to_owned(), facts.as_ref().map(|facts| facts.id.clone())));
        let what = match facts {
            Some(facts) => Value::Image(facts.digest()),
            // One that was cleared away since is taken to be what it was: its name alone says nothing
            // of a change.
            None => {
                let unresolved = || Value::Text(UNRESOLVED.to_owned());
                remembered(node, reference, images).unwrap_or_else(unresolved)
            }
        };
        out.push((reference.to_owned(), what));
    }
    Ok(out)
}

fn remembered(node: &NodeName, reference: &str, images: &dyn Images) -> Option<Value> {
    images.latest(node)?.get(Facet::Environment, &format!("from {reference}")).cloned()
}

/// The names under which a node's image is built upon.
pub fn tags(node: &Node) -> Vec<String> {
    match &node.work {
        Work::BaseImage(image) => recipe_tags(&image.recipe),
        Work::AppEmbed(embed) => recipe_tags(&embed.recipe),
        _ => Vec::new(),
    }
}

fn recipe_tags(recipe: &Recipe) -> Vec<String> {
    match recipe {
        Recipe::Docker(docker) => docker.tags.iter().map(|tag| tag.value.clone()).collect(),
        Recipe::Host(_) => Vec::new(),
    }
}
