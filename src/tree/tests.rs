use super::*;

fn path(text: &str) -> RelPath {
    RelPath::parse(text).unwrap()
}

fn file(text: &str) -> Leaf {
    Leaf::File { digest: Digest::of(text.as_bytes()), size: text.len() as u64, executable: false }
}

fn leaves(list: &[(&str, Leaf)]) -> Leaves {
    list.iter().map(|(p, l)| (path(p), l.clone())).collect()
}

#[test]
fn golden_bytes_and_digest() {
    let directory = Directory::new(vec![
        ("run.sh".into(), Entry::File { digest: Digest::of(b"#!"), size: 2, executable: true }),
        ("link".into(), Entry::Symlink { target: "run.sh".into() }),
        ("empty".into(), Entry::Directory { digest: Directory::default().digest() }),
        ("a (1) é.txt".into(), Entry::File { digest: Digest::of(b""), size: 0, executable: false }),
    ]);
    let bytes = directory.encode();
    assert_eq!(&bytes[..MAGIC.len()], MAGIC);
    assert_eq!(Directory::decode(&bytes).unwrap(), directory);
    assert_eq!(directory.digest().to_string(), GOLDEN);
}
const GOLDEN: &str = "c245b081c512594ee6ae9f5875211a58d1ca7f462cad893a8812944c105be825";

#[test]
fn decode_refuses_what_encode_never_writes() {
    let entry = || Entry::Symlink { target: "t".into() };
    let good = Directory::new(vec![("a".into(), entry()), ("b".into(), entry())]).encode();
    for cut in 1..good.len() {
        let decoded = Directory::decode(&good[..cut]);
        assert!(decoded.is_err() || decoded.unwrap().encode() == good[..cut], "cut at {cut}");
    }
    for name in ["..", ".", "", "a/b"] {
        let mut bad = MAGIC.to_vec();
        bad.push(b'l');
        bad.extend_from_slice(&(name.len() as u32).to_le_bytes());
        bad.extend_from_slice(name.as_bytes());
        bad.extend_from_slice(&1u32.to_le_bytes());
        bad.push(b't');
        assert!(Directory::decode(&bad).is_err(), "{name:?}");
    }
}

#[test]
fn leaves_round_trip_with_empty_folders() {
    let before = leaves(&[
        ("a/b.txt", file("1")),
        ("a/c", Leaf::EmptyDirectory),
        ("d", Leaf::Symlink { target: "a".into() }),
    ]);
    assert_eq!(Tree::from_leaves(&before).leaves(), before);
    let empty = leaves(&[(".", Leaf::EmptyDirectory)]);
    assert_eq!(Tree::from_leaves(&empty).root, Directory::default().digest());
}

#[test]
fn diff_names_every_changed_path() {
    let old = Tree::from_leaves(&leaves(&[("a/x", file("1")), ("a/y", file("2")), ("gone/z", file("3"))]));
    let new =
        Tree::from_leaves(&leaves(&[("a/x", file("1")), ("a/y", file("2!")), ("new/deep/w", file("4"))]));
    let mut fetch = |d: TreeDigest| old.directories.get(&d).or_else(|| new.directories.get(&d)).cloned();
    let found: Vec<_> =
        diff(old.root, new.root, 10, &mut fetch).into_iter().map(|c| (c.path.to_string(), c.kind)).collect();
    assert_eq!(
        found,
        [
            ("a/y".to_owned(), ChangeKind::Modified),
            ("gone/z".to_owned(), ChangeKind::Removed),
            ("new/deep/w".to_owned(), ChangeKind::Added)
        ]
    );
}

#[test]
fn overlay_hides_what_it_covers() {
    let mut lower =
        leaves(&[("a", file("file")), ("b/c", file("1")), ("b/d", file("2")), ("b-side", file("3"))]);
    overlay(&mut lower, &leaves(&[("a/under", file("4")), ("b", file("5"))]), &RelPath::root());
    assert_eq!(lower, leaves(&[("a/under", file("4")), ("b", file("5")), ("b-side", file("3"))]));
    overlay(&mut lower, &leaves(&[("x", file("6"))]), &path("in/to"));
    assert_eq!(lower[&path("in/to/x")], file("6"));
}

#[test]
fn an_empty_folder_does_not_hide_a_full_one() {
    let mut lower = leaves(&[("a/b", file("1"))]);
    overlay(&mut lower, &leaves(&[("a", Leaf::EmptyDirectory)]), &RelPath::root());
    assert_eq!(lower, leaves(&[("a/b", file("1"))]));
}

#[test]
fn links_are_judged_lexically() {
    assert!(link_stays_inside(&path("a/b"), "../c"));
    assert!(!link_stays_inside(&path("a/b"), "../../c"));
    assert!(!link_stays_inside(&path("a"), "/etc/passwd"));
    assert!(!link_stays_inside(&path("a/b"), "x/../../../y"));
}
