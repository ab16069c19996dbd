//! Names: each node has its own, and whoever names another means one that exists and fits.

use std::collections::HashMap;

use crate::path::RelPath;
use crate::pipeline::check::Declared;
use crate::pipeline::diagnostic::Diagnostic;
use crate::pipeline::model::{Kind, Node, NodeRef, Pipeline, PublishedPlace, Recipe, Work};
use crate::pipeline::suggest;

/// After so many unknown names no more suggestions are looked for: each reads all names.
const SUGGESTIONS: usize = 50;

const BASE: &[Kind] = &[Kind::BaseImage, Kind::Command];
const APP: &[Kind] = &[Kind::SourceArchive, Kind::Command, Kind::DistDocker, Kind::DistNative];
const IMAGE: &[Kind] = &[Kind::BaseImage, Kind::AppEmbed, Kind::Command];
const BINARY: &[Kind] = &[Kind::BinaryExtract, Kind::Command];
const FROM: &[Kind] = &[
    Kind::SourceArchive,
    Kind::BaseImage,
    Kind::AppEmbed,
    Kind::BinaryExtract,
    Kind::DistDocker,
    Kind::DistNative,
    Kind::Command,
];

struct Checker<'p> {
    known: HashMap<&'p str, &'p Declared>,
    nodes: HashMap<&'p str, &'p Node>,
    unknown: usize,
    mistakes: Vec<Diagnostic>,
}

pub(super) fn check(pipeline: &Pipeline, declared: &[Declared]) -> Vec<Diagnostic> {
    let mut checker = Checker {
        known: HashMap::with_capacity(declared.len()),
        nodes: pipeline.nodes.iter().map(|node| (node.name.as_ref(), node)).collect(),
        unknown: 0,
        mistakes: Vec::new(),
    };
    checker.names(declared);
    let mut defaults = HashMap::new();
    for default in &pipeline.defaults {
        checker.reference("default", default, &Kind::ALL);
        if let Some(first) = defaults.insert(&default.value, default.span) {
            let message = format!("`{}` is a default twice", default.value);
            let mistake = Diagnostic::new("repeated-default", message, default.span, "given again");
            checker.mistakes.push(mistake.label(first, "first given here"));
        }
    }
    for node in &pipeline.nodes {
        checker.node(node);
    }
    checker.mistakes
}

impl<'p> Checker<'p> {
    fn names(&mut self, declared: &'p [Declared]) {
        for node in declared {
            let name: &str = node.name.value.as_ref();
            let Some(first) = self.known.get(name) else {
                self.known.insert(name, node);
                continue;
            };
            let mistake = if first.unnamed && node.unnamed {
                let message = format!("two `{name}` nodes have no name");
                let mistake = Diagnostic::new("repeated-name", message, node.name.span, "unnamed too");
                mistake
                    .label(first.name.span, "unnamed")
                    .help(format!("give one a name: `{name} \"other\" {{ … }}`"))
            } else {
                let message = format!("two nodes are called `{name}`");
                let mistake = Diagnostic::new("repeated-name", message, node.name.span, "called so again");
                mistake
                    .label(first.name.span, "first called so here")
                    .help("give each node a name of its own")
            };
            self.mistakes.push(mistake);
        }
    }

    fn node(&mut self, node: &Node) {
        match &node.work {
            Work::SourceArchive(_) | Work::BaseImage(_) => {}
            Work::AppEmbed(embed) => {
                if let Some(base) = &embed.base {
                    self.artifact("base", base, BASE);
                }
                self.artifact("app", &embed.app, APP);
                if node.host().is_some_and(|recipe| !recipe.isolate) {
                    embed.base.iter().for_each(|base| self.in_place("base", base, None));
                    let into = Some(&embed.into).filter(|into| !into.is_root());
                    self.in_place("app", &embed.app, into);
                }
            }
            Work::BinaryExtract(extract) => self.artifact("image", &extract.from, IMAGE),
            Work::Dist(dist) => {
                dist.binaries.iter().for_each(|binary| self.artifact("binary", &binary.node, BINARY));
                dist.provenance.iter().for_each(|node| self.artifact("provenance", node, FROM));
            }
            Work::Command(command) => {
                for from in &command.froms {
                    self.artifact("from", &from.node, FROM);
                    if !command.recipe.isolate {
                        self.in_place("from", &from.node, from.into.as_ref());
                    }
                }
                command.after.iter().for_each(|node| self.reference("after", node, &Kind::ALL));
            }
            Work::Group(group) => {
                group.members.iter().for_each(|node| self.reference("member", node, &Kind::ALL))
            }
        }
    }

