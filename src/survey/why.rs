//! Turns a verdict into a full explanation: the record it is compared with, and what differs.

use std::collections::HashMap;
use std::sync::Arc;

use crate::dockerfile::{Analysis, Step};
use crate::inputs::Observation;
use crate::inputs::git::GitSource;
use crate::inputs::input::Input;
use crate::key::compose::Placed;
use crate::key::{Facet, Manifest, Value};
use crate::path::RelPath;
use crate::pipeline::{Archive, Kind, NodeName, Span};
use crate::plan::judge::{Judged, Reading, Subject};
use crate::plan::mend::mend;
use crate::plan::reason::between;
use crate::plan::receipt::redacted;
use crate::plan::{Baseline, Code, Estimate, Explanation, Identical, Layer, Proposed, Reason, Verdict};
use crate::record::Record;
use crate::run::retention::Pattern;
use crate::store::Store;
use crate::tree::{Directory, Entry, TreeDigest, diff};

mod instructions;

/// How many past durations an estimate is drawn from.
const SAMPLES: usize = 20;
/// How many records are looked at for the nearest one.
const CANDIDATES: usize = 20;

/// A node to be explained.
pub struct Case<'a> {
    pub name: &'a NodeName,
    pub kind: Kind,
    pub subject: &'a Subject,
    pub judged: &'a Judged,
    /// Where labels were declared.
    pub spans: &'a [(String, Span)],
    /// What was found of the node's inputs.
    pub inputs: &'a [Placed<Input>],
    /// Its Dockerfile, from the project's root, where it is built from one.
    pub dockerfile: Option<&'a RelPath>,
    pub names: &'a [NodeName],
    /// All nodes judged, for what is said of upstreams.
    pub all: &'a [Judged],
}

/// Reads history; changes nothing.
pub struct Historian<'a> {
    pub store: &'a Store,
    pub project: &'a str,
    /// The pipeline file's text, for the lines of spans.
    pub text: &'a str,
    /// Folders that were just seen, whose directories no store may hold yet.
    pub seen: Vec<Arc<Observation>>,
    /// Repositories, by the id of the tree that was taken from them.
    pub commits: HashMap<String, GitSource>,
    /// Folders that a receipt names.
    pub brought: HashMap<TreeDigest, Arc<Directory>>,
}

impl<'a> Historian<'a> {
    /// One that knows what the store has, and nothing of what lies on disk now.
    pub fn new(store: &'a Store, project: &'a str, text: &'a str) -> Self {
        Self { store, project, text, seen: Vec::new(), commits: HashMap::new(), brought: HashMap::new() }
    }

    /// The reasons of a verdict, worked out where the judge only said "no record".
    pub fn reasons(&self, case: &Case<'_>) -> (Vec<Reason>, Option<Record>) {
        let baseline = self.baseline(case);
        let mut reasons = match &case.judged.verdict {
            Verdict::Fresh | Verdict::Waiting(_) => Vec::new(),
            Verdict::Restorable(reasons) => reasons.clone(),
            Verdict::Stale(reasons) if !reasons.is_empty() => reasons.clone(),
            Verdict::Stale(_) => match &baseline {
                None => vec![Reason::new(Code::NeverBuilt, Facet::Own, "record")],
                Some(record) => self.differences(case, record),
            },
        };
        self.place(&mut reasons, case);
        (reasons, baseline)
    }

    /// What differs between `old`, a redacted manifest of another machine, and the node now.
    pub fn against(&self, case: &Case<'_>, old: &Manifest) -> Vec<Reason> {
        let (old, new) = match &case.judged.manifest {
            Some(manifest) => (old.clone(), redacted(manifest)),
            None => (own_part(old), redacted(&case.subject.own)),
        };
        let mut reasons = between(&old, &new);
        self.tell(&mut reasons, case);
        self.place(&mut reasons, case);
        reasons
    }

    /// Where the pipeline file says what made each of them count.
    fn place(&self, reasons: &mut [Reason], case: &Case<'_>) {
        for reason in reasons {
            reason.span = span_of(reason, case.spans);
            reason.line = reason.span.and_then(|span| span.line(self.text));
            reason.mend = mend(reason);
        }
    }

