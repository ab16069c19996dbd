use std::collections::HashMap;
use std::fs;
use std::io::{Cursor, Read};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;

use super::*;
use crate::tree::Leaf;

/// Leaves and what they hold.
#[derive(Clone, Debug, Default)]
struct Sample {
    leaves: Leaves,
    contents: HashMap<Digest, Vec<u8>>,
}

impl Sample {
    fn file(mut self, path: &str, content: impl Into<Vec<u8>>, executable: bool) -> Self {
        let content = content.into();
        let digest = Digest::of(&content);
        let size = content.len() as u64;
        self.contents.insert(digest, content);
        self.leaf(path, Leaf::File { digest, size, executable })
    }

    fn leaf(mut self, path: &str, leaf: Leaf) -> Self {
        self.leaves.insert(RelPath::parse(path).unwrap(), leaf);
        self
    }

    fn archive(&self, format: ArchiveFormat, threads: usize) -> Vec<u8> {
        let mut out = Vec::new();
        let open = |digest: &Digest| {
            Ok(Box::new(Cursor::new(self.contents[digest].clone())) as Box<dyn Read + Send>)
        };
        let written = write(
            &Request {
                leaves: &self.leaves,
                top: "top",
                format,
                threads: NonZeroUsize::new(threads).unwrap(),
                open: &open,
                cancelled: &|| false,
            },
            &mut out,
        )
        .unwrap();
        assert_eq!(written.size, out.len() as u64);
        assert_eq!(written.digest, Digest::of(&out));
        out
    }
}

/// Several blocks and jobs of data that compresses, but not to nothing.
fn noisy(bytes: usize) -> Vec<u8> {
    let mut state = 1u32;
    (0..bytes)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            b"abcdefgh"[(state >> 29) as usize]
        })
        .collect()
}

fn sample() -> Sample {
    let deep = format!("deep/{}/f", ["a long folder name"; 12].join("/"));
    Sample::default()
        .file("a/b.txt", "b", false)
        .file("a-b", "sorts before a/b.txt", false)
        .file("bin/run", "#!/bin/sh\n", true)
        .file("empty", "", false)
        .file("large", noisy(5_500_000), false)
        .file("block", vec![0; 512], false)
        .file(&format!("split/{}/{}", "d".repeat(90), "n".repeat(60)), "split", false)
        .file(&"n".repeat(180), "one long name", false)
        .file(&deep, "deep", false)
        .file("with space (and parentheses)", "s", false)
        .file("日本/ä.txt", "utf-8", false)
        .leaf("link", Leaf::Symlink { target: "a/b.txt".into() })
        .leaf("long link", Leaf::Symlink { target: "ü/".repeat(80) })
        .leaf("none/inside", Leaf::EmptyDirectory)
}

/// Reads an archive back, and checks what no leaf says.
fn read(tar: &[u8]) -> Leaves {
    let mut leaves = Leaves::new();
    let mut folders = Vec::new();
    let mut last = None;
    for entry in tar::Archive::new(tar).entries().unwrap() {
        let mut entry = entry.unwrap();
        let header = entry.header().clone();
        assert_eq!((header.uid().unwrap(), header.gid().unwrap(), header.mtime().unwrap()), (0, 0, MTIME));
        assert_eq!((header.username().unwrap(), header.groupname().unwrap()), (Some(""), Some("")));
        let name = String::from_utf8(entry.path_bytes().to_vec()).unwrap();
        let Some(path) = name.strip_prefix("top/") else { panic!("`{name}` lies outside") };
        let mode = header.mode().unwrap();
        let kind = header.entry_type();
        if kind.is_dir() {
            assert_eq!(mode, 0o755);
            if let Some(path) = path.strip_suffix('/') {
                folders.push(RelPath::parse(path).unwrap());
            }
            continue;
        }
        let path = RelPath::parse(path).unwrap();
        assert!(last < Some(path.clone()), "{path} comes late");
        last = Some(path.clone());
        if let Some(parent) = path.parent().filter(|parent| !parent.is_root()) {
            assert!(folders.contains(&parent), "{parent} is not listed before {path}");
        }
        let leaf = if kind.is_symlink() {
            let target = String::from_utf8(entry.link_name_bytes().unwrap().to_vec()).unwrap();
            Leaf::Symlink { target }
        } else {
            assert!(matches!(mode, 0o644 | 0o755));
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            Leaf::File { digest: Digest::of(&content), size: content.len() as u64, executable: mode == 0o755 }
        };
        leaves.insert(path, leaf);
    }
    assert!(folders.iter().all(|folder| folders.iter().filter(|other| *other == folder).count() == 1));
    for folder in folders {
        if crate::tree::below(&leaves, &folder).next().is_none() {
            leaves.insert(folder, Leaf::EmptyDirectory);
        }
    }
    // A folder that only holds folders is no leaf.
    let inner: Vec<RelPath> =
        leaves.keys().filter(|path| crate::tree::below(&leaves, path).next().is_some()).cloned().collect();
    inner.iter().for_each(|path| drop(leaves.remove(path)));
    leaves
}

