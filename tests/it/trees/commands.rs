//! Recipes that read trees: laid into their work folder, or where they are published.

use std::fs;

use super::members::{Member, Members, folder, same};
use super::odd;
use super::project::{Project, commit_all};

/// Packs a folder so that another process sees the very tree that a recipe saw.
const TAR: &str = "tar --format=pax -cf";

/// What tar tells of a folder: without the modes of folders, which are the machine's business.
#[track_caller]
fn like_the_folder(found: Members, source: &std::path::Path) {
    let level = |members: Members| -> Members {
        let one = |(path, member)| match member {
            Member::Folder { .. } => (path, Member::Folder { mode: 0o755 }),
            Member::File { mode, content } => {
                (path, Member::File { mode: if mode & 0o100 == 0 { 0o644 } else { 0o755 }, content })
            }
            link => (path, link),
        };
        members.into_iter().map(one).collect()
    };
    same(&level(found), &level(folder(source)));
}

/// Both ways to isolate.
fn each_isolation(work: impl Fn(&dyn Fn(&Project, &[&str]) -> super::project::Said)) {
    work(&|project, args| project.build(args));
    work(&|project, args| {
        let said = project.run_as(&["env", "OSGRAPH_ISOLATION=copy"], args);
        assert_eq!(said.code, 0, "{}", said.complaint());
        said
    });
}

#[test]
fn a_source_is_laid_into_the_work_folder_as_it_is() {
    each_isolation(|build| {
        let project = Project::new(&format!(
            r#"
            pipeline "p"
            source-archive "source" {{ dir "app" }}
            command "pack" {{
                from "source" into="nested/place/app"
                run "sh" "-c" "cd nested/place && {TAR} ../../made.tar --transform 's,^app,made,S' app"
                output "made.tar"
            }}
            command "natural" {{
                from "source"
                run "sh" "-c" "ls > natural.txt"
                output "natural.txt"
            }}
            "#
        ));
        odd::fill(&project.path("app"), 300);
        fs::create_dir_all(project.path("app/empty folder/in it")).unwrap();
        build(&project, &[]);
        let mut found = archive_of(&project, "made.tar");
        found.retain(|path, _| path != "made");
        like_the_folder(found, &project.path("app"));
        assert_eq!(project.read("natural.txt"), "natural.txt\nsource\n");
        assert!(build(&project, &[]).ended().is_empty());
        project.write("app/names/a-b", "changed");
        assert_eq!(build(&project, &[]).ran(), ["natural", "pack", "source"]);
    });
}

/// What an archive in the project holds, as the system's tar unpacks it.
fn archive_of(project: &Project, path: &str) -> Members {
    let out = project.path("unpacked");
    drop(fs::remove_dir_all(&out));
    fs::create_dir(&out).unwrap();
    let done = std::process::Command::new("tar")
        .current_dir(&out)
        .args(["-xpf", &format!("../{path}"), "--no-same-owner"])
        .status()
        .unwrap();
    assert!(done.success());
    folder(&out.join(path.trim_end_matches(".tar")))
}

#[test]
fn ignored_files_of_a_declared_folder_are_not_there() {
    each_isolation(|build| {
        let project = Project::new(
            r#"
            pipeline "p"
            command "list" {
                input "app"
                run "sh" "-c" "find app | LC_ALL=C sort > list.txt"
                output "list.txt"
            }
            "#,
        );
        for path in ["a.php", "b/c.php", "debug.log", "b/debug.log", "vendor/x/y.php"] {
            project.write(&format!("app/{path}"), path);
        }
        let whole = "app\napp/a.php\napp/b\napp/b/c.php\napp/b/debug.log\napp/debug.log\napp/vendor\n\
            app/vendor/x\napp/vendor/x/y.php\n";
        build(&project, &[]);
        assert_eq!(project.read("list.txt"), whole);
        project.write("app/.gitignore", "*.log\n/vendor/\n");
        build(&project, &[]);
        assert_eq!(project.read("list.txt"), "app\napp/.gitignore\napp/a.php\napp/b\napp/b/c.php\n");
        project.write("app/b/other.log", "ignored");
        assert!(build(&project, &[]).ended().is_empty());
    });
}