    /// Names upstreams and lists changed paths.
    fn tell(&self, reasons: &mut [Reason], case: &Case<'_>) {
        for reason in reasons {
            if reason.facet == Facet::Upstream {
                let read = case.subject.reads.iter().find(|read| read.label == reason.label);
                reason.node = read.map(|read| case.names[read.up].clone());
            }
            self.list_changes(reason);
            instructions::name(reason, case);
        }
    }

    /// The record that a node is compared with: the one it has now; else its last success; else,
    /// of those it or a node of its name elsewhere had, the one with the nearest manifest.
    fn baseline(&self, case: &Case<'_>) -> Option<Record> {
        let has_record = matches!(case.judged.verdict, Verdict::Fresh | Verdict::Restorable(_));
        if let Some(key) = case.judged.key().filter(|_| has_record)
            && let Some(record) = self.store.record_by_key(&key).ok().flatten()
        {
            return Some(record);
        }
        if let Some(record) = self.store.latest_record(self.project, case.name).ok().flatten() {
            return Some(record);
        }
        let own = case.judged.manifest.as_ref().unwrap_or(&case.subject.own);
        let candidates = self.store.nearest_candidates(self.project, case.name, CANDIDATES).ok()?;
        candidates.into_iter().min_by_key(|record| between(&record.manifest, own).len())
    }

    fn differences(&self, case: &Case<'_>, record: &Record) -> Vec<Reason> {
        let partial;
        let (old, new): (&Manifest, &Manifest) = match &case.judged.manifest {
            Some(manifest) => (&record.manifest, manifest),
            None => {
                partial = own_part(&record.manifest);
                (&partial, &case.subject.own)
            }
        };
        let mut reasons = between(old, new);
        self.tell(&mut reasons, case);
        if case.judged.manifest.is_none() {
            for Reading { label, up, .. } in &case.subject.reads {
                if !case.all[*up].is_known() {
                    let mut reason = Reason::new(Code::UpstreamStale, Facet::Upstream, label.clone());
                    reason.node = Some(case.names[*up].clone());
                    reasons.push(reason);
                }
            }
        }
        reasons
    }

    /// Fills in which files of a changed folder differ.
    pub fn list_changes(&self, reason: &mut Reason) {
        if let (Some(Value::Text(old)), Some(Value::Text(new))) = (&reason.old, &reason.new)
            && reason.label == "git tree"
            && let Some(source) = self.commits.get(new)
            // The old tree may be gone with the commits that named it.
            && let Ok((changes, more)) = source.changes(old, new, Reason::MOST)
        {
            (reason.changes, reason.more) = (changes, more);
            return;
        }
        let (
            Some(Value::Entry(Entry::Directory { digest: old })),
            Some(Value::Entry(Entry::Directory { digest: new })),
        ) = (&reason.old, &reason.new)
        else {
            return;
        };
        let mut changes = diff(*old, *new, Reason::MOST + 1, &mut |digest| {
            self.seen
                .iter()
                .find_map(|one| one.directory(digest))
                .or_else(|| self.brought.get(&digest).cloned())
                .or_else(|| self.store.directory(digest))
        });
        reason.more = changes.len() > Reason::MOST;
        changes.truncate(Reason::MOST);
        reason.changes = changes;
    }

    /// See [`estimate`].
    pub fn estimate(&self, node: &NodeName) -> Option<Estimate> {
        estimate(self.store, self.project, node)
    }

    /// How often the node came out as it was.
    fn identical(&self, node: &NodeName) -> Option<Identical> {
        let all = self.store.sames(self.project, node, SAMPLES).ok().filter(|all| !all.is_empty())?;
        let same = all.iter().filter(|same| **same).count() as u32;
        Some(Identical { same, of: all.len() as u32 })
    }

