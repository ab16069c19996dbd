use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::*;
use crate::path::RelPath;

fn program() -> GitProgram {
    let search_path = std::env::var_os("PATH").unwrap();
    GitProgram { program: "git".into(), search_path, user: User::default() }
}

/// A member as a test compares it: content, `x`, a link's target or a folder.
#[derive(Debug, PartialEq, Eq, Clone)]
enum Member {
    File(Vec<u8>, bool),
    Link(String),
    Folder,
}

type Members = BTreeMap<String, Member>;

fn file(text: &str) -> Member {
    Member::File(text.as_bytes().to_vec(), false)
}

struct Repository {
    folder: TempDir,
}

impl Repository {
    fn new() -> Self {
        let repository = Self { folder: tempfile::tempdir().unwrap() };
        repository.git(&["init", "-q", "-b", "main"]);
        repository
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn git(&self, words: &[&str]) -> Vec<u8> {
        git(self.path(), words)
    }

    fn write(&self, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    fn commit(&self) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "a commit"]);
        String::from_utf8(self.git(&["rev-parse", "HEAD"])).unwrap().trim().to_owned()
    }

    fn source(&self) -> GitSource {
        GitSource::open(self.path(), &program()).unwrap()
    }

    fn members(&self) -> Result<Members, GitError> {
        members(&self.source(), "HEAD", false)
    }
}

fn git(folder: &Path, words: &[&str]) -> Vec<u8> {
    let output = Command::new("git")
        .current_dir(folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .args(["-c", "user.name=a", "-c", "user.email=a@b", "-c", "protocol.file.allow=always"])
        .args(["-c", "safe.directory=*", "-c", "tar.umask=0022"])
        .args(words)
        .output()
        .unwrap();
    assert!(output.status.success(), "git {words:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn members(source: &GitSource, reference: &str, submodules: bool) -> Result<Members, GitError> {
    let at = source.resolve(reference)?;
    let mut found = Members::new();
    source.archive(&at, submodules, &|_| false, &mut |entry, content| {
        let member = match entry.kind {
            EntryKind::File { executable, size } => {
                let mut bytes = Vec::new();
                content.read_to_end(&mut bytes)?;
                assert_eq!(bytes.len() as u64, size);
                Member::File(bytes, executable)
            }
            EntryKind::Symlink { target } => Member::Link(target),
            EntryKind::Directory => Member::Folder,
        };
        assert_eq!(found.insert(entry.path.to_string(), member), None);
        Ok(())
    })?;
    Ok(found)
}

/// What `git archive` itself gives, unpacked by the system's `tar`, which shares no code with us.
fn reference(folder: &Path, words: &[&str]) -> Members {
    let mut command = vec!["archive", "--format=tar"];
    command.extend(words);
    let tar = git(folder, &command);
    let out = tempfile::tempdir().unwrap();
    fs::write(out.path().join("a.tar"), tar).unwrap();
    fs::create_dir(out.path().join("x")).unwrap();
    let done = Command::new("tar")
        .current_dir(out.path())
        .args(["-xpf", "a.tar", "-C", "x", "--no-same-owner"])
        .status()
        .unwrap();
    assert!(done.success());
    let mut found = Members::new();
    walk(&out.path().join("x"), "", &mut found);
    found
}

fn walk(folder: &Path, below: &str, found: &mut Members) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{below}{}", entry.file_name().to_str().unwrap());
        let metadata = fs::symlink_metadata(entry.path()).unwrap();
        if metadata.is_dir() {
            walk(&entry.path(), &format!("{name}/"), found);
            found.insert(name, Member::Folder);
        } else if metadata.is_symlink() {
            found.insert(
                name,
                Member::Link(fs::read_link(entry.path()).unwrap().to_str().unwrap().to_owned()),
            );
        } else {
            let executable = metadata.permissions().mode() & 0o111 != 0;
            found.insert(name, Member::File(fs::read(entry.path()).unwrap(), executable));
        }
    }
}