#[test]
fn every_format_reads_back() {
    let sample = sample();
    let tar = sample.archive(ArchiveFormat::Tar, 1);
    assert_eq!(read(&tar), sample.leaves);
    let mut plain = Vec::new();
    // The reader of one member only, which stops after the first.
    let gz = sample.archive(ArchiveFormat::TarGz, 2);
    flate2::read::GzDecoder::new(gz.as_slice()).read_to_end(&mut plain).unwrap();
    assert!(plain == tar);
    let zst = sample.archive(ArchiveFormat::TarZst, 2);
    assert!(zstd::decode_all(zst.as_slice()).unwrap() == tar);
    assert!(gz.len() < tar.len() / 2 && zst.len() < tar.len() / 2);
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let sample = sample();
    for format in [ArchiveFormat::TarGz, ArchiveFormat::TarZst] {
        let one = sample.archive(format, 1);
        for threads in [1, 2, 3, 8, 64] {
            assert!(sample.archive(format, threads) == one, "{format:?}, {threads} threads");
        }
    }
}

#[test]
fn the_bytes_are_a_contract() {
    let sample = Sample::default().file("a", "a\n", false).file("bin/x", "x", true);
    let digests = [ArchiveFormat::Tar, ArchiveFormat::TarGz, ArchiveFormat::TarZst]
        .map(|format| Digest::of(&sample.archive(format, 2)).short());
    // Moves with the libraries, too: an archive that comes out otherwise under the same key is
    // worth a line in the changelog.
    assert_eq!(digests, ["b9c778c48cf1", "de80c63cd93c", "7c8a3202cf36"]);
}

#[test]
fn other_tools_read_them() {
    let sample = sample();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("a.tar"), sample.archive(ArchiveFormat::Tar, 2)).unwrap();
    fs::write(at("a.tar.gz"), sample.archive(ArchiveFormat::TarGz, 2)).unwrap();
    fs::write(at("a.tar.zst"), sample.archive(ArchiveFormat::TarZst, 2)).unwrap();
    let script = "
        set -e
        gzip -t a.tar.gz
        gzip -dc a.tar.gz | cmp - a.tar
        zstd -qt a.tar.zst
        zstd -qdc a.tar.zst | cmp - a.tar
        mkdir tar && tar xzf a.tar.gz -C tar
        python3 -c '
