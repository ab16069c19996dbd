//! What a person is told beside the work: little room, odd Dockerfiles.

use serde_json::{Value, json};

use super::world::engine_with_disk;
use crate::causes::project::Project;

#[test]
fn little_room_on_the_engines_disk_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let (_engine, _bridge, _disk, host) = engine_with_disk(folder.path(), 512);
    let mut project = Project::new("pipeline \"p\"\nbase-image \"base\" { context \"b\"; }\n");
    project.env.insert("DOCKER_HOST".to_owned(), host);
    project.write("b/Dockerfile", "FROM scratch\nCOPY a /a\n");
    project.write("b/a", "one");
    let said = project.runs(&["base"]);
    assert_eq!(said.warnings.len(), 1, "{}", said.text);
    let warning = &said.warnings[0];
    let data = folder.path().join("data");
    assert!(warning.starts_with("only ") && warning.contains(" MiB are free in the engine's"), "{warning}");
    assert!(warning.contains(data.to_str().unwrap()), "{warning}");

    // Where nothing is built, nobody is told.
    assert_eq!(project.run().warnings, [""; 0]);
    // An image that was built has its size.
    project.write("b/a", "two");
    let again = project.runs(&["base"]);
    assert!(again.warnings[0].ends_with(", and its last image has 3 B: the build may fail"), "{again:?}");
}

#[test]
fn explain_notes_what_is_odd_about_a_dockerfile() {
    let project = Project::new(
        "pipeline \"p\"\nbase-image \"base\" { context \"b\"; arg \"UNUSED\" \"1\"; secret \"key\" env=\"K\" \
         required=#false; }\n",
    );
    let text = "# syntax=docker/dockerfile:1.7\nFROM scratch\nADD https://a.example/x /x\n";
    project.write("b/Dockerfile", text);
    let output = project.osgraph(&["explain", "--json"]);
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        said["nodes"][0]["notes"],
        json!([
            "build argument `UNUSED` is used by nothing in `b/Dockerfile`",
            "secret `key` is mounted by no RUN in `b/Dockerfile`",
            "`b/Dockerfile` copies nothing of the context `b`: none of it counts",
            "`# syntax=docker/dockerfile:1.7` is not followed: the engine's own reader is used (b/Dockerfile:1)",
            "ADD takes `https://a.example/x` as it is when it is built, and nothing runs when it changes; \
             `--checksum=sha256:…` pins it (b/Dockerfile:3)",
        ]),
        "{said}"
    );
}
