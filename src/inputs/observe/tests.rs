use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use proptest::prelude::*;

use super::*;
use crate::inputs::index::Mapping;
use crate::inputs::verify::verify;
use crate::path::RelPath;
use crate::tree::TreeDigest;

/// A folder to be observed, with the clock's file beside it.
struct Project {
    folder: tempfile::TempDir,
    root: PathBuf,
}

impl Project {
    fn new(files: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap().join("in");
        fs::create_dir(&root).unwrap();
        let project = Self { folder, root };
        for file in files {
            project.write(file, file);
        }
        project
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn request(&self) -> Request {
        Request {
            root: self.root.clone(),
            project: self.root.clone(),
            cuts: ["out", "a/made", "new/made"].map(|path| RelPath::parse(path).unwrap()).into(),
            ignore_rules: true,
            tracked: BTreeSet::new(),
            excludes: Vec::new(),
            selection: None,
        }
    }

    fn clock(&self) -> Clock {
        Clock::read(self.folder.path())
    }

    /// Lets what was written until now be older than the next clock.
    fn settle(&self) {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }

    /// One survey from `index`: the tree, how many files were read, and the next index.
    fn observe(&self, index: &Arc<Index>) -> (TreeDigest, u64, Arc<Index>) {
        let progress = Progress::default();
        let mut observer = Observer::new(index.clone(), verify(index), self.clock(), &progress);
        let seen = observer.folder(&self.request()).unwrap();
        let next = observer.finish().into_index(&|| self.clock());
        (seen.digest, progress.files.load(Ordering::Relaxed), Arc::new(next))
    }

    fn anew(&self) -> TreeDigest {
        self.observe(&Arc::default()).0
    }
}

fn kept(index: &Index) -> Index {
    let parts = index.parts().0;
    let bytes: Vec<u8> = parts.concat();
    read(&bytes, parts.map(|part| part.len() as u64)).unwrap()
}

fn read(bytes: &[u8], lengths: [u64; 5]) -> Option<Index> {
    let mut file = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut file, bytes).unwrap();
    let mapping = Arc::new(Mapping::of(&file, bytes.len()).unwrap());
    Index::mapped(&mapping, 0, lengths)
}

#[test]
fn what_did_not_move_is_not_read_again() {
    let project = Project::new(&["a/x", "b"]);
    project.settle();
    let (tree, read, index) = project.observe(&Arc::default());
    assert_eq!(read, 2);
    assert!(verify(&index).is_empty());
    let (again, read, index) = project.observe(&Arc::new(kept(&index)));
    assert_eq!((again, read), (tree, 0));
    assert!(verify(&index).is_empty(), "an index made from an index is whole");
}

#[test]
fn an_edit_that_keeps_size_and_mtime_is_seen() {
    let project = Project::new(&["a/x"]);
    project.settle();
    let (tree, _, index) = project.observe(&Arc::default());
    let path = project.root.join("a/x");
    let time = fs::metadata(&path).unwrap().modified().unwrap();
    fs::write(&path, "A/X").unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
    let (after, read, _) = project.observe(&index);
    assert_eq!(read, 1);
    assert_ne!(after, tree);
    assert_eq!(after, project.anew());
}

#[test]
fn a_file_written_after_the_clock_is_read_twice() {
    let project = Project::new(&["a"]);
    project.settle();
    let clock = project.clock();
    project.write("a", "b");
    let progress = Progress::default();
    let mut observer = Observer::new(Arc::default(), Moved::default(), clock, &progress);
    observer.folder(&project.request()).unwrap();
    let index = Arc::new(observer.finish().into_index(&|| clock));
    assert!(!verify(&index).is_empty());
    assert_eq!(project.observe(&index).1, 1);
}

#[test]
fn a_folder_that_moved_after_the_clock_is_listed_again() {
    let project = Project::new(&["a"]);
    project.settle();
    let clock = project.clock();
    // Within one tick, the stat of the folder is the same before and after a second file.
    fs::create_dir(project.root.join("new")).unwrap();
    let progress = Progress::default();
    let mut observer = Observer::new(Arc::default(), Moved::default(), clock, &progress);
    observer.folder(&project.request()).unwrap();
    let index = observer.finish().into_index(&|| clock);
    let moved = verify(&index);
    assert!(moved.files.is_empty());
    assert_eq!(moved.folders.len(), 2, "the root and the new folder");
}

