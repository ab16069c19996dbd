//! Which component stands for which option: the place where the rules on what counts are written.
//!
//! Every struct of the model is taken apart by name, so that a new field does not compile until
//! someone has decided whether it is *dirtying* (a component), *publishing*, *gating* or *policy*
//! (named here and left out). Pure: what is on disk arrives through [`World`].

use std::collections::BTreeSet;

use crate::key::{Component, Facet, Manifest, Value};
use crate::path::RelPath;
use crate::pipeline::{
    AppEmbed, BaseImage, BinaryExtract, Command, Dist, DistBinary, DockerRecipe, From, Group, HostRecipe,
    Node, NodeName, NodeRef, Placed as Placing, Recipe, Secret, Source, SourceArchive, Span, Spanned, Tool,
    Work,
};
use crate::tree::Entry;

/// Begins the labels of facts; the name follows.
pub const FACT: &str = "fact ";

/// Begins the labels of what a dist's build manifest tells of a node; the node's name follows.
pub const PROVENANCE: &str = "provenance ";

/// How an upstream artifact stands in its reader's work folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stand {
    /// A tree of project paths: these outputs, each at its own path.
    Own(Vec<RelPath>),
    At(RelPath),
    /// Nowhere: its digest is told, and the commit that it is of, and its content is not read.
    Told {
        commit: Option<String>,
    },
}

/// An upstream that a node reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The component's label.
    pub label: String,
    pub node: NodeName,
    pub stand: Stand,
    /// For a dist's binary: whether it becomes executable.
    pub executable: Option<bool>,
}

impl Read {
    /// Whether the artifact's content is wanted, or its digest alone.
    pub fn wants_content(&self) -> bool {
        !matches!(self.stand, Stand::Told { .. })
    }
}

/// What may be told of a node in what is made from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The commit that its tree was taken from; none for what is of no commit.
    pub commit: Option<String>,
}

/// A declared input as it was found, and where it stands.
#[derive(Clone, Debug)]
pub struct Placed<I> {
    pub label: String,
    /// In the node's work folder or tree.
    pub at: RelPath,
    /// Under which a file is laid down: as declared, wherever a link by that name leads.
    pub name: String,
    pub input: I,
}

/// A node, composed.
#[derive(Clone, Debug)]
pub struct Composed<I> {
    pub own: Manifest,
    pub reads: Vec<Read>,
    pub inputs: Vec<Placed<I>>,
    /// Labels of components and where in the pipeline file they were declared.
    pub spans: Vec<(String, Span)>,
}

/// What counts of a Dockerfile and its surroundings.
#[derive(Clone, Debug)]
pub struct Dockerfile<I> {
    /// The instructions of the stages that are built, without comments.
    pub steps: String,
    pub file: I,
    /// Where the file lies.
    pub path: RelPath,
    /// What of the context the instructions copy; none where there is no context.
    pub context: Option<(Entry, I)>,
    /// The names of build arguments that are used.
    pub args: BTreeSet<String>,
    /// Images of others by their names, and what they are.
    pub images: Vec<(String, Value)>,
    /// What is built for.
    pub platform: String,
}

/// Values with their labels.
pub type Labelled = Vec<(String, Value)>;

/// What is on disk, looked up by the composer. `I` is whatever the caller keeps of an input.
pub trait World {
    type Input: Clone;
    type Error;
    /// A project path: a file, link or folder.
    fn path(&mut self, path: &Spanned<RelPath>) -> Result<(Entry, Self::Input), Self::Error>;
    /// The source of a source-archive: labelled values, and the input to build from.
    fn source(
        &mut self,
        source: &Source,
        excludes: &[Spanned<String>],
    ) -> Result<(Labelled, Self::Input), Self::Error>;
    /// A tool's identity: what it prints, or its file's content.
    /// It is asked with the names that the recipe passes on.
    fn tool(&mut self, tool: &Tool, pass: &[Spanned<String>]) -> Result<Value, Self::Error>;
    /// The node that publishes `path`, or a folder above it.
    fn publisher(&self, path: &RelPath) -> Option<NodeName>;
    /// Where an artifact of `node` stands when its reader does not say.
    fn natural(&self, node: &NodeName) -> Stand;
    /// Where an artifact of `node` stands when it stands where its node makes it.
    fn published(&self, node: &NodeName) -> Stand;
    /// What is known of a node that was composed before; none where nobody can tell what went in.
    fn origin(&self, node: &NodeName) -> Option<Origin>;
    /// `os/architecture` of this machine.
    fn platform(&self) -> String;
    /// What the Dockerfile recipe of `node` reads. `base` is the node whose image it builds on, `app` where
    /// another node's tree stands in its context.
    fn dockerfile(
        &mut self,
        node: &NodeName,
        recipe: &DockerRecipe,
        base: Option<&NodeRef>,
        app: Option<&RelPath>,
    ) -> Result<Dockerfile<Self::Input>, Self::Error>;
}

