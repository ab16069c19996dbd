//! The README's first command, end to end: the real binary builds `examples/quickstart`, and the
//! page of the package that comes out is fetched over HTTP.
//!
//! One story instead of many tests, because its slow step takes seconds and is to run once.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::server::Server;

const EVERY_NODE: [&str; 6] = ["base", "binary", "dist-docker", "dist-native", "embed", "source"];
const WHAT_FOLLOWS_THE_APP: [&str; 5] = ["binary", "dist-docker", "dist-native", "embed", "source"];

/// A copy of the example in a folder of its own.
struct Project {
    root: PathBuf,
    _folder: tempfile::TempDir,
}

/// What one `osgraph run` said.
struct Said {
    /// Nodes that were made rather than found fresh or put back.
    ran: BTreeSet<String>,
    finished: Value,
}

impl Project {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("quickstart");
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/quickstart"), &root);
        Self { root, _folder: folder }
    }

    fn osgraph(&self, args: &[&str]) -> std::process::Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_osgraph"));
        command.arg("-C").arg(&self.root).args(args).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("OSGRAPH_")) {
                command.env_remove(name);
            }
        }
        command.output().unwrap()
    }

    /// Runs the pipeline, which must succeed.
    fn run(&self) -> Said {
        let output = self.osgraph(&["run", "--format", "json"]);
        let text = String::from_utf8(output.stdout).unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}\n{text}\n{errors}", output.status);
        let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(events.iter().all(|event| event["v"] == 1), "{text}");
        let named = |wanted: &str| events.iter().filter(|event| event["event"] == wanted).collect::<Vec<_>>();
        let ran = named("node_finished")
            .iter()
            .filter(|event| event["outcome"] == "ran")
            .map(|event| event["node"].as_str().unwrap().to_owned())
            .collect();
        let finished = named("run_finished");
        assert_eq!(finished.len(), 1, "{text}");
        Said { ran, finished: finished[0].clone() }
    }

    /// Runs the pipeline, which must find that no node has to run.
    fn run_makes_nothing(&self, when: &str) -> Value {
        let said = self.run();
        assert!(said.ran.is_empty(), "{when}: {:?}", said.ran);
        assert_eq!((&said.finished["ran"], &said.finished["failed"]), (&0.into(), &0.into()), "{when}");
        said.finished
    }

    fn path(&self, below: &str) -> PathBuf {
        self.root.join(below)
    }

    fn read(&self, below: &str) -> String {
        fs::read_to_string(self.path(below)).unwrap()
    }

    /// What the native package serves at `target`, fetched from a server started for it.
    fn served(&self, target: &str) -> (String, String) {
        Server::start(&self.path("dist-native/run.sh")).get(target)
    }
}

/// Copies a folder with modes and symlinks, without what an earlier run may have left in it.
fn copy(from: &Path, to: &Path) {
    const MADE: [&str; 6] = ["cache", "build", "dist", "dist-docker", "dist-native", ".env"];
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().unwrap();
        if MADE.iter().any(|name| entry.file_name() == *name) {
            continue;
        } else if kind.is_dir() {
            copy(&source, &target);
        } else if kind.is_symlink() {
            symlink(fs::read_link(&source).unwrap(), &target).unwrap();
        } else {
            fs::copy(&source, &target).unwrap();
        }
    }
}

fn touch(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_symlink() {
            continue;
        } else if path.is_dir() {
            touch(&path);
        } else {
            fs::File::open(&path).unwrap().set_modified(std::time::SystemTime::now()).unwrap();
        }
    }
}

fn names(nodes: &[&str]) -> BTreeSet<String> {
    nodes.iter().map(|node| (*node).to_owned()).collect()
}

#[test]
fn quickstart_builds_serves_and_rebuilds_no_more_than_it_must() {
    let project = Project::new();

    let first = project.run();
    assert_eq!(first.ran, names(&EVERY_NODE));
    assert_eq!(first.finished["outcome"], "ran");
    for kind in ["docker", "native"] {
        for made in [
            format!("dist-{kind}/bin/server"),
            format!("dist-{kind}/docs/operating.md"),
            format!("dist-{kind}/.env"),
            format!("dist/quickstart-{kind}-1.0.0.tar.gz"),
            format!("dist/quickstart-{kind}-1.0.0.tar.zst"),
        ] {
            assert!(project.path(&made).is_file(), "{made} is missing");
        }
    }
    let mode = |path: &str| project.path(path).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("dist-native/bin/server"), mode("dist-native/run.sh")), (0o755, 0o755));

    let page = project.read("app/index.html");
    let (head, body) = project.served("/");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(body.contains("<title>Tasks board</title>"), "{body}");
    assert_eq!(body, page);
    for (target, file) in [
        ("/help/how%20to%20use%20%282%20minutes%29.html", "app/help/how to use (2 minutes).html"),
        ("/help/%C3%BCbersicht.html", "app/help/übersicht.html"),
        ("/start.html", "app/index.html"),
        ("/robots.txt", "app/robots.txt"),
    ] {
        assert_eq!(project.served(target).1, project.read(file), "{target}");
    }

    let again = project.run_makes_nothing("a second run");
    assert_eq!(again["outcome"], "fresh");
    let spoken = project.osgraph(&["run", "--color", "never"]);
    assert!(spoken.status.success());
    let spoken = [spoken.stdout, spoken.stderr].concat();
    assert!(String::from_utf8_lossy(&spoken).contains("fresh"), "a run that does nothing says so");

    touch(&project.root.join("app"));
    touch(&project.root.join("builder"));
    assert_eq!(project.run_makes_nothing("all touched")["outcome"], "fresh");

    let mine = "# mine\nAPP_BIND_IP=127.0.0.1\n";
    fs::write(project.path("dist-native/.env"), mine).unwrap();
    project.run_makes_nothing("a changed seed");

    let changed = page.replace("<title>Tasks board</title>", "<title>Another board</title>");
    assert_ne!(changed, page);
    fs::write(project.path("app/index.html"), &changed).unwrap();
    assert_eq!(project.run().ran, names(&WHAT_FOLLOWS_THE_APP));
    assert_eq!(project.served("/").1, changed);

    fs::write(project.path("app/index.html"), &page).unwrap();
    assert_eq!(project.run_makes_nothing("switched back")["outcome"], "restored");
    assert_eq!(project.read("dist-native/.env"), mine, "the user's file stays");
    assert_eq!(project.served("/").1, page);

    fs::remove_dir_all(project.path("dist-native")).unwrap();
    project.run_makes_nothing("a package removed");
    assert_eq!(project.served("/").1, page);
    assert_eq!(project.read("dist-native/.env"), project.read("dist-native/.env.example"));

    fs::write(project.path("VERSION"), "1.0.1\n").unwrap();
    let released = project.run().ran;
    assert!(released.is_subset(&names(&["dist-docker", "dist-native"])), "a new version ran {released:?}");
    assert!(project.path("dist/quickstart-native-1.0.1.tar.gz").is_file());
    assert!(project.path("dist/quickstart-native-1.0.0.tar.gz").is_file(), "older archives are kept");
}
