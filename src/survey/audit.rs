//! What is odd about a Dockerfile build and no reason to run it: declared and not used, used and not
//! declared, and what osgraph cannot see or does not do.
//!
//! Each is a sentence with its line in the Dockerfile, if it has one there, and where the pipeline file
//! can mend it, with the change that does.

use std::collections::BTreeSet;

use crate::dockerfile::{Analysis, BaseUse, Reach, Remote};
use crate::pipeline::edit::{Change, quoted};
use crate::pipeline::{AppEmbed, DockerRecipe, Node, NodeName, Work};
use crate::survey::dockerfiles::{same_name, tags};

/// Something odd, and what in the pipeline file would mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub text: String,
    pub change: Option<Change>,
}

/// The tree that an embed puts in, as its source has it.
pub struct Application<'a> {
    /// Whether no other node reads it.
    pub is_sole: bool,
    /// Whether nothing else in the context counts.
    pub is_alone: &'a dyn Fn() -> bool,
    /// The names in the root of a node's source, and whether they are folders.
    pub entries: &'a dyn Fn(&NodeName) -> Vec<(String, bool)>,
}

/// All there is to say of a node among all of a pipeline; nothing of one that is not built from a
/// Dockerfile.
pub fn findings(
    node: &Node,
    all: &[Node],
    analysis: &Analysis,
    application: Option<&Application<'_>>,
) -> Vec<Finding> {
    let Some(recipe) = node.docker() else { return Vec::new() };
    let mut audit = Audit { node, recipe, analysis, findings: Vec::new() };
    let base = match &node.work {
        Work::AppEmbed(AppEmbed { base, .. }) => base.as_ref().map(|base| &base.value),
        _ => None,
    };
    audit.arguments();
    audit.secrets();
    audit.agents();
    audit.context();
    if let Work::AppEmbed(embed) = &node.work {
        audit.application(embed, all, application);
    }
    audit.elsewhere();
    audit.others(&all.iter().filter(|one| Some(&one.name) != base).collect::<Vec<_>>());
    audit.findings
}

struct Audit<'a> {
    node: &'a Node,
    recipe: &'a DockerRecipe,
    analysis: &'a Analysis,
    findings: Vec<Finding>,
}

