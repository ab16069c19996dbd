//! The one judge: facts in, verdicts out. Pure.
//!
//! Nodes come in topological order, upstreams first, and are named by their position. A node's
//! artifact is *known* when a record says what it is, whether or not the content is at hand; so a
//! restorable upstream keeps nobody waiting, and content is asked for only by those that need it.

use crate::digest::Digest;
use crate::key::{Component, Facet, Key, Manifest};
use crate::plan::reason::{Code, Reason};
use crate::plan::verdict::Verdict;
use crate::record::Artifact;

/// What is known of a node before any upstream is.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Own and environment components; upstreams are added here.
    pub own: Manifest,
    /// Each upstream whose artifact counts.
    pub reads: Vec<Reading>,
    /// Positions that must be done before, without their artifacts being read.
    pub follows: Vec<usize>,
    pub order: Order,
}

/// An upstream whose artifact is in a node's manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The component's label.
    pub label: String,
    /// Its position.
    pub up: usize,
    /// Whether its content is wanted, or its digest alone.
    pub content: bool,
}

/// What the caller asks of a node, over and above freshness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Run when stale.
    Judge,
    /// Run again, whatever the record says.
    Force(Code),
    /// Take this artifact without asking; followers are marked.
    Assume(Artifact),
    /// Nothing of its own to do: a group.
    Nothing,
}

/// What a record with some key says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub artifact: Artifact,
    /// Whether the content is in the store (or with the engine), whole.
    pub present: bool,
}

/// Where the judge looks things up. Implementations answer from memory.
pub trait Facts {
    fn record(&self, key: &Key) -> Option<Found>;
    /// Whether any record shares these own components.
    fn knows_own(&self, own: &Digest) -> bool;
    /// What is amiss with the published outputs of a node, given the artifact they should show.
    fn amiss(&self, node: usize, artifact: &Artifact) -> Vec<Reason>;
    /// Whether the caller named the node, so that its content must be at hand.
    fn is_requested(&self, node: usize) -> bool;
}

/// A node judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    pub verdict: Verdict<usize>,
    /// Complete once every upstream's artifact is known.
    pub manifest: Option<Manifest>,
    pub artifact: Option<Artifact>,
    /// Whether the artifact's content is at hand.
    pub present: bool,
    /// Assumed nodes in what this is built from, by label of the upstream.
    pub assumed: bool,
}

impl Judged {
    /// A node that is done, or needs no more than to be put back.
    pub fn is_known(&self) -> bool {
        self.artifact.is_some() && matches!(self.verdict, Verdict::Fresh | Verdict::Restorable(_))
    }

    pub fn key(&self) -> Option<Key> {
        self.manifest.as_ref().map(Manifest::key)
    }
}

/// Judges all nodes, then withdraws the freshness of those whose lost content somebody needs,
/// until nothing changes.
pub fn judge(subjects: &[Subject], facts: &dyn Facts) -> Vec<Judged> {
    let mut lost = vec![false; subjects.len()];
    loop {
        let mut judged: Vec<Judged> = Vec::with_capacity(subjects.len());
        for (at, subject) in subjects.iter().enumerate() {
            let one = judge_one(at, subject, &judged, lost[at], facts);
            judged.push(one);
        }
        let newly = newly_lost(subjects, &judged, &lost, facts);
        if newly.is_empty() {
            return judged;
        }
        for at in newly {
            lost[at] = true;
        }
    }
}

/// Judges one node, given those before it. Also used while running, when an upstream is done.
pub fn judge_one(at: usize, subject: &Subject, before: &[Judged], lost: bool, facts: &dyn Facts) -> Judged {
    let blank = |verdict| Judged { verdict, manifest: None, artifact: None, present: false, assumed: false };
    match &subject.order {
        Order::Assume(artifact) => {
            return Judged {
                artifact: Some(artifact.clone()),
                present: true,
                assumed: true,
                ..blank(Verdict::Fresh)
            };
        }
        Order::Nothing => {
            let pending: Vec<usize> =
                subject.follows.iter().copied().filter(|up| !before[*up].is_settled()).collect();
            let verdict = if pending.is_empty() { Verdict::Fresh } else { Verdict::Waiting(pending) };
            return blank(verdict);
        }
        Order::Judge | Order::Force(_) => {}
    }
    let pending: Vec<usize> =
        subject.reads.iter().map(|read| read.up).filter(|up| !before[*up].is_known()).collect();
    let marked = subject.reads.iter().any(|read| before[read.up].assumed);
    if !pending.is_empty() {
        if let Order::Force(code) = subject.order {
            return blank(Verdict::Stale(vec![Reason::new(code, Facet::Own, "run")]));
        }
        if lost {
            return blank(Verdict::Stale(vec![Reason::new(Code::ArtifactMissing, Facet::Own, "artifact")]));
        }
        // Nothing an upstream may yield can make a node fresh whose own side no record knows.
        if !facts.knows_own(&subject.own.own_digest()) {
            return blank(Verdict::Stale(Vec::new()));
        }
        return blank(Verdict::Waiting(pending));
    }
    let mut upstreams: Vec<Component> = subject
        .reads
        .iter()
        .filter_map(|read| {
            let value = before[read.up].artifact.as_ref()?.value();
            Some(Component { facet: Facet::Upstream, label: read.label.clone(), value })
        })
        .collect();
    if marked {
        // What is built from an assumed artifact says so, and is another thing than the same
        // content built in earnest.
        upstreams.push(Component::text(Facet::Upstream, "assumed", "yes"));
    }
    let manifest = subject.own.with(upstreams);
    if let Order::Force(code) = subject.order {
        let verdict = Verdict::Stale(vec![Reason::new(code, Facet::Own, "run")]);
        return Judged { manifest: Some(manifest), assumed: marked, ..blank(verdict) };
    }
    let Some(found) = facts.record(&manifest.key()) else {
        return Judged { manifest: Some(manifest), assumed: marked, ..blank(Verdict::Stale(Vec::new())) };
    };
    let verdict = if lost {
        let code = match found.artifact {
            Artifact::Entry(_) => Code::ArtifactMissing,
            Artifact::Image(_) => Code::ImageMissing,
        };
        Verdict::Stale(vec![Reason::new(code, Facet::Own, "artifact")])
    } else {
        let amiss = facts.amiss(at, &found.artifact);
        if amiss.is_empty() { Verdict::Fresh } else { Verdict::Restorable(amiss) }
    };
    Judged {
        verdict,
        manifest: Some(manifest),
        artifact: Some(found.artifact),
        present: found.present,
        assumed: marked,
    }
}

impl Judged {
    fn is_settled(&self) -> bool {
        matches!(self.verdict, Verdict::Fresh | Verdict::Restorable(_))
    }
}

/// Known artifacts without content that a run would have to read: a reader runs, an output must
/// be put back, or the caller asked for the node itself.
fn newly_lost(subjects: &[Subject], judged: &[Judged], lost: &[bool], facts: &dyn Facts) -> Vec<usize> {
    let mut needed = vec![false; subjects.len()];
    for at in (0..subjects.len()).rev() {
        let one = &judged[at];
        let own_need = matches!(one.verdict, Verdict::Restorable(_)) || facts.is_requested(at);
        needed[at] |= own_need;
        if matches!(one.verdict, Verdict::Stale(_)) {
            for read in subjects[at].reads.iter().filter(|read| read.content) {
                needed[read.up] = true;
            }
        }
    }
    (0..subjects.len())
        .filter(|at| needed[*at] && !lost[*at] && judged[*at].is_known() && !judged[*at].present)
        .collect()
}

#[cfg(test)]
mod tests;