/// A repository with everything that makes archives differ from work trees.
fn intricate() -> Repository {
    let repository = Repository::new();
    let long = format!("{}/{}.txt", "long folder name ".repeat(9).trim_end(), "n".repeat(200));
    repository.write(&long, "long");
    repository.write("with space (and parentheses).txt", "s");
    repository.write("umlaut-ä/日本.txt", "u");
    repository.write("empty", "");
    repository.write("crlf.txt", "one\ntwo\n");
    repository.write("plain.txt", "one\ntwo\n");
    repository.write("version.txt", "$Format:%H %s$\n");
    repository.write("tests/a.php", "left out");
    repository.write("src/ident.c", "$Id$\n");
    repository.write("big.bin", vec![7; 300_000]);
    repository.write(
        ".gitattributes",
        "crlf.txt text eol=crlf\nversion.txt export-subst\ntests export-ignore\n*.c ident\n.gitattributes export-ignore\n",
    );
    let script = repository.write("run.sh", "#!/bin/sh\n");
    fs::set_permissions(script, fs::Permissions::from_mode(0o755)).unwrap();
    symlink("../plain.txt", repository.path().join("src/link")).unwrap();
    repository.commit();
    repository
}

#[test]
fn members_equal_those_of_git_archive() {
    let repository = intricate();
    let ours = repository.members().unwrap();
    assert_eq!(ours, reference(repository.path(), &["HEAD"]));
    assert_eq!(ours["crlf.txt"], file("one\r\ntwo\r\n"));
    assert!(!ours.contains_key("tests/a.php"));
    assert_eq!(ours["run.sh"], Member::File(b"#!/bin/sh\n".to_vec(), true));
    assert_eq!(ours["src/link"], Member::Link("../plain.txt".into()));
    let Member::File(version, _) = &ours["version.txt"] else { panic!() };
    assert!(version.ends_with(b" a commit\n"), "{}", String::from_utf8_lossy(version));
}

#[test]
fn a_folder_below_the_top_stands_for_its_part() {
    let repository = intricate();
    let part = repository.path().join("src");
    let source = GitSource::open(&part, &program()).unwrap();
    let ours = members(&source, "HEAD", false).unwrap_err();
    // The link inside points out of this part, though not out of the repository.
    assert!(matches!(ours, GitError::EscapingLink { .. }), "{ours}");
    fs::remove_file(part.join("link")).unwrap();
    repository.write("src/sub/x", "x");
    repository.write("src/.gitattributes", "sub/x export-subst\n");
    repository.commit();
    let ours = members(&source, "HEAD", false).unwrap();
    assert_eq!(ours, reference(&part, &["HEAD"]));
    assert!(ours.contains_key("sub/x"));

    let facts = source.facts("HEAD", false).unwrap();
    let tree = String::from_utf8(repository.git(&["rev-parse", "HEAD:src"])).unwrap();
    assert_eq!(facts.tree, tree.trim());
    assert!(facts.counts.iter().any(|(label, _)| label == "git commit"));
}

#[test]
fn the_users_and_repositorys_settings_do_not_change_content() {
    let repository = intricate();
    let before = repository.members().unwrap();
    for (key, value) in [
        ("core.autocrlf", "true"),
        ("core.eol", "crlf"),
        ("tar.umask", "0077"),
        ("core.attributesFile", "hostile-attributes"),
        ("filter.shout.smudge", "tr a-z A-Z"),
        ("filter.shout.required", "true"),
        ("log.date", "iso"),
        ("submodule.recurse", "true"),
        ("grep.lineNumber", "true"),
        ("color.ui", "always"),
    ] {
        repository.git(&["config", key, value]);
    }
    repository.write("hostile-attributes", "* export-ignore\n");
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join(".gitconfig"), "[core]\nattributesFile = ~/attributes\nautocrlf = true\n")
        .unwrap();
    fs::write(home.path().join("attributes"), "* export-ignore\n").unwrap();
    let hostile = GitProgram {
        user: User { home: Some(home.path().to_owned()), config_home: Some(home.path().to_owned()) },
        ..program()
    };
    let source = GitSource::open(repository.path(), &hostile).unwrap();
    assert_eq!(members(&source, "HEAD", false).unwrap(), before);
    assert!(source.facts("HEAD", false).unwrap().counts.iter().any(|(label, _)| label == "git commit"));
}

