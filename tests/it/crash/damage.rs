//! A store that somebody or something has harmed: no wrong bytes come out, and it mends itself.

use std::fs::{self, File};
use std::path::PathBuf;

use super::project::Project;

fn project() -> Project {
    let project = Project::new(
        r#"
pipeline "damage"
command "small" { input "src"; run "sh" "-c" "cat src > small; echo small >> small"; output "small" }
command "large" { input "src"; run "sh" "-c" "cat src > large; seq 1 300000 >> large"; output "large" }
dist-native { output "dist-native"; copy "common"; binary "large" into="large"; archive "dist/damage.tar.gz" }
"#,
    );
    project.write("src", "source\n");
    project.write("common/page", "page\n");
    project
}

const OUTPUTS: [&str; 4] = ["small", "large", "dist-native", "dist"];

fn remove_outputs(project: &Project) {
    for output in OUTPUTS {
        let path = project.path(output);
        let _ = fs::remove_file(&path);
        let _ = fs::remove_dir_all(&path);
    }
}

fn files(project: &Project, below: &str) -> Vec<PathBuf> {
    project
        .tree(&[below])
        .into_keys()
        .filter(|name| !name.ends_with('/'))
        .map(|name| project.path(&name))
        .collect()
}

/// Flips one bit in the middle of each.
fn flip(paths: &[PathBuf]) {
    assert!(!paths.is_empty());
    for path in paths {
        let mut bytes = fs::read(path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::remove_file(path).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

fn mends(project: &Project, harm: impl Fn(&Project)) {
    project.ok(&["run"]);
    let before = project.tree(&OUTPUTS);
    for repair in [false, true] {
        remove_outputs(project);
        harm(project);
        if repair {
            project.osgraph(&["cache", "verify"]).expect(5);
            project.ok(&["cache", "verify", "--repair"]);
            project.ok(&["cache", "verify"]);
        }
        project.ok(&["run"]);
        assert_eq!(project.tree(&OUTPUTS), before, "repair={repair}");
        project.is_fresh();
        // What nobody asked for is still damaged, and told when asked for.
        project.ok(&["cache", "verify", "--repair"]);
        project.ok(&["cache", "verify"]);
    }
}

#[test]
fn flipped_bit_in_blobs_is_never_published() {
    mends(&project(), |project| flip(&files(project, "cache/blobs")));
}

#[test]
fn flipped_bit_in_packs_is_never_published() {
    mends(&project(), |project| flip(&files(project, "cache/packs")));
}

#[test]
fn missing_blobs_and_packs_are_made_again() {
    mends(&project(), |project| {
        files(project, "cache/blobs")
            .iter()
            .chain(&files(project, "cache/packs"))
            .for_each(|path| fs::remove_file(path).unwrap());
    });
}

#[test]
fn truncated_blobs_and_packs_are_made_again() {
    mends(&project(), |project| {
        for path in files(project, "cache/blobs").iter().chain(&files(project, "cache/packs")) {
            let length = path.metadata().unwrap().len();
            File::options().write(true).open(path).unwrap().set_len(length / 2).unwrap();
        }
    });
}

/// What is done to the database, and whether outputs are gone too.
fn database_harmed(harm: impl Fn(&Project)) {
    for gone in [false, true] {
        let project = project();
        project.ok(&["run"]);
        let before = project.tree(&OUTPUTS);
        if gone {
            remove_outputs(&project);
        }
        // Else the next run does nothing and needs no database.
        fs::remove_dir_all(project.path("cache/state")).unwrap();
        harm(&project);
        let output = project.ok(&["run"]);
        assert_eq!(project.tree(&OUTPUTS), before, "{output}");
        project.is_fresh();
        project.ok(&["cache", "verify"]);
        project.ok(&["runs"]);
    }
}

#[test]
fn truncated_database_is_set_aside_and_made_anew() {
    database_harmed(|project| {
        let path = project.path("cache/osgraph.db");
        let _ = fs::remove_file(project.path("cache/osgraph.db-wal"));
        let length = path.metadata().unwrap().len();
        File::options().write(true).open(&path).unwrap().set_len(length / 3).unwrap();
    });
}

#[test]
fn garbage_in_place_of_the_database_is_set_aside() {
    database_harmed(|project| {
        let _ = fs::remove_file(project.path("cache/osgraph.db-wal"));
        project.write("cache/osgraph.db", vec![0xA5; 50_000]);
    });
}

#[test]
fn deleted_database_costs_time_only() {
    database_harmed(|project| {
        for ending in ["db", "db-wal", "db-shm"] {
            let _ = fs::remove_file(project.path(&format!("cache/osgraph.{ending}")));
        }
    });
}

#[test]
fn garbage_in_the_state_is_not_believed() {
    let project = project();
    project.ok(&["run"]);
    let before = project.tree(&OUTPUTS);
    let state = files(&project, "cache/state");
    let original = fs::read(&state[0]).unwrap();
    let mut cases: Vec<Vec<u8>> = vec![Vec::new(), vec![0; 4000], b"garbage".to_vec()];
    for part in 1..8 {
        cases.push(original[..original.len() * part / 8].to_vec());
        let mut flipped = original.clone();
        flipped[original.len() * part / 8] ^= 0x40;
        cases.push(flipped);
    }
    for case in cases {
        for path in &state {
            fs::write(path, &case).unwrap();
        }
        project.write("src", "other\n");
        project.ok(&["run"]);
        assert!(project.read("small").starts_with("other\n"));
        for path in &state {
            fs::write(path, &case).unwrap();
        }
        project.write("src", "source\n");
        project.ok(&["run"]);
        assert_eq!(project.tree(&OUTPUTS), before);
        project.is_fresh();
    }
}

#[test]
fn garbage_in_lock_files_does_no_harm() {
    let project = project();
    project.ok(&["run"]);
    for path in files(&project, "cache/locks") {
        fs::write(&path, "garbage").unwrap();
    }
    project.ok(&["run", "--force", "small,large"]);
    project.ok(&["gc"]);
    // A folder where a lock should be is told, not waited for.
    let lock = project.path("cache/locks/store");
    fs::remove_file(&lock).unwrap();
    fs::create_dir_all(lock.join("x")).unwrap();
    project.osgraph(&["run", "--force", "small"]);
    fs::remove_dir_all(&lock).unwrap();
    project.ok(&["run"]);
}

#[test]
fn store_that_is_a_file_is_exit_5_or_2() {
    let project = project();
    project.write("cache", "not a folder");
    let output = project.osgraph(&["run"]);
    assert!(matches!(output.code, Some(2 | 5)), "{output}");
    output.says("cache");
    assert_eq!(project.read("cache"), "not a folder");
}
