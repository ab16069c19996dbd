//! What a tree cannot have in it: refused by name, with a way out, and nothing published.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::process::Command;

use super::members::{archive, folder, same};
use super::project::{Project, Said, commit_all, git, write};

fn project(kind: &str, more: &str) -> Project {
    let project = Project::new(&format!(
        "pipeline \"trees\"\nsource-archive \"source\" {{ {kind} \"app\"\n{more}\narchive \"source.tar\" }}"
    ));
    project.write("app/index.php", "app");
    project
}

/// Asserts that `said` is a refusal that holds all of `words`.
#[track_caller]
fn refused(project: &Project, said: &Said, code: i32, words: &[&str]) {
    let complaint = said.complaint();
    assert_eq!(said.code, code, "{complaint}");
    for word in words {
        assert!(complaint.contains(word), "no {word:?} in {complaint}");
    }
    assert!(!project.path("source.tar").exists());
}

#[test]
fn a_link_that_leaves_the_tree_is_refused_unless_it_is_excluded() {
    for kind in ["dir", "git"] {
        for target in ["../secret", "/etc/passwd", "below/../../secret", "../app/index.php"] {
            let project = project(kind, "");
            symlink(target, project.path("app/a link")).unwrap();
            commit_all(&project.path("app"));
            let said = project.run(&[]);
            refused(&project, &said, 1, &["`a link`", target, "exclude \\\"/a link\\\""]);
            let text = project.read("pipeline.kdl");
            project.write("pipeline.kdl", text.replace("\n\n", "\nexclude \"/a link\"\n"));
            project.build(&[]);
            assert_eq!(archive(&project.path("source.tar")).len(), 1);
        }
    }
}

#[test]
fn a_link_that_leaves_the_tree_is_refused_in_a_dist_and_an_overlay() {
    let project = project("dir", "overlay \"common\" into=\"deep/er\"");
    project.write("common/a", "a");
    symlink("../../app", project.path("common/inside")).unwrap();
    project.build(&[]);
    project.remove("source.tar");
    project.remove("cache");
    symlink("../../../app", project.path("common/outside")).unwrap();
    let said = project.run(&[]);
    refused(&project, &said, 1, &["`deep/er/outside`", "../../../app"]);

    project.write("pipeline.kdl", "pipeline \"p\"\ndist-native { output \"out\"; copy \"common\" }");
    let said = project.run(&[]);
    refused(&project, &said, 1, &["`inside`", "`outside`"]);
    assert!(!project.path("out").exists());
}

#[test]
fn pipes_and_sockets_are_refused_unless_ignored_or_excluded() {
    let special = |project: &Project| {
        let pipe = Command::new("mkfifo").arg(project.path("app/a pipe")).status().unwrap();
        assert!(pipe.success());
    };
    let excluded = project("dir", "exclude \"a pipe\" \"*.sock\"");
    special(&excluded);
    let _socket = UnixListener::bind(excluded.path("app/db.sock")).unwrap();
    excluded.build(&[]);
    assert_eq!(archive(&excluded.path("source.tar")).len(), 1);

    let ignored = project("dir", "");
    special(&ignored);
    ignored.write("app/.gitignore", "/a pipe\n");
    ignored.build(&[]);
    assert_eq!(archive(&ignored.path("source.tar")).len(), 2);
    ignored.remove("source.tar");
    ignored.remove("app/.gitignore");
    let said = ignored.run(&[]);
    refused(&ignored, &said, 1, &["app/a pipe", "named pipe"]);

    let with_socket = project("dir", "");
    let _socket = UnixListener::bind(with_socket.path("app/db.sock")).unwrap();
    let said = with_socket.run(&[]);
    refused(&with_socket, &said, 1, &["app/db.sock", "socket", "exclude"]);
}

#[test]
fn names_that_are_not_utf_8_are_refused_by_name_unless_excluded() {
    let name = OsStr::from_bytes(b"caf\xe9.txt");
    let project = project("dir", "");
    if cfg!(target_os = "macos") {
        // Its file system refuses such names itself.
        return;
    }
    fs::write(project.path("app").join(name), "latin 1").unwrap();
    let said = project.run(&[]);
    refused(&project, &said, 1, &["caf\u{fffd}.txt", "UTF-8"]);
    commit_all(&project.path("app"));
    let text = project.read("pipeline.kdl");
    project.write("pipeline.kdl", text.replace("dir \"app\"", "git \"app\""));
    let said = project.run(&[]);
    refused(&project, &said, 1, &["caf\u{fffd}.txt", "UTF-8"]);

    for kind in ["dir", "git"] {
        let excluding = text.replace("dir \"app\"", &format!("{kind} \"app\"; exclude \"*.txt\""));
        project.write("pipeline.kdl", excluding);
        project.build(&[]);
        assert_eq!(archive(&project.path("source.tar")).len(), 1);
    }
    // A folder that is left out is not looked into.
    git(&project.path("app"), &["rm", "-q", "-r", "--cached", "."]);
    fs::create_dir_all(project.path("app/node_modules").join(name)).unwrap();
    fs::remove_file(project.path("app").join(name)).unwrap();
    project.write("app/.gitignore", "node_modules/\n");
    project.write("pipeline.kdl", text);
    project.build(&[]);
}

