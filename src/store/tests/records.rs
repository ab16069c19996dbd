use super::*;
use crate::key::Key;
use crate::record::{Outcome, Step, Why};
use crate::store::{Finish, IdleRun, NewRun, Publication, Published, append_idle_run};

fn begin(store: &Store, project: &str) -> RunId {
    let targets = ["dist".to_owned(), "all".to_owned()];
    store
        .begin_run(&NewRun { project, started: 1_000, targets: &targets, revision: Some("main@9f2c") })
        .unwrap()
}

fn step(run: RunId, outcome: Outcome, duration_ms: u64) -> Step {
    let why = Why { cause: "because".into(), reasons: "[]".into(), baseline: Some(run) };
    let key = Some(Key(Digest::of(b"key")));
    Step {
        run,
        node: NodeName("n".into()),
        outcome,
        began_ms: 3,
        duration_ms,
        why,
        key,
        same: Some(true),
        log: None,
    }
}

#[test]
fn records_round_trip() {
    let world = World::new();
    let store = world.store();
    let run = begin(&store, PROJECT);
    let record =
        Record { log: Some(Digest::of(b"log")), ..record("n", manifest("a", "x"), b"out", run, 1234) };
    assert!(!store.insert_record(PROJECT, &record).unwrap());
    for store in [store, world.store()] {
        assert_eq!(store.record_by_key(&record.key).unwrap(), Some(record.clone()));
        let hits = store.records_by_keys(&[key("other"), record.key]).unwrap();
        assert_eq!(hits.len(), 1);
        assert_eq!(hits[&record.key].artifact, record.artifact);
        assert_eq!(store.known_owns(&[record.own, Digest::of(b"?")]).unwrap(), [record.own].into());
        drop(store);
    }
}

#[test]
fn another_artifact_under_the_same_key_is_told() {
    let world = World::new();
    let store = world.store();
    let same = |artifact: &[u8], run| record("n", manifest("a", "x"), artifact, RunId(run), 5);
    assert!(!store.insert_record(PROJECT, &same(b"out", 1)).unwrap());
    assert!(!store.insert_record(PROJECT, &same(b"out", 2)).unwrap());
    assert!(store.insert_record(PROJECT, &same(b"other", 3)).unwrap());
    let found = store.record_by_key(&same(b"", 0).key).unwrap().unwrap();
    assert_eq!((found.artifact, found.run), (same(b"other", 3).artifact, RunId(3)));
    assert_eq!(store.info().unwrap().records, 1);
}

#[test]
fn bulk_look_ups_find_what_single_ones_do() {
    let world = World::new();
    let store = world.store();
    let records: Vec<Record> =
        (0..2000).map(|i| record("n", manifest(&i.to_string(), "x"), b"o", RunId(1), i)).collect();
    let finishes: Vec<Finish> =
        records.iter().map(|record| Finish { record: Some(record), ..Finish::of(PROJECT) }).collect();
    assert_eq!(store.commit(&finishes).unwrap(), vec![false; 2000]);
    let keys: Vec<Key> = records.iter().map(|record| record.key).chain([key("absent")]).collect();
    let owns: Vec<Digest> = records.iter().map(|record| record.own).chain([Digest::of(b"absent")]).collect();
    // All, a share that is scanned for, and one that is asked for one by one.
    for count in [2001, 300, 20] {
        let hits = store.records_by_keys(&keys[2001 - count..]).unwrap();
        assert_eq!(hits.len(), count - 1);
        assert!(hits.values().all(|hit| records[hit.duration_ms as usize].key == hit.key));
        assert_eq!(store.known_owns(&owns[2001 - count..]).unwrap().len(), count - 1);
    }
}

