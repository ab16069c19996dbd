use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::time::SystemTime;

use super::*;
use crate::store::{PlaceError, StoreError};

const SIZES: [usize; 8] = [0, 1, 48, 65_535, 65_536, 70_000, (4 << 20) + 5, 9 << 20];

#[test]
fn every_size_round_trips_and_survives_reopening() {
    let world = World::new();
    let store = world.store();
    for (seed, size) in SIZES.iter().enumerate() {
        world.ingest(&store, "file", &bytes(*size, seed as u8));
    }
    for store in [store, world.store()] {
        for (seed, size) in SIZES.iter().enumerate() {
            let content = bytes(*size, seed as u8);
            assert!(store.read(&Digest::of(&content)).unwrap() == content, "{size} bytes");
            let mut streamed = Vec::new();
            store.open_content(&Digest::of(&content)).unwrap().read_to_end(&mut streamed).unwrap();
            assert!(streamed == content, "{size} bytes streamed");
            let target = world.path("placed");
            place(&store, &content, &target).unwrap();
            assert!(fs::read(&target).unwrap() == content, "{size} bytes placed");
            fs::remove_file(target).unwrap();
        }
        drop(store);
    }
}

#[test]
fn many_files_come_out_in_order_and_equal_ones_are_kept_once() {
    let world = World::new();
    let store = world.store();
    let files: Vec<Ingest> = (0..500)
        .map(|i| {
            let path = world.file(&format!("f{i}"), format!("content {}", i % 100).as_bytes());
            Ingest { path, adopt: false }
        })
        .collect();
    let found = store.ingest(&files).unwrap();
    for (i, ingested) in found.iter().enumerate() {
        assert_eq!(ingested.digest, Digest::of(format!("content {}", i % 100).as_bytes()));
    }
    let info = store.info().unwrap();
    assert_eq!((info.contents, info.packs, info.blobs, info.dead_bytes), (100, 1, 0, 0));
}

#[test]
fn equal_large_files_are_kept_once() {
    let world = World::new();
    let store = world.store();
    let content = bytes(5 << 20, 1);
    world.ingest(&store, "a", &content);
    let before = fs::metadata(only(&world.root().join("blobs"))).unwrap().ino();
    world.ingest(&store, "b", &content);
    store.flush().unwrap();
    world.ingest(&world.store(), "c", &content);
    assert_eq!(fs::metadata(only(&world.root().join("blobs"))).unwrap().ino(), before);
}

#[test]
fn adopted_files_are_moved_and_linked_ones_copied() {
    let world = World::new();
    let store = world.store();
    for (seed, size) in [48, 100_000, 5 << 20].into_iter().enumerate() {
        let content = bytes(size, seed as u8);
        for linked in [false, true] {
            let path = store.scratch().unwrap();
            fs::write(&path, &content).unwrap();
            let inode = fs::metadata(&path).unwrap().ino();
            if linked {
                fs::hard_link(&path, world.path(&format!("other name {seed}"))).unwrap();
            }
            store.ingest(&[Ingest { path: path.clone(), adopt: true }]).unwrap();
            assert!(!path.exists());
            assert!(store.read(&Digest::of(&content)).unwrap() == content);
            if size > 65_536 && !linked {
                let blob = store.layout.blob(&Digest::of(&content));
                assert_eq!(fs::metadata(blob).unwrap().ino(), inode, "{size} bytes were copied");
            }
        }
    }
    let content = bytes(80_000, 99);
    let path = store.scratch().unwrap();
    fs::write(&path, &content).unwrap();
    fs::hard_link(&path, world.path("still writable")).unwrap();
    store.ingest(&[Ingest { path, adopt: true }]).unwrap();
    fs::write(world.path("still writable"), "changed").unwrap();
    assert!(store.read(&Digest::of(&content)).unwrap() == content);
}