#[test]
fn several_nodes_meet_in_one_folder() {
    each_isolation(|build| {
        let project = Project::new(
            r#"
            pipeline "p"
            source-archive "one" { dir "trees/one" }
            source-archive "two" { dir "trees/two" }
            command "made" { run "sh" "-c" "mkdir -p all/deep && echo made > all/deep/made"; output "all/deep/made" }
            command "big" { run "sh" "-c" "head -c 5000000 /dev/zero > all.big; chmod +x all.big"; output "all.big" }
            binary-extract "binary" { from "big"; path "all.big"; output "bin/big" }
            command "list" {
                from "one" into="all"
                from "two" into="all/deep/two"
                from "made"
                from "binary" into="all/bin/big"
                input "trees/extra" "trees/one/a"
                run "sh" "-c" "find all trees -type f -o -type l | LC_ALL=C sort > list.txt; cat all/same all/deep/made >> list.txt; test -x all/bin/big && wc -c < all/bin/big >> list.txt"
                output "list.txt"
            }
            "#,
        );
        for (path, text) in [
            ("one/a", "a"),
            ("one/same", "one\n"),
            ("one/deep/one", "1"),
            ("two/b", "b"),
            ("two/same", "2"),
            ("two/deep/two", "2"),
            ("extra/x", "x"),
        ] {
            project.write(&format!("trees/{path}"), text);
        }
        build(&project, &[]);
        let found = project.read("list.txt");
        let files: Vec<&str> = found.lines().filter(|line| line.contains('/')).collect();
        assert_eq!(
            files,
            [
                "all/a",
                "all/bin/big",
                "all/deep/made",
                "all/deep/one",
                "all/deep/two/b",
                "all/deep/two/deep/two",
                "all/deep/two/same",
                "all/same",
                "trees/extra/x",
                "trees/one/a",
            ]
        );
        assert!(found.ends_with("one\nmade\n5000000\n"), "{found}");
    });
}

#[test]
fn an_input_that_another_node_publishes_stands_where_it_is_published() {
    each_isolation(|build| {
        let project = Project::new(
            r#"
            pipeline "p"
            source-archive "source" { dir "app"; output "out/source" }
            command "tool" { run "sh" "-c" "echo '#!/bin/sh' > t && chmod +x t"; output "t" }
            binary-extract "binary" { from "tool"; path "t"; output "out/bin/tool" }
            dist-native { output "package"; copy "common"; binary "binary" into="bin/tool" }
            command "list" {
                input "out/source" "out/bin/tool" "package/notes.txt"
                run "sh" "-c" "cat out/source/a package/notes.txt > list.txt; test -x out/bin/tool && test -x package/bin/tool && echo runs >> list.txt"
                output "list.txt"
            }
            "#,
        );
        project.write("app/a", "source\n");
        project.write("common/notes.txt", "notes\n");
        build(&project, &[]);
        assert_eq!(project.read("list.txt"), "source\nnotes\nruns\n");
        // Whatever lies in the project: the artifact is what is read.
        project.write("out/source/a", "tampered\n");
        assert_eq!(build(&project, &[]).outcome(), "restored");
        project.write("app/a", "changed\n");
        assert_eq!(build(&project, &[]).ran(), ["list", "source"]);
        assert_eq!(project.read("list.txt"), "changed\nnotes\nruns\n");
    });
}