#[test]
fn the_latest_record_follows_what_was_put_back() {
    let world = World::new();
    let store = world.store();
    let node = NodeName("n".into());
    let [old, new] = ["old", "new"]
        .map(|label| record("n", manifest(label, "x"), label.as_bytes(), begin(&store, PROJECT), 5));
    store.insert_record(PROJECT, &old).unwrap();
    store.insert_record(PROJECT, &new).unwrap();
    assert_eq!(store.latest_record(PROJECT, &node).unwrap(), Some(new.clone()));
    let run = begin(&store, PROJECT);
    store.commit(&[Finish { used: Some((&node, old.key, run)), ..Finish::of(PROJECT) }]).unwrap();
    assert_eq!(store.latest_record(PROJECT, &node).unwrap(), Some(old.clone()));
    assert_eq!(store.recent_records(PROJECT, &node, 10).unwrap(), [new.clone(), old.clone()]);
    assert_eq!(store.recent_records(PROJECT, &node, 1).unwrap(), std::slice::from_ref(&new));
    let other = "/elsewhere/pipeline.kdl";
    assert_eq!(store.latest_record(other, &node).unwrap(), None);
    assert_eq!(store.nearest_candidates(other, &node, 10).unwrap(), [new, old]);
}

#[test]
fn a_row_with_a_flipped_bit_is_no_record() {
    let world = World::new();
    let store = world.store();
    let good = record("n", manifest("good", "x"), b"o", RunId(1), 5);
    let bad = record("n", manifest("bad", "x"), b"o", RunId(2), 5);
    store.insert_record(PROJECT, &good).unwrap();
    store.insert_record(PROJECT, &bad).unwrap();
    drop(store);
    let database = rusqlite::Connection::open(world.root().join("osgraph.db")).unwrap();
    let mut altered = bad.manifest.encode();
    let at = altered.len() - 1;
    altered[at] ^= 1;
    let changed = database.execute(
        "UPDATE manifests SET bytes = ?1 WHERE record = (SELECT id FROM records WHERE key = ?2)",
        rusqlite::params![altered, bad.key.0.as_bytes().as_slice()],
    );
    assert_eq!(changed.unwrap(), 1);
    drop(database);
    let store = world.store();
    assert_eq!(store.record_by_key(&bad.key).unwrap(), None);
    assert_eq!(store.recent_records(PROJECT, &good.node, 9).unwrap(), [good]);
    assert_eq!(store.verify(None, &|_, _| ()).unwrap().bad_records, 1);
    let alone = store.exclusive_lease(&mut || false).unwrap().unwrap();
    store.verify(Some(&alone), &|_, _| ()).unwrap();
    assert_eq!(store.info().unwrap().records, 1);
}

#[test]
fn runs_and_steps_round_trip() {
    let world = World::new();
    let store = world.store();
    let first = begin(&store, PROJECT);
    assert_eq!(store.run(first).unwrap().unwrap().outcome, Outcome::Interrupted, "until it is finished");
    let second = begin(&store, "/elsewhere");
    assert!(second > first);
    store.finish_run(first, Outcome::Ran, 77).unwrap();
    let steps =
        [step(first, Outcome::Ran, 10), step(first, Outcome::Failed, 99), step(second, Outcome::Ran, 11)];
    store.insert_steps(PROJECT, &steps).unwrap();
    let run = store.run(first).unwrap().unwrap();
    assert_eq!((run.outcome, run.duration_ms, run.targets.len()), (Outcome::Ran, 77, 2));
    assert_eq!(run.revision.as_deref(), Some("main@9f2c"));
    assert_eq!(store.steps(first).unwrap(), &steps[..2]);
    assert_eq!(
        store.durations(PROJECT, &steps[0].node, 10).unwrap(),
        [11, 10],
        "only of what ran, newest first"
    );
    assert_eq!(store.runs(None, 10).unwrap().iter().map(|r| r.id).collect::<Vec<_>>(), [second, first]);
    assert_eq!(store.runs(Some(PROJECT), 10).unwrap().len(), 1);
    assert_eq!(store.runs(None, 1).unwrap().len(), 1);
}

#[test]
fn published_paths_are_never_forgotten() {
    let world = World::new();
    let store = world.store();
    let publication = |path: &str, what| Publication {
        path: RelPath::parse(path).unwrap(),
        node: NodeName("n".into()),
        what,
        entry: Some(Entry::Directory { digest: crate::tree::TreeDigest(Digest::of(path.as_bytes())) }),
        run: RunId(1),
    };
    let first = [publication("dist", Published::Output), publication("v1.tar.gz", Published::Archive)];
    let second = [publication("dist", Published::Output), publication("v2.tar.gz", Published::Archive)];
    let node = NodeName("n".into());
    store.set_publications(PROJECT, &node, &first).unwrap();
    let record = record("n", manifest("a", "x"), b"o", RunId(1), 5);
    let finish =
        Finish { record: Some(&record), publications: Some((&node, &second)), ..Finish::of(PROJECT) };
    store.commit(&[finish]).unwrap();
    assert_eq!(store.publications(PROJECT).unwrap(), second);
    let ever: Vec<String> = store.ever_published(PROJECT).unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(ever, ["dist", "v1.tar.gz", "v2.tar.gz"]);
    store.set_publications(PROJECT, &NodeName("other".into()), &[]).unwrap();
    assert_eq!(store.publications(PROJECT).unwrap().len(), 2);
    assert!(store.publications("/elsewhere").unwrap().is_empty());
}

