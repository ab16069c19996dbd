//! What only repositories have: attributes, submodules, large files, references, nested ones.

use std::fs;
use std::path::Path;

use super::members::{Member, archive, folder, git_archive, same};
use super::odd;
use super::project::{Project, commit_all, git, write};

fn project(source: &str) -> Project {
    Project::new(&format!(
        "pipeline \"trees\"\nsource-archive \"source\" {{ {source}; archive \"source.tar.gz\" }}"
    ))
}

fn content(found: &super::members::Members, path: &str) -> String {
    match found.get(path) {
        Some(Member::File { content, .. }) => String::from_utf8(content.clone()).unwrap(),
        other => panic!("{path}: {other:?}"),
    }
}

#[test]
fn attributes_decide_as_in_git_archive() {
    let project = project("git \"app\"");
    let app = project.path("app");
    write(
        &app.join(".gitattributes"),
        "/tests export-ignore\n*.draft export-ignore\nVERSION export-subst\n*.bat text eol=crlf\n",
    );
    for path in ["tests/a", "src/tests/a", "x.draft", "index.php", "only drafts/y.draft", "run.bat"] {
        write(&app.join(path), format!("{path}\n"));
    }
    write(&app.join("VERSION"), "$Format:%H %cI$\n");
    commit_all(&app);
    project.build(&[]);
    let found = archive(&project.path("source.tar.gz"));
    same(&found, &git_archive(&app, "HEAD"));
    assert!(content(&found, "VERSION").len() > 40 && content(&found, "run.bat").ends_with("\r\n"));
    assert!(!found.contains_key("tests/a") && found.contains_key("src/tests/a"));

    // The commit is part of the archive here, so a new one counts though no file moved.
    git(&app, &["commit", "-q", "--allow-empty", "-m", "another"]);
    assert_eq!(project.build(&[]).ran(), ["source"]);
    same(&archive(&project.path("source.tar.gz")), &git_archive(&app, "HEAD"));

    write(&app.join(".git/info/attributes"), "index.php export-ignore\n");
    assert_eq!(project.build(&[]).ran(), ["source"]);
    let found = archive(&project.path("source.tar.gz"));
    same(&found, &git_archive(&app, "HEAD"));
    assert!(!found.contains_key("index.php"));
}

#[test]
fn a_commit_that_leaves_the_tree_as_it_is_makes_nothing() {
    let project = project("git \"app\"");
    let app = project.path("app");
    odd::fill(&app, 5);
    commit_all(&app);
    project.build(&[]);
    git(&app, &["commit", "-q", "--allow-empty", "-m", "another"]);
    assert!(project.build(&[]).ended().is_empty());
    git(&app, &["gc", "-q"]);
    assert!(project.build(&[]).ended().is_empty());
}

#[test]
fn a_reference_is_what_it_names_now() {
    let project = project("git \"app\" ref=\"release\"");
    let app = project.path("app");
    write(&app.join("index.php"), "one");
    commit_all(&app);
    git(&app, &["tag", "-m", "a tag", "release"]);
    write(&app.join("index.php"), "two");
    commit_all(&app);
    let said = project.build(&[]);
    let found = archive(&project.path("source.tar.gz"));
    assert_eq!(content(&found, "index.php"), "one");
    assert_eq!(said.warnings(), [""; 0], "what is checked out is not what was asked for");
    git(&app, &["tag", "-f", "-m", "moved", "release"]);
    assert_eq!(project.build(&[]).ran(), ["source"]);
    same(&archive(&project.path("source.tar.gz")), &git_archive(&app, "release"));
    git(&app, &["tag", "-d", "release"]);
    let said = project.run(&[]);
    assert_eq!(said.code, 3);
    assert!(
        said.complaint().contains("release") && said.complaint().contains("main"),
        "{}",
        said.complaint()
    );
}

