use std::time::Duration;

use super::*;
use crate::record::Outcome;
use crate::store::records::now;
use crate::store::{ExclusiveLease, Finish, GcOptions, NewRun};

const DAY: i64 = 86_400;

fn alone(store: &Store) -> ExclusiveLease {
    store.exclusive_lease(&mut || false).unwrap().unwrap()
}

/// A record with one large artifact, made `days` ago by a node of its own.
fn made(store: &Store, name: &str, days: i64, duration_ms: u64) -> (Record, Vec<u8>) {
    let targets = [];
    // A project of its own, so that no later run keeps it young.
    let project = format!("/{name}");
    let new = NewRun { project: &project, started: now() - days * DAY, targets: &targets, revision: None };
    let run = store.begin_run(&new).unwrap();
    let artifact = bytes(100_000, name.len() as u8 ^ name.as_bytes()[0]);
    store.put(&artifact).unwrap();
    let record = record("n", manifest(name, "x"), &artifact, run, duration_ms);
    store.insert_record(&project, &record).unwrap();
    store.finish_run(run, Outcome::Ran, duration_ms).unwrap();
    (record, artifact)
}

#[test]
fn what_no_record_needs_goes_and_the_rest_stays() {
    let world = World::new();
    let store = world.store();
    let (record, artifact) = made(&store, "a", 0, 10);
    store.put(b"orphan").unwrap();
    store.put(&bytes(200_000, 9)).unwrap();
    let report = store.gc(&GcOptions::default(), &alone(&store)).unwrap();
    assert_eq!((report.contents, report.freed_bytes, report.records), (2, 200_006, 0));
    assert_eq!((report.kept_contents, report.kept_bytes), (1, 100_000));
    assert!(store.read(&Digest::of(&artifact)).unwrap() == artifact);
    assert!(store.record_by_key(&record.key).unwrap().is_some());
    store.finish_trash();
    assert_eq!(listing(&world.root().join("blobs")).len(), 1);
    assert!(listing(&world.root().join("packs")).is_empty(), "a dead pack is removed");
    assert!(world.store().verify(None, &|_, _| ()).unwrap().is_sound());
}

#[test]
fn trees_logs_and_inputs_directories_are_kept() {
    let world = World::new();
    let store = world.store();
    let output = tree(&[("a.txt", b"output"), ("deep/b.txt", b"more")]);
    let input = tree(&[("src/main.c", b"input")]);
    store.put_tree(&output).unwrap();
    store.put_tree(&input).unwrap();
    for content in ["output", "more", "input", "log"] {
        store.put(content.as_bytes()).unwrap();
    }
    let manifest = Manifest::new(
        "command 1",
        vec![Component::entry(Facet::Own, "input src", Entry::Directory { digest: input.root })],
    );
    let record = Record {
        artifact: Artifact::Entry(Entry::Directory { digest: output.root }),
        log: Some(Digest::of(b"log")),
        ..record("n", manifest, b"", RunId(1), 5)
    };
    store.insert_record(PROJECT, &record).unwrap();
    let report = store.gc(&GcOptions::default(), &alone(&store)).unwrap();
    assert_eq!(report.contents, 1, "only the input file's content goes");
    let store = world.store();
    assert!(store.has_tree(output.root));
    assert_eq!(store.tree(input.root).unwrap(), input);
    assert!(!store.contains(&Digest::of(b"input")) && store.contains(&Digest::of(b"log")));
}

