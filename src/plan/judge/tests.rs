use std::collections::{HashMap, HashSet};

use super::*;
use crate::tree::Entry;

#[derive(Default)]
struct World {
    records: HashMap<Key, Found>,
    owns: HashSet<Digest>,
    amiss: HashSet<usize>,
    requested: HashSet<usize>,
}

impl Facts for World {
    fn record(&self, key: &Key) -> Option<Found> {
        self.records.get(key).cloned()
    }

    fn knows_own(&self, own: &Digest) -> bool {
        self.owns.contains(own)
    }

    fn amiss(&self, node: usize, _: &Artifact) -> Vec<Reason> {
        if self.amiss.contains(&node) {
            vec![Reason::new(Code::OutputMissing, Facet::Own, "out")]
        } else {
            Vec::new()
        }
    }

    fn is_requested(&self, node: usize) -> bool {
        self.requested.contains(&node)
    }
}

fn artifact(text: &str) -> Artifact {
    Artifact::Entry(Entry::File { digest: Digest::of(text.as_bytes()), size: 1, executable: false })
}

fn subject(own: &str, reads: &[usize]) -> Subject {
    Subject {
        own: Manifest::new("command 1", vec![Component::text(Facet::Own, "run 0", own)]),
        reads: reads
            .iter()
            .map(|up| Reading { label: format!("from {up}"), up: *up, content: true })
            .collect(),
        follows: Vec::new(),
        order: Order::Judge,
    }
}

impl World {
    /// Records that `subject` gave `artifact`, with these upstream artifacts.
    fn remember(&mut self, subject: &Subject, upstreams: &[&str], yields: &str) {
        let components = subject.reads.iter().zip(upstreams).map(|(read, text)| Component {
            facet: Facet::Upstream,
            label: read.label.clone(),
            value: artifact(text).value(),
        });
        let manifest = subject.own.with(components);
        self.owns.insert(manifest.own_digest());
        self.records.insert(manifest.key(), Found { artifact: artifact(yields), present: true });
    }

    fn lose(&mut self, yields: &str) {
        for found in self.records.values_mut() {
            if found.artifact == artifact(yields) {
                found.present = false;
            }
        }
    }
}

/// base → embed → dist, all recorded.
fn chain() -> (World, Vec<Subject>) {
    let subjects = vec![subject("base", &[]), subject("embed", &[0]), subject("dist", &[1])];
    let mut world = World::default();
    world.remember(&subjects[0], &[], "B");
    world.remember(&subjects[1], &["B"], "E");
    world.remember(&subjects[2], &["E"], "D");
    (world, subjects)
}

fn words(judged: &[Judged]) -> Vec<&'static str> {
    judged.iter().map(|one| one.verdict.word()).collect()
}

#[test]
fn recorded_nodes_are_fresh() {
    let (world, subjects) = chain();
    assert_eq!(words(&judge(&subjects, &world)), ["fresh", "fresh", "fresh"]);
}

#[test]
fn a_change_makes_followers_wait_not_run() {
    let (world, mut subjects) = chain();
    subjects[0] = subject("base!", &[]);
    let judged = judge(&subjects, &world);
    assert_eq!(words(&judged), ["stale", "waiting", "waiting"]);
    assert_eq!(judged[1].verdict, Verdict::Waiting(vec![0]));
}

#[test]
fn an_unknown_own_side_is_stale_though_the_upstream_is_pending() {
    let (world, mut subjects) = chain();
    subjects[0] = subject("base!", &[]);
    subjects[1] = subject("embed!", &[0]);
    assert_eq!(words(&judge(&subjects, &world)), ["stale", "stale", "waiting"]);
}

#[test]
fn early_cutoff_names_artifacts_not_keys() {
    let (mut world, mut subjects) = chain();
    subjects[0] = subject("base, spelled otherwise", &[]);
    world.remember(&subjects[0], &[], "B");
    assert_eq!(words(&judge(&subjects, &world)), ["fresh", "fresh", "fresh"]);
}

#[test]
fn a_missing_output_is_put_back_and_nobody_waits_for_it() {
    let (mut world, subjects) = chain();
    world.amiss.insert(1);
    assert_eq!(words(&judge(&subjects, &world)), ["fresh", "restorable", "fresh"]);
}

#[test]
fn lost_content_that_nobody_reads_costs_nothing() {
    let (mut world, subjects) = chain();
    world.lose("B");
    assert_eq!(words(&judge(&subjects, &world)), ["fresh", "fresh", "fresh"]);
}

#[test]
fn lost_content_that_a_stale_node_reads_is_made_again() {
    let (mut world, mut subjects) = chain();
    world.lose("B");
    subjects[1] = subject("embed!", &[0]);
    let judged = judge(&subjects, &world);
    assert_eq!(words(&judged), ["stale", "stale", "waiting"]);
    let Verdict::Stale(reasons) = &judged[0].verdict else { panic!() };
    assert_eq!(reasons[0].code, Code::ArtifactMissing);
}

#[test]
fn lost_content_of_which_only_the_digest_is_told_is_not_wanted() {
    let (mut world, mut subjects) = chain();
    subjects[2].reads.push(Reading { label: "provenance base".to_owned(), up: 0, content: false });
    world.lose("B");
    let judged = judge(&subjects, &world);
    assert_eq!(words(&judged), ["fresh", "fresh", "stale"]);
    // It counts all the same.
    let told = judged[2].manifest.as_ref().and_then(|one| one.get(Facet::Upstream, "provenance base"));
    assert_eq!(told, Some(&artifact("B").value()));
}

#[test]
fn lost_content_behind_a_missing_output_is_made_again_all_the_way_up() {
    let (mut world, subjects) = chain();
    for content in ["B", "E", "D"] {
        world.lose(content);
    }
    world.amiss.insert(2);
    assert_eq!(words(&judge(&subjects, &world)), ["stale", "stale", "stale"]);
}

#[test]
fn a_requested_node_must_be_at_hand() {
    let (mut world, subjects) = chain();
    world.lose("E");
    world.requested.insert(1);
    assert_eq!(words(&judge(&subjects, &world)), ["fresh", "stale", "waiting"]);
}

#[test]
fn a_forced_node_runs_and_its_followers_wait() {
    let (world, mut subjects) = chain();
    subjects[0].order = Order::Force(Code::Forced);
    assert_eq!(words(&judge(&subjects, &world)), ["stale", "waiting", "waiting"]);
}

#[test]
fn what_is_built_from_an_assumed_artifact_has_a_key_of_its_own() {
    let (world, mut subjects) = chain();
    subjects[0].order = Order::Assume(artifact("B"));
    let judged = judge(&subjects, &world);
    assert_eq!(judged[1].verdict.word(), "stale");
    assert!(judged[1].assumed);
    let manifest = judged[1].manifest.as_ref().unwrap();
    assert!(manifest.get(Facet::Upstream, "assumed").is_some());
}

#[test]
fn a_group_waits_for_its_members() {
    let (world, mut subjects) = chain();
    let group = |follows| Subject { follows, order: Order::Nothing, ..subject("group", &[]) };
    subjects.push(group(vec![1, 2]));
    assert_eq!(judge(&subjects, &world)[3].verdict, Verdict::Fresh);
    subjects[1] = subject("embed!", &[0]);
    assert_eq!(judge(&subjects, &world)[3].verdict, Verdict::Waiting(vec![1, 2]));
}