#[test]
fn links_and_their_targets_that_are_not_utf_8_are_refused() {
    let project = project("dir", "");
    symlink(OsStr::from_bytes(b"caf\xe9"), project.path("app/link")).unwrap();
    let said = project.run(&[]);
    refused(&project, &said, 1, &["app/link", "UTF-8"]);
}

#[test]
fn a_source_that_is_not_there_ends_with_exit_3() {
    for (kind, words) in [("dir", ["app", "does not exist"]), ("git", ["app", "no folder"])] {
        let project = project(kind, "");
        project.remove("app");
        refused(&project, &project.run(&[]), 3, &words);
    }
    let project = project("auto", "");
    project.remove("app");
    refused(&project, &project.run(&[]), 3, &["app", "does not exist"]);
    symlink("nowhere", project.path("app")).unwrap();
    refused(&project, &project.run(&[]), 3, &["app", "does not exist"]);
}

#[test]
fn a_folder_without_a_repository_is_no_git_source() {
    let project = project("git", "");
    refused(&project, &project.run(&[]), 3, &["not a git repository", "dir \"", "pipeline.kdl"]);
    git(&project.path("app"), &["init", "-q"]);
    refused(&project, &project.run(&[]), 3, &["no commit yet"]);
}

/// Gives everything of a project to nobody, and says how to become them; none when we are an
/// ordinary user already.
fn as_nobody(project: &Project) -> Vec<&'static str> {
    if !rustix::process::geteuid().is_root() {
        return Vec::new();
    }
    let above = project.root.parent().unwrap();
    let given = Command::new("chown").args(["-R", "65534:65534"]).arg(above).status().unwrap();
    assert!(given.success());
    vec!["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
}

#[test]
fn a_file_that_cannot_be_read_is_refused_by_name_unless_excluded() {
    let project = project("dir", "");
    project.write("app/private/key.pem", "secret");
    let lock = |path: &str, mode: u32| {
        fs::set_permissions(project.path(path), fs::Permissions::from_mode(mode)).unwrap();
    };
    lock("app/private/key.pem", 0);
    let nobody = as_nobody(&project);
    let said = project.run_as(&nobody, &[]);
    refused(&project, &said, 1, &["app/private/key.pem", "cannot be read", "denied"]);
    lock("app/private", 0);
    let said = project.run_as(&nobody, &[]);
    refused(&project, &said, 1, &["app/private", "cannot be read", "denied"]);

    let text = project.read("pipeline.kdl");
    project.write("pipeline.kdl", text.replace("\n\n", "\nexclude \"/private/\"\n"));
    let said = project.run_as(&nobody, &[]);
    assert_eq!(said.code, 0, "{}", said.complaint());
    lock("app/private", 0o755);
}

#[test]
fn a_tree_that_may_not_be_written_to_is_a_source_like_any_other() {
    let project = project("dir", "output \"out\"");
    for path in ["a", "b/c"] {
        write(&project.path("app/locked").join(path), path);
        fs::set_permissions(project.path("app/locked").join(path), fs::Permissions::from_mode(0o444))
            .unwrap();
    }
    let lock = |mode: u32| {
        for folder in ["app/locked/b", "app/locked", "app"] {
            fs::set_permissions(project.path(folder), fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    let nobody = as_nobody(&project);
    lock(0o555);
    for _ in 0..2 {
        let said = project.run_as(&nobody, &[]);
        assert_eq!(said.code, 0, "{}", said.complaint());
        same(&archive(&project.path("source.tar")), &folder(&project.path("app")));
        same(&folder(&project.path("out")), &folder(&project.path("app")));
    }
    fs::remove_dir_all(project.path("out")).unwrap();
    let said = project.run_as(&nobody, &[]);
    assert_eq!((said.code, said.outcome().as_str()), (0, "restored"), "{}", said.complaint());
    lock(0o755);
}