#[test]
fn old_records_go_unless_they_are_dear_or_in_use() {
    let world = World::new();
    let store = world.store();
    let (old, _) = made(&store, "old", 40, 10);
    let (dear, _) = made(&store, "dear!", 40, 30 * 60_000);
    let (young, _) = made(&store, "young!!", 3, 10);
    let (used, _) = made(&store, "used!!!!!", 40, 10);
    // The project ran again today and its node still stands on the old record.
    let new = NewRun { project: "/used!!!!!", started: now(), targets: &[], revision: None };
    store.begin_run(&new).unwrap();
    let options = GcOptions {
        max_age: Some(Duration::from_secs(30 * DAY as u64)),
        keep_cost: Some(Duration::from_secs(600)),
        ..GcOptions::default()
    };
    let preview = store.gc_preview(&options).unwrap();
    assert_eq!((preview.records, preview.rebuild_ms, preview.freed_bytes), (1, 10, 100_000));
    assert!(store.record_by_key(&old.key).unwrap().is_some(), "a preview changes nothing");
    assert_eq!(store.gc(&options, &alone(&store)).unwrap(), preview);
    assert!(store.record_by_key(&old.key).unwrap().is_none());
    for kept in [dear, young, used] {
        assert!(store.record_by_key(&kept.key).unwrap().is_some(), "{:?}", kept.manifest);
    }
}

#[test]
fn by_size_the_cheapest_to_rebuild_goes_first() {
    let world = World::new();
    let store = world.store();
    let (cheap, _) = made(&store, "cheap", 0, 10);
    let (middle, _) = made(&store, "middle!", 0, 1_000);
    let (dear, _) = made(&store, "dear!!!!", 0, 100_000);
    let options = |max_size| GcOptions { max_size: Some(max_size), ..GcOptions::default() };
    assert_eq!(store.gc_preview(&options(300_000)).unwrap().records, 0);
    let report = store.gc(&options(299_999), &alone(&store)).unwrap();
    assert_eq!((report.records, report.rebuild_ms, report.kept_bytes), (1, 10, 200_000));
    assert!(store.record_by_key(&cheap.key).unwrap().is_none());
    let report = store.gc(&options(100_000), &alone(&store)).unwrap();
    assert_eq!(report.rebuild_ms, 1_000);
    assert!(store.record_by_key(&middle.key).unwrap().is_none());
    assert!(store.record_by_key(&dear.key).unwrap().is_some());
}

#[test]
fn what_a_node_stood_on_before_goes_ahead_of_what_it_stands_on() {
    let world = World::new();
    let store = world.store();
    let make = |label: &str, seed, duration| {
        let run = store
            .begin_run(&NewRun { project: PROJECT, started: now(), targets: &[], revision: None })
            .unwrap();
        let artifact = bytes(100_000, seed);
        store.put(&artifact).unwrap();
        let record = record("n", manifest(label, "x"), &artifact, run, duration);
        store.insert_record(PROJECT, &record).unwrap();
        record
    };
    let (before, now_on) = (make("before", 1, 1_000_000), make("now", 2, 1));
    store.gc(&GcOptions { max_size: Some(100_000), ..GcOptions::default() }, &alone(&store)).unwrap();
    assert!(store.record_by_key(&before.key).unwrap().is_none());
    assert_eq!(store.latest_record(PROJECT, &now_on.node).unwrap(), Some(now_on));
}

