use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};

use rustix::fs::CWD;

use super::*;

/// A project folder with files made of their own paths.
struct Project {
    _folder: tempfile::TempDir,
    root: PathBuf,
}

impl Project {
    fn new(files: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        let project = Self { _folder: folder, root };
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
            cuts: BTreeSet::new(),
            ignore_rules: true,
            tracked: BTreeSet::new(),
            excludes: Vec::new(),
            selection: None,
        }
    }

    fn counted(&self) -> Vec<String> {
        counted(&self.request())
    }
}

/// Everything in the tree of a walk: folders that hold something are implied by that.
fn counted(request: &Request) -> Vec<String> {
    let walked = walk(request).unwrap();
    let tree = tree(&walked, &|_, _| Digest::of(b""));
    let mut list: Vec<String> = tree.leaves().into_keys().map(|path| path.to_string()).collect();
    list.retain(|path| !path.ends_with(".gitignore"));
    list
}

fn paths(list: &[&str]) -> BTreeSet<RelPath> {
    list.iter().map(|path| RelPath::parse(path).unwrap()).collect()
}

#[test]
fn folders_come_parents_first_and_sorted() {
    let project = Project::new(&["b/x", "a-c/x", "a/c/x", "a/b", "z"]);
    let walked = walk(&project.request()).unwrap();
    let list: Vec<(String, usize)> = walked.folders.iter().map(|f| (f.path.to_string(), f.parent)).collect();
    let expected = [(".", 0), ("a", 0), ("a/c", 1), ("a-c", 0), ("b", 0)];
    assert_eq!(list, expected.map(|(path, parent)| (path.to_owned(), parent)));
}

#[test]
fn ignore_files_hold_from_their_own_folder_down() {
    let project = Project::new(&["a.log", "in/b.log", "in/keep.log", "in/deep/keep.log", "in/c"]);
    project.write(".gitignore", "*.log\n");
    project.write("in/.gitignore", "!keep.log\n");
    assert_eq!(project.counted(), ["in/c", "in/deep/keep.log", "in/keep.log"]);
}

#[test]
fn ignore_files_above_the_root_hold_up_to_the_project() {
    let project = Project::new(&["in/a.log", "in/b"]);
    project.write(".gitignore", "*.log\n");
    let below = |project_root: &str| Request {
        root: project.root.join("in"),
        project: project.root.join(project_root),
        ..project.request()
    };
    assert_eq!(counted(&below(".")), ["b"]);
    assert_eq!(counted(&below("in")), ["a.log", "b"]);
}

#[test]
fn rules_of_the_repository_hold_below_its_top() {
    let project = Project::new(&["in/a.log", "in/b", ".git/info/x"]);
    project.write(".git/info/exclude", "/in/b\n");
    project.write(".gitignore", "*.log\n");
    project.write("in/c", "");
    let request =
        Request { root: project.root.join("in"), project: project.root.join("in"), ..project.request() };
    assert_eq!(counted(&request), ["c"]);
}

#[test]
fn what_was_consulted_is_told_with_its_stat_there_or_not() {
    let project = Project::new(&["in/a"]);
    project.write("in/.gitignore", "b\n");
    let request = Request { root: project.root.join("in"), ..project.request() };
    let walked = walk(&request).unwrap();
    let stat =
        |path: &str| walked.consulted.iter().find(|c| c.path == project.root.join(path)).map(|c| c.stat);
    assert_eq!(stat("in/.gitignore"), Some(Stat::of(&project.root.join("in/.gitignore")).ok()));
    assert_eq!(stat(".gitignore"), Some(None), "one that appears counts");
    assert_eq!(stat(".git"), Some(None), "a repository that is made later brings its rules");
}

#[test]
fn an_ignore_file_may_be_in_any_encoding() {
    let project = Project::new(&["a", "b"]);
    fs::write(project.root.join(".gitignore"), b"\xef\xbb\xbf/a\n# caf\xe9\n").unwrap();
    assert_eq!(project.counted(), ["b"]);
}

#[test]
fn an_ignore_file_that_is_a_link_or_a_folder_adds_nothing() {
    let project = Project::new(&["a", "rules", "in/a", "in/.gitignore/x"]);
    project.write("rules", "a\n");
    symlink("rules", project.root.join(".gitignore")).unwrap();
    assert_eq!(project.counted(), ["a", "in/.gitignore/x", "in/a", "rules"]);
}

#[test]
fn without_ignore_rules_everything_counts() {
    let project = Project::new(&["a.log"]);
    project.write(".gitignore", "*\n");
    let request = Request { ignore_rules: false, ..project.request() };
    assert_eq!(counted(&request), ["a.log"]);
}