#[test]
fn a_recipe_in_place_reads_what_is_published_and_is_refused_what_is_not() {
    let pipeline = |source: &str, from: &str| {
        format!(
            r#"
            pipeline "p"
            source-archive "source" {{ git "app"; {source} }}
            command "list" isolate=#false {{
                {from}
                run "sh" "-c" "mkdir -p out && find out/source | LC_ALL=C sort > out/list.txt"
                output "out/list.txt"
            }}
            "#
        )
    };
    let project = Project::new(&pipeline("output \"out/source\"", "from \"source\" into=\"out/source\""));
    project.write("app/a", "a");
    commit_all(&project.path("app"));
    project.build(&[]);
    assert_eq!(project.read("out/list.txt"), "out/source\nout/source/a\n");
    assert!(project.build(&[]).ended().is_empty());
    project.write("app/b", "b");
    commit_all(&project.path("app"));
    project.remove("out/source");
    assert_eq!(project.build(&[]).ran(), ["list", "source"]);
    assert_eq!(project.read("out/list.txt"), "out/source\nout/source/a\nout/source/b\n");

    for (source, from, help) in [
        ("", "from \"source\" into=\"app\"", "`output`"),
        ("", "from \"source\"", "`output`"),
        ("output \"out/source\"", "from \"source\" into=\"app\"", "into=\"out/source\""),
        ("output \"out/source\"", "from \"source\"", "into=\"out/source\""),
    ] {
        let project = Project::new(&pipeline(source, from));
        let said = project.run(&[]);
        assert_eq!(said.code, 2, "{source} {from}");
        let complaint = said.complaint();
        assert!(complaint.contains("not-in-place") && complaint.contains(help), "{complaint}");
    }
}

#[test]
fn a_recipe_cannot_spoil_the_tree_it_reads() {
    each_isolation(|build| {
        let project = Project::new(
            r#"
            pipeline "p"
            source-archive "source" { dir "app" }
            command "spoil" {
                from "source" into="app"
                input "kept"
                run "sh" "-c" "cat app/a kept/a > made; rm -rf app/a app/new kept/a; echo spoilt > app/a; echo spoilt > kept/a; true"
                output "made"
            }
            command "read" {
                from "source" into="app"
                after "spoil"
                run "cp" "app/a" "copy"
                output "copy"
            }
            "#,
        );
        project.write("app/a", "a\n");
        project.write("kept/a", "kept\n");
        build(&project, &[]);
        assert_eq!((project.read("made").as_str(), project.read("copy").as_str()), ("a\nkept\n", "a\n"));
        assert_eq!((project.read("app/a").as_str(), project.read("kept/a").as_str()), ("a\n", "kept\n"));
        assert!(build(&project, &[]).ended().is_empty());
        assert_eq!(build(&project, &["--force", "read"]).ran(), ["read"]);
        assert_eq!(project.read("copy"), "a\n");
        assert!(seen_in(&project.path("cache")), "the store is whole");
    });
}

/// Whether the store says of itself that nothing in it is damaged.
fn seen_in(store: &std::path::Path) -> bool {
    let done = std::process::Command::new(env!("CARGO_BIN_EXE_osgraph"))
        .arg("-C")
        .arg(store.parent().unwrap())
        .args(["cache", "verify"])
        .output()
        .unwrap();
    done.status.success()
}

#[test]
fn an_output_stands_in_the_folder_that_is_an_input_too() {
    each_isolation(|build| {
        let project = Project::new(
            r#"
            pipeline "p"
            command "generate" {
                run "sh" "-c" "mkdir -p app/gen/deep && echo one > app/gen/deep/a && ln -s deep/a app/gen/link && ln -s gen/link app/linked"
                output "app/gen" "app/linked"
            }
            command "list" {
                from "generate"
                input "app"
                run "sh" "-c" "find app ! -type d | LC_ALL=C sort > list.txt; cat app/linked >> list.txt"
                output "list.txt"
            }
            "#,
        );
        project.write("app/src/main", "main");
        project.write("app/top", "top");
        for _ in 0..2 {
            build(&project, &[]);
            let files = "app/gen/deep/a\napp/gen/link\napp/linked\napp/src/main\napp/top\none\n";
            assert_eq!(project.read("list.txt"), files);
            project.remove("app/gen");
        }
        assert_eq!(build(&project, &[]).ended().len(), 1, "restored, and nothing runs");
        project.write("app/top", "changed");
        assert_eq!(build(&project, &[]).ran(), ["list"]);
    });
}
