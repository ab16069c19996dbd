//! BuildKit's own cache in a registry: with an engine of the test's own, whose cache is emptied.

use std::process::Command;

use super::fixture::Fixture;
use super::registry::registry;
use super::world::{do_now, engine_with_image, load_image};
use crate::causes::project::Project;

const NODE: &str = r#"
base-image "base" {
    context "b"
    label "number" "1"
    network "none"
    push "HOST/osgraph-test-caches:1"
    cache-from "type=registry,ref=HOST/osgraph-test-caches:1"
    cache-to "type=inline"
}
binary-extract "stamp" { image "base"; path "/stamp"; output "stamp" }
"#;

#[test]
fn cache_in_a_registry_is_taken_from_when_the_engine_lost_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let (_engine, _bridge, host) = engine_with_image(folder.path(), Fixture::busybox());
    let registry = registry(false);
    let mut project = Project::new(&format!("pipeline \"p\"\n{}", NODE.replace("HOST", &registry.host)));
    project.env.insert("DOCKER_HOST".to_owned(), host.clone());
    let text = format!("FROM {}\nRUN date +%s; cat /proc/uptime > /stamp\n", Fixture::busybox());
    project.write("b/Dockerfile", &text);
    project.runs(&["base", "stamp"]);
    let first = project.read("stamp");

    let prune = || {
        let docker = |args: &[&str]| do_now(Command::new("docker").env("DOCKER_HOST", &host).args(args));
        docker(&["system", "prune", "--all", "--force"]);
        assert_eq!(docker(&["image", "ls", "--all", "--quiet"]), "");
        load_image(folder.path(), &host, Fixture::busybox());
    };
    prune();
    // Another label makes another image of the same steps.
    project.edit_pipeline("\"number\" \"1\"", "\"number\" \"2\"");
    project.runs(&["base", "stamp"]);
    assert_eq!(project.read("stamp"), first, "taken from the registry");

    // What this proves: without the registry's cache, the step is carried out again.
    prune();
    let from = format!("    cache-from \"type=registry,ref={}/osgraph-test-caches:1\"\n", registry.host);
    project.edit_pipeline(&from, "");
    project.edit_pipeline("\"number\" \"2\"", "\"number\" \"3\"");
    project.runs(&["base", "stamp"]);
    assert_ne!(project.read("stamp"), first);
}

/// An engine's own builder knows no such exporter; a newer one with containerd's store does.
#[test]
fn cache_that_the_engine_cannot_export_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (_engine, _bridge, host) = engine_with_image(folder.path(), Fixture::busybox());
    let mut project = Project::new(
        "pipeline \"p\"\nbase-image \"base\" { context \"b\"; cache-to \"type=registry,ref=127.0.0.1:9/cache\"; }\n",
    );
    project.env.insert("DOCKER_HOST".to_owned(), host);
    project.write("b/Dockerfile", &format!("FROM {}\nENV A=1\n", Fixture::busybox()));
    let said = project.try_run(&[]);
    assert_eq!((said.code, &*said.failed), (1, &["base".to_owned()][..]), "{}", said.text);
    let help = "this engine knows `cache-to \\\"type=inline\\\"` only";
    assert!(said.text.contains(help), "{}", said.text);
}
