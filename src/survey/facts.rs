//! The judge's facts, answered from the store and from what stands published.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

use crate::digest::Digest;
use crate::inputs::index::Loose;
use crate::inputs::observe::Known;
use crate::key::{Facet, Key};
use crate::path::RelPath;
use crate::pipeline::{Node, NodeName, Work};
use crate::plan::judge::{Facts, Found};
use crate::plan::{Code, Reason};
use crate::record::{Artifact, Image};
use crate::run::docker::ImageFacts;
use crate::run::gates::{self, Gates};
use crate::run::image::{among, is_elsewhere, is_pushed, keeper_tag};
use crate::run::standing::Found as Stands;
use crate::run::task::Standing;
use crate::run::{publish, wanted};
use crate::store::{Hit, Store};
use crate::survey::dockerfiles::Images;
use crate::tree::{Entry, Leaf};

/// Facts for one run's nodes, by position.
pub struct StoreFacts<'a> {
    pub store: &'a Store,
    pub project: &'a Path,
    pub nodes: &'a [Node],
    pub known: &'a Known,
    pub images: Box<dyn Images + 'a>,
    pub owns: HashSet<Digest>,
    pub requested: HashSet<usize>,
    /// Paths at which something of ours stands published now.
    pub published: HashSet<RelPath>,
    pub cache: RefCell<Cache>,
}

/// What was found out already: the judge asks again while a run goes on.
#[derive(Default)]
pub struct Cache {
    present: HashMap<Digest, bool>,
    /// What stands right, by node: rows of the next index.
    pub standing: HashMap<usize, Vec<(RelPath, Loose)>>,
    /// Ids of images that the engine was asked for.
    pub asked: BTreeSet<String>,
}

impl StoreFacts<'_> {
    /// What was found out.
    pub fn into_seen(self) -> Cache {
        self.cache.into_inner()
    }

    /// `node` made it.
    fn present(&self, artifact: &Artifact, node: &NodeName) -> bool {
        let (digest, ask): (Digest, &dyn Fn() -> bool) = match artifact {
            Artifact::Entry(Entry::File { digest, .. }) => (*digest, &|| self.store.contains(digest)),
            Artifact::Entry(Entry::Directory { digest }) => (digest.0, &|| self.store.has_tree(*digest)),
            Artifact::Entry(Entry::Symlink { .. }) => return true,
            Artifact::Image(image) => {
                (image.digest, &|| self.engine_has(image).is_some() || self.is_elsewhere(image, node))
            }
        };
        if let Some(known) = self.cache.borrow().present.get(&digest) {
            return *known;
        }
        let present = ask();
        self.cache.borrow_mut().present.insert(digest, present);
        present
    }

    fn is_elsewhere(&self, image: &Image, node: &NodeName) -> bool {
        let recipe = self.nodes.iter().find(|one| one.name == *node).and_then(Node::docker);
        let pull = recipe.and_then(|recipe| recipe.pull.as_ref()).map(|pull| pull.value.as_str());
        is_elsewhere(image, pull, self.store) && !self.images.is_refused(&image.digest)
    }

    fn engine_has(&self, image: &Image) -> Option<ImageFacts> {
        self.cache.borrow_mut().asked.insert(image.id.clone());
        engine_has(image, &*self.images)
    }

    /// What is amiss with an image and its names. One that is gone is missed only by who asks for
    /// it, or needs it.
    fn amiss_of_image(&self, at: usize, image: &Image) -> Vec<Reason> {
        let Some(recipe) = self.nodes[at].docker() else { return Vec::new() };
        let Some(facts) = self.engine_has(image) else {
            let is_missed = self.requested.contains(&at);
            return is_missed
                .then(|| Reason::new(Code::ImageMissing, Facet::Environment, "image"))
                .into_iter()
                .collect();
        };
        let mut reasons = Vec::new();
        if let Some(push) = recipe.push.as_ref().filter(|push| !is_pushed(image, &push.value, self.store)) {
            reasons.push(Reason::new(Code::PublishingChanged, Facet::Own, push.value.as_str()));
        }
        let tags: Vec<&str> = recipe.tags.iter().map(|tag| tag.value.as_str()).collect();
        let Ok(found) = self.images.look(&tags) else { return reasons };
        for (tag, found) in tags.into_iter().zip(found) {
            let code = match found {
                Some(found) if found.id == facts.id => continue,
                Some(_) => Code::TagMoved,
                None => Code::TagMissing,
            };
            reasons.push(Reason::new(code, Facet::Own, tag));
        }
        reasons
    }

    fn reason(&self, path: &RelPath, missing: bool) -> Reason {
        let code = match (missing, self.published.contains(path)) {
            (false, _) => Code::OutputAltered,
            (true, true) => Code::OutputMissing,
            (true, false) => Code::PublishingChanged,
        };
        Reason::new(code, Facet::Own, path.as_str())
    }
}