#[test]
fn a_folder_of_a_repository_is_its_own_part_as_git_and_as_auto_the_folder() {
    let project = project("git \"monorepo/apps/shop\"");
    odd::fill(&project.path("monorepo/apps/shop"), 30);
    project.write("monorepo/.gitignore", "*.tmp\n");
    project.write("monorepo/README", "above");
    commit_all(&project.path("monorepo"));
    project.write("monorepo/apps/shop/new", "uncommitted");
    project.write("monorepo/apps/shop/new.tmp", "ignored from above");
    project.build(&[]);
    let found = archive(&project.path("source.tar.gz"));
    same(&found, &git_archive(&project.path("monorepo"), "HEAD:apps/shop"));

    let text = project.read("pipeline.kdl").replace("git \"", "auto \"");
    project.write("pipeline.kdl", text);
    project.build(&[]);
    let mut expected = folder(&project.path("monorepo/apps/shop"));
    assert!(expected.remove("new.tmp").is_some());
    same(&archive(&project.path("source.tar.gz")), &expected);
}

#[test]
fn submodules_are_empty_folders_or_their_recorded_commits() {
    let project = project("git \"app\"");
    let (app, library) = (project.path("app"), project.beside("library"));
    odd::fill(&library, 10);
    commit_all(&library);
    write(&app.join("index.php"), "app");
    commit_all(&app);
    git(&app, &["submodule", "add", "-q", library.to_str().unwrap(), "vendor/my library"]);
    commit_all(&app);
    project.build(&[]);
    let bare = git_archive(&app, "HEAD");
    same(&archive(&project.path("source.tar.gz")), &bare);
    assert!(matches!(bare["vendor/my library"], Member::Folder { .. }));

    let text = project.read("pipeline.kdl").replace("git \"app\"", "git \"app\" submodules=#true");
    project.write("pipeline.kdl", text);
    assert_eq!(project.build(&[]).ran(), ["source"]);
    let mut expected = bare;
    for (path, member) in git_archive(&library, "HEAD") {
        expected.insert(format!("vendor/my library/{path}"), member);
    }
    same(&archive(&project.path("source.tar.gz")), &expected);

    // As a folder: whatever is checked out, without git's own.
    let text = project.read("pipeline.kdl").replace("git \"app\" submodules=#true", "dir \"app\"");
    project.write("pipeline.kdl", text);
    project.build(&[]);
    same(&archive(&project.path("source.tar.gz")), &folder(&app));
}

#[test]
fn a_submodule_that_is_not_there_is_refused_with_the_way_to_get_it() {
    let project = project("git \"app\" submodules=#true");
    let (app, library) = (project.beside("original"), project.beside("library"));
    write(&library.join("a"), "a");
    commit_all(&library);
    write(&app.join("index.php"), "app");
    commit_all(&app);
    git(&app, &["submodule", "add", "-q", library.to_str().unwrap(), "vendor/library"]);
    commit_all(&app);
    git(&project.root, &["clone", "-q", app.to_str().unwrap(), "app"]);
    let said = project.run(&[]);
    assert_eq!(said.code, 1);
    let complaint = said.complaint();
    assert!(complaint.contains("vendor/library") && complaint.contains("submodule update"), "{complaint}");
}

const POINTER: &str = "version https://git-lfs.github.com/spec/v1\n\
    oid sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\nsize 5\n";

#[test]
fn a_large_file_that_is_not_fetched_is_refused_unless_it_is_excluded() {
    let project = project("git \"app\"");
    let app = project.path("app");
    write(&app.join("media/intro.mp4"), POINTER);
    write(&app.join("index.php"), "app");
    commit_all(&app);
    let said = project.run(&[]);
    assert_eq!(said.code, 1);
    let complaint = said.complaint();
    assert!(complaint.contains("media/intro.mp4") && complaint.contains("lfs fetch"), "{complaint}");
    assert!(!project.path("source.tar.gz").exists());

    let text = project.read("pipeline.kdl");
    project.write("pipeline.kdl", text.replace("; archive", "; exclude \"media/\"; archive"));
    project.build(&[]);
    let found = archive(&project.path("source.tar.gz"));
    assert_eq!(found.keys().map(String::as_str).collect::<Vec<_>>(), ["index.php"]);

    project.write("pipeline.kdl", text);
    let name = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    write(&app.join(".git/lfs/objects/2c/f2").join(name), "hello");
    project.build(&[]);
    assert_eq!(content(&archive(&project.path("source.tar.gz")), "media/intro.mp4"), "hello");
}