#[test]
fn what_comes_goes_or_changes_its_kind_is_seen() {
    let project = Project::new(&["a/x", "b"]);
    symlink("b", project.root.join("link")).unwrap();
    project.settle();
    let edits: [&dyn Fn(); 8] = [
        &|| project.write("a/new", ""),
        &|| fs::remove_file(project.root.join("a/x")).unwrap(),
        &|| fs::create_dir(project.root.join("a/empty")).unwrap(),
        &|| fs::set_permissions(project.root.join("b"), fs::Permissions::from_mode(0o755)).unwrap(),
        &|| {
            fs::remove_file(project.root.join("link")).unwrap();
            symlink("a", project.root.join("link")).unwrap();
        },
        &|| {
            fs::remove_file(project.root.join("b")).unwrap();
            symlink("a/new", project.root.join("b")).unwrap();
        },
        &|| fs::rename(project.root.join("a"), project.root.join("c")).unwrap(),
        &|| project.write(".gitignore", "new\n"),
    ];
    for (at, edit) in edits.iter().enumerate() {
        let (before, _, index) = project.observe(&Arc::default());
        edit();
        let (after, _, _) = project.observe(&index);
        assert_ne!(after, before, "edit {at}");
        assert_eq!(after, project.anew(), "edit {at}");
    }
}

#[test]
fn changed_rules_above_the_root_are_seen() {
    let project = Project::new(&["a/x", "a/y"]);
    let request = Request { root: project.root.join("a"), ..project.request() };
    let tree = |index: &Arc<Index>| {
        let progress = Progress::default();
        let mut observer = Observer::new(index.clone(), verify(index), project.clock(), &progress);
        let tree = observer.folder(&request).unwrap().digest;
        (tree, Arc::new(observer.finish().into_index(&|| project.clock())))
    };
    project.settle();
    let (all, index) = tree(&Arc::default());
    project.write(".gitignore", "y\n");
    let (less, index) = tree(&index);
    assert_ne!(less, all);
    // By way of an index whose walk was taken over.
    project.settle();
    let (same, index) = tree(&tree(&index).1);
    assert_eq!(same, less);
    fs::remove_file(project.root.join(".gitignore")).unwrap();
    assert!(verify(&index).rules);
    assert_eq!(tree(&index).0, all);
}

#[test]
fn rules_that_change_after_the_walk_are_seen_by_the_next() {
    let project = Project::new(&["a/x", "a/y"]);
    project.write(".gitignore", "z\n");
    project.settle();
    let request = Request { root: project.root.join("a"), ..project.request() };
    let progress = Progress::default();
    let mut observer = Observer::new(Arc::default(), Moved::default(), project.clock(), &progress);
    observer.folder(&request).unwrap();
    project.write(".gitignore", "y\n");
    let index = observer.finish().into_index(&|| project.clock());
    assert!(verify(&index).rules);
}

#[test]
fn outputs_that_appear_in_a_hollow_folder_leave_the_index_whole() {
    let project = Project::new(&["a/x"]);
    project.settle();
    let progress = Progress::default();
    let mut observer = Observer::new(Arc::default(), Moved::default(), project.clock(), &progress);
    let seen = observer.folder(&project.request()).unwrap();
    project.write("a/made", "output");
    project.write("out/deep", "output");
    project.write("new/made", "output");
    assert!(seen.still_stands(), "outputs are no inputs");
    let index = Arc::new(observer.finish().into_index(&|| project.clock()));
    assert!(verify(&index).is_empty(), "{:?}", verify(&index));
    assert_eq!(project.observe(&index).0, seen.digest);
}

#[test]
fn a_file_that_appears_beside_an_output_moves_the_input() {
    let project = Project::new(&["a/x"]);
    project.settle();
    let progress = Progress::default();
    let mut observer = Observer::new(Arc::default(), Moved::default(), project.clock(), &progress);
    let seen = observer.folder(&project.request()).unwrap();
    project.write("a/made", "output");
    project.write("a/mine", "input");
    assert!(!seen.still_stands());
    let index = Arc::new(observer.finish().into_index(&|| project.clock()));
    assert!(!verify(&index).is_empty());
    assert_ne!(project.observe(&index).0, seen.digest);
}