    /// What each instruction that makes a layer is expected to take.
    fn layers(&self, node: &NodeName, analysis: &Analysis) -> Vec<Layer> {
        let mut times = self.store.instruction_times(self.project, node).unwrap_or_default();
        let named = analysis.steps.iter().zip(analysis.names()).filter(|(step, _)| {
            // What is built on takes no time of its own, and stages may share it.
            step.number.is_some() && step.word != "FROM"
        });
        let instruction = |(step, name): (&Step, String)| Layer {
            line: step.line,
            text: step.text.lines().next().unwrap_or_default().to_owned(),
            estimate: times.remove(&name).and_then(Estimate::of),
        };
        named.map(instruction).collect()
    }

    /// `dockerfile` is of a node that builds an image.
    pub fn explain(
        &self,
        case: &Case<'_>,
        dockerfile: Option<&Analysis>,
        downstream: Vec<NodeName>,
        notes: Vec<String>,
        edits: Vec<Proposed>,
    ) -> Explanation {
        let (reasons, baseline) = self.reasons(case);
        let verdict = match &case.judged.verdict {
            Verdict::Fresh => Verdict::Fresh,
            Verdict::Restorable(_) => Verdict::Restorable(reasons),
            Verdict::Stale(_) => Verdict::Stale(reasons),
            Verdict::Waiting(on) => Verdict::Waiting(on.iter().map(|up| case.names[*up].clone()).collect()),
        };
        let unchanged = match &baseline {
            Some(record) => {
                unchanged(&record.manifest, case.judged.manifest.as_ref().unwrap_or(&case.subject.own))
            }
            None => [0; 3],
        };
        let will_run = !matches!(verdict, Verdict::Fresh | Verdict::Restorable(_));
        Explanation {
            node: case.name.clone(),
            kind: case.kind,
            key: case.judged.key().map(|key| key.to_string()),
            baseline: baseline.and_then(|record| {
                let run = self.store.run(record.run).ok().flatten()?;
                Some(Baseline {
                    run: record.run,
                    revision: run.revision,
                    started: run.started,
                    duration_ms: record.duration_ms,
                    last_success: record.node == *case.name,
                })
            }),
            unchanged,
            estimate: if will_run { self.estimate(case.name) } else { None },
            identical: if will_run { self.identical(case.name) } else { None },
            instructions: match dockerfile.filter(|_| will_run) {
                Some(analysis) => self.layers(case.name, analysis),
                None => Vec::new(),
            },
            upstreams: case
                .subject
                .reads
                .iter()
                .map(|read| (case.names[read.up].clone(), case.all[read.up].verdict.word()))
                .collect(),
            downstream: if will_run { downstream } else { Vec::new() },
            notes,
            edits,
            verdict,
        }
    }
}

/// Expected time from past runs; none without any.
pub fn estimate(store: &Store, project: &str, node: &NodeName) -> Option<Estimate> {
    Estimate::of(store.durations(project, node, SAMPLES).ok()?)
}

/// Where the reason's component was declared. A file below an output has the output's place.
fn span_of(reason: &Reason, spans: &[(String, Span)]) -> Option<Span> {
    if let Some((_, span)) = spans.iter().find(|(label, _)| *label == reason.label) {
        return Some(*span);
    }
    if !matches!(reason.code, Code::OutputMissing | Code::OutputAltered | Code::PublishingChanged) {
        return None;
    }
    let above = |label: &str| reason.label.strip_prefix(label).is_some_and(|below| below.starts_with('/'));
    // An archive may be called by its content.
    let path = RelPath::parse(&reason.label).ok();
    let same = |label: &str| {
        let place = label.contains(Archive::DIGEST).then(|| RelPath::parse(label).ok()).flatten();
        place.zip(path.as_ref()).is_some_and(|(place, path)| Pattern::of_path(&place).matches(path))
    };
    spans.iter().find(|(label, _)| above(label) || same(label)).map(|(_, span)| *span)
}

fn own_part(manifest: &Manifest) -> Manifest {
    let own = manifest.components().iter().filter(|c| c.facet != Facet::Upstream).cloned().collect();
    Manifest::new(manifest.kind(), own)
}

/// How many components of each facet are the same in both.
fn unchanged(old: &Manifest, new: &Manifest) -> [usize; 3] {
    let mut counts = [0; 3];
    for component in new.components() {
        if old.get(component.facet, &component.label) == Some(&component.value) {
            counts[component.facet as usize] += 1;
        }
    }
    counts
}
