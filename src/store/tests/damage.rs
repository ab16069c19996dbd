use super::*;
use crate::store::{DamageKind, Ingest, PlaceError, Placement, StoreError};

fn exclusive(store: &Store) -> crate::store::ExclusiveLease {
    store.exclusive_lease(&mut || false).unwrap().unwrap()
}

#[test]
fn a_flipped_bit_in_a_blob_is_found_and_given_up() {
    let world = World::new();
    let content = bytes(5 << 20, 1);
    world.ingest(&world.store(), "a", &content);
    flip(&only(&world.root().join("blobs")), 3 << 20);
    let store = world.store();
    let result = place(&store, &content, &world.path("out"));
    assert!(matches!(result, Err(PlaceError::Damaged { digests }) if digests == [Digest::of(&content)]));
    assert!(!world.path("out").exists());
    assert!(!store.contains(&Digest::of(&content)) && !world.store().contains(&Digest::of(&content)));
    world.ingest(&store, "a", &content);
    place(&store, &content, &world.path("out")).unwrap();
}

#[test]
fn a_flipped_bit_under_a_put_back_mtime_is_found() {
    let world = World::new();
    let content = bytes(5 << 20, 1);
    world.ingest(&world.store(), "a", &content);
    let blob = only(&world.root().join("blobs"));
    let mtime = fs::metadata(&blob).unwrap().modified().unwrap();
    flip(&blob, 3 << 20);
    fs::File::open(&blob).unwrap().set_modified(mtime).unwrap();
    assert!(matches!(place(&world.store(), &content, &world.path("out")), Err(PlaceError::Damaged { .. })));
    assert!(!world.path("out").exists());
}

#[test]
fn a_blob_of_another_start_is_hashed_once_and_then_believed() {
    let world = World::new();
    let content = bytes(5 << 20, 1);
    let mut store = world.store();
    store.boot = "the start before".into();
    world.ingest(&store, "a", &content);
    store.barrier().unwrap();
    drop(store);
    let placement = Placement { digest: Digest::of(&content), size: 5 << 20, targets: Vec::new() };
    let store = world.store();
    assert!(!store.is_sealed(&placement));
    // Before that a write could still share the ctime that the hash is remembered under.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    place(&store, &content, &world.path("out")).unwrap();
    assert!(store.is_sealed(&placement));
    drop(store);
    let store = world.store();
    assert!(store.is_sealed(&placement), "the seal was remembered");
    place(&store, &content, &world.path("again")).unwrap();
    assert!(fs::read(world.path("again")).unwrap() == content);
}

#[test]
fn what_was_adopted_is_hashed_before_it_is_believed() {
    let world = World::new();
    let content = bytes(5 << 20, 1);
    let store = world.store();
    let path = store.scratch().unwrap();
    fs::write(&path, &content).unwrap();
    store.ingest(&[Ingest { path, adopt: true }]).unwrap();
    let placement = Placement { digest: Digest::of(&content), size: 5 << 20, targets: Vec::new() };
    assert!(!store.is_sealed(&placement));
    place(&store, &content, &world.path("out")).unwrap();
    assert!(fs::read(world.path("out")).unwrap() == content);
}

#[test]
fn a_flipped_bit_in_a_pack_costs_one_content() {
    let world = World::new();
    let store = world.store();
    store.put(b"first content").unwrap();
    store.put(b"second content").unwrap();
    drop(store);
    let pack = only(&world.root().join("packs"));
    let at = fs::read(&pack).unwrap().windows(5).position(|w| w == b"first").unwrap();
    flip(&pack, at);
    let store = world.store();
    assert!(matches!(store.read(&Digest::of(b"first content")), Err(StoreError::Damaged(_))));
    assert!(matches!(store.read(&Digest::of(b"first content")), Err(StoreError::Absent(_))));
    assert_eq!(store.read(&Digest::of(b"second content")).unwrap(), b"second content");
    store.put(b"first content").unwrap();
    assert_eq!(store.read(&Digest::of(b"first content")).unwrap(), b"first content");
}

#[test]
fn a_streamed_blob_ends_in_an_error_when_it_is_damaged() {
    use std::io::Read;
    let world = World::new();
    let store = world.store();
    let content = bytes(300_000, 1);
    let digest = store.put(&content).unwrap();
    flip(&store.layout.blob(&digest), 250_000);
    let error = store.open_content(&digest).unwrap().read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
}