#[test]
fn a_pack_that_is_mostly_dead_is_rewritten_and_others_are_left() {
    let world = World::new();
    let store = world.store();
    let texts: Vec<Vec<u8>> = (0..100).map(|i| bytes(1000, i)).collect();
    let records: Vec<Record> =
        (0..100).map(|i| record("n", manifest(&i.to_string(), "x"), &texts[i], RunId(1), 5)).collect();
    for text in &texts {
        store.put(text).unwrap();
    }
    let keep = |count: usize| {
        let finishes: Vec<Finish> = records[..count]
            .iter()
            .map(|record| Finish { record: Some(record), ..Finish::of(PROJECT) })
            .collect();
        store.commit(&finishes).unwrap();
    };
    keep(70);
    assert_eq!(store.gc(&GcOptions::default(), &alone(&store)).unwrap().repacked, 0);
    let before = only(&world.root().join("packs"));
    assert!(store.info().unwrap().dead_bytes >= 30_000);
    // Fewer records: now the pack is more than half dead.
    let database = rusqlite::Connection::open(world.root().join("osgraph.db")).unwrap();
    database.execute("DELETE FROM records WHERE id > 20", []).unwrap();
    let other = world.store();
    assert_eq!(other.read(&Digest::of(&texts[3])).unwrap(), texts[3]);
    let report = store.gc(&GcOptions::default(), &alone(&store)).unwrap();
    assert_eq!((report.repacked, report.kept_contents), (1, 20));
    let after = only(&world.root().join("packs"));
    assert_ne!(after, before);
    assert!(fs::metadata(&after).unwrap().len() < 22_000);
    for store in [&store, &world.store()] {
        for (i, text) in texts.iter().enumerate() {
            assert_eq!(store.read(&Digest::of(text)).is_ok(), i < 20, "{i}");
        }
    }
    // Who looked before must follow what moved.
    other.readers.write().unwrap().clear();
    assert_eq!(other.read(&Digest::of(&texts[3])).unwrap(), texts[3]);
    assert!(other.read(&Digest::of(&texts[50])).is_err());
    store.put(b"goes on").unwrap();
    assert_eq!(store.info().unwrap().dead_bytes, 0);
}

#[test]
fn nothing_moves_from_one_dead_pack_into_another() {
    let world = World::new();
    let mut kept = Vec::new();
    {
        // Each of several stores at work at once writes a pack of its own.
        let stores: Vec<Store> = (0..4).map(|_| world.store()).collect();
        for (number, store) in stores.iter().enumerate() {
            let text = format!("kept {number}");
            store.put(text.as_bytes()).unwrap();
            store.put(&bytes(10_000, number as u8)).unwrap();
            let record = record("n", manifest(&text, "x"), text.as_bytes(), RunId(1), 5);
            store.insert_record(PROJECT, &record).unwrap();
            kept.push(text);
        }
    }
    assert_eq!(listing(&world.root().join("packs")).len(), 4);
    let store = world.store();
    store.put(b"makes this store resume one of them").unwrap();
    let report = store.gc(&GcOptions::default(), &alone(&store)).unwrap();
    assert_eq!((report.repacked, report.lost), (4, 0));
    only(&world.root().join("packs"));
    for text in kept {
        assert_eq!(store.read(&Digest::of(text.as_bytes())).unwrap(), text.as_bytes());
    }
}

#[test]
fn disk_and_database_are_reconciled_both_ways() {
    let world = World::new();
    let store = world.store();
    let (_, artifact) = made(&store, "a", 0, 10);
    let (_, lost) = made(&store, "lost!!!!!", 0, 10);
    fs::remove_file(store.layout.blob(&Digest::of(&lost))).unwrap();
    let orphan = store.layout.blob(&Digest::of(b"?"));
    fs::create_dir_all(orphan.parent().unwrap()).unwrap();
    fs::write(&orphan, bytes(70_000, 1)).unwrap();
    fs::write(world.root().join("packs/rubbish"), "x").unwrap();
    let report = store.gc(&GcOptions::default(), &alone(&store)).unwrap();
    assert_eq!((report.orphans, report.lost, report.freed_bytes), (2, 1, 70_000));
    store.finish_trash();
    assert!(!orphan.exists() && !world.root().join("packs/rubbish").exists());
    assert!(store.contains(&Digest::of(&artifact)) && !store.contains(&Digest::of(&lost)));
}

#[test]
fn unpacked_trees_are_disposable() {
    let world = World::new();
    let store = world.store();
    let tree = tree(&[("a.txt", b"text")]);
    store.put_tree(&tree).unwrap();
    store.put(b"text").unwrap();
    let folder = store.unpacked(tree.root).unwrap();
    store.gc(&GcOptions::default(), &alone(&store)).unwrap();
    assert!(!folder.exists());
}