impl Audit<'_> {
    fn say(&mut self, text: impl Into<String>, change: Option<Change>) {
        self.findings.push(Finding { text: text.into(), change });
    }

    /// With its place in the Dockerfile.
    fn at(&mut self, line: u32, text: impl AsRef<str>, change: Option<Change>) {
        let place = format!("{}:{line}", self.recipe.dockerfile.value);
        self.say(format!("{} ({place})", text.as_ref()), change);
    }

    fn add(&self, after: &'static str, option: String) -> Option<Change> {
        Some(Change::Add { node: self.node.span, after, option })
    }

    fn file(&self) -> String {
        format!("`{}`", self.recipe.dockerfile.value)
    }

    fn arguments(&mut self) {
        for name in &self.analysis.unused_args {
            let declared = self.recipe.args.iter().find(|(one, _)| one.value == *name);
            let change = declared.map(|(one, _)| Change::Remove(one.span));
            self.say(format!("build argument `{name}` is used by nothing in {}", self.file()), change);
        }
    }

    fn secrets(&mut self) {
        for secret in &self.recipe.secrets {
            let id = &secret.id.value;
            if !self.analysis.secrets.iter().any(|used| used.id == *id) {
                let change = Some(Change::Remove(secret.id.span));
                self.say(format!("secret `{id}` is mounted by no RUN in {}", self.file()), change);
            }
        }
        let mut known = BTreeSet::new();
        for used in &self.analysis.secrets {
            if self.recipe.secrets.iter().any(|secret| secret.id.value == used.id) {
                continue;
            }
            let so = if used.required { "the build fails" } else { "it is never there" };
            // Twice declared is a mistake.
            let change = known.insert(&used.id).then(|| {
                let variable: String =
                    used.id.to_uppercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_");
                let required = if used.required { "" } else { " required=#false" };
                let option = format!("secret {} env={}{required}", quoted(&used.id), quoted(&variable));
                self.add("secret", option)
            });
            let text = format!("RUN mounts secret `{}`, which is not declared: {so}", used.id);
            self.at(used.line, text, change.flatten());
        }
    }

    fn agents(&mut self) {
        let mut known = BTreeSet::new();
        for used in &self.analysis.ssh {
            if self.recipe.ssh.contains(&used.id) {
                continue;
            }
            let so = if used.required { "the build fails" } else { "it is never there" };
            let new = known.insert(&used.id);
            let change = if new { self.add("ssh", format!("ssh {}", quoted(&used.id))) } else { None };
            let text = format!("RUN mounts ssh agent `{}`, which is not declared: {so}", used.id);
            self.at(used.line, text, change);
        }
        for id in &self.recipe.ssh {
            if !self.analysis.ssh.iter().any(|used| used.id == *id) {
                let (node, argument) = (self.node.span, id.clone());
                let change = Some(Change::RemoveNamed { node, option: "ssh", argument });
                self.say(format!("ssh agent `{id}` is mounted by no RUN in {}", self.file()), change);
            }
        }
    }

    fn context(&mut self) {
        if let Some(dynamic) = &self.analysis.everything {
            let text = format!("what is copied cannot be told: {}; the whole context counts", dynamic.why);
            self.at(dynamic.line, text, None);
        } else if self.analysis.reads.is_empty()
            && let Some(context) = &self.recipe.context
        {
            // The Dockerfile may only be found by it, and only an application at the root can do without.
            let is_free = self.recipe.dockerfile.span != context.span
                && matches!(&self.node.work, Work::AppEmbed(embed) if embed.into.is_root());
            let change = is_free.then_some(Change::Remove(context.span));
            let context = &context.value;
            let text =
                format!("{} copies nothing of the context `{context}`: none of it counts", self.file());
            self.say(text, change);
        }
    }

    /// Whether the application's tree, all of it, gets where it should.
    fn application(&mut self, embed: &AppEmbed, all: &[Node], application: Option<&Application<'_>>) {
        if self.analysis.everything.is_some() {
            return;
        }
        let AppEmbed { app, into, .. } = embed;
        let node = &app.value;
        let reach = Reach::new(self.analysis);
        let reads = match into.is_root() {
            true => !self.analysis.reads.is_empty(),
            false => reach.may_count_below(into.as_str()),
        };
        if !reads {
            // Where nothing but the application can be meant.
            let only = match self.analysis.reads.as_slice() {
                [read] if application.is_some_and(|one| (one.is_alone)()) => Some(&read.pattern),
                _ => None,
            };
            let only = only.filter(|path| *path != "." && !path.contains(['*', '?', '[', '\\'])).cloned();
            let change = only.map(|value| Change::Set { at: app.span, property: "into", value });
            let text = format!("`{node}` stands at `{into}`, and nothing in {} reads that", self.file());
            self.say(text, change);
            return;
        }
        let Some(application) = application.filter(|_| !reach.counts(into.as_str())) else { return };
        let is_left = |name: &str| {
            let path = into.child(name);
            !reach.counts(path.as_str()) && !reach.may_count_below(path.as_str())
        };
        let mut left = (application.entries)(node);
        left.retain(|(name, _)| is_left(name));
        if left.is_empty() {
            return;
        }
        let slash = |is_folder: bool| if is_folder { "/" } else { "" };
        let named: Vec<String> =
            left.iter().take(NAMED).map(|(name, folder)| format!("`{name}{}`", slash(*folder))).collect();
        let more = match left.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let source = all.iter().find(|one| one.name == *node && matches!(one.work, Work::SourceArchive(_)));
        // Another reader may want it.
        let change = source.filter(|_| application.is_sole).map(|source| {
            let patterns: Vec<String> = left
                .iter()
                .map(|(name, folder)| quoted(&format!("/{}{}", escaped(name), slash(*folder))))
                .collect();
            Change::Add {
                node: source.span,
                after: "exclude",
                option: format!("exclude {}", patterns.join(" ")),
            }
        });
        let text = format!(
            "{}{more} of `{node}` never reach the image: nothing in {} copies them, and a change there runs this node",
            named.join(", "),
            self.file()
        );
        self.say(text, change);
    }

    fn elsewhere(&mut self) {
        if let Some(syntax) = &self.analysis.syntax {
            let text =
                format!("`# syntax={}` is not followed: the engine's own reader is used", syntax.image);
            self.at(syntax.line, text, None);
        }
        for remote in self.analysis.remotes.iter().filter(|remote| !is_pinned(remote)) {
            let text = format!(
                "ADD takes `{}` as it is when it is built, and nothing runs when it changes; {} pins it",
                remote.url,
                if is_repository(&remote.url) { "a commit behind `#`" } else { "`--checksum=sha256:…`" }
            );
            self.at(remote.line, text, None);
        }
        for trigger in &self.analysis.triggers {
            self.at(
                trigger.line,
                format!("`{}` runs in builds on this image, not in this one", first_line(&trigger.text)),
                None,
            );
        }
    }

    /// Images of nodes that this one does not build on, as far as osgraph knows.
    fn others(&mut self, nodes: &[&Node]) {
        for base in &self.analysis.bases {
            let is_its = |node: &&&Node| tags(node).iter().any(|tag| same_name(tag, &base.reference));
            if let Some(node) = nodes.iter().find(is_its) {
                let text = format!(
                    "`{}` is made by `{}`, which this node does not wait for: it is taken as it is when a run begins",
                    base.reference, node.name
                );
                // Of an embed it can be the base, unless it has one.
                let is_open = matches!(&self.node.work, Work::AppEmbed(AppEmbed { base: None, .. }));
                let option = format!("base {}", quoted(&node.name.0));
                let change =
                    if is_open && base.used_by == BaseUse::From { self.add("base", option) } else { None };
                self.at(base.line, text, change);
            }
        }
    }
}

/// Names that one sentence has; more are counted.
const NAMED: usize = 5;

/// A name as a pattern that means it alone.
fn escaped(name: &str) -> String {
    name.chars()
        .flat_map(|c| ['\\'].into_iter().filter(move |_| "\\*?[]! #".contains(c)).chain([c]))
        .collect()
}

/// Whether it can only ever be the same.
fn is_pinned(remote: &Remote) -> bool {
    let commit = remote.url.split_once('#').map_or("", |(_, behind)| behind);
    let commit = commit.split(':').next().unwrap_or_default();
    let is_commit = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    remote.checksum.is_some() || (is_repository(&remote.url) && is_commit)
}

/// Whether it is git's to fetch.
fn is_repository(url: &str) -> bool {
    let path = url.split('#').next().unwrap_or_default();
    !path.starts_with("http") || path.ends_with(".git")
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests;