import tarfile
with tarfile.open(\"a.tar.gz\") as archive:
    members = archive.getmembers()
    assert len({m.name for m in members}) == len(members)
    assert all((m.uid, m.gid, m.uname, m.gname, m.mtime) == (0, 0, \"\", \"\", 1) for m in members)
    archive.extractall(\"python\", filter=\"data\")
'
        diff -r --no-dereference tar python
        find tar -newermt @1 ! -type l ! -type d | grep . && exit 1
        true
    ";
    let done = Command::new("sh").current_dir(folder.path()).args(["-c", script]).output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && said.is_empty(), "{said}");
    for (path, leaf) in &sample.leaves {
        let unpacked = path.under(&at("tar/top"));
        match leaf {
            Leaf::File { digest, .. } => {
                assert_eq!(Digest::of(&fs::read(unpacked).unwrap()), *digest, "{path}")
            }
            Leaf::Symlink { target } => {
                assert_eq!(
                    fs::read_link(unpacked).unwrap().to_str().unwrap().trim_end_matches('/'),
                    target.trim_end_matches('/')
                );
            }
            Leaf::EmptyDirectory => assert_eq!(fs::read_dir(unpacked).unwrap().count(), 0),
        }
    }
}

#[test]
fn checksums_are_those_of_sha256sum() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["plain.tar", "with space.tar", "back\\slash\n.tar"] {
        let mut out = Vec::new();
        let written = write(
            &Request {
                leaves: &Leaves::new(),
                top: "top",
                format: ArchiveFormat::Tar,
                threads: NonZeroUsize::MIN,
                open: &|_| Err(io::ErrorKind::NotFound.into()),
                cancelled: &|| false,
            },
            &mut out,
        )
        .unwrap();
        fs::write(folder.path().join(name), out).unwrap();
        fs::write(folder.path().join("sum"), checksum_line(&written.sha256, name)).unwrap();
        let done = Command::new("sha256sum")
            .current_dir(folder.path())
            .args(["--strict", "-c", "sum"])
            .output()
            .unwrap();
        assert!(done.status.success(), "{name}: {}", String::from_utf8_lossy(&done.stderr));
    }
}

/// Archives a file that claims `size` bytes and has `content`.
fn faulty(size: u64, content: &'static [u8], cancelled: &(dyn Fn() -> bool + Sync)) -> ArchiveError {
    let leaf = Leaf::File { digest: Digest::of(b""), size, executable: false };
    write(
        &Request {
            leaves: &Sample::default().leaf("f", leaf).leaves,
            top: "top",
            format: ArchiveFormat::TarGz,
            threads: NonZeroUsize::MIN,
            open: &|_| Ok(Box::new(content)),
            cancelled,
        },
        &mut io::sink(),
    )
    .unwrap_err()
}

#[test]
fn content_of_another_length_is_an_error() {
    assert!(matches!(faulty(3, b"ab", &|| false), ArchiveError::Length { found: Found::Only(2), .. }));
    assert!(matches!(faulty(1, b"ab", &|| false), ArchiveError::Length { found: Found::More, .. }));
}

#[test]
fn a_cancelled_archive_stops() {
    let asked = AtomicUsize::new(0);
    let error = faulty(2, b"ab", &|| asked.fetch_add(1, Ordering::Relaxed) == 1);
    assert!(matches!(error, ArchiveError::Cancelled));
}

#[test]
fn a_full_disk_is_an_error() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    for format in [ArchiveFormat::Tar, ArchiveFormat::TarGz, ArchiveFormat::TarZst] {
        let request = Request {
            leaves: &Leaves::new(),
            top: "top",
            format,
            threads: NonZeroUsize::MIN,
            open: &|_| Err(io::ErrorKind::NotFound.into()),
            cancelled: &|| false,
        };
        assert!(matches!(write(&request, &mut Full), Err(ArchiveError::Write(_))));
    }
}

#[test]
fn the_top_folder_is_the_archives_stem() {
    let path = |text: &str| RelPath::parse(text).unwrap();
    assert_eq!(stem(&path("dist/app-1.2.tar.gz"), ArchiveFormat::TarGz), "app-1.2");
    assert_eq!(stem(&path("app.tgz"), ArchiveFormat::TarGz), "app");
    assert_eq!(stem(&path("app.tar"), ArchiveFormat::Tar), "app");
    assert_eq!(stem(&path("x/.tar"), ArchiveFormat::Tar), ".tar");
}

fn names() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[a-c]{1,2}", 2 => "[ -.0-~]{1,30}", 1 => "[a-zäß日]{40,130}"]
        .prop_filter("a name", |name| name != "." && name != "..")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_leaves_survive(
        files in prop::collection::vec((prop::collection::vec(names(), 1..5), prop::collection::vec(any::<u8>(), 0..1500), 0..4u8), 0..24)
    ) {
        let mut sample = Sample::default();
        for (path, content, kind) in files {
            let upper = match kind {
                0 => Sample::default().leaf(&path.join("/"), Leaf::EmptyDirectory),
                1 => Sample::default().leaf(&path.join("/"), Leaf::Symlink { target: "t".repeat(content.len() % 300 + 1) }),
                _ => Sample::default().file(&path.join("/"), content, kind == 2),
            };
            sample.contents.extend(upper.contents);
            crate::tree::overlay(&mut sample.leaves, &upper.leaves, &RelPath::root());
        }
        prop_assert_eq!(read(&sample.archive(ArchiveFormat::Tar, 1)), sample.leaves);
    }
}