#[test]
fn what_is_no_regular_file_is_refused() {
    let world = World::new();
    let store = world.store();
    world.file("file", b"x");
    symlink("file", world.path("link")).unwrap();
    fs::create_dir(world.path("folder")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, world.path("pipe"), rustix::fs::Mode::RUSR).unwrap();
    for name in ["link", "folder", "pipe"] {
        let result = store.ingest(&[Ingest { path: world.path(name), adopt: false }]);
        assert!(matches!(result, Err(StoreError::NotAFile(_))), "{name}: {result:?}");
    }
}

#[test]
fn a_file_that_moves_while_it_is_read_is_refused() {
    let world = World::new();
    let store = world.store();
    let path = world.file("log", &bytes(1000, 0));
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            use std::io::Write;
            let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                file.write_all(b"line\n").unwrap();
            }
        });
        // The writer may not get a core for a while.
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
        let mut moved = false;
        while !moved && std::time::Instant::now() < deadline {
            let result = store.ingest(&[Ingest { path: path.clone(), adopt: false }]);
            moved = matches!(result, Err(StoreError::Moved(_)));
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(moved, "a file that grows all the time was never noticed");
    });
}

#[test]
fn streams_of_unknown_size_are_taken_in() {
    let world = World::new();
    let store = world.store();
    let mut batch = store.batch();
    for (seed, size) in SIZES.iter().enumerate() {
        for hint in [0, *size as u64, 1 << 20] {
            let content = bytes(*size, seed as u8);
            let found = batch.add(&mut content.as_slice(), hint).unwrap();
            assert_eq!(found, (Digest::of(&content), *size as u64));
        }
    }
    let big = bytes(200_000, 77);
    assert_eq!(batch.add_bytes(&big).unwrap(), Digest::of(&big));
    batch.finish().unwrap();
    for (seed, size) in SIZES.iter().enumerate() {
        let content = bytes(*size, seed as u8);
        assert!(store.read(&Digest::of(&content)).unwrap() == content, "{size} bytes");
    }
    assert_eq!(store.info().unwrap().contents, SIZES.len() as u64 + 1);
}

#[test]
fn missing_names_only_what_is_absent() {
    let world = World::new();
    let store = world.store();
    let there = store.put(b"there").unwrap();
    let absent = Digest::of(b"absent");
    assert_eq!(store.missing([there, absent]), [absent]);
    assert!(matches!(store.read(&absent), Err(StoreError::Absent(_))));
    assert!(store.contains(&there) && !store.contains(&absent));
}

#[test]
fn another_process_sees_what_was_added_since_it_looked() {
    let world = World::new();
    let (ours, theirs) = (world.store(), world.store());
    assert!(!ours.contains(&Digest::of(b"0")));
    let many: Vec<Digest> = (0..600).map(|i| theirs.put(i.to_string().as_bytes()).unwrap()).collect();
    theirs.flush().unwrap();
    assert_eq!(ours.read(&many[0]).unwrap(), b"0");
    assert!(ours.missing(many.clone()).is_empty());
    assert_eq!(ours.read(&many[599]).unwrap(), b"599");
}

#[test]
fn placed_files_have_their_mode_and_a_time_in_the_past() {
    let world = World::new();
    let store = world.store();
    for content in [bytes(10, 0), bytes(100_000, 1), bytes(5 << 20, 2)] {
        let digest = store.put(&content).unwrap();
        let targets: Vec<Target> = [("plain", false), ("program", true)]
            .map(|(name, executable)| Target::new(world.path(name), executable))
            .into();
        let placement = Placement { digest, size: content.len() as u64, targets };
        store.place(std::slice::from_ref(&placement)).unwrap();
        for (target, mode) in placement.targets.iter().zip([0o644, 0o755]) {
            let metadata = fs::metadata(&target.path).unwrap();
            assert_eq!(metadata.permissions().mode() & 0o7777, mode);
            let age = SystemTime::now().duration_since(metadata.modified().unwrap()).unwrap();
            assert!(age.as_millis() >= 1000 && age.as_secs() < 60, "{age:?}");
            assert!(fs::read(&target.path).unwrap() == content);
            assert_eq!(metadata.nlink(), 1);
            fs::remove_file(&target.path).unwrap();
        }
    }
}

