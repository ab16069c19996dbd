//! Packages without their archives, for a while: nothing is made, missed or removed, and nothing
//! is lost of what stands.

use super::project::Project;

const PIPELINE: &str = r##"
pipeline "archives" { param "version" default="1" }
source-archive "source" {
    dir "src"
    archive "dist/source-${version}.tar.gz" keep=1
}
dist-native {
    output "package"
    copy "common"
    archive "dist/app-${version}-{digest}.tar.gz" keep=2
    archive "dist/latest.tar"
}
"##;

fn project() -> Project {
    let project = Project::new(PIPELINE);
    project.write("src/a", "a");
    project.write("common/a", "a");
    project
}

const WITHOUT: &[&str] = &["--no-archive"];

impl Project {
    /// Names in `dist`, without checksums.
    fn archives(&self) -> Vec<String> {
        let Ok(found) = std::fs::read_dir(self.path("dist")) else { return Vec::new() };
        let mut names: Vec<String> =
            found.map(|one| one.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| !name.ends_with(".sha256"));
        names.sort();
        names
    }

    /// Runs without archives, which must find everything as it should be.
    #[track_caller]
    fn is_fresh_without_archives(&self) {
        for _ in 0..2 {
            let said = self.run_with(WITHOUT);
            assert_eq!(said.finished["outcome"], "fresh", "{}", said.text);
        }
    }
}

#[test]
fn archives_that_were_left_out_are_made_later_without_running_anything() {
    let project = project();
    let said = project.run_with(WITHOUT);
    assert_eq!(said.ran, ["dist-native", "source"], "{}", said.text);
    assert_eq!((project.read("package/a").as_str(), project.archives().len()), ("a", 0));
    project.is_fresh_without_archives();
    let explained = String::from_utf8(project.osgraph(&["explain"]).stdout).unwrap();
    assert!(explained.contains("output `dist/source-1.tar.gz` is not published yet"), "{explained}");
    assert!(explained.contains("output `dist/latest.tar` is not published yet"), "{explained}");
    // A plain run is not taken in by what the other found fresh.
    project.restores(&["dist-native", "source"]);
    assert_eq!(project.archives().len(), 3);
    project.is_fresh();
    project.is_fresh_without_archives();
    project.is_fresh();
}

#[test]
fn archives_of_something_else_stay_and_are_told_as_not_published_yet() {
    let project = project();
    project.run();
    let (archives, latest) = (project.archives(), std::fs::read(project.path("dist/latest.tar")).unwrap());
    project.write("common/a", "another");
    let said = project.run_with(WITHOUT);
    assert_eq!(said.ran, ["dist-native"], "{}", said.text);
    assert_eq!(project.read("package/a"), "another");
    assert_eq!(project.archives(), archives);
    assert_eq!(std::fs::read(project.path("dist/latest.tar")).unwrap(), latest, "it is left as it was");
    project.is_fresh_without_archives();
    let explained = String::from_utf8(project.osgraph(&["explain", "dist-native"]).stdout).unwrap();
    assert!(explained.contains("output `dist/latest.tar` is not published yet"), "{explained}");
    project.restores(&["dist-native"]);
    assert_ne!(std::fs::read(project.path("dist/latest.tar")).unwrap(), latest);
    project.is_fresh();
}

#[test]
fn retention_removes_nothing_while_archives_are_left_out() {
    let project = project();
    project.run();
    for version in ["2", "3"] {
        project.run_with(&["--no-archive", "--set", &format!("version={version}")]);
    }
    assert!(project.exists("dist/source-1.tar.gz"));
    project.run_with(&["--set", "version=3"]);
    assert!(!project.exists("dist/source-1.tar.gz"), "keep=1 holds again");
}

#[test]
fn archives_that_stand_stay_osgraphs_own() {
    let project = project();
    project.run();
    // Published again, without a word about archives.
    project.remove("package");
    let said = project.run_with(WITHOUT);
    assert_eq!((said.ran.len(), &*said.restored), (0, &["dist-native".to_owned()][..]), "{}", said.text);
    project.is_fresh();
    let cleaned = project.osgraph(&["clean", "--json"]);
    assert!(cleaned.status.success());
    assert_eq!(project.archives().len(), 0, "{}", String::from_utf8_lossy(&cleaned.stdout));
}

#[test]
fn archive_that_is_missing_is_not_missed_without_archives() {
    let project = project();
    project.run();
    project.remove("dist/latest.tar");
    project.is_fresh_without_archives();
    assert!(!project.exists("dist/latest.tar"));
    project.restores(&["dist-native"]);
    project.is_fresh();
}

#[test]
fn archives_left_out_or_not_the_keys_are_the_same() {
    let keys = |args: &[&str]| {
        let project = project();
        project.run_with(args);
        let explained = project.osgraph(&["explain", "--json"]).stdout;
        let explained: serde_json::Value = serde_json::from_slice(&explained).unwrap();
        let nodes = explained["nodes"].as_array().unwrap();
        nodes.iter().map(|node| node["key"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(keys(WITHOUT), keys(&[]));
}
