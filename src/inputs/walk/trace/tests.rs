use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::digest::Digest;
use crate::inputs::walk::{tree, walk};

/// Numbers that are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }

    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }

    fn path(&mut self) -> String {
        let names = ["a", "b", "build", "x.tmp", "keep"];
        (0..1 + self.below(3)).map(|_| self.of(&names)).collect::<Vec<_>>().join("/")
    }
}

const LINES: [&str; 10] =
    ["*.tmp", "build/", "!x.tmp", "/a/b", "**/keep", "!keep", "b/*", "# nothing", "/build", "a"];

fn project(random: &mut Random) -> (tempfile::TempDir, Request) {
    let folder = tempfile::tempdir().unwrap();
    let root = fs::canonicalize(folder.path()).unwrap();
    let write = |path: PathBuf, text: &str| {
        if fs::create_dir_all(path.parent().unwrap()).is_ok() {
            let _ = fs::write(path, text);
        }
    };
    for _ in 0..20 {
        write(root.join(random.path()), "content");
    }
    for _ in 0..random.below(3) {
        let text: Vec<&str> = (0..3).map(|_| random.of(&LINES)).collect();
        write(root.join(random.path()).parent().unwrap().join(".gitignore"), &(text.join("\n") + "\n"));
    }
    let some = |random: &mut Random| {
        (0..random.below(2)).map(|_| RelPath::parse(&random.path()).unwrap()).collect::<BTreeSet<_>>()
    };
    let request = Request {
        root: root.clone(),
        project: root,
        cuts: some(random),
        ignore_rules: random.below(4) > 0,
        tracked: some(random),
        excludes: (0..random.below(2)).map(|_| random.of(&LINES[..6]).to_owned()).collect(),
        selection: None,
    };
    (folder, request)
}

fn files(root: &Path, below: &RelPath, found: &mut Vec<RelPath>) {
    for entry in fs::read_dir(below.under(root)).unwrap() {
        let entry = entry.unwrap();
        let path = below.child(entry.file_name().to_str().unwrap());
        match entry.file_type().unwrap().is_dir() {
            true => files(root, &path, found),
            false => found.push(path),
        }
    }
}

#[test]
fn every_file_has_the_fate_that_the_walk_gives_it() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut counted, mut left_out) = (0, 0);
    for round in 0..300 {
        let (folder, request) = project(&mut random);
        let leaves = tree(&walk(&request).unwrap(), &|_, _| Digest::of(b"")).leaves();
        let mut all = Vec::new();
        files(&request.root, &RelPath::root(), &mut all);
        for path in all {
            let fate = trace(&request, &path, false).unwrap();
            assert_eq!(
                fate == Fate::Counts,
                leaves.contains_key(&path),
                "round {round}, {path}: {fate:?}, {request:?}"
            );
            match fate {
                Fate::Counts => counted += 1,
                _ => left_out += 1,
            }
        }
        drop(folder);
    }
    assert!(counted > 500 && left_out > 500, "{counted} {left_out}");
}

#[test]
fn what_is_left_out_is_left_out_by_a_named_line() {
    let folder = tempfile::tempdir().unwrap();
    let root = fs::canonicalize(folder.path()).unwrap();
    fs::create_dir_all(root.join("src/deep")).unwrap();
    fs::write(root.join(".gitignore"), "# first\n*.tmp\nlogs/\n*.tmp\n").unwrap();
    fs::write(root.join("src/.gitignore"), "!a.tmp\n").unwrap();
    let request = Request {
        root: root.join("src"),
        project: root.clone(),
        cuts: BTreeSet::from([RelPath::parse("out").unwrap()]),
        ignore_rules: true,
        tracked: BTreeSet::from([RelPath::parse("logs/kept").unwrap()]),
        excludes: vec!["deep/".to_owned()],
        selection: None,
    };
    let told =
        |path: &str, is_folder| match trace(&request, &RelPath::parse(path).unwrap(), is_folder).unwrap() {
            Fate::Ignored(at, by) => {
                let file = by.file.clone().unwrap();
                let file = file.strip_prefix(&root).unwrap().display().to_string();
                format!("{at} ignored by {file}:{} {}", by.line().unwrap(), by.pattern)
            }
            Fate::Excluded(at, by) => format!("{at} excluded by {}", by.pattern),
            other => format!("{other:?}"),
        };
    assert_eq!(told("b.tmp", false), "b.tmp ignored by .gitignore:4 *.tmp");
    assert_eq!(told("a.tmp", false), "Counts", "let in again");
    assert_eq!(told("logs/new/x", false), "logs ignored by .gitignore:3 logs/");
    assert_eq!(told("logs/kept", false), "Counts", "tracked all the same");
    assert_eq!(told("logs", true), "MayHold");
    assert_eq!(told("deep/x", false), "deep excluded by deep/");
    assert_eq!(told("out/a/b", false), "Cut(`out`)");
    assert_eq!(told(".git/HEAD", false), "Repository");
    assert_eq!(told("new/file", false), "Counts", "before it is there");
    std::os::unix::fs::symlink("deep", root.join("src/link")).unwrap();
    assert_eq!(told("link", false), "Counts");
    assert_eq!(told("link/x", false), "Behind(`link`)");
}