    /// A reference whose artifact is read.
    fn artifact(&mut self, word: &str, reference: &NodeRef, accepted: &[Kind]) {
        self.reference(word, reference, accepted);
        let name: &str = reference.value.as_ref();
        let silent = self.nodes.get(name).is_some_and(|node| match &node.work {
            Work::Command(command) => command.recipe.outputs.is_empty(),
            _ => false,
        });
        if silent {
            let message = format!("`{name}` has no output to read");
            let mistake = Diagnostic::new("nothing-to-read", message, reference.span, "read here");
            self.mistakes
                .push(mistake.help(format!("give `{name}` an `output`, or write `after \"{name}\"`")));
        }
        if word == "base" {
            self.tagged_base(reference);
        }
    }

    /// A recipe in the project itself is given nothing: it finds an artifact where its node
    /// publishes it, or not at all.
    fn in_place(&mut self, word: &str, reference: &NodeRef, into: Option<&RelPath>) {
        let Some(node) = self.nodes.get(reference.value.as_ref()) else { return };
        let published = node.published_place();
        let name = &reference.value;
        let help = match (&published, into, node.natural_place()) {
            (PublishedPlace::Own, None, _) => return,
            (PublishedPlace::At(place), Some(wanted), _) if wanted == place => return,
            (PublishedPlace::At(place), None, Some(natural)) if natural == *place => return,
            (PublishedPlace::Own, Some(_), _) => {
                "leave `into` out: its outputs stand at their own paths".to_owned()
            }
            (PublishedPlace::At(place), ..) => {
                format!("say where it is: `{word} \"{name}\" into=\"{place}\"`")
            }
            (PublishedPlace::Nowhere, ..) => {
                format!("give `{name}` an `output`, or leave `isolate=#false` out")
            }
        };
        let message = format!("`{name}` is not where a recipe in place would read it");
        let mistake = Diagnostic::new("not-in-place", message, reference.span, format!("`{word}` here"));
        self.mistakes.push(mistake.help(help));
    }

    /// A Docker build's base is found in the Dockerfile by its tag.
    fn tagged_base(&mut self, reference: &NodeRef) {
        let Some(node) = self.nodes.get(reference.value.as_ref()) else { return };
        if let Work::BaseImage(base) = &node.work
            && let Recipe::Docker(docker) = &base.recipe
            && docker.tags.is_empty()
        {
            let message = format!("`{}` has no `tag`, so no FROM can name it", reference.value);
            let mistake = Diagnostic::new("untagged-base", message, reference.span, "used as a base");
            let mistake = mistake.label(node.name_span, "has no `tag`");
            self.mistakes.push(mistake.help("add the `tag` that the Dockerfile's FROM names"));
        }
    }

    fn reference(&mut self, word: &str, reference: &NodeRef, accepted: &[Kind]) {
        let name: &str = reference.value.as_ref();
        let Some(declared) = self.known.get(name) else {
            self.unknown += 1;
            let near = (self.unknown <= SUGGESTIONS)
                .then(|| {
                    let mut names: Vec<&str> = self.known.keys().copied().collect();
                    names.sort_unstable();
                    suggest::nearest(name, names)
                })
                .flatten();
            let message = format!("no node is called `{name}`");
            let mistake = Diagnostic::new("unknown-node", message, reference.span, "not declared");
            self.mistakes.push(match near {
                Some(near) => mistake.help(format!("did you mean `{near}`?")),
                None => mistake,
            });
            return;
        };
        if let Some(kind) = declared.kind.filter(|kind| !accepted.contains(kind)) {
            let message = format!("`{name}` is a `{}`, which cannot be a `{word}`", kind.word());
            let words: Vec<&str> = accepted.iter().map(|kind| kind.word()).collect();
            let mistake =
                Diagnostic::new("wrong-kind", message, reference.span, format!("named as `{word}`"));
            let mistake = mistake.label(declared.name.span, "declared here");
            self.mistakes.push(mistake.help(suggest::allowed(&words)));
        }
    }
}
