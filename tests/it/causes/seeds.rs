//! Files that are made once and then belong to the user.

use super::project::Project;

fn project() -> Project {
    let project = Project::new(
        r##"
pipeline "seeds" {}
dist-native {
    output "package"
    copy "common"
    seed-once ".env" from=".env.example"
    archive "dist/app.tar"
}
"##,
    );
    project.write("common/.env.example", "KEY=\n");
    project.write("common/a", "a");
    project.runs(&["dist-native"]);
    assert_eq!(project.read("package/.env"), "KEY=\n");
    project.is_fresh();
    project
}

#[test]
fn changed_seed_survives_runs_restores_force_and_clean() {
    let project = project();
    project.write("package/.env", "KEY=mine\n");
    project.is_fresh();
    project.write("common/.env.example", "KEY=\nNEW=\n");
    project.runs(&["dist-native"]);
    assert_eq!(project.read("package/.env"), "KEY=mine\n");
    project.remove("package/a");
    project.restores(&["dist-native"]);
    assert_eq!(project.read("package/.env"), "KEY=mine\n");
    project.run_with(&["--force", "dist-native"]);
    assert_eq!(project.read("package/.env"), "KEY=mine\n");
    assert!(project.osgraph(&["clean"]).status.success());
    assert_eq!(project.read("package/.env"), "KEY=mine\n");
    assert!(!project.exists("package/a"));
    project.restores(&["dist-native"]);
    assert_eq!(project.read("package/.env"), "KEY=mine\n");
}

#[test]
fn unchanged_seed_survives_clean() {
    let project = project();
    assert!(project.osgraph(&["clean"]).status.success());
    assert!(project.exists("package/.env"));
}

#[test]
fn missing_seed_is_seeded_again_from_the_present_example() {
    let project = project();
    project.remove("package/.env");
    project.restores(&["dist-native"]);
    assert_eq!(project.read("package/.env"), "KEY=\n");
    project.write("common/.env.example", "OTHER=\n");
    project.remove("package/.env");
    project.runs(&["dist-native"]);
    assert_eq!(project.read("package/.env"), "OTHER=\n");
    project.is_fresh();
}

#[test]
fn seed_is_never_archived() {
    let project = project();
    project.write("package/.env", "KEY=mine\n");
    project.write("common/a", "b");
    project.runs(&["dist-native"]);
    let tar = std::fs::read(project.path("dist/app.tar")).unwrap();
    let names = String::from_utf8_lossy(&tar).into_owned();
    assert!(names.contains("app/.env.example") && !names.contains("app/.env\0"), "{names}");
    assert!(!names.contains("KEY=mine"));
    assert!(!project.read("package/build-manifest.json").contains("\".env\""));
}

#[test]
fn seed_that_is_deleted_with_its_package_comes_back() {
    let project = project();
    project.remove("package");
    project.restores(&["dist-native"]);
    assert_eq!(project.read("package/.env"), "KEY=\n");
    assert_eq!(project.read("package/a"), "a");
}

#[test]
fn seed_of_the_user_that_was_there_first_is_kept() {
    let project = Project::new(
        "pipeline \"seeds\" {}\ndist-native {\n    output \"package\"\n    copy \"common\"\n    seed-once \".env\" from=\"example\"\n}\n",
    );
    project.write("common/example", "new");
    project.write("package/.env", "old");
    project.runs(&["dist-native"]);
    assert_eq!(project.read("package/.env"), "old");
    project.is_fresh();
}

#[test]
fn new_seed_publishes_without_running() {
    let project = project();
    project.edit_pipeline("    archive", "    seed-once \"b\" from=\"a\"\n    archive");
    project.restores(&["dist-native"]);
    assert_eq!(project.read("package/b"), "a");
    project.is_fresh();
}
