//! `examples/docker`, end to end: the real binary and the real engine make the packages, and the
//! page of the native one is fetched over HTTP, the docker one built and run.
//!
//! One story instead of many tests, because its slow step takes a minute and is to run once.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::bootstrap::do_now;
use super::engine::{containers_with, docker, image, remove_image, try_docker};
use super::fixture::Fixture;
use crate::causes::project::Project;
use crate::server::Server;

const EVERY_NODE: [&str; 6] = ["base", "binary", "dist-docker", "dist-native", "embed", "source"];
const WHAT_FOLLOWS_THE_APP: [&str; 5] = ["binary", "dist-docker", "dist-native", "embed", "source"];
const WHAT_FOLLOWS_THE_BASE: [&str; 5] = ["base", "binary", "dist-docker", "dist-native", "embed"];

/// What the example calls its base.
const BASE: &str = "osgraph-example-notes-base";
/// On every image that is made here, so that it is found again to be removed.
const LABEL: &str = "org.example.osgraph-test";

/// A copy of the example that builds upon a Debian of this machine. What it makes in the engine
/// goes with it.
struct Example {
    project: Project,
    /// Of this process: what it calls its base, and what its label says.
    name: String,
}

impl Example {
    fn new() -> Self {
        let mut project = Project::new("");
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/docker");
        do_now(Command::new("cp").arg("--archive").arg(example.join(".")).arg(&project.root));
        for made in ["cache", "build", "dist", "dist-docker", "dist-native"] {
            let _ = fs::remove_dir_all(project.path(made));
        }
        project.general = vec!["--set".to_owned(), format!("base-image={}", Fixture::debian())];
        let name = format!("osgraph-test-whole-{}", std::process::id());
        let label = format!("label \"{LABEL}\" \"{name}\"");
        project.edit_pipeline(&format!("tag \"{BASE}\""), &format!("tag \"{name}\"\n    {label}"));
        project.edit_pipeline("network \"none\"", &format!("network \"none\"\n    {label}"));
        let example = Self { project, name };
        example.edit("builder/embed.Dockerfile", BASE, &example.name);
        example
    }

    /// Replaces text in a file; it must be there.
    fn edit(&self, file: &str, from: &str, to: &str) {
        let text = self.project.read(file);
        assert!(text.contains(from), "{from} is not in {file}");
        self.project.write(file, &text.replace(from, to));
    }