#[test]
fn verify_finds_and_repairs_everything() {
    let world = World::new();
    let store = world.store();
    let good = store.put(b"good").unwrap();
    let packed = store.put(b"packed").unwrap();
    let blob = store.put(&bytes(100_000, 1)).unwrap();
    let large = store.put(&bytes(5 << 20, 2)).unwrap();
    let gone = store.put(&bytes(100_000, 3)).unwrap();
    drop(store);
    let pack = only(&world.root().join("packs"));
    let at = fs::read(&pack).unwrap().windows(6).position(|w| w == b"packed").unwrap();
    flip(&pack, at);
    let store = world.store();
    flip(&store.layout.blob(&blob), 5);
    flip(&store.layout.blob(&large), 1 << 20);
    fs::remove_file(store.layout.blob(&gone)).unwrap();
    fs::write(world.root().join("packs/00000063.pack"), "orphan").unwrap();
    let seen = std::sync::atomic::AtomicU64::new(0);
    let report = store.verify(None, &|done, all| {
        assert!(done <= all);
        seen.fetch_max(done, std::sync::atomic::Ordering::Relaxed);
    });
    let report = report.unwrap();
    assert_eq!(seen.into_inner(), report.bytes);
    let mut found: Vec<_> = report.damaged.iter().map(|d| (d.digest, d.kind)).collect();
    let mut expected = vec![
        (packed, DamageKind::Altered),
        (blob, DamageKind::Altered),
        (large, DamageKind::Altered),
        (gone, DamageKind::Missing),
    ];
    found.sort_by_key(|(digest, _)| *digest);
    expected.sort_by_key(|(digest, _)| *digest);
    assert_eq!(found, expected);
    assert_eq!((report.contents, report.orphans, report.repaired), (5, 1, false));
    assert!(store.contains(&blob), "nothing is changed without repair");
    assert!(store.verify(Some(&exclusive(&store)), &|_, _| ()).unwrap().repaired);
    let report = store.verify(None, &|_, _| ()).unwrap();
    assert!(report.is_sound());
    assert_eq!((report.contents, report.orphans), (1, 0));
    assert_eq!(store.read(&good).unwrap(), b"good");
}

#[test]
fn a_truncated_database_is_set_aside_and_contents_are_found_again() {
    let world = World::new();
    let large = bytes(100_000, 1);
    {
        let store = world.store();
        for i in 0..400 {
            store.put(format!("{i}").as_bytes()).unwrap();
        }
        store.put(&large).unwrap();
        store.insert_record(PROJECT, &record("n", manifest("a", "b"), b"7", RunId(1), 5)).unwrap();
        store.db.shrink().unwrap();
    }
    let database = world.root().join("osgraph.db");
    let length = fs::metadata(&database).unwrap().len();
    for (number, keep) in [length / 2, length - 4096, 100, 0].into_iter().enumerate() {
        let file = fs::OpenOptions::new().write(true).open(&database).unwrap();
        file.set_len(keep).unwrap();
        let store = world.store();
        assert_eq!(store.warnings().len(), 1, "cut to {keep} of {length} bytes");
        // An empty file is no damage, only a new database.
        let aside = world.root().join(format!("osgraph.db.damaged-{}", number + 1));
        assert_eq!(aside.exists(), keep > 0);
        for i in 0..400 {
            assert_eq!(
                store.read(&Digest::of(format!("{i}").as_bytes())).unwrap(),
                format!("{i}").as_bytes()
            );
        }
        assert!(store.read(&Digest::of(&large)).unwrap() == large);
        assert_eq!(store.info().unwrap().records, 0);
        store.db.shrink().unwrap();
    }
}

#[test]
fn a_log_that_was_not_checkpointed_is_read_by_the_next_start() {
    let world = World::new();
    let record = record("n", manifest("a", "b"), b"7", RunId(1), 5);
    world.store().insert_record(PROJECT, &record).unwrap();
    assert!(fs::metadata(world.root().join("osgraph.db-wal")).unwrap().len() > 0);
    assert_eq!(world.store().record_by_key(&record.key).unwrap(), Some(record.clone()));
    let read_only = Store::open_read_only(&world.root()).unwrap();
    assert_eq!(read_only.record_by_key(&record.key).unwrap(), Some(record));
}

#[test]
fn damage_met_in_use_heals_at_the_next_start() {
    let world = World::new();
    let store = world.store();
    store.put(b"x").unwrap();
    drop(store);
    fs::write(world.root().join("osgraph.db.damage-met"), "").unwrap();
    let store = world.store();
    assert_eq!(store.warnings().len(), 1);
    assert_eq!(store.read(&Digest::of(b"x")).unwrap(), b"x");
    drop(store);
    assert!(world.store().warnings().is_empty());
}

#[test]
fn a_damaged_database_is_not_taken_from_others() {
    let world = World::new();
    let store = world.store();
    let lease = store.shared_lease(&mut || false).unwrap().unwrap();
    fs::write(world.root().join("osgraph.db.damage-met"), "").unwrap();
    assert!(matches!(Store::open(&world.root()), Err(StoreError::DatabaseDamaged(_))));
    drop(lease);
    assert!(Store::open(&world.root()).is_ok());
}

#[test]
fn a_newer_format_is_refused() {
    let world = World::new();
    drop(world.store());
    let database = rusqlite::Connection::open(world.root().join("osgraph.db")).unwrap();
    database.pragma_update(None, "user_version", 99).unwrap();
    drop(database);
    assert!(matches!(Store::open(&world.root()), Err(StoreError::Newer { found: 99, .. })));
}