#[test]
fn filter_drivers_do_not_run() {
    let repository = Repository::new();
    repository.write(".gitattributes", "*.txt filter=shout\n");
    repository.write("a.txt", "quiet\n");
    repository.commit();
    repository.git(&["config", "filter.shout.smudge", "tr a-z A-Z"]);
    repository.git(&["config", "filter.shout.required", "true"]);
    assert_eq!(reference(repository.path(), &["HEAD"])["a.txt"], file("QUIET\n"));
    assert_eq!(repository.members().unwrap()["a.txt"], file("quiet\n"));
}

#[test]
fn replaced_objects_are_not_looked_at() {
    let repository = Repository::new();
    repository.write("a", "first");
    let first = repository.commit();
    repository.write("a", "second");
    let second = repository.commit();
    repository.git(&["replace", &second, &first]);
    assert_eq!(repository.members().unwrap()["a"], file("second"));
}

fn labels(facts: &GitFacts) -> Vec<&str> {
    facts.counts.iter().map(|(label, _)| label.as_str()).collect()
}

#[test]
fn the_commit_counts_only_for_export_subst() {
    let repository = Repository::new();
    repository.write("a", "a");
    let commit = repository.commit();
    let facts = repository.source().facts("HEAD", false).unwrap();
    assert_eq!(labels(&facts), ["git tree"]);
    assert_eq!(facts.commit, commit);
    repository.write(".gitattributes", "# a export-subst\na -export-subst\n");
    repository.commit();
    assert_eq!(labels(&repository.source().facts("HEAD", false).unwrap()), ["git tree"]);
    repository.write("deep/er/.gitattributes", "[attr]stamp export-subst\n");
    repository.commit();
    assert_eq!(labels(&repository.source().facts("HEAD", false).unwrap()), ["git commit", "git tree"]);
}

#[test]
fn the_repositorys_own_attributes_count() {
    let repository = Repository::new();
    repository.write("a", "a");
    repository.commit();
    let own = repository.path().join(".git/info/attributes");
    fs::create_dir_all(own.parent().unwrap()).unwrap();
    fs::write(&own, "# nothing yet\n\n").unwrap();
    assert_eq!(labels(&repository.source().facts("HEAD", false).unwrap()), ["git tree"]);
    fs::write(&own, "a export-ignore\n").unwrap();
    let facts = repository.source().facts("HEAD", false).unwrap();
    assert_eq!(labels(&facts), ["git info/attributes", "git tree"]);
    assert!(repository.members().unwrap().is_empty());
    fs::write(&own, "a export-subst\n").unwrap();
    let other = repository.source().facts("HEAD", false).unwrap();
    assert_eq!(labels(&other), ["git commit", "git info/attributes", "git tree"]);
    assert_ne!(facts.counts[0], other.counts[1]);
}

#[test]
fn an_unknown_reference_says_what_there_is() {
    let repository = Repository::new();
    let error = repository.source().resolve("HEAD").unwrap_err();
    assert!(matches!(error, GitError::NoCommit(_)), "{error}");
    repository.commit();
    repository.git(&["tag", "v1.2.0"]);
    let error = repository.source().resolve("v1.2.1").unwrap_err();
    assert_eq!(error.help().unwrap(), "there is `v1.2.0`, `main`");
    for reference in ["--help", "HEAD\nHEAD", "", "HEAD:a"] {
        assert!(matches!(repository.source().resolve(reference), Err(GitError::UnknownReference { .. })));
    }
}

#[test]
fn a_folder_without_repository_is_sent_to_dir() {
    let folder = tempfile::tempdir().unwrap();
    let error = GitSource::open(folder.path(), &program()).unwrap_err();
    assert!(error.help().unwrap().contains("dir \""));
    assert!(!is_repository(folder.path()));
    let error = GitSource::open(&folder.path().join("none"), &program()).unwrap_err();
    assert!(matches!(error, GitError::NoFolder(_)));
    assert_eq!(uncommitted(folder.path(), 9, &program()).unwrap(), Vec::<String>::new());
    assert_eq!(revision(folder.path(), &program()), None);
}