impl Facts for StoreFacts<'_> {
    fn record(&self, key: &Key) -> Option<Found> {
        // A store that cannot answer knows nothing: the node runs, and says then what is wrong.
        let mut hits = self.store.records_by_keys(&[*key]).ok()?;
        let Hit { artifact, node, .. } = hits.remove(key)?;
        let present = self.present(&artifact, &node);
        Some(Found { artifact, present })
    }

    fn knows_own(&self, own: &Digest) -> bool {
        self.owns.contains(own)
    }

    fn amiss(&self, at: usize, artifact: &Artifact) -> Vec<Reason> {
        let node = &self.nodes[at];
        if let Artifact::Image(image) = artifact {
            return self.amiss_of_image(at, image);
        }
        let Ok(publishing) = wanted::publishing(node, artifact, self.store) else {
            // Its directories are gone: everything published would have to be looked for anew.
            return vec![Reason::new(Code::ArtifactMissing, Facet::Own, "artifact")];
        };
        let mut reasons: Vec<Reason> = Vec::new();
        for one in &publishing.unpacked {
            let path = &one.path.value;
            // What stands there is the archive of something else, and was not asked for since.
            let is_older = path.under(self.project).symlink_metadata().is_ok();
            reasons.push(match is_older {
                true => Reason::new(Code::PublishingChanged, Facet::Own, path.as_str()),
                false => self.reason(path, true),
            });
        }
        let mut standing: Vec<(RelPath, Loose)> = Vec::new();
        let mut output = None;
        for one in &publishing.wanted {
            if matches!(one.entry, Entry::Directory { .. }) {
                output = output.or(Some(one.path.clone()));
            }
            if one.path.under(self.project).symlink_metadata().is_err() {
                // One cause, however many files were in it.
                reasons.push(self.reason(&one.path, true));
                continue;
            }
            let Ok(leaves) = wanted::leaves(one, self.store) else {
                reasons.push(Reason::new(Code::ArtifactMissing, Facet::Own, "artifact"));
                continue;
            };
            let leaves: Vec<(RelPath, Leaf)> = leaves.into_iter().collect();
            let known = |path: &Path, stat: &_| self.known.digest(path, stat);
            for ((path, _), found) in leaves.iter().zip(publish::look_all(self.project, &leaves, &known)) {
                match found {
                    Stands::Right(right) => standing.push((path.clone(), loose(&right))),
                    Stands::Folder(_) => standing.push((path.clone(), Loose::Folder)),
                    Stands::Missing if self.published.contains(&one.path) => {
                        reasons.push(Reason::new(Code::OutputMissing, Facet::Own, path.as_str()));
                    }
                    Stands::Missing => reasons.push(self.reason(&one.path, true)),
                    Stands::Altered => reasons.push(self.reason(path, false)),
                }
            }
        }
        for seed in &publishing.seeds {
            let path =
                output.as_ref().map_or_else(|| seed.path.value.clone(), |root| root.join(&seed.path.value));
            let there = path.under(self.project);
            let output_stands = output.as_ref().is_some_and(|root| self.published.contains(root));
            if there.symlink_metadata().is_err() {
                // Seeds are the user's, so no list of what is published has them.
                let code = if output_stands { Code::OutputMissing } else { Code::PublishingChanged };
                reasons.push(Reason::new(code, Facet::Own, path.as_str()));
            } else {
                // Only that it is there counts: its content is the user's.
                standing.push((path, Loose::Present));
            }
        }
        if let Work::BinaryExtract(extract) = &node.work
            && gates::standing(self.store, artifact, extract) == Gates::Open
        {
            reasons.push(Reason::new(Code::GateChanged, Facet::Own, "expect"));
        }
        reasons.dedup();
        self.cache.borrow_mut().standing.insert(at, standing);
        reasons
    }

    fn is_requested(&self, at: usize) -> bool {
        self.requested.contains(&at)
    }
}

/// What the engine has of an image: by its id, or by the name under which it stays.
fn engine_has(image: &Image, images: &dyn Images) -> Option<ImageFacts> {
    among(images.look(&[&image.id, &keeper_tag(image)]).ok()?, image)
}

/// Whether all of an artifact can be had, here or from where it is kept.
pub fn is_at_hand(artifact: &Artifact, pull: Option<&str>, store: &Store, images: &dyn Images) -> bool {
    match artifact {
        Artifact::Entry(_) => store.has_artifact(artifact),
        Artifact::Image(image) => engine_has(image, images).is_some() || is_elsewhere(image, pull, store),
    }
}

/// A standing output as a row of the index; who adds it there tells whether it is racy.
pub fn loose(one: &Standing) -> Loose {
    let Standing { path: _, stat, digest, is_link } = one;
    if one.is_folder() {
        Loose::Folder
    } else if *is_link {
        Loose::Link { stat: *stat, digest: *digest }
    } else {
        Loose::File { stat: *stat, digest: *digest, racy: false }
    }
}
