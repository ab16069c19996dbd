//! What a package's build manifest tells: facts, and the commit that is really inside.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use super::project::{Project, listing};

const SHOP: &str = r##"
pipeline "facts" { param "version" default="1.0" }
source-archive "source" { git "app" }
base-image "base" {
    context "builder"
    host {
        run "sh" "-c" "mkdir sysroot; cat builder/a > sysroot/a; seq 1 400000 >> sysroot/a"
        output "sysroot"
    }
}
command "binary" {
    from "source" into="source"
    from "base"
    run "sh" "-c" "cat source/index.php > built; head -c 4 base/sysroot/a >> built; chmod 755 built"
    output "built"
}
dist-native {
    output "package"
    copy "common"
    binary "binary" into="bin/app"
    fact "version" "${version}"
    fact "libc" "musl"
    provenance "source" "base"
    archive "dist/shop-${version}.tar.gz"
}
"##;

/// Committed in `app`, and nothing built yet.
fn unbuilt() -> Project {
    let project = Project::new(SHOP);
    project.write("builder/a", "base");
    project.write("common/README.md", "read me\n");
    project.write("app/index.php", "<?php 1;\n");
    project.git(&["init", "-q", "app"]);
    commit(&project, "first");
    project
}

fn project() -> Project {
    let project = unbuilt();
    project.runs(&["base", "binary", "dist-native", "source"]);
    project.is_fresh();
    project
}

fn commit(project: &Project, message: &str) {
    project.git(&["-C", "app", "add", "-A"]);
    project.git(&["-C", "app", "commit", "-q", "--allow-empty", "-m", message]);
}

fn head(project: &Project) -> String {
    let text = project.read("app/.git/HEAD");
    project.read(&format!("app/.git/{}", text.trim().strip_prefix("ref: ").unwrap())).trim().to_owned()
}

fn manifest(project: &Project) -> Value {
    serde_json::from_str(&project.read("package/build-manifest.json")).unwrap()
}

/// The commit that the package names.
fn told(project: &Project) -> Value {
    manifest(project)["provenance"]["source"]["commit"].clone()
}

fn json(project: &Project, args: &[&str]) -> Value {
    let output = project.osgraph(&[args, &["--json"]].concat());
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{args:?}: {error}: {}", String::from_utf8_lossy(&output.stderr)))
}

fn text(project: &Project, args: &[&str]) -> String {
    String::from_utf8(project.osgraph(args).stdout).unwrap()
}

#[test]
fn a_package_tells_its_facts_and_the_commit_inside() {
    let project = project();
    let manifest = manifest(&project);
    assert_eq!(manifest["facts"], serde_json::json!({ "libc": "musl", "version": "1.0" }));
    let provenance = manifest["provenance"].as_object().unwrap();
    assert_eq!(provenance.keys().collect::<Vec<_>>(), ["base", "source"]);
    assert_eq!(provenance["source"]["commit"], head(&project).as_str());
    assert!(provenance["source"]["digest"].as_str().is_some_and(|digest| digest.len() == 64));
    // What is of no commit has none.
    assert!(provenance["base"].get("commit").is_none());
    // What is told of is not in the package.
    let upstreams = manifest["upstreams"].as_array().unwrap();
    assert_eq!(upstreams.len(), 1, "{manifest}");
}

