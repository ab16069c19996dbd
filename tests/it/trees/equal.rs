//! What comes out is what went in.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::members::{Member, Members, archive, folder, git_archive, same};
use super::odd;
use super::project::{Project, commit_all, write};

/// Several thousand files, of every kind.
const MANY: usize = 3000;

const PIPELINE: &str = r#"
pipeline "trees" {
    param "source" default="app"
}
source-archive "source" {
    auto "${source}"
    output "made/source"
    archive "made/source.tar"
    archive "made/source.tar.gz"
    archive "made/source.tar.zst"
}
"#;

/// Asserts that everything `PIPELINE` publishes is `expected`.
#[track_caller]
fn all_are(project: &Project, expected: &Members) {
    for made in ["made/source.tar", "made/source.tar.gz", "made/source.tar.zst"] {
        same(&archive(&project.path(made)), expected);
    }
    same(&folder(&project.path("made/source")), expected);
}

#[test]
fn the_archive_of_a_repository_is_that_of_git_archive() {
    let project = Project::new(PIPELINE);
    let app = project.path("app");
    odd::fill(&app, MANY);
    commit_all(&app);
    // What is not committed is not there; what is committed is, whatever lies there now.
    write(&app.join("untracked"), "untracked");
    fs::remove_dir_all(app.join("sizes")).unwrap();
    let expected = git_archive(&app, "HEAD");
    assert!(expected.len() > MANY);

    let said = project.build(&[]);
    all_are(&project, &expected);
    let warnings = said.warnings();
    assert!(warnings.iter().any(|warning| warning.contains("uncommitted")), "{warnings:?}");
    assert!(project.build(&[]).events.iter().all(|event| event["event"] == "run_finished"), "nothing to do");
}

#[test]
fn the_archive_of_a_folder_is_the_folder() {
    let project = Project::new(PIPELINE);
    let app = project.path("app");
    odd::fill(&app, MANY);
    fs::create_dir_all(app.join("empty folders/a/b/c")).unwrap();
    fs::create_dir_all(app.join("empty folders/ü")).unwrap();

    project.build(&[]);
    all_are(&project, &folder(&app));
    assert!(project.build(&[]).events.iter().all(|event| event["event"] == "run_finished"), "nothing to do");

    fs::remove_dir(app.join("empty folders/ü")).unwrap();
    assert_eq!(project.build(&[]).ran(), ["source"], "an empty folder counts");
    all_are(&project, &folder(&app));
}

#[test]
fn a_source_may_lie_anywhere_and_its_place_does_not_count() {
    let project = Project::new(PIPELINE);
    let here = project.beside("apps/x");
    odd::fill(&here, 20);
    symlink(&here, project.path("linked")).unwrap();
    symlink("x", project.beside("apps/y")).unwrap();
    project.build(&["--set", "source=../apps/x"]);
    all_are(&project, &folder(&here));
    let absolute = format!("source={}", here.display());
    for other in [absolute.as_str(), "source=linked", "source=../apps/y", "source=../apps/../apps/x/"] {
        let said = project.build(&["--set", other]);
        assert!(said.ended().is_empty(), "{other}: {:?}", said.ended());
    }
    // The same files elsewhere are the same tree.
    let copy = project.beside("copy");
    odd::fill(&copy, 20);
    let said = project.build(&["--set", &format!("source={}", copy.display())]);
    assert!(said.ended().is_empty(), "{:?}", said.ended());

    commit_all(&here);
    let expected = git_archive(&here, "HEAD");
    for source in ["source=../apps/x", absolute.as_str(), "source=linked", "source=../apps/y"] {
        project.build(&["--set", source]);
        all_are(&project, &expected);
    }
    assert!(project.build(&["--set", "source=linked"]).ended().is_empty());
    write(&here.join("committed later"), "x");
    commit_all(&here);
    assert_eq!(project.build(&["--set", "source=linked"]).ran(), ["source"]);
    all_are(&project, &git_archive(&here, "HEAD"));
}

#[test]
fn the_archive_of_a_dist_is_its_folder_and_what_was_copied() {
    let project = Project::new(
        r#"
        pipeline "trees"
        dist-native {
            output "made/native"
            copy "copied"
            copy "second" into="names"
            archive "native.tar"
            archive "native.tar.gz"
            archive "native.tar.zst"
        }
        "#,
    );
    odd::fill(&project.path("copied"), 500);
    project.write("second/übersicht.html", "over the first");
    project.build(&[]);
    let mut expected = folder(&project.path("copied"));
    let over = Member::File { mode: 0o644, content: b"over the first".to_vec() };
    expected.insert("names/übersicht.html".to_owned(), over);
    for made in ["native.tar", "native.tar.gz", "native.tar.zst"] {
        let mut found = archive(&project.path(made));
        same(&folder(&project.path("made/native")), &found);
        assert!(found.remove("build-manifest.json").is_some());
        same(&found, &expected);
    }
}