struct Composer<'w, W: World> {
    world: &'w mut W,
    components: Vec<Component>,
    reads: Vec<Read>,
    inputs: Vec<Placed<W::Input>>,
    spans: Vec<(String, Span)>,
}

/// Words that may hold anything, as one text that no other list of words has. Written out here,
/// because what the language's own quoting escapes changes with its tables of characters, and keys
/// must not.
pub fn quoted<'a>(words: impl IntoIterator<Item = &'a String>) -> String {
    let quote = |word: &String| format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""));
    words.into_iter().map(quote).collect::<Vec<_>>().join(" ")
}

/// Composes one node. Its name, spans and place in the file are not looked at.
pub fn compose<W: World>(node: &Node, world: &mut W) -> Result<Composed<W::Input>, W::Error> {
    let mut composer =
        Composer { world, components: Vec::new(), reads: Vec::new(), inputs: Vec::new(), spans: Vec::new() };
    let kind = match &node.work {
        Work::SourceArchive(source) => {
            composer.source_archive(source)?;
            "source-archive 1"
        }
        Work::BaseImage(BaseImage { recipe, limits: _ }) => {
            composer.recipe(&node.name, recipe, None, None)?;
            "base-image 1"
        }
        Work::AppEmbed(AppEmbed { base, app, into, recipe, limits: _ }) => {
            if let Some(base) = base {
                let stand = composer.world.published(&base.value);
                composer.read("base", base, stand);
            }
            composer.read("app", app, Stand::At(into.clone()));
            composer.spanned_text("app into", into.as_str(), app.span);
            composer.recipe(&node.name, recipe, base.as_ref(), Some(into))?;
            "app-embed 1"
        }
        Work::BinaryExtract(BinaryExtract { from, path, output: _, expect: _, checks: _ }) => {
            // Taken from the store: it stands nowhere.
            composer.read("image", from, Stand::Own(Vec::new()));
            composer.spanned_text("path", path.value.as_str(), path.span);
            "binary-extract 1"
        }
        Work::Dist(dist) => {
            composer.dist(dist)?;
            "dist 1"
        }
        Work::Command(Command { recipe, froms, after: _, limits: _ }) => {
            for (at, From { node, into }) in froms.iter().enumerate() {
                let stand = into.clone().map_or_else(|| composer.world.natural(&node.value), Stand::At);
                let place = match &stand {
                    Stand::At(path) => format!("at {path}"),
                    Stand::Own(_) | Stand::Told { .. } => "its own paths".to_owned(),
                };
                composer.spanned_text(&format!("from {at} into"), &place, node.span);
                composer.read(&format!("from {at}"), node, stand);
            }
            composer.host(recipe)?;
            "command 1"
        }
        Work::Group(Group { members: _ }) => "group 1",
    };
    let Composer { world: _, components, reads, inputs, spans } = composer;
    Ok(Composed { own: Manifest::new(kind, components), reads, inputs, spans })
}