#[test]
fn bare_clones_worktrees_shallow_and_shared_clones_give_the_same() {
    let repository = intricate();
    let wanted = repository.members().unwrap();
    let facts = repository.source().facts("HEAD", false).unwrap();
    let beside = tempfile::tempdir().unwrap();
    let url = format!("file://{}", repository.path().display());
    let own = repository.path().to_str().unwrap();
    for (name, words) in [
        ("bare", vec!["clone", "-q", "--bare", own, "bare"]),
        ("shared", vec!["clone", "-q", "--shared", own, "shared"]),
        ("shallow", vec!["clone", "-q", "--depth=1", &url, "shallow"]),
        (
            "tree",
            vec![
                "-C",
                own,
                "worktree",
                "add",
                "-q",
                "--detach",
                beside.path().join("tree").to_str().unwrap(),
            ],
        ),
    ] {
        git(beside.path(), &words);
        let source = GitSource::open(&beside.path().join(name), &program()).unwrap();
        assert_eq!(source.facts("HEAD", false).unwrap(), facts, "{name}");
        assert_eq!(members(&source, "HEAD", false).unwrap(), wanted, "{name}");
    }
    // A repository inside another one's folder is its own.
    fs::rename(beside.path().join("shared"), repository.path().join("nested")).unwrap();
    let nested = GitSource::open(&repository.path().join("nested"), &program()).unwrap();
    assert!(nested.location.prefix.is_empty());
}

#[test]
fn links_that_leave_the_tree_are_refused() {
    for target in ["../out", "/etc/passwd"] {
        let repository = Repository::new();
        symlink(target, repository.path().join("link")).unwrap();
        repository.commit();
        let error = repository.members().unwrap_err();
        assert!(matches!(&error, GitError::EscapingLink { path, .. } if path == "link"), "{error}");
        assert!(error.help().unwrap().contains("exclude \"/link\""));
    }
}

#[test]
fn names_that_are_not_utf8_are_refused() {
    let repository = Repository::new();
    fs::write(repository.path().join(std::ffi::OsStr::from_bytes(b"bad-\xff")), "x").unwrap();
    repository.commit();
    assert!(matches!(repository.members(), Err(GitError::NotUtf8(_))));
}