#[test]
fn excludes_take_away_and_overlays_lie_over() {
    let pipeline = |kind: &str| {
        format!(
            r#"
            pipeline "trees"
            source-archive "source" {{
                {kind} "app"
                exclude "node_modules/" "*.log" "!keep.log" "/top" "docs/**/draft-*"
                overlay "common/config" into="config"
                overlay "common/file.txt"
                archive "source.tar"
            }}
            "#
        )
    };
    let project = Project::new(&pipeline("dir"));
    let app = project.path("app");
    for path in [
        "index.php",
        "top",
        "below/top",
        "a.log",
        "below/keep.log",
        "node_modules/x/y",
        "docs/a/b/draft-1",
        "docs/a/b/final",
        "config/app.ini",
        "config/other.ini",
        "file.txt",
    ] {
        write(&app.join(path), path);
    }
    project.write("common/config/app.ini", "laid over");
    project.write("common/config/deep/new.ini", "laid over");
    project.write("common/file.txt", "laid over");
    let expected = |found: &Members| {
        let files: Vec<&str> = found
            .iter()
            .filter(|(_, member)| matches!(member, Member::File { .. }))
            .map(|(path, _)| path.as_str())
            .collect();
        assert_eq!(
            files,
            [
                "below/keep.log",
                "below/top",
                "config/app.ini",
                "config/deep/new.ini",
                "config/other.ini",
                "docs/a/b/final",
                "file.txt",
                "index.php",
            ]
        );
        for over in ["config/app.ini", "config/deep/new.ini", "file.txt"] {
            assert_eq!(found[over], Member::File { mode: 0o644, content: b"laid over".to_vec() });
        }
    };
    project.build(&[]);
    let from_folder = archive(&project.path("source.tar"));
    expected(&from_folder);
    assert!(project.build(&[]).ended().is_empty());

    project.write("app/node_modules/x/z", "excluded");
    assert!(project.build(&[]).ran().is_empty(), "what is excluded does not count");
    project.write("common/file.txt", "changed");
    assert_eq!(project.build(&[]).ran(), ["source"]);
    project.write("common/file.txt", "laid over");
    assert!(project.build(&[]).ran().is_empty());

    commit_all(&app);
    project.write("pipeline.kdl", pipeline("git"));
    project.build(&[]);
    same(&archive(&project.path("source.tar")), &from_folder);
}

#[test]
fn an_output_folder_keeps_to_its_source() {
    let project = Project::new(PIPELINE);
    let app = project.path("app");
    odd::fill(&app, 50);
    project.build(&[]);
    fs::remove_dir_all(app.join("names")).unwrap();
    fs::remove_file(app.join("modes/644")).unwrap();
    fs::create_dir(app.join("modes/644")).unwrap();
    symlink("644", app.join("names")).unwrap();
    project.build(&[]);
    all_are(&project, &folder(&app));
    project.remove("made/source/links");
    project.write("made/source/sizes/1", "altered");
    assert_eq!(project.build(&[]).outcome(), "restored");
    all_are(&project, &folder(&app));
}

#[test]
fn names_that_differ_by_case_or_normal_form_alone_are_different() {
    let project = Project::new(PIPELINE);
    let app = project.path("app");
    for name in ["README", "Readme", "readme", "é", "e\u{301}", "SRC/x", "src/x"] {
        write(&app.join(name), name);
    }
    if cfg!(target_os = "macos") {
        // Its file system folds names: the tree cannot lie there.
        return;
    }
    assert_eq!(fs::read_dir(&app).unwrap().count(), 7);
    project.build(&[]);
    all_are(&project, &folder(&app));
    commit_all(&app);
    project.build(&[]);
    all_are(&project, &git_archive(&app, "HEAD"));
}

#[test]
fn a_file_may_become_a_link_or_a_folder() {
    let project = Project::new(PIPELINE);
    let app = project.path("app");
    odd::fill(&app, 10);
    project.build(&[]);
    let swap = |path: &Path, change: &dyn Fn(&Path)| {
        fs::remove_file(path).unwrap();
        change(path);
        assert_eq!(project.build(&[]).ran(), ["source"], "{}", path.display());
        all_are(&project, &folder(&app));
    };
    swap(&app.join("names/-rf"), &|path| symlink("a.b", path).unwrap());
    swap(&app.join("names/-rf"), &|path| symlink("a-b", path).unwrap());
    swap(&app.join("names/-rf"), &|path| fs::write(path, "a-b").unwrap());
    swap(&app.join("names/-rf"), &|path| fs::create_dir(path).unwrap());
}