#[test]
fn tracked_files_count_though_they_are_ignored() {
    let project = Project::new(&["a.log", "b.log", "out/deep/kept", "out/deep/made", "out/made", "out-2/x"]);
    project.write(".gitignore", "*.log\nout/\nout-2\n");
    let tracked = paths(&["a.log", "out/deep/kept"]);
    let request = Request { tracked, ..project.request() };
    assert_eq!(counted(&request), ["a.log", "out/deep/kept"], "and nothing else of an ignored folder");
}

#[test]
fn excludes_hide_tracked_files_too() {
    let project = Project::new(&["a.log", "in/a.log", "in/b"]);
    let request =
        Request { tracked: paths(&["a.log"]), excludes: vec!["*.log".to_owned()], ..project.request() };
    assert_eq!(counted(&request), ["in/b"]);
}

#[test]
fn cut_paths_never_count() {
    let project = Project::new(&["out/x", "in/out/x", "in/a", "out-2/x"]);
    let request =
        Request { cuts: paths(&["out", "in/out"]), tracked: paths(&["out/x"]), ..project.request() };
    assert_eq!(counted(&request), ["in/a", "out-2/x"]);
}

#[test]
fn a_folder_made_for_outputs_counts_only_for_what_else_is_in_it() {
    let project = Project::new(&["in/a"]);
    let request = Request { cuts: paths(&["dist/deep/out"]), ..project.request() };
    let before = counted(&request);
    project.write("dist/deep/out/x", "");
    assert_eq!(counted(&request), before);
    project.write("dist/notes", "");
    assert_eq!(counted(&request), ["dist/notes", "in/a"]);
}

#[test]
fn a_folder_that_ignores_itself_does_not_count() {
    let project = Project::new(&["a", "tool-cache/x"]);
    project.write("tool-cache/.gitignore", "*\n");
    assert_eq!(project.counted(), ["a"]);
}

#[test]
fn empty_folders_count() {
    let project = Project::new(&["a"]);
    fs::create_dir_all(project.root.join("empty/deep")).unwrap();
    assert_eq!(project.counted(), ["a", "empty/deep"]);
}

#[test]
fn a_repository_inside_is_left_out() {
    let project = Project::new(&["sub/a", "sub/.git/HEAD"]);
    assert_eq!(project.counted(), ["sub/a"]);
    let walked = walk(&project.request()).unwrap();
    let sub = walked.folders.iter().find(|folder| folder.path.as_str() == "sub").unwrap();
    assert!(sub.left_out, "a recipe would see it, were the folder itself shown");
}

#[test]
fn links_count_by_target_and_are_not_followed() {
    let project = Project::new(&["a/x"]);
    symlink("a", project.root.join("folder")).unwrap();
    symlink("nowhere", project.root.join("dangling")).unwrap();
    let walked = walk(&project.request()).unwrap();
    let links: Vec<_> =
        walked.folders[0].files.iter().map(|f| (f.name.as_str(), f.link.as_deref())).collect();
    assert_eq!(links, [("dangling", Some("nowhere")), ("folder", Some("a"))]);
}

#[test]
fn an_execute_bit_counts_and_no_other() {
    let project = Project::new(&["a"]);
    let root = |mode| {
        fs::set_permissions(project.root.join("a"), fs::Permissions::from_mode(mode)).unwrap();
        tree(&walk(&project.request()).unwrap(), &|_, _| Digest::of(b"")).root
    };
    assert_eq!(root(0o644), root(0o600));
    assert_ne!(root(0o644), root(0o744));
}

#[test]
fn a_name_that_is_not_utf8_is_an_error() {
    let project = Project::new(&["in/a"]);
    fs::write(project.root.join("in").join(OsStr::from_bytes(b"caf\xe9")), "").unwrap();
    assert!(matches!(walk(&project.request()), Err(WalkError::NotUtf8 { .. })));
}

#[test]
fn a_named_pipe_is_an_error_unless_it_is_ignored() {
    let project = Project::new(&["in/a"]);
    let pipe = project.root.join("in/pipe");
    rustix::fs::mknodat(CWD, &pipe, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    let error = walk(&project.request()).unwrap_err();
    assert!(matches!(&error, WalkError::Special { what: "a named pipe", .. }), "{error}");
    project.write(".gitignore", "pipe\n");
    assert_eq!(project.counted(), ["in/a"]);
}

#[test]
fn a_root_that_is_not_there_is_an_error() {
    let project = Project::new(&[]);
    let request = Request { root: project.root.join("no"), ..project.request() };
    assert!(matches!(walk(&request), Err(WalkError::Read { .. })));
}