    /// Why a node that is asked for has this verdict, as `osgraph explain` has it: codes.
    fn reasons(&self, node: &str, verdict: &str) -> Vec<String> {
        let output = self.project.osgraph(&["explain", "--format", "json", node]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let all: Value = serde_json::from_slice(&output.stdout).unwrap();
        let one = all["nodes"].as_array().unwrap().iter().find(|one| one["node"] == node);
        let reasons = one.and_then(|one| one["verdict"][verdict].as_array());
        let reasons = reasons.unwrap_or_else(|| panic!("`{node}` is not {verdict}: {all}"));
        reasons.iter().map(|reason| reason["code"].as_str().unwrap().to_owned()).collect()
    }

    fn spoken(&self, args: &[&str]) -> String {
        let output = self.project.osgraph(args);
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }

    /// What the native package says at `target`.
    fn served(&self, target: &str) -> String {
        Server::start(&self.project.path("dist-native/run.sh")).get(target).1
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let label = format!("label={LABEL}={}", self.name);
        let images = docker(&["image", "ls", "--quiet", "--no-trunc", "--filter", &label]);
        images.lines().for_each(remove_image);
    }
}

/// The native archive, unpacked where nothing of the project is near.
fn the_native_package_serves(example: &Example) {
    let elsewhere = tempfile::tempdir().unwrap();
    let archive = example.project.path("dist/notes-native-1.0.0.tar.gz");
    do_now(
        Command::new("tar")
            .arg("--extract")
            .arg("--file")
            .arg(archive)
            .arg("--directory")
            .arg(elsewhere.path()),
    );
    let script = fs::read_dir(elsewhere.path()).unwrap().map(|entry| entry.unwrap().path());
    let script = script.map(|path| path.join("run.sh")).find(|path| path.exists());
    let script = script.unwrap_or_else(|| elsewhere.path().join("run.sh"));
    let mut server = Server::start(&script);
    let (head, body) = server.get("/");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(body.contains("<h1>Notes</h1>") && body.contains("Nothing noted yet"), "{body}");
    assert_eq!(server.get("/style.css").1, example.project.read("app/public/style.css"));
    assert!(server.get("/../app.php").0.starts_with("HTTP/1.1 404 "), "only `public` is public");
    let (head, _) = server.post("/", "text=buy+%3Cmilk%3E");
    assert!(head.starts_with("HTTP/1.1 303 "), "{head}");
    assert!(server.get("/").1.contains("buy &lt;milk&gt;"));
}

/// The docker package as its README has it, but for a network that is not needed to be well.
fn the_docker_package_is_well(example: &Example) {
    let folder = example.project.path("dist-docker");
    let label = format!("{LABEL}={}", example.name);
    let built = docker(&["build", "--quiet", "--label", &label, folder.to_str().unwrap()]);
    let image = built.lines().last().unwrap();
    let container = docker(&["run", "--detach", "--read-only", "--cap-drop=ALL", "--network=none", image]);
    let deadline = Instant::now() + Duration::from_secs(20);
    while !try_docker(&["exec", &container, "/notes", "health", "127.0.0.1:8080"]).status.success() {
        let ended = Instant::now() > deadline;
        if ended {
            let said = try_docker(&["logs", &container]);
            docker(&["rm", "--force", "--volumes", &container]);
            panic!("not well: {}", String::from_utf8_lossy(&said.stderr));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    docker(&["rm", "--force", "--volumes", &container]);
}

#[test]
fn the_docker_example_builds_serves_and_rebuilds_no_more_than_it_must() {
    let example = Example::new();
    let project = &example.project;

    project.runs(&EVERY_NODE);
    for made in [
        "dist-docker/bin/notes",
        "dist-native/bin/notes",
        "dist-native/.env",
        "dist/notes-docker-1.0.0.tar.gz",
    ] {
        assert!(project.exists(made), "{made} is missing");
    }
    the_native_package_serves(&example);
    the_docker_package_is_well(&example);
    project.is_fresh();
    assert_eq!(containers_with(&format!("{LABEL}={}", example.name)), "", "nothing is left running");

    // The application: the quick step and what follows.
    let about = project.read("app/templates/about.php");
    example.edit("app/templates/about.php", "One program", "A single program");
    project.runs(&WHAT_FOLLOWS_THE_APP);
    assert!(example.served("/about").contains("A single program"));
    project.write("app/templates/about.php", &about);
    let back = project.run();
    assert_eq!(back.ran, [] as [&str; 0], "switched back: {}", back.text);
    assert!(example.served("/about").contains("One program"));

    // The base: all but the application's tree.
    assert!(example.served("/about").contains("limited to 64M"));
    example.edit("builder/php.ini", "memory_limit = 64M", "memory_limit = 96M");
    project.runs(&WHAT_FOLLOWS_THE_BASE);
    assert!(example.served("/about").contains("limited to 96M"));

    // A change that changes nothing: the packer differs, what it packs does not.
    example.edit("builder/pack.php", "// Packs an application", "// Puts an application");
    let said = project.run();
    assert_eq!(said.ran, ["base", "embed"], "{}", said.text);
    project.is_fresh();

    // A pruned base that nobody needs costs nothing. Who needs it gets it from the store, without
    // its name; whoever asks for itself gets that back, too.
    let prune = || docker(&["image", "rm", "--force", &image(&example.name).unwrap()]);
    prune();
    project.is_fresh();
    example.edit("app/templates/about.php", "One program", "One small program");
    project.runs(&WHAT_FOLLOWS_THE_APP);
    assert!(example.served("/about").contains("One small program"));
    assert_eq!(example.reasons("base", "restorable"), ["tag-missing"]);
    let said = project.run_with(&["base"]);
    assert_eq!((said.ran.len(), &*said.restored), (0, &["base".to_owned()][..]), "{}", said.text);
    assert!(image(&example.name).is_some());

    // One that was not kept is made again, and the loss is named.
    project.edit_pipeline("keep \"store\"", "");
    project.is_fresh();
    example.edit("builder/php.ini", "memory_limit = 96M", "memory_limit = 128M");
    project.runs(&WHAT_FOLLOWS_THE_BASE);
    prune();
    project.is_fresh();
    assert_eq!(example.reasons("base", "stale"), ["image-missing"]);
    let spoken = example.spoken(&["explain", "base"]);
    assert!(spoken.contains("its image is no longer in the engine"), "{spoken}");
    example.edit("app/templates/about.php", "One small program", "One last program");
    project.runs(&EVERY_NODE);
    assert!(example.served("/about").contains("One last program"));
}
