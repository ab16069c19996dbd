//! Trees as lists of members, read from archives and from folders, to be compared.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::project::git;

#[derive(Clone, PartialEq, Eq)]
pub enum Member {
    File { mode: u32, content: Vec<u8> },
    Link { target: String },
    Folder { mode: u32 },
}

impl std::fmt::Debug for Member {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File { mode, content } => {
                let start = String::from_utf8_lossy(&content[..content.len().min(40)]);
                write!(f, "{mode:o} {} bytes {start:?}", content.len())
            }
            Self::Link { target } => write!(f, "-> {target:?}"),
            Self::Folder { mode } => write!(f, "{mode:o} folder"),
        }
    }
}

/// By path, without a slash at its end.
pub type Members = BTreeMap<String, Member>;

/// The members of an archive whose ending says how it is packed, below its one top folder.
pub fn archive(path: &Path) -> Members {
    let name = path.file_name().unwrap().to_str().unwrap();
    let file = fs::File::open(path).unwrap();
    let (reader, stem): (Box<dyn Read>, &str) = if let Some(stem) = name.strip_suffix(".tar.gz") {
        (Box::new(flate2::read::GzDecoder::new(file)), stem)
    } else if let Some(stem) = name.strip_suffix(".tar.zst") {
        (Box::new(zstd::stream::read::Decoder::new(file).unwrap()), stem)
    } else {
        (Box::new(file), name.strip_suffix(".tar").unwrap())
    };
    let top = format!("{stem}/");
    let mut found = tar(reader);
    assert_eq!(found.remove(stem), Some(Member::Folder { mode: 0o755 }), "the top folder of {name}");
    let below = |(path, member): (String, Member)| {
        let below = path.strip_prefix(&top).unwrap_or_else(|| panic!("{path} in {name}"));
        (below.to_owned(), member)
    };
    found.into_iter().map(below).collect()
}

/// What `git archive` gives of a commit.
pub fn git_archive(repository: &Path, reference: &str) -> Members {
    tar(io::Cursor::new(git(repository, &["archive", "--format=tar", reference])))
}

fn tar(reader: impl Read) -> Members {
    let mut found = Members::new();
    for entry in tar::Archive::new(reader).entries().unwrap() {
        let mut entry = entry.unwrap();
        let kind = entry.header().entry_type();
        if kind.is_pax_global_extensions() {
            continue;
        }
        let path = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
        let mode = entry.header().mode().unwrap();
        let member = if kind.is_dir() {
            Member::Folder { mode }
        } else if kind.is_symlink() {
            Member::Link { target: String::from_utf8(entry.link_name_bytes().unwrap().into_owned()).unwrap() }
        } else {
            assert!(kind.is_file(), "{path}: {kind:?}");
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            Member::File { mode, content }
        };
        let path = path.trim_end_matches('/').to_owned();
        assert!(found.insert(path.clone(), member).is_none(), "{path} is there twice");
    }
    found
}

/// What lies in a folder, without what git keeps there. A file's mode is 644 or 755, by whether
/// its owner may run it.
pub fn folder(root: &Path) -> Members {
    let mut found = Members::new();
    let mut todo = vec![(root.to_path_buf(), String::new())];
    while let Some((folder, below)) = todo.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            if name == ".git" {
                continue;
            }
            let (path, below) = (entry.path(), format!("{below}{name}"));
            let stat = path.symlink_metadata().unwrap();
            let member = if stat.is_dir() {
                todo.push((path, format!("{below}/")));
                Member::Folder { mode: 0o755 }
            } else if stat.is_symlink() {
                Member::Link { target: fs::read_link(&path).unwrap().into_os_string().into_string().unwrap() }
            } else {
                let mode = if stat.permissions().mode() & 0o100 == 0 { 0o644 } else { 0o755 };
                Member::File { mode, content: fs::read(&path).unwrap() }
            };
            found.insert(below, member);
        }
    }
    found
}

/// Asserts that two trees are the same; shows the first members that differ, not all of both.
#[track_caller]
pub fn same(found: &Members, expected: &Members) {
    let mut wrong = Vec::new();
    for path in found.keys().chain(expected.keys()) {
        if found.get(path) != expected.get(path) {
            wrong.push(format!("{path:?}: {:?}, not {:?}", found.get(path), expected.get(path)));
        }
    }
    wrong.sort();
    wrong.dedup();
    let count = wrong.len();
    wrong.truncate(12);
    assert!(count == 0, "{count} members differ:\n{}", wrong.join("\n"));
}
