//! What is worth knowing of a node and is no cause, and what in the pipeline file would mend it.

use crate::commands::ground::Ground;
use crate::commands::prepare::{Prepared, pull_of};
use crate::inputs::ignore_rules::Rules;
use crate::inputs::input::Input;
use crate::pipeline::edit::edit;
use crate::pipeline::{AppEmbed, Document, NodeName, Work};
use crate::plan::Proposed;
use crate::plan::judge::Judged;
use crate::record::Artifact;
use crate::report::words;
use crate::run::gates;
use crate::run::image::{is_elsewhere, keeper_tag};
use crate::survey::audit::{self, Application, Finding};

impl Prepared {
    /// Sentences, and the edits that put an end to some of them.
    pub(super) fn notes(&self, at: usize, judged: &Judged, ground: &Ground) -> (Vec<String>, Vec<Proposed>) {
        let (mut notes, mut edits) = (Vec::new(), Vec::new());
        for placed in &self.composed[at].inputs {
            if let Input::Git(git) = &placed.input
                && let Some(note) = git.uncommitted(&ground.git)
            {
                notes.push(note);
            }
            if let Input::Dockerfile(file) = &placed.input {
                let node = &self.nodes[at];
                let entries = |app: &NodeName| self.entries(app);
                let is_alone = || self.is_empty_context(at);
                let application = self.application(at, &entries, &is_alone);
                let all = &self.loaded.pipeline.nodes;
                let findings = audit::findings(node, all, &file.analysis, application.as_ref());
                // Read again only for those who need it.
                let document = match findings.iter().any(|one| one.change.is_some()) {
                    true => Document::decode(&self.loaded.document).ok(),
                    false => None,
                };
                for Finding { text, change } in findings {
                    let proposed = change
                        .zip(document.as_ref())
                        .and_then(|(change, document)| edit(document, &self.loaded.source.text, &change));
                    edits.extend(proposed.map(|edit| Proposed { note: notes.len(), edit }));
                    notes.push(text);
                }
            }
        }
        notes.extend(self.note_of_image(at, ground));
        if let Some(artifact) = &judged.artifact
            && let Some(one) = gates::unproven(&self.nodes[at], artifact, &self.store)
        {
            notes.push(words::not_run(&one.checks, &one.reason));
        }
        (notes, edits)
    }

    /// The application of an embed, as its source has it.
    fn application<'a>(
        &'a self,
        at: usize,
        entries: &'a dyn Fn(&NodeName) -> Vec<(String, bool)>,
        is_alone: &'a dyn Fn() -> bool,
    ) -> Option<Application<'a>> {
        let Work::AppEmbed(AppEmbed { app, .. }) = &self.nodes[at].work else { return None };
        let graph = &self.loaded.graph;
        let readers = graph.downstreams(graph.find(&app.value.0)?);
        let works = readers.iter().map(|one| &self.loaded.pipeline.nodes[one.node.index()].work);
        let is_sole = works.filter(|work| !matches!(work, Work::Group(_))).count() == 1;
        Some(Application { is_sole, is_alone, entries })
    }

    /// Whether nothing of a node's own context counts.
    fn is_empty_context(&self, at: usize) -> bool {
        self.composed[at].inputs.iter().all(|placed| match &placed.input {
            Input::Folder(folder) => {
                let tree = folder.tree();
                tree.directories.get(&tree.root).is_none_or(|root| root.entries().is_empty())
            }
            _ => true,
        })
    }

    /// The names in the root of a source, and whether they are folders.
    fn entries(&self, app: &NodeName) -> Vec<(String, bool)> {
        let Some(at) = self.names.iter().position(|name| name == app) else { return Vec::new() };
        let source = self.composed[at].inputs.iter().find(|placed| placed.label == "source");
        match source.map(|placed| &placed.input) {
            Some(Input::Folder(folder)) => {
                let tree = folder.tree();
                let root = tree.directories.get(&tree.root);
                let entries = root.into_iter().flat_map(|root| root.entries());
                entries
                    .map(|(name, entry)| {
                        (name.clone(), matches!(entry, crate::tree::Entry::Directory { .. }))
                    })
                    .collect()
            }
            Some(Input::Git(git)) => {
                let root = std::path::Path::new("/");
                let excludes = Rules::none().patterns(&git.excludes, root).unwrap_or_else(|_| Rules::none());
                let mut names = git.source.names(&git.facts.tree).unwrap_or_default();
                names.retain(|(name, is_folder)| !excludes.ignores(&root.join(name), *is_folder));
                names
            }
            _ => Vec::new(),
        }
    }

    /// That the engine lacks the image of a node that is fresh all the same: what it costs when
    /// somebody needs it.
    fn note_of_image(&self, at: usize, ground: &Ground) -> Option<String> {
        self.nodes[at].docker()?;
        let record = self.store.latest_record(&self.project_id, &self.nodes[at].name).ok()??;
        let Artifact::Image(image) = record.artifact else { return None };
        let keeper = keeper_tag(&image);
        let found = ground.image_ids(&[&image.id, &keeper])?;
        if found.iter().any(Option::is_some) {
            return None;
        }
        let mend = match is_elsewhere(&image, pull_of(&self.nodes[at]), &self.store) {
            true if image.kept.is_some() => "it is loaded from the store when it is needed",
            true => "it is pulled when it is needed",
            false => "it is built again when it is needed",
        };
        Some(format!("the engine has its image no longer: {mend}"))
    }
}
