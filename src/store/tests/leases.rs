use std::time::{Duration, Instant};

use super::*;

#[test]
fn a_key_is_leased_to_one_at_a_time() {
    let world = World::new();
    let (ours, theirs) = (world.store(), world.store());
    let lease = ours.try_lease_key(&key("a")).unwrap().unwrap();
    assert!(theirs.try_lease_key(&key("a")).unwrap().is_none());
    assert!(ours.try_lease_key(&key("a")).unwrap().is_none(), "also among threads");
    assert!(theirs.try_lease_key(&key("b")).unwrap().is_some());
    drop(lease);
    assert!(theirs.try_lease_key(&key("a")).unwrap().is_some());
}

#[test]
fn a_waiter_gets_the_lease_when_it_is_free() {
    let world = World::new();
    let (ours, theirs) = (world.store(), world.store());
    let lease = ours.try_lease_key(&key("a")).unwrap().unwrap();
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            let mut waited = 0;
            let lease = theirs.lease_key(&key("a"), &mut || {
                waited += 1;
                true
            });
            assert!(lease.unwrap().is_some());
            waited
        });
        std::thread::sleep(Duration::from_millis(120));
        drop(lease);
        let since = Instant::now();
        assert!(waiter.join().unwrap() >= 2);
        assert!(since.elapsed() < Duration::from_secs(5));
    });
}

#[test]
fn whoever_inherits_the_file_holds_the_lease() {
    let world = World::new();
    let (ours, theirs) = (world.store(), world.store());
    let lease = ours.try_lease_key(&key("a")).unwrap().unwrap();
    let inherited = lease.file().try_clone().unwrap();
    drop(lease);
    assert!(theirs.try_lease_key(&key("a")).unwrap().is_none());
    assert_eq!(inherited.metadata().unwrap().len(), 0);
    drop(inherited);
    assert!(theirs.try_lease_key(&key("a")).unwrap().is_some());
}

#[test]
fn paths_are_leased_together_or_not_at_all() {
    let world = World::new();
    let (ours, theirs) = (world.store(), world.store());
    let (a, b, c) = (Path::new("/p/a"), Path::new("/p/b"), Path::new("/p/c"));
    let held = ours.lease_paths(&[b, a, b], &mut || false).unwrap().unwrap();
    assert_eq!(held.len(), 2);
    assert!(theirs.lease_paths(&[c, b], &mut || false).unwrap().is_none());
    assert!(theirs.lease_paths(&[c], &mut || false).unwrap().is_some(), "the refused call holds nothing");
}

#[test]
fn runs_share_the_store_and_its_care_does_not() {
    let world = World::new();
    let (ours, theirs) = (world.store(), world.store());
    let one = ours.shared_lease(&mut || false).unwrap().unwrap();
    let two = theirs.shared_lease(&mut || false).unwrap().unwrap();
    drop(one);
    assert!(ours.exclusive_lease(&mut || false).unwrap().is_none());
    drop(two);
    let alone = ours.exclusive_lease(&mut || false).unwrap().unwrap();
    assert!(theirs.shared_lease(&mut || false).unwrap().is_none());
    drop(alone);
}

#[test]
fn old_free_locks_are_swept_and_held_ones_kept() {
    let world = World::new();
    let store = world.store();
    let locks = world.root().join("locks");
    drop(store.try_lease_key(&key("free")).unwrap().unwrap());
    let held = store.try_lease_key(&key("held")).unwrap().unwrap();
    let hour = std::time::SystemTime::now() - Duration::from_secs(4000);
    for path in listing(&locks) {
        fs::OpenOptions::new().write(true).open(path).unwrap().set_modified(hour).unwrap();
    }
    drop(store.try_lease_key(&key("young")).unwrap().unwrap());
    crate::store::lease::sweep_locks(&locks);
    let name = |text| format!("key-{}", key(text).0.hex());
    assert!(!locks.join(name("free")).exists());
    assert!(locks.join(name("held")).exists() && locks.join(name("young")).exists());
    drop(held);
}

#[test]
fn displaced_files_are_kept() {
    let world = World::new();
    let store = world.store();
    let name = RelPath::parse("dist/notes.txt").unwrap();
    for text in ["one", "two"] {
        let path = world.file("notes.txt", text.as_bytes());
        let kept = store.displace(RunId(4), &path, &name).unwrap();
        assert!(!path.exists());
        assert_eq!(fs::read_to_string(&kept).unwrap(), text);
        assert!(kept.starts_with(fs::canonicalize(world.root().join("displaced/4/dist")).unwrap()));
    }
}

#[test]
fn discarded_folders_are_gone_at_once_and_their_space_later() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    let store = world.store();
    fs::create_dir_all(world.path("old/deep")).unwrap();
    world.file("old/deep/file", b"x");
    fs::set_permissions(world.path("old/deep"), fs::Permissions::from_mode(0o555)).unwrap();
    store.discard([world.path("old"), world.path("never was")]).unwrap();
    assert!(!world.path("old").exists());
    store.finish_trash();
    assert!(listing(&world.root().join("trash")).is_empty());
    assert_eq!(fs::read_dir(world.root().join("trash")).unwrap().count(), 0);
}

#[test]
fn a_new_store_is_made_by_several_at_once() {
    for _ in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("store");
        let together = std::sync::Barrier::new(4);
        std::thread::scope(|scope| {
            let open = || {
                together.wait();
                Store::open(&root).map(drop)
            };
            let opened: Vec<_> = (0..4).map(|_| scope.spawn(open)).collect();
            for one in opened {
                one.join().unwrap().unwrap();
            }
        });
    }
}