#[test]
fn a_failed_place_leaves_nothing_and_overwrites_nothing() {
    let world = World::new();
    let store = world.store();
    let (small, large) = (bytes(10, 0), bytes(5 << 20, 1));
    store.put(&small).unwrap();
    store.put(&large).unwrap();
    world.file("taken", b"mine");
    let to = |name: &str| vec![Target::new(world.path(name), false)];
    let result = store.place(&[
        Placement { digest: Digest::of(&small), size: 10, targets: to("one") },
        Placement { digest: Digest::of(&large), size: 5 << 20, targets: [to("two"), to("taken")].concat() },
    ]);
    assert!(matches!(result, Err(PlaceError::Target { path, .. }) if path == world.path("taken")));
    assert_eq!(fs::read(world.path("taken")).unwrap(), b"mine");
    assert!(!world.path("one").exists() && !world.path("two").exists());
}

#[test]
fn all_lost_contents_are_named_at_once() {
    let world = World::new();
    let store = world.store();
    let there = store.put(b"there").unwrap();
    let placement = |digest, name: &str| Placement {
        digest,
        size: 5,
        targets: vec![Target::new(world.path(name), false)],
    };
    let lost = [Digest::of(b"a"), Digest::of(b"b")];
    let result = store.place(&[placement(lost[0], "a"), placement(there, "there"), placement(lost[1], "b")]);
    let Err(PlaceError::Damaged { mut digests }) = result else { panic!("{result:?}") };
    let mut lost = lost.to_vec();
    lost.sort();
    digests.sort();
    assert_eq!(digests, lost);
    assert!(!world.path("there").exists());
}

#[test]
fn trees_round_trip_and_unpack() {
    let world = World::new();
    let store = world.store();
    let (text, script): (&[u8], Vec<u8>) = (b"text", bytes(80_000, 3));
    let tree = tree(&[("a.txt", text), ("bin/run.sh", &script), ("deep/er/a.txt", text)]);
    store.put_tree(&tree).unwrap();
    assert!(!store.has_tree(tree.root), "its files are not there yet");
    store.put(text).unwrap();
    store.put(&script).unwrap();
    for store in [store, world.store()] {
        assert!(store.has_tree(tree.root));
        assert_eq!(store.tree(tree.root).unwrap(), tree);
        let folder = store.unpacked(tree.root).unwrap();
        assert_eq!(fs::read(folder.join("deep/er/a.txt")).unwrap(), text);
        assert!(folder.join("empty").is_dir());
        assert_eq!(fs::read_link(folder.join("bin/link")).unwrap(), Path::new("../a.txt"));
        let mode = fs::metadata(folder.join("bin/run.sh")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o755);
        assert_eq!(store.unpacked(tree.root).unwrap(), folder);
        assert!(listing(&world.root().join("tmp")).is_empty());
        drop(store);
    }
}

#[test]
fn trees_unpacked_before_the_machine_started_are_not_believed() {
    let world = World::new();
    let store = world.store();
    let tree = tree(&[("a.txt", b"text")]);
    store.put_tree(&tree).unwrap();
    store.put(b"text").unwrap();
    let folder = store.unpacked(tree.root).unwrap();
    store.flush().unwrap();
    fs::write(folder.join("a.txt"), "torn").unwrap();
    fs::write(world.root().join("trees/boot"), "an earlier start").unwrap();
    assert_eq!(fs::read(world.store().unpacked(tree.root).unwrap().join("a.txt")).unwrap(), b"text");
}

#[test]
fn threads_share_a_store() {
    let world = World::new();
    let store = world.store();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let store = &store;
            scope.spawn(move || {
                for i in 0..200 {
                    // Every second content is written by all threads.
                    let text = if i % 2 == 0 { format!("{i}") } else { format!("{thread} {i}") };
                    let digest = store.put(text.as_bytes()).unwrap();
                    assert_eq!(store.read(&digest).unwrap(), text.as_bytes());
                }
            });
        }
    });
    let info = store.info().unwrap();
    assert_eq!((info.contents, info.dead_bytes), (100 + 400, 0));
}
