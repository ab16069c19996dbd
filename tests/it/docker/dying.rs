//! An engine that dies in the middle of a build.

use super::causes::stopping::until_ready;
use super::fixture::Fixture;
use super::world::{engine_with_image, start_engine};
use crate::causes::project::Project;

#[test]
fn engine_that_is_killed_while_it_builds_leaves_no_record() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, bridge, host) = engine_with_image(folder.path(), Fixture::busybox());
    let nodes = "base-image \"base\" { context \"b\"; network \"none\"; }\n";
    let mut project = Project::new(&format!("pipeline \"p\"\n{nodes}"));
    project.env.insert("DOCKER_HOST".to_owned(), host.clone());
    project.write("b/Dockerfile", &format!("FROM {}\nRUN echo ready; sleep 4\n", Fixture::busybox()));

    let run = until_ready(&project);
    engine.kill();
    let ended = run.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(1), "{said}");
    let output = project.osgraph(&["runs"]);
    let runs = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(runs.contains("failed"), "{runs}");
    let output = project.osgraph(&["log", "base"]);
    let log = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(log.contains("ready"), "{log}");
    // Without an engine nothing begins.
    let none = project.try_run(&[]);
    assert_eq!(none.code, 3, "{}", none.text);

    // As after a start of the machine. A dead process that nobody buried is taken for a live one.
    std::fs::remove_file(folder.path().join("exec/containerd/containerd.pid")).unwrap();
    let _engine = start_engine(folder.path(), &host, &bridge, &[]);
    project.runs(&["base"]);
    project.is_fresh();
}
