//! What is odd about a Dockerfile build and no reason to run it: declared and not used, used and not
//! declared, and what osgraph cannot see or does not do.
//!
//! Each is a sentence with its line in the Dockerfile, if it has one there.

use crate::dockerfile::{Analysis, Reach, Remote};
use crate::path::RelPath;
use crate::pipeline::{AppEmbed, DockerRecipe, Node, Work};
use crate::survey::dockerfiles::{same_name, tags};

/// All there is to say of a node among all of a pipeline; nothing of one that is not built from a
/// Dockerfile.
pub fn notes(node: &Node, all: &[Node], analysis: &Analysis) -> Vec<String> {
    let Some(recipe) = node.docker() else { return Vec::new() };
    let audit = Audit { recipe, analysis, notes: Vec::new() };
    let (app, base) = match &node.work {
        Work::AppEmbed(AppEmbed { app, into, base, .. }) => {
            (Some((app.value.0.as_str(), into)), base.as_ref().map(|base| &base.value))
        }
        _ => (None, None),
    };
    audit.all(app, &all.iter().filter(|one| Some(&one.name) != base).collect::<Vec<_>>())
}

struct Audit<'a> {
    recipe: &'a DockerRecipe,
    analysis: &'a Analysis,
    notes: Vec<String>,
}

impl Audit<'_> {
    fn all(mut self, app: Option<(&str, &RelPath)>, others: &[&Node]) -> Vec<String> {
        self.arguments();
        self.secrets();
        self.agents();
        self.context(app);
        self.elsewhere();
        self.others(others);
        self.notes
    }

    fn say(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// With its place in the Dockerfile.
    fn at(&mut self, line: u32, text: impl AsRef<str>) {
        let place = format!("{}:{line}", self.recipe.dockerfile.value);
        self.notes.push(format!("{} ({place})", text.as_ref()));
    }

    fn file(&self) -> String {
        format!("`{}`", self.recipe.dockerfile.value)
    }

    fn arguments(&mut self) {
        for name in &self.analysis.unused_args {
            self.say(format!("build argument `{name}` is used by nothing in {}", self.file()));
        }
    }

    fn secrets(&mut self) {
        for secret in &self.recipe.secrets {
            let id = &secret.id.value;
            if !self.analysis.secrets.iter().any(|used| used.id == *id) {
                self.say(format!("secret `{id}` is mounted by no RUN in {}", self.file()));
            }
        }
        for used in &self.analysis.secrets {
            if self.recipe.secrets.iter().any(|secret| secret.id.value == used.id) {
                continue;
            }
            let so = if used.required { "the build fails" } else { "it is never there" };
            self.at(used.line, format!("RUN mounts secret `{}`, which is not declared: {so}", used.id));
        }
    }

    fn agents(&mut self) {
        for used in &self.analysis.ssh {
            if self.recipe.ssh.contains(&used.id) {
                continue;
            }
            let so = if used.required { "the build fails" } else { "it is never there" };
            self.at(used.line, format!("RUN mounts ssh agent `{}`, which is not declared: {so}", used.id));
        }
        for id in &self.recipe.ssh {
            if !self.analysis.ssh.iter().any(|used| used.id == *id) {
                self.say(format!("ssh agent `{id}` is mounted by no RUN in {}", self.file()));
            }
        }
    }

    fn context(&mut self, app: Option<(&str, &RelPath)>) {
        if let Some(dynamic) = &self.analysis.everything {
            let text = format!("what is copied cannot be told: {}; the whole context counts", dynamic.why);
            self.at(dynamic.line, text);
            return;
        }
        if self.analysis.reads.is_empty()
            && let Some(context) = &self.recipe.context
        {
            let context = &context.value;
            self.say(format!("{} copies nothing of the context `{context}`: none of it counts", self.file()));
        }
        let Some((node, into)) = app else { return };
        let reads = match into.is_root() {
            true => !self.analysis.reads.is_empty(),
            false => Reach::new(self.analysis).may_count_below(into.as_str()),
        };
        if !reads {
            self.say(format!("`{node}` stands at `{into}`, and nothing in {} reads that", self.file()));
        }
    }

    fn elsewhere(&mut self) {
        if let Some(syntax) = &self.analysis.syntax {
            let text =
                format!("`# syntax={}` is not followed: the engine's own reader is used", syntax.image);
            self.at(syntax.line, text);
        }
        for remote in self.analysis.remotes.iter().filter(|remote| !is_pinned(remote)) {
            let text = format!(
                "ADD takes `{}` as it is when it is built, and nothing runs when it changes; {} pins it",
                remote.url,
                if is_repository(&remote.url) { "a commit behind `#`" } else { "`--checksum=sha256:…`" }
            );
            self.at(remote.line, text);
        }
        for trigger in &self.analysis.triggers {
            self.at(
                trigger.line,
                format!("`{}` runs in builds on this image, not in this one", first_line(&trigger.text)),
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
                self.at(base.line, text);
            }
        }
    }
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