#[test]
fn changed_fact_rebuilds_the_dist_only() {
    let project = project();
    project.edit_pipeline("\"musl\"", "\"glibc\"");
    let explained = json(&project, &["explain", "dist-native"]);
    let node =
        explained["nodes"].as_array().unwrap().iter().find(|one| one["node"] == "dist-native").unwrap();
    let reasons = node["verdict"]["stale"].as_array().unwrap();
    assert_eq!(reasons.len(), 1, "{node}");
    assert_eq!((&reasons[0]["code"], &reasons[0]["label"]), (&"option-changed".into(), &"fact libc".into()));
    assert_eq!((&reasons[0]["old"]["text"], &reasons[0]["new"]["text"]), (&"musl".into(), &"glibc".into()));
    let line = project.read("pipeline.kdl").lines().position(|line| line.contains("fact \"libc\"")).unwrap();
    assert_eq!(reasons[0]["line"], line + 1);
    project.runs(&["dist-native"]);
    assert_eq!(manifest(&project)["facts"]["libc"], "glibc");
    project.is_fresh();

    // Of a parameter, too.
    let said = project.run_with(&["--set", "version=2.0"]);
    assert_eq!(said.ran, ["dist-native"], "{}", said.text);
    assert_eq!(manifest(&project)["facts"]["version"], "2.0");
}

#[test]
fn a_fact_that_is_taken_out_or_renamed_counts() {
    let project = project();
    project.edit_pipeline("    fact \"libc\" \"musl\"\n", "");
    project.runs(&["dist-native"]);
    assert_eq!(manifest(&project)["facts"], serde_json::json!({ "version": "1.0" }));
    project.edit_pipeline("fact \"version\"", "fact \"release\"");
    project.runs(&["dist-native"]);
    assert_eq!(manifest(&project)["facts"], serde_json::json!({ "release": "1.0" }));
}

#[test]
fn order_of_facts_and_of_provenance_does_not_count() {
    let project = project();
    project.edit_pipeline("    fact \"libc\" \"musl\"\n", "");
    project.edit_pipeline(
        "    provenance \"source\" \"base\"\n",
        "    provenance \"base\"\n    provenance \"source\"\n    fact \"libc\" \"musl\"\n",
    );
    project.is_fresh();
}

#[test]
fn a_package_that_tells_nothing_has_the_manifest_it_always_had() {
    let project = project();
    let text = project.read("pipeline.kdl");
    let without: Vec<&str> =
        text.lines().filter(|line| !line.contains("fact \"") && !line.contains("provenance")).collect();
    project.write("pipeline.kdl", &without.join("\n"));
    project.runs(&["dist-native"]);
    let manifest = manifest(&project);
    let mut fields: Vec<&String> = manifest.as_object().unwrap().keys().collect();
    fields.sort();
    assert_eq!(fields, ["assumed", "files", "kind", "schema", "upstreams"]);
    // Then a commit of the same tree is nobody's business.
    commit(&project, "another");
    project.is_fresh();
}

#[test]
fn new_commit_of_the_same_tree_changes_the_manifest_and_not_the_source() {
    let project = project();
    let (first, digest) = (head(&project), manifest(&project)["provenance"]["source"]["digest"].clone());
    commit(&project, "another");
    let second = head(&project);
    assert_ne!(first, second);
    let said = text(&project, &["explain", "dist-native"]);
    assert!(said.contains("provenance source commit") && said.contains(&second[..7]), "{said}");
    project.runs(&["dist-native"]);
    assert_eq!(told(&project), second.as_str());
    assert_eq!(manifest(&project)["provenance"]["source"]["digest"], digest);
    project.is_fresh();
    // The way back is known.
    project.git(&["-C", "app", "reset", "-q", "--hard", "HEAD~1"]);
    project.restores(&["dist-native"]);
    assert_eq!(told(&project), first.as_str());
}

#[test]
fn idle_check_sees_a_new_commit_of_the_same_tree() {
    let project = project();
    // Neither the folder nor the index of git moves by these.
    for args in [
        &["commit", "-q", "--allow-empty", "-m", "another"][..],
        &["commit", "-q", "--amend", "--allow-empty", "-m", "with other words"],
    ] {
        project.git(&[&["-C", "app"], args].concat());
        project.runs(&["dist-native"]);
        assert_eq!(told(&project), head(&project).as_str());
        project.is_fresh();
    }
}