#[test]
fn idle_runs_are_taken_over_once() {
    let world = World::new();
    let store = world.store();
    assert_eq!(store.import_idle_runs().unwrap(), 0);
    for started in [5, 6] {
        let run = IdleRun { started, duration_ms: 9, project: PROJECT.into(), targets: vec!["dist".into()] };
        append_idle_run(&world.root(), &run).unwrap();
    }
    let log = world.root().join("state/idle.log");
    let torn = fs::read_to_string(&log).unwrap() + "1\t7\t";
    fs::write(&log, torn).unwrap();
    assert_eq!(store.import_idle_runs().unwrap(), 2);
    assert_eq!(store.import_idle_runs().unwrap(), 0);
    let runs = store.runs(Some(PROJECT), 10).unwrap();
    assert_eq!(
        runs.iter().map(|r| (r.started, r.outcome)).collect::<Vec<_>>(),
        [(6, Outcome::Fresh), (5, Outcome::Fresh)]
    );
}

#[test]
fn memos_round_trip() {
    let world = World::new();
    let store = world.store();
    let about = Digest::of(b"archive of a tree");
    assert_eq!(store.memo_get(&about).unwrap(), None);
    store.memo_put(&about, b"one").unwrap();
    store.memo_put(&about, b"two").unwrap();
    assert_eq!(world.store().memo_get(&about).unwrap().unwrap(), b"two");
}

#[test]
fn instructions_keep_their_latest_times() {
    let world = World::new();
    let store = world.store();
    let (node, other) = (NodeName("n".into()), NodeName("other".into()));
    let make = "RUN make".to_owned();
    store.note_instructions(PROJECT, &node, RunId(1), &[("COPY a b".to_owned(), 7)]).unwrap();
    for run in 1..=25 {
        store.note_instructions(PROJECT, &node, RunId(run), &[(make.clone(), run as u64)]).unwrap();
    }
    // The same run again, after a retry: its last time counts.
    store.note_instructions(PROJECT, &node, RunId(25), &[(make.clone(), 99)]).unwrap();
    let times = world.store().instruction_times(PROJECT, &node).unwrap();
    assert_eq!((times.len(), &times["COPY a b"]), (2, &vec![7]));
    let expected: Vec<u64> = [99].into_iter().chain((6..25).rev()).collect();
    assert_eq!(times[&make], expected);
    assert!(store.instruction_times(PROJECT, &other).unwrap().is_empty());
    assert!(store.instruction_times("elsewhere", &node).unwrap().is_empty());
}

#[test]
fn databases_of_every_older_format_are_brought_up() {
    for old in 1..=2 {
        let world = World::new();
        drop(world.store());
        let database = rusqlite::Connection::open(world.root().join("osgraph.db")).unwrap();
        database.execute_batch("DROP TABLE instructions").unwrap();
        if old == 1 {
            for column in ["began", "reasons", "baseline", "key", "same"] {
                database.execute_batch(&format!("ALTER TABLE steps DROP COLUMN {column}")).unwrap();
            }
        }
        database.pragma_update(None, "user_version", old).unwrap();
        drop(database);
        let store = world.store();
        let run = begin(&store, PROJECT);
        let one = step(run, Outcome::Ran, 5);
        store.insert_steps(PROJECT, std::slice::from_ref(&one)).unwrap();
        store.note_instructions(PROJECT, &one.node, run, &[("RUN x".to_owned(), 3)]).unwrap();
        assert_eq!(store.steps(run).unwrap(), std::slice::from_ref(&one), "format {old}");
        assert_eq!(store.instruction_times(PROJECT, &one.node).unwrap()["RUN x"], [3]);
    }
}