#[test]
fn a_truncated_pack_loses_its_tail_only() {
    let world = World::new();
    let store = world.store();
    store.put(b"first").unwrap();
    store.put(b"last").unwrap();
    drop(store);
    let pack = only(&world.root().join("packs"));
    let length = fs::metadata(&pack).unwrap().len();
    fs::OpenOptions::new().write(true).open(&pack).unwrap().set_len(length - 2).unwrap();
    let store = world.store();
    assert_eq!(store.read(&Digest::of(b"first")).unwrap(), b"first");
    assert!(matches!(store.read(&Digest::of(b"last")), Err(StoreError::Damaged(_))));
    store.put(b"last").unwrap();
    assert_eq!(store.read(&Digest::of(b"last")).unwrap(), b"last");
}

#[test]
fn contents_of_another_start_are_hashed_until_a_barrier_passed() {
    let world = World::new();
    let content = bytes(300_000, 1);
    let digest = Digest::of(&content);
    let mut store = world.store();
    store.boot = "the start before".into();
    world.ingest(&store, "a", &content);
    drop(store);
    let store = world.store();
    assert!(store.locate(&digest).unwrap().unwrap().suspect);
    flip(&store.layout.blob(&digest), 7);
    assert!(matches!(store.open_content(&digest), Err(StoreError::Damaged(_))));
    world.ingest(&store, "a", &content);
    drop(store);

    let mut store = world.store();
    store.boot = "the start before".into();
    let flushed = store.put(b"flushed").unwrap();
    store.barrier().unwrap();
    let unflushed = store.put(b"unflushed").unwrap();
    drop(store);
    let store = world.store();
    assert!(!store.locate(&flushed).unwrap().unwrap().suspect);
    assert!(store.locate(&unflushed).unwrap().unwrap().suspect);
    store.read(&unflushed).unwrap();
    assert!(!store.locate(&unflushed).unwrap().unwrap().suspect);
    drop(store);
    assert!(!world.store().locate(&unflushed).unwrap().unwrap().suspect, "the check was remembered");
}

#[test]
fn leftovers_of_dead_processes_are_swept_and_those_of_living_ones_kept() {
    let world = World::new();
    let alive = world.store();
    let kept = alive.scratch().unwrap();
    fs::write(&kept, "at work").unwrap();
    fs::create_dir_all(world.root().join("tmp/dead/below")).unwrap();
    fs::write(world.root().join("tmp/dead/below/file"), "left").unwrap();
    fs::write(world.root().join("trash/old"), "left").unwrap();
    let store = world.store();
    store.finish_trash();
    assert!(!world.root().join("tmp/dead").exists() && !world.root().join("trash/old").exists());
    assert!(kept.exists());
    drop(alive);
    assert!(!kept.exists(), "a store takes its own folder away");
}

#[test]
fn a_read_only_store_reads_and_refuses_to_write() {
    let world = World::new();
    let store = world.store();
    let digest = store.put(b"x").unwrap();
    let record = record("n", manifest("a", "b"), b"x", RunId(1), 5);
    store.insert_record(PROJECT, &record).unwrap();
    drop(store);
    // SQLite needs its shared memory to read beside a writer.
    let files = || {
        let mut files = listing(&world.root());
        files.retain(|path| !path.ends_with("osgraph.db-shm") && !path.ends_with("osgraph.db-wal"));
        files
    };
    let before = files();
    let store = Store::open_read_only(&world.root()).unwrap();
    assert!(store.is_read_only());
    assert_eq!(store.read(&digest).unwrap(), b"x");
    assert_eq!(store.record_by_key(&record.key).unwrap(), Some(record.clone()));
    place(&store, b"x", &world.path("out")).unwrap();
    assert!(matches!(store.put(b"y"), Err(StoreError::ReadOnly(_))));
    assert!(matches!(store.insert_record(PROJECT, &record), Err(StoreError::ReadOnly(_))));
    assert!(matches!(store.try_lease_key(&record.key), Err(StoreError::ReadOnly(_))));
    assert!(matches!(store.ingest(&[]), Err(StoreError::ReadOnly(_))));
    drop(store);
    assert_eq!(files(), before);
}

#[test]
fn a_full_disk_is_named_and_nothing_half_written_is_left() {
    // A file system of 2 MiB, where this may be mounted.
    let world = World::new();
    let mount = world.path("small");
    fs::create_dir(&mount).unwrap();
    let options = c"size=2m";
    let mounted = rustix::mount::mount("tmpfs", &mount, "tmpfs", rustix::mount::MountFlags::empty(), options);
    if mounted.is_err() {
        return;
    }
    let store = Store::open(&mount.join("cache")).unwrap();
    let small = store.put(b"small").unwrap();
    let path = world.file("large", &bytes(5 << 20, 1));
    let result = store.ingest(&[Ingest { path, adopt: false }]);
    let shown = result.as_ref().map(drop).map_err(ToString::to_string);
    let left = listing(&mount.join("cache/tmp")).len() + listing(&mount.join("cache/blobs")).len();
    let readable = store.read(&small);
    drop(store);
    rustix::mount::unmount(&mount, rustix::mount::UnmountFlags::DETACH).unwrap();
    assert!(matches!(result, Err(StoreError::Full(_))), "{shown:?}");
    assert_eq!(left, 0);
    assert_eq!(readable.unwrap(), b"small");
}