#[test]
fn changed_source_is_told_with_its_commit() {
    let project = project();
    project.write("app/index.php", "<?php 2;\n");
    // What is not committed is neither inside nor told.
    let said = project.run();
    assert!(said.ran.is_empty(), "{}", said.text);
    commit(&project, "second");
    project.runs(&["binary", "dist-native", "source"]);
    assert_eq!(told(&project), head(&project).as_str());
    assert_eq!(project.read("package/bin/app"), "<?php 2;\nbase");
    // Another reference, whatever is checked out.
    project.edit_pipeline("git \"app\"", "git \"app\" ref=\"HEAD~1\"");
    project.restores(&["binary", "dist-native"]);
    assert_ne!(told(&project), head(&project).as_str());
    assert_eq!(project.read("package/bin/app"), "<?php 1;\nbase");
}

#[test]
fn a_folder_has_no_commit() {
    let project = project();
    project.edit_pipeline("git \"app\"", "dir \"app\"");
    let said = project.run();
    assert!(said.ran.contains(&"dist-native".to_owned()), "{}", said.text);
    assert_eq!(told(&project), Value::Null);
    assert!(manifest(&project)["provenance"]["source"]["digest"].is_string());
}

#[test]
fn provenance_does_not_restore_what_it_names() {
    let project = project();
    let digest = manifest(&project)["provenance"]["base"]["digest"].clone();
    // The base's content lies alone.
    for folder in ["cache/blobs", "cache/trees"] {
        assert!(project.exists(folder));
        fs::remove_dir_all(project.path(folder)).unwrap();
        fs::create_dir(project.path(folder)).unwrap();
    }
    project.edit_pipeline("\"musl\"", "\"glibc\"");
    project.runs(&["dist-native"]);
    assert_eq!(manifest(&project)["provenance"]["base"]["digest"], digest);
    project.is_fresh();
}

#[test]
fn changed_node_that_is_told_of_rebuilds_the_dist_though_its_binary_stays() {
    let project = project();
    let before = manifest(&project)["provenance"]["base"]["digest"].clone();
    project.edit_pipeline("seq 1 400000", "seq 1 400001");
    project.runs(&["base", "binary", "dist-native"]);
    assert_ne!(manifest(&project)["provenance"]["base"]["digest"], before);
    assert_eq!(project.read("package/bin/app"), "<?php 1;\nbase");
}

#[test]
fn renamed_node_that_is_told_of_rebuilds_the_dist_only() {
    let project = project();
    let text = project.read("pipeline.kdl").replace("\"source\"", "\"application\"");
    project.write("pipeline.kdl", &text.replace("into=\"application\"", "into=\"source\""));
    project.runs(&["dist-native"]);
    assert_eq!(manifest(&project)["provenance"]["application"]["commit"], head(&project).as_str());
    project.is_fresh();
}

#[test]
fn assumed_source_is_told_without_a_commit() {
    let project = project();
    let digest = manifest(&project)["provenance"]["source"]["digest"].clone();
    project.write("app/index.php", "<?php 2;\n");
    commit(&project, "second");
    let said = project.run_with(&["--assume-fresh", "source"]);
    assert_eq!(said.ran, ["binary", "dist-native"], "{}", said.text);
    // Which commit was taken then nobody knows, but it was not this one.
    assert_eq!(told(&project), Value::Null);
    assert_eq!(manifest(&project)["provenance"]["source"]["digest"], digest);
    assert_eq!(manifest(&project)["assumed"], true);
    assert_eq!(project.read("package/bin/app"), "<?php 1;\nbase");
}

#[test]
fn nothing_is_told_of_what_went_into_something_assumed() {
    let project = project();
    project.write("app/index.php", "<?php 2;\n");
    commit(&project, "second");
    project.run_with(&["--assume-fresh", "binary"]);
    assert_eq!(project.read("package/bin/app"), "<?php 1;\nbase");
    assert_eq!(
        (&manifest(&project)["provenance"], &manifest(&project)["assumed"]),
        (&Value::Null, &true.into())
    );
    // An assumed base says nothing against the commit beside it.
    project.run_with(&["--assume-fresh", "base"]);
    assert_eq!(project.read("package/bin/app"), "<?php 2;\nbase");
    assert_eq!(told(&project), head(&project).as_str());
    let said = project.run();
    assert_eq!(manifest(&project)["assumed"], false, "{}", said.text);
    project.is_fresh();
}