impl<W: World> Composer<'_, W> {
    fn own_text(&mut self, label: &str, text: &str) {
        self.components.push(Component::text(Facet::Own, label, text));
    }

    fn spanned_text(&mut self, label: &str, text: &str, span: Span) {
        self.spans.push((label.to_owned(), span));
        self.own_text(label, text);
    }

    fn read(&mut self, label: &str, node: &Spanned<NodeName>, stand: Stand) {
        self.spans.push((label.to_owned(), node.span));
        self.reads.push(Read { label: label.to_owned(), node: node.value.clone(), stand, executable: None });
    }

    /// A project path at `at`, as the component `label`.
    fn place(&mut self, label: String, path: &Spanned<RelPath>, at: RelPath) -> Result<(), W::Error> {
        let (entry, input) = self.world.path(path)?;
        self.spans.push((label.clone(), path.span));
        self.components.push(Component::entry(Facet::Own, label.clone(), entry));
        let name = path.value.file_name().unwrap_or_default().to_owned();
        self.inputs.push(Placed { label, at, name, input });
        Ok(())
    }

    fn source_archive(&mut self, archive: &SourceArchive) -> Result<(), W::Error> {
        let SourceArchive { source, excludes, overlays, output: _, archives: _ } = archive;
        let (values, input) = self.world.source(source, excludes)?;
        let span = match source {
            Source::Git { path, .. } | Source::Dir { path } | Source::Auto { path, .. } => path.span,
        };
        for (label, value) in values {
            let place = excludes.first().filter(|_| label == "exclude").map_or(span, |pattern| pattern.span);
            self.spans.push((label.clone(), place));
            self.components.push(Component { facet: Facet::Own, label, value });
        }
        // A source is a folder: it has entries, and its own name counts for nothing.
        let (label, name) = ("source".to_owned(), String::new());
        self.inputs.push(Placed { label, at: RelPath::root(), name, input });
        self.placings("overlay", overlays)
    }

    fn placings(&mut self, word: &str, placings: &[Placing]) -> Result<(), W::Error> {
        for (order, Placing { from, into }) in placings.iter().enumerate() {
            // The order decides who hides whom. A file goes in under its own name.
            let label = format!("{word} {order} {}", from.value);
            // Not `copy 0 into`: that is what a folder called `into` is labelled.
            self.spanned_text(&format!("{word} into {order}"), into.as_str(), from.span);
            self.place(label, from, into.clone())?;
        }
        Ok(())
    }

    fn recipe(
        &mut self,
        node: &NodeName,
        recipe: &Recipe,
        base: Option<&NodeRef>,
        app: Option<&RelPath>,
    ) -> Result<(), W::Error> {
        match recipe {
            Recipe::Host(host) => self.host(host),
            Recipe::Docker(docker) => self.docker(node, docker, base, app),
        }
    }

    fn environment(&mut self, label: String, text: &str, span: Span) {
        self.spans.push((label.clone(), span));
        self.components.push(Component::text(Facet::Environment, label, text));
    }

    fn docker(
        &mut self,
        node: &NodeName,
        recipe: &DockerRecipe,
        base: Option<&NodeRef>,
        app: Option<&RelPath>,
    ) -> Result<(), W::Error> {
        let found = self.world.dockerfile(node, recipe, base, app)?;
        let DockerRecipe {
            context,
            dockerfile,
            args,
            secrets,
            // Which stages are built is what the steps say.
            target: _,
            platform,
            labels,
            network,
            // Publishing.
            tags: _,
            push: _,
            // Policy: where the same image is kept, taken from or sped up by.
            keep_in_store: _,
            pull: _,
            cache_from: _,
            cache_to: _,
            // Which agents there are; what is done with them is what the steps say.
            ssh: _,
            span,
        } = recipe;
        self.spanned_text("dockerfile", &found.steps, dockerfile.span);
        let placed = |label: &str, at: RelPath, input| {
            let name = at.file_name().unwrap_or_default().to_owned();
            Placed { label: label.to_owned(), at, name, input }
        };
        if let Some((entry, input)) = found.context {
            self.spans.extend(context.as_ref().map(|context| ("context".to_owned(), context.span)));
            self.components.push(Component::entry(Facet::Own, "context", entry));
            self.inputs.push(placed("context", RelPath::root(), input));
        }
        self.inputs.push(placed("dockerfile", found.path, found.file));
        for (name, value) in labels {
            self.own_text(&format!("label {name}"), value);
        }
        if let Some(network) = network {
            self.own_text("network", network);
        }
        // One that no stage uses cannot change anything.
        for (name, value) in args.iter().filter(|(name, _)| found.args.contains(&name.value)) {
            self.environment(format!("arg {}", name.value), value, name.span);
        }
        self.secrets(secrets);
        for (reference, value) in found.images {
            let label = format!("from {reference}");
            self.spans.push((label.clone(), dockerfile.span));
            self.components.push(Component { facet: Facet::Environment, label, value });
        }
        let place = platform.as_ref().map_or(*span, |platform| platform.span);
        self.environment("platform".to_owned(), &found.platform, place);
        Ok(())
    }

    fn secrets(&mut self, secrets: &[Secret]) {
        for Secret { id, from: _, required: _, version } in secrets {
            let version = version.clone().unwrap_or_default();
            self.environment(format!("secret {}", id.value), &version, id.span);
        }
    }

    fn host(&mut self, host: &HostRecipe) -> Result<(), W::Error> {
        let HostRecipe { inputs, runs, outputs, tools, env, pass_env, secrets, isolate, span } = host;
        for (at, run) in runs.iter().enumerate() {
            self.spanned_text(&format!("run {at}"), &quoted(&run.value), run.span);
        }
        for output in outputs {
            self.spanned_text(&format!("output {}", output.value), "", output.span);
        }
        self.spanned_text("isolate", if *isolate { "private" } else { "in place" }, *span);
        for input in inputs {
            let label = format!("input {}", input.value);
            if let Some(node) = self.world.publisher(&input.value) {
                let stand = self.world.published(&node);
                self.read(&label, &Spanned::new(node, input.span), stand);
            } else {
                self.place(label, input, input.value.clone())?;
            }
        }
        for (name, value) in env {
            self.environment(format!("env {}", name.value), value, name.span);
        }
        for tool in tools {
            let value = self.world.tool(tool, pass_env)?;
            let label = format!("tool {}", tool.program.value);
            self.spans.push((label.clone(), tool.program.span));
            self.components.push(Component { facet: Facet::Environment, label, value });
        }
        self.secrets(secrets);
        let platform = self.world.platform();
        self.components.push(Component::text(Facet::Environment, "platform", platform));
        Ok(())
    }

    fn dist(&mut self, dist: &Dist) -> Result<(), W::Error> {
        let Dist {
            flavor,
            output: _,
            copies,
            excludes,
            binaries,
            seeds: _,
            archives: _,
            manifest,
            facts,
            provenance,
        } = dist;
        self.own_text(
            "flavor",
            match flavor {
                crate::pipeline::DistFlavor::Docker => "docker",
                crate::pipeline::DistFlavor::Native => "native",
            },
        );
        self.own_text("manifest", manifest.as_str());
        if !excludes.is_empty() {
            let patterns = quoted(excludes.iter().map(|pattern| &pattern.value));
            self.spanned_text("exclude", &patterns, excludes[0].span);
        }
        self.placings("copy", copies)?;
        for DistBinary { node, into, executable } in binaries {
            let label = format!("binary {into}");
            self.own_text(&label, if *executable { "755" } else { "644" });
            self.read(&label, node, Stand::At(into.clone()));
            if let Some(read) = self.reads.last_mut() {
                read.executable = Some(*executable);
            }
        }
        for (name, value) in facts {
            self.spanned_text(&format!("{FACT}{}", name.value), value, name.span);
        }
        for node in provenance {
            self.provenance(node);
        }
        Ok(())
    }

    /// The one place where a node's name counts, because the build manifest has it.
    fn provenance(&mut self, node: &NodeRef) {
        let Some(Origin { commit }) = self.world.origin(&node.value) else { return };
        let label = format!("{PROVENANCE}{}", node.value);
        if let Some(commit) = &commit {
            // Of its own: another commit may well have the same artifact.
            self.spanned_text(&format!("{label} commit"), commit, node.span);
        }
        self.read(&label, node, Stand::Told { commit });
    }
}

#[cfg(test)]
mod tests;