#[test]
fn a_nested_repository_is_files_to_a_folder() {
    let project = project("dir \"app\"");
    let app = project.path("app");
    write(&app.join("index.php"), "app");
    commit_all(&app);
    write(&app.join("plugins/one/plugin.php"), "a plugin");
    commit_all(&app.join("plugins/one"));
    write(&app.join("plugins/two/plugin.php"), "another");
    write(&app.join("plugins/two/.git"), "gitdir: /nowhere\n");
    project.build(&[]);
    let found = archive(&project.path("source.tar.gz"));
    same(&found, &folder(&app));
    assert_eq!(content(&found, "plugins/one/plugin.php"), "a plugin");
    assert!(!found.keys().any(|path| path.contains(".git")));
    git(&app.join("plugins/one"), &["commit", "-q", "--allow-empty", "-m", "another"]);
    assert!(project.build(&[]).ended().is_empty(), "what git keeps does not count");
}

#[test]
fn what_is_ignored_does_not_count_in_a_folder_unless_it_is_tracked() {
    let project = project("dir \"app\"");
    let app = project.path("app");
    for path in [".env", "logs/a.log", "logs/kept.log", "src/.gitkeep", "vendor/a/b.php", "index.php"] {
        write(&app.join(path), path);
    }
    write(&app.join(".gitignore"), "*.log\n/vendor/\n.env\n");
    git(&app, &["init", "-q"]);
    git(&app, &["add", "-f", "logs/kept.log"]);
    commit_all(&app);
    // Latin 1: git reads bytes.
    write(&app.join("src/.gitignore"), b"# f\xfcr sp\xe4ter\n*.bak\n");
    write(&app.join("src/a.bak"), "ignored");
    project.build(&[]);
    let mut expected = folder(&app);
    expected.retain(|path, _| {
        !path.starts_with("vendor") && ![".env", "logs/a.log", "src/a.bak"].contains(&path.as_str())
    });
    same(&archive(&project.path("source.tar.gz")), &expected);
    project.write("app/.env", "changed");
    project.write("app/vendor/new", "ignored");
    assert!(project.build(&[]).ended().is_empty());
    project.write("app/logs/kept.log", "changed");
    assert_eq!(project.build(&[]).ran(), ["source"]);
    project.write("app/.gitignore", "*.log\n/vendor/\n");
    assert_eq!(project.build(&[]).ran(), ["source"], "`.env` counts now");
    assert_eq!(content(&archive(&project.path("source.tar.gz")), ".env"), "changed");
}

#[test]
fn a_worktree_and_a_bare_repository_are_sources() {
    let project = project("auto \"app\"");
    let main = project.beside("main");
    odd::fill(&main, 10);
    commit_all(&main);
    git(&main, &["worktree", "add", "-q", "-b", "other", project.path("app").to_str().unwrap()]);
    project.build(&[]);
    same(&archive(&project.path("source.tar.gz")), &git_archive(&main, "HEAD"));
    fs::remove_dir_all(project.path("app")).unwrap();
    git(&project.root, &["clone", "-q", "--bare", main.to_str().unwrap(), "app"]);
    assert!(project.build(&[]).ended().is_empty(), "the same tree");
}

#[test]
fn uncommitted_changes_are_warned_of_and_noted_and_not_paid_for() {
    for kind in ["git", "auto"] {
        let project = project(&format!("{kind} \"app\""));
        let app = project.path("app");
        write(&app.join("index.php"), "one");
        commit_all(&app);
        assert_eq!(project.build(&[]).warnings(), [""; 0]);
        write(&app.join("index.php"), "two");
        write(&app.join("new.php"), "new");
        let notes = |project: &Project| {
            let (code, text, error) = project.say(&["explain"]);
            assert_eq!(code, 0, "{error}");
            text
        };
        assert!(notes(&project).contains("uncommitted changes do not count (`index.php`, `new.php`)"));
        assert!(project.build(&[]).ended().is_empty());
        let said = project.build(&["--force", "source"]);
        let [warning] = said.warnings().try_into().unwrap();
        assert!(warning.contains("uncommitted changes do not count (`index.php`, `new.php`)"), "{warning}");
        commit_all(&app);
        assert_eq!(project.build(&[]).warnings(), [""; 0]);
        assert!(!notes(&project).contains("uncommitted"));
        same(&archive(&project.path("source.tar.gz")), &git_archive(Path::new(&app), "HEAD"));
    }
}