#[test]
fn loose_paths_are_watched_for_what_counts_of_them() {
    let project = Project::new(&["there", "folder/x"]);
    project.settle();
    let progress = Progress::default();
    let observer = Observer::new(Arc::default(), Moved::default(), project.clock(), &progress);
    let at = |name: &str| project.root.join(name);
    observer.file(&at("there")).unwrap();
    observer.note_present(&at("folder"));
    observer.note_present(&at("absent"));
    observer.note(&at("folder/x"), Loose::Present);
    let index = kept(&observer.finish().into_index(&|| project.clock()));
    assert!(verify(&index).is_empty());
    project.write("folder/x", "another content");
    project.write("folder/y", "");
    assert!(verify(&index).is_empty(), "of a folder and of what is present, only that it is there");
    project.write("absent", "");
    assert_eq!(verify(&index).files.len(), 1);
    fs::remove_file(at("there")).unwrap();
    fs::remove_dir_all(at("folder")).unwrap();
    assert_eq!(verify(&index).files.len(), 4);
}

#[test]
fn a_path_that_is_not_utf8_is_doubted_for_ever() {
    use std::os::unix::ffi::OsStrExt;
    let project = Project::new(&[]);
    let progress = Progress::default();
    let observer = Observer::new(Arc::default(), Moved::default(), project.clock(), &progress);
    observer.note_present(&project.root.join(std::ffi::OsStr::from_bytes(b"caf\xe9")));
    let index = observer.finish().into_index(&|| project.clock());
    assert_eq!(verify(&index).files.len(), 1);
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    let project = Project::new(&["a/x", "b"]);
    let (.., index) = project.observe(&Arc::default());
    let parts = index.parts().0;
    let bytes: Vec<u8> = parts.concat();
    let lengths = parts.map(|part| part.len() as u64);
    assert!(read(&bytes[..bytes.len() - 1], lengths).is_none());
    for part in 0..5 {
        let mut wrong = lengths;
        wrong[part] += 1;
        assert!(read(&bytes, wrong).is_none(), "part {part}");
    }
    assert!(read(&bytes, [lengths[0], lengths[1], lengths[2], lengths[3], 0]).is_none());
}

/// One edit of a folder with few names, so that edits meet.
#[derive(Clone, Debug)]
enum Edit {
    Write(String, u8),
    Remove(String),
    Folder(String),
    Link(String, u8),
    Mode(String),
    Rename(String, String),
}

fn edit() -> impl Strategy<Value = Edit> {
    let path = || "(a|b|c|out|\\.gitignore)(/(a|b|made|\\.gitignore)){0,2}".prop_map(String::from);
    prop_oneof![
        4 => (path(), 0..4_u8).prop_map(|(path, text)| Edit::Write(path, text)),
        2 => path().prop_map(Edit::Remove),
        1 => path().prop_map(Edit::Folder),
        1 => (path(), 0..3_u8).prop_map(|(path, target)| Edit::Link(path, target)),
        1 => path().prop_map(Edit::Mode),
        1 => (path(), path()).prop_map(|(from, to)| Edit::Rename(from, to)),
    ]
}

/// Does what can be done; an edit that does not fit what is there changes nothing.
fn apply(root: &Path, edit: &Edit) {
    let _ = match edit {
        Edit::Write(path, text) => {
            let path = root.join(path);
            // Also valid as ignore rules, and of few sizes.
            let text = ["a\n", "b\n", "!a\n", "*\n"][usize::from(*text)];
            fs::create_dir_all(path.parent().unwrap()).and_then(|()| fs::write(&path, text))
        }
        Edit::Remove(path) => {
            let path = root.join(path);
            fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path))
        }
        Edit::Folder(path) => fs::create_dir_all(root.join(path)),
        Edit::Link(path, target) => symlink(["a", "b/a", "nowhere"][usize::from(*target)], root.join(path)),
        Edit::Mode(path) => fs::set_permissions(root.join(path), fs::Permissions::from_mode(0o755)),
        Edit::Rename(from, to) => fs::rename(root.join(from), root.join(to)),
    };
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    /// No sleep: edits follow each other within one tick of the clock, and the index of each
    /// survey is where the next one starts.
    #[test]
    fn an_old_index_gives_the_tree_that_an_empty_one_gives(
        surveys in prop::collection::vec(prop::collection::vec(edit(), 1..5), 1..6),
    ) {
        let project = Project::new(&["a/a", "b"]);
        let mut index = Arc::default();
        for edits in surveys {
            for edit in &edits {
                apply(&project.root, edit);
            }
            let (tree, _, next) = project.observe(&index);
            prop_assert_eq!(tree, project.anew(), "after {:?}", edits);
            let settled = verify(&next).is_empty();
            index = Arc::new(kept(&next));
            prop_assert!(!settled || project.observe(&index).0 == tree);
        }
    }
}