fn pointer(content: &[u8]) -> (String, String) {
    let oid: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
    let size = content.len();
    (format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {size}\n"), oid)
}

#[test]
fn large_files_are_resolved_or_refused() {
    let repository = Repository::new();
    let content = b"a large file's content".repeat(5000);
    let (text, oid) = pointer(&content);
    repository.write("big.bin", &text);
    repository.write("near.txt", text.replace("oid", "old"));
    repository.commit();
    let error = repository.members().unwrap_err();
    assert!(matches!(error, GitError::LargeFileMissing { .. }), "{error}");
    assert!(error.help().unwrap().contains("lfs fetch"));

    let object = repository.write(&format!(".git/lfs/objects/{}/{}/{oid}", &oid[..2], &oid[2..4]), &content);
    let found = repository.members().unwrap();
    assert_eq!(found["big.bin"], Member::File(content.clone(), false));
    assert!(matches!(&found["near.txt"], Member::File(bytes, _) if bytes.starts_with(b"version")));

    // A clone that borrows objects borrows the large ones too, as LFS itself does.
    let beside = tempfile::tempdir().unwrap();
    git(beside.path(), &["clone", "-q", "--shared", repository.path().to_str().unwrap(), "shared"]);
    let shared = GitSource::open(&beside.path().join("shared"), &program()).unwrap();
    assert_eq!(members(&shared, "HEAD", false).unwrap(), found);

    let mut damaged = content.clone();
    damaged[9] ^= 1;
    fs::write(&object, damaged).unwrap();
    assert!(matches!(repository.members(), Err(GitError::LargeFileDamaged { .. })));
    fs::write(&object, "short").unwrap();
    assert!(matches!(repository.members(), Err(GitError::LargeFileDamaged { .. })));
}

#[test]
fn submodules_are_empty_folders_or_their_recorded_commits() {
    let inner = Repository::new();
    inner.write("deepest.txt", "deepest");
    inner.commit();
    let library = Repository::new();
    library.write("lib.txt", "recorded");
    library.git(&["submodule", "--quiet", "add", inner.path().to_str().unwrap(), "inner"]);
    let recorded = library.commit();
    let repository = Repository::new();
    repository.write("a", "a");
    repository.git(&[
        "submodule",
        "--quiet",
        "add",
        "--name",
        "the library",
        library.path().to_str().unwrap(),
        "vendor/lib",
    ]);
    repository.git(&["submodule", "--quiet", "update", "--init", "--recursive"]);
    repository.commit();
    // Moves on, without the outer repository having recorded it.
    let checked_out = repository.path().join("vendor/lib");
    fs::write(checked_out.join("lib.txt"), "newer").unwrap();
    git(&checked_out, &["commit", "-qam", "newer"]);

    let source = repository.source();
    let plain = members(&source, "HEAD", false).unwrap();
    assert_eq!(plain, reference(repository.path(), &["HEAD"]));
    assert_eq!(plain["vendor/lib"], Member::Folder);
    let full = members(&source, "HEAD", true).unwrap();
    assert_eq!(full["vendor/lib/lib.txt"], file("recorded"));
    assert_eq!(full["vendor/lib/inner/deepest.txt"], file("deepest"));
    assert_eq!(full.keys().filter(|path| path.starts_with("vendor/lib/")).count(), 4);

    assert_eq!(labels(&source.facts("HEAD", false).unwrap()), ["git tree"]);
    let facts = source.facts("HEAD", true).unwrap();
    assert!(facts.counts.contains(&("git submodule vendor/lib".into(), recorded)), "{facts:?}");
    assert_eq!(facts.counts.len(), 3);

    // The work tree of a submodule may be gone while git still keeps its repository.
    fs::remove_dir_all(&checked_out).unwrap();
    let kept = members(&source, "HEAD", true).unwrap();
    assert_eq!(kept, full);

    let beside = tempfile::tempdir().unwrap();
    git(beside.path(), &["clone", "-q", repository.path().to_str().unwrap(), "clone"]);
    let clone = GitSource::open(&beside.path().join("clone"), &program()).unwrap();
    let error = members(&clone, "HEAD", true).unwrap_err();
    assert!(matches!(error, GitError::SubmoduleMissing { .. }), "{error}");
    assert!(error.help().unwrap().contains("submodule update --init"));
    assert_eq!(members(&clone, "HEAD", false).unwrap(), plain);
}

#[test]
fn a_taker_that_fails_ends_the_archive() {
    let repository = intricate();
    let source = repository.source();
    let at = source.resolve("HEAD").unwrap();
    let error =
        source.archive(&at, false, &|_| false, &mut |_, _| Err(std::io::Error::other("full"))).unwrap_err();
    assert!(matches!(error, GitError::Taken { .. }), "{error}");
}

#[test]
fn what_the_user_sees() {
    let repository = Repository::new();
    let git = program();
    repository.write("kept.log", "tracked, though ignored");
    repository.write("sub/a", "a");
    repository.write("sub/*", "a star is a name too");
    let commit = repository.commit();
    repository.write(".gitignore", "*.log\n");
    repository.write("sub/new file", "new");
    repository.write("sub/a", "changed");
    repository.write("other.log", "ignored");
    let root = repository.path();

    assert_eq!(uncommitted(root, 9, &git).unwrap(), ["sub/a", ".gitignore", "sub/new file"]);
    assert_eq!(uncommitted(&root.join("sub"), 9, &git).unwrap(), ["a", "new file"]);
    assert_eq!(uncommitted(root, 1, &git).unwrap().len(), 1);
    assert_eq!(tracked_but_ignored(root, &git).unwrap(), ["kept.log"]);
    let paths: Vec<RelPath> = ["sub", "sub/a", "sub/new file", "sub/*", "other.log", "su"]
        .map(|p| RelPath::parse(p).unwrap())
        .to_vec();
    let found = tracked(root, &paths, &git).unwrap();
    assert_eq!(found.iter().map(RelPath::as_str).collect::<Vec<_>>(), ["sub", "sub/*", "sub/a"]);

    let wanted = format!("main@{}", &commit[..9]);
    assert_eq!(revision(root, &git).as_deref(), Some(wanted.as_str()));
    repository.git(&["pack-refs", "--all"]);
    assert_eq!(revision(&root.join("sub"), &git).as_deref(), Some(wanted.as_str()));
    repository.git(&["checkout", "-q", "--detach"]);
    assert_eq!(revision(root, &git), Some(format!("@{}", &commit[..9])));
}

#[test]
fn the_users_excludes_file_counts_for_ignore_rules() {
    let repository = Repository::new();
    repository.write("a.tmp", "a");
    repository.commit();
    let home = tempfile::tempdir().unwrap();
    let root = fs::canonicalize(repository.path()).unwrap();
    let mut git = program();
    git.user.home = Some(home.path().to_owned());
    assert!(tracked_but_ignored(&root, &git).unwrap().is_empty());
    let standard = home.path().join(".config/git/ignore");
    assert!(influences(&root, &git).unwrap().contains(&standard));
    fs::create_dir_all(standard.parent().unwrap()).unwrap();
    fs::write(&standard, "*.tmp\n").unwrap();
    assert_eq!(tracked_but_ignored(&root, &git).unwrap(), ["a.tmp"]);

    fs::write(home.path().join(".gitconfig"), "[core]\nexcludesFile = ~/mine\n").unwrap();
    let named = influences(&root, &git).unwrap();
    assert!(named.contains(&home.path().join("mine")) && !named.contains(&standard), "{named:?}");
    assert!(named.contains(&root.join(".git/index")) && named.contains(&root.join(".git/info/exclude")));
}

#[test]
fn changed_files_of_two_trees_have_their_sizes() {
    let repository = Repository::new();
    repository.write("a", "one");
    repository.write("sub/gone", "x");
    symlink("a", repository.path().join("link")).unwrap();
    repository.commit();
    let source = GitSource::open(repository.path(), &program()).unwrap();
    let old = source.resolve("HEAD").unwrap().tree;
    repository.write("a", "three");
    repository.write("größe 1", vec![b'x'; 10_000]);
    fs::remove_file(repository.path().join("sub/gone")).unwrap();
    fs::remove_file(repository.path().join("link")).unwrap();
    symlink("sub", repository.path().join("link")).unwrap();
    repository.commit();
    let new = source.resolve("HEAD").unwrap().tree;

    let (changes, more) = source.changes(&old, &new, 10).unwrap();
    assert!(!more);
    let shown: Vec<_> = changes
        .iter()
        .map(|one| {
            let side = |entry: &Option<crate::tree::Entry>| match entry {
                Some(crate::tree::Entry::File { size, .. }) => size.to_string(),
                Some(crate::tree::Entry::Symlink { target }) => target.clone(),
                _ => "-".to_owned(),
            };
            format!("{} {} {}", one.path, side(&one.old), side(&one.new))
        })
        .collect();
    assert_eq!(shown, ["a 3 5", "größe 1 - 10000", "link a sub", "sub/gone 1 -"]);
    let crate::tree::Entry::File { digest, .. } = changes[0].new.clone().unwrap() else { panic!() };
    assert_eq!(digest, crate::digest::Digest::of(b"three"));

    let (first, more) = source.changes(&old, &new, 1).unwrap();
    assert_eq!((first.len(), more), (1, true));
    assert!(source.changes(&old, "HEAD", 10).unwrap().0.is_empty(), "only objects are compared");
    assert!(source.changes(&"0".repeat(39).replace('0', "1"), &new, 10).unwrap().0.is_empty());
}