#[test]
fn two_clones_make_one_archive() {
    let built = |from: Option<&Project>| -> (BTreeMap<String, String>, String) {
        let project = unbuilt();
        if let Some(from) = from {
            fs::remove_dir_all(project.path("app")).unwrap();
            project.git(&["clone", "-q", from.path("app").to_str().unwrap(), "../elsewhere"]);
            project.edit_pipeline("git \"app\"", "git \"../elsewhere\"");
        }
        project.run();
        let found = told(&project).as_str().unwrap().to_owned();
        (listing(&project.path("dist"), false), found)
    };
    let origin = unbuilt();
    let (one, other) = (built(Some(&origin)), built(Some(&origin)));
    assert_eq!(one.1, head(&origin));
    assert_eq!(one, other);
    assert_eq!(one.0.len(), 3, "{one:?}");
}

#[test]
fn verify_and_whence_show_the_commit_and_the_facts() {
    let project = project();
    let commit = head(&project);
    for package in ["package", "dist/shop-1.0.tar.gz"] {
        let said = text(&project, &["verify", package]);
        assert!(said.contains("version  1.0\n"), "{said}");
        assert!(said.contains(&format!("source   commit {commit}\n")), "{said}");
        let said = json(&project, &["verify", package]);
        let said = &said["packages"][0];
        assert_eq!(said["facts"], manifest(&project)["facts"]);
        assert_eq!(said["provenance"], manifest(&project)["provenance"]);
    }
    let said = text(&project, &["whence", "dist/shop-1.0.tar.gz"]);
    for line in
        [format!("  provenance source commit  \"{commit}\"\n"), "  fact version  \"1.0\"\n".to_owned()]
    {
        assert!(said.contains(&line), "{line} is not in: {said}");
    }
    // Each node that went into it once.
    assert_eq!(said.lines().filter(|line| line.trim_start().starts_with("base  run")).count(), 1, "{said}");
}

#[test]
fn whence_of_a_binary_shows_the_packages_that_hold_it() {
    let project = project();
    project.edit_pipeline("binary \"binary\" into", "binary \"extracted\" into");
    let text_of = project.read("pipeline.kdl");
    let extracted = "binary-extract \"extracted\" { from \"binary\"; path \"built\"; output \"bin/app\" }\n";
    project.write("pipeline.kdl", &(text_of + extracted));
    project.runs(&["dist-native", "extracted"]);
    commit(&project, "another");
    let run = project.runs(&["dist-native"]).finished["run"].clone();
    for place in ["bin/app", "package/bin/app"] {
        let said = text(&project, &["whence", place]);
        assert!(
            said.contains(&format!("is the artifact of `extracted`\npacked by `dist-native` in run {run}\n")),
            "{said}"
        );
        assert!(said.contains(&format!("\n  provenance source commit  \"{}\"\n", head(&project))), "{said}");
        let said = json(&project, &["whence", place]);
        let packed = said["origin"]["packed"].as_array().unwrap();
        assert_eq!((packed.len(), packed[0]["told"].as_array().unwrap().len()), (1, 3), "{said}");
    }
}

#[test]
fn what_a_strangers_package_tells_does_not_draw_on_the_screen() {
    let project = project();
    let text_of = project.read("package/build-manifest.json");
    let planted = text_of.replace("\"musl\"", "\"mu\\u001b[2Jsl\\n\\u0007ok\"");
    assert_ne!(planted, text_of);
    project.write("package/build-manifest.json", &planted);
    let said = text(&project, &["verify", "package"]);
    assert!(!said.contains('\u{1b}') && !said.contains('\u{7}'), "{said:?}");
    assert!(said.contains("musl"), "{said}");
}
