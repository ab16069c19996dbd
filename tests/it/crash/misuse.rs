//! What is not there, what is written wrongly, and what stands where an output has to go.

use super::project::Project;

const SIMPLE: &str = r#"
pipeline "simple"
command "made" { input "src"; run "sh" "-c" "cat src > out"; output "out" }
"#;

#[test]
fn missing_source_is_named_with_exit_3() {
    let project = Project::new(SIMPLE);
    project.osgraph(&["run"]).expect(3).says("src").says("made");
    project.osgraph(&["explain"]).expect(3);
    let git = Project::new("pipeline \"p\"\nsource-archive { git \"nowhere\"; output \"out\" }\n");
    git.osgraph(&["run"]).expect(3).says("nowhere");
    let dist = Project::new("pipeline \"p\"\ndist-native { output \"out\"; copy \"gone\" }\n");
    dist.osgraph(&["run"]).expect(3).says("gone");
}

#[test]
fn missing_secret_is_named_with_exit_3_and_its_value_is_never_kept() {
    let project = Project::new(
        r#"
pipeline "p"
command "fetch" { run "sh" "-c" "echo got $TOKEN; echo done > out"; secret "token" env="TOKEN"; output "out" }
"#,
    );
    project.osgraph(&["run"]).expect(3).says("secret `token`").says("required=#false");
    let output = project.command(&["run", "-v"]).env("TOKEN", "s3cr3t-value-of-mine").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    for (path, (_, bytes)) in project.tree(&["."]) {
        assert!(!bytes.windows(20).any(|window| window == b"s3cr3t-value-of-mine"), "{path}");
    }
}

#[test]
fn unknown_target_is_exit_2_with_a_suggestion() {
    let project = Project::new(SIMPLE);
    project.write("src", "a\n");
    for args in [
        &["run", "mode"][..],
        &["explain", "mode"],
        &["graph", "mode"],
        &["clean", "mode"],
        &["run", "--force", "mode"],
    ] {
        project.osgraph(args).expect(2).says("made");
    }
    project.osgraph(&["log", "mode"]).expect(2);
    project.osgraph(&["runs", "99"]).expect(2);
    project.osgraph(&["run", "--no-such-option"]).expect(2);
    project.osgraph(&["run", "--set", "nothing=1"]).expect(2);
}

#[test]
fn all_mistakes_of_a_pipeline_are_told_at_once() {
    let project = Project::new(
        r#"
pipeline "wrong" { default "maed" }
comand "a" { run "x" }
command "b" { runn "x" }
command "c" { run "${nope}"; output "../out" }
"#,
    );
    for command in ["check", "run", "explain", "graph"] {
        let output = project.osgraph(&[command]);
        output.expect(2).says("comand").says("runn").says("nope").says("../out");
    }
    assert!(!project.exists("cache"), "nothing is made for a pipeline that is wrong");
}

#[test]
fn missing_folders_and_files_are_exit_2() {
    let project = Project::new(SIMPLE);
    project.osgraph(&["-C", "nowhere/at/all", "run"]).expect(2);
    let nowhere = project.path("nowhere");
    project.osgraph(&["run", "-C", nowhere.to_str().unwrap()]).expect(2).says("nowhere");
    project.osgraph(&["run", "-f", "other.kdl"]).expect(2).says("osgraph init");
    project.write("bytes.kdl", b"\xff\xfe\x00");
    project.osgraph(&["run", "-f", "bytes.kdl"]).expect(2);
    std::fs::create_dir(project.path("folder.kdl")).unwrap();
    project.osgraph(&["run", "-f", "folder.kdl"]).expect(2);
}

#[test]
fn foreign_file_in_an_outputs_place_is_kept_and_reported() {
    for isolate in ["#true", "#false"] {
        let project = Project::new(&SIMPLE.replace("\"made\" {", &format!("\"made\" isolate={isolate} {{")));
        project.write("src", "a\n");
        project.write("out", "mine\n");
        let output = project.ok(&["run"]);
        output.says("is not osgraph's: kept as");
        assert_eq!(project.read("out"), "a\n");
        let kept = project.tree(&["cache/displaced"]);
        assert_eq!(kept.values().map(|(_, bytes)| bytes.as_slice()).collect::<Vec<_>>(), [b"mine\n"]);
        project.is_fresh();
    }
}

#[test]
fn folder_in_an_output_files_place_is_kept_and_reported() {
    for isolate in ["#true", "#false"] {
        let project = Project::new(&SIMPLE.replace("\"made\" {", &format!("\"made\" isolate={isolate} {{")));
        project.write("src", "a\n");
        project.write("out/deep/mine", "mine\n");
        project.ok(&["run"]).says("kept as");
        assert_eq!(project.read("out"), "a\n");
        assert!(project.tree(&["cache/displaced"]).keys().any(|path| path.ends_with("out/deep/mine")));
        // Later, when the output is osgraph's.
        std::fs::remove_file(project.path("out")).unwrap();
        project.write("out/again", "mine too\n");
        project.ok(&["run"]);
        assert_eq!(project.read("out"), "a\n", "isolate={isolate}");
        let kept = project.tree(&["cache/displaced"]);
        assert!(kept.values().any(|(_, bytes)| bytes == b"mine too\n"), "isolate={isolate}: {kept:?}");
    }
}

#[test]
fn foreign_file_in_an_output_folder_outlives_the_next_run() {
    for isolate in ["#true", "#false"] {
        let project = Project::new(&format!(
            "pipeline \"p\"\ncommand \"made\" isolate={isolate} {{ input \"src\"; run \"sh\" \"-c\" \"mkdir -p out; cp src out/made\"; output \"out\" }}\n"
        ));
        project.write("src", "a\n");
        project.ok(&["run"]);
        project.write("out/notes/mine", "mine\n");
        project.write("src", "b\n");
        project.ok(&["run"]).says("not osgraph's");
        assert_eq!(project.read("out/made"), "b\n");
        let everywhere = project.tree(&["out", "cache/displaced"]);
        assert!(
            everywhere.values().any(|(_, bytes)| bytes == b"mine\n"),
            "isolate={isolate}: {everywhere:?}"
        );
        project.is_fresh();
    }
}

#[test]
fn failed_recipe_in_place_puts_foreign_files_back() {
    let project = Project::new(
        "pipeline \"p\"\ncommand \"made\" isolate=#false { input \"src\"; run \"sh\" \"-c\" \"mkdir out; cp src out/made; grep -q good src\"; output \"out\" }\n",
    );
    project.write("src", "good\n");
    project.ok(&["run"]);
    project.write("out/notes/mine", "mine\n");
    let before = project.tree(&["out"]);
    project.write("src", "bad\n");
    project.osgraph(&["run"]).expect(1);
    assert_eq!(project.tree(&["out"]), before);
}
