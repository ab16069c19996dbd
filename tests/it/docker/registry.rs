//! Images in the store and in registries of a test's own; upstream images locked by digest.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

use osgraph::reference::Reference;
use osgraph::run::docker::buildkit::CancelToken;
use osgraph::run::docker::{Auth, KeepError, Keyring, RegistryError, Session, Surroundings, Transfer, Watch};
use osgraph::run::docker::{keep, load};
use osgraph::store::Store;
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use crate::docker::world::{Beside, do_now, free_port, layer, podman, session, write, write_program};

/// Images that go with the test, by id or name.
struct Images(Vec<String>);

impl Images {
    /// Imports an image of one layer, whose file says `text`. Its id.
    fn import(&mut self, name: &str, text: &str) -> String {
        let folder = tempdir().unwrap();
        let archive = folder.path().join("layer.tar");
        fs::write(&archive, layer(text)).unwrap();
        let mut command = Command::new("docker");
        command.args(["import", "--change", "ENV A=1"]).arg(&archive).arg(name);
        let id = do_now(&mut command).trim().to_owned();
        self.0.push(id.clone());
        id
    }

    /// Builds an image with a layer for each of `texts`. Its id.
    fn build(&mut self, name: &str, texts: &[&str]) -> String {
        let folder = tempdir().unwrap();
        let base = format!("{name}-base");
        self.import(&base, name);
        let mut dockerfile = format!("FROM {base}\n");
        for (at, text) in texts.iter().enumerate() {
            write(&folder.path().join(at.to_string()), text);
            dockerfile.push_str(&format!("COPY {at} /{at}\n"));
        }
        write(&folder.path().join("Dockerfile"), &dockerfile);
        let mut command = Command::new("docker");
        command.env("DOCKER_BUILDKIT", "0").args(["build", "-q", "--no-cache", "-t", name, "."]);
        do_now(command.current_dir(folder.path()));
        let id = do_now(Command::new("docker").args(["inspect", "--format={{.Id}}", name])).trim().to_owned();
        self.0.push(id.clone());
        id
    }
}

impl Drop for Images {
    fn drop(&mut self) {
        for id in self.0.iter().rev() {
            // Steps of a build go with the last image that needs them.
            let _ = Command::new("docker").args(["rmi", "-f", id]).output();
        }
    }
}

/// A registry at a port of its own; with `me` and `s?e>cret` when it is `closed`.
pub struct Registry {
    pub host: String,
    _runs: Beside,
    _folder: TempDir,
}

const SECRET: &str = "s?e>cret";

pub fn registry(closed: bool) -> Registry {
    let folder = tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let host = format!("127.0.0.1:{}", free_port());
    let mut config = format!(
        "version: 0.1\nlog: {{level: error}}\nhttp: {{addr: \"{host}\"}}\nstorage: {{filesystem: {{rootdirectory: \
         {}}}}}\n",
        at("data")
    );
    if closed {
        let line = do_now(Command::new("htpasswd").args(["-Bbn", "me", SECRET]));
        write(&folder.path().join("users"), line.trim());
        config.push_str(&format!("auth: {{htpasswd: {{realm: test, path: {}}}}}\n", at("users")));
    }
    write(&folder.path().join("config.yml"), &config);
    let mut command = Command::new("docker-registry");
    let command = command.arg("serve").arg(folder.path().join("config.yml"));
    let runs = Beside::start(command, &folder.path().join("log")).until(|| TcpStream::connect(&host).is_ok());
    Registry { host, _runs: runs, _folder: folder }
}

fn reference(text: &str) -> Reference {
    Reference::parse(text).unwrap()
}

/// Does something that can be watched, and says how far it came.
fn watched<T>(work: impl FnOnce(&mut Watch<'_>) -> T) -> (T, Transfer) {
    let mut last = Transfer::default();
    let mut progress = |transfer: Transfer| {
        assert!(transfer.done >= last.done, "it goes forward: {last:?} {transfer:?}");
        last = transfer;
    };
    let cancel = CancelToken::new();
    let done = work(&mut Watch { cancel: &cancel, progress: &mut progress });
    (done, last)
}

fn push(session: &Session, name: &str, auth: &Auth) -> Result<String, RegistryError> {
    watched(|watch| session.wait(session.engine().push(&reference(name), auth, watch))).0
}

fn is_there(session: &Session, image: &str) -> bool {
    session.wait(session.engine().inspect(image)).unwrap().is_some()
}

#[test]
fn an_image_comes_back_from_the_store_as_it_was() {
    let session = session(&[]);
    let folder = tempdir().unwrap();
    let store = Store::open(&folder.path().join("cache")).unwrap();
    let mut images = Images(Vec::new());
    let text = "x".repeat(3 << 20);
    let id = images.build("osgraph-test-registry-kept", &["one", &text, "one"]);
    let facts = session.wait(session.engine().inspect(&id)).unwrap().unwrap();
    assert_eq!(facts.diff_ids.len(), 4);

    let (tree, seen) = watched(|watch| keep(&session, &store, &id, watch));
    let tree = tree.unwrap();
    assert!(store.has_tree(tree) && seen.done > 3 << 20, "{seen:?}");
    let before = store.info().unwrap().contents;
    assert_eq!(watched(|watch| keep(&session, &store, &id, watch)).0.unwrap(), tree);
    assert_eq!(store.info().unwrap().contents, before, "nothing is kept twice");

    // Another version of it shares its layers.
    let other = images.build("osgraph-test-registry-other", &["one", &text, "two"]);
    let other_tree = watched(|watch| keep(&session, &store, &other, watch)).0.unwrap();
    assert_ne!(other_tree, tree);

    drop(images);
    assert!(!is_there(&session, &id));
    let (loaded, seen) = watched(|watch| load(&session, &store, tree, watch));
    assert_eq!(loaded.unwrap(), id);
    assert_eq!(seen.done, seen.total);
    let _images = Images(vec![id.clone(), other.clone()]);
    let again = session.wait(session.engine().inspect(&id)).unwrap().unwrap();
    assert_eq!((again.digest(), &again.diff_ids, &again.tags), (facts.digest(), &facts.diff_ids, &vec![]));
    // It is no harm to have it already.
    assert_eq!(watched(|watch| load(&session, &store, tree, watch)).0.unwrap(), id);
    assert_eq!(watched(|watch| load(&session, &store, other_tree, watch)).0.unwrap(), other);
}

#[test]
fn what_cannot_be_kept_or_put_back_says_why() {
    let session = session(&[]);
    let folder = tempdir().unwrap();
    let store = Store::open(&folder.path().join("cache")).unwrap();
    let mut images = Images(Vec::new());
    let text = "y".repeat(3 << 20);
    let id = images.build("osgraph-test-registry-broken", &[&text]);
    let none = format!("sha256:{}", "0".repeat(64));
    let error = watched(|watch| keep(&session, &store, &none, watch)).0.unwrap_err();
    assert!(matches!(&error, KeepError::NoImage(image) if *image == none), "{error:?}");

    let stopped = CancelToken::new();
    stopped.cancel();
    let mut progress = |_| ();
    let error = keep(&session, &store, &id, &mut Watch { cancel: &stopped, progress: &mut progress });
    assert!(matches!(error, Err(KeepError::Cancelled)), "{error:?}");

    let tree = watched(|watch| keep(&session, &store, &id, watch)).0.unwrap();
    let error = load(&session, &store, tree, &mut Watch { cancel: &stopped, progress: &mut progress });
    assert!(matches!(error, Err(KeepError::Cancelled)), "{error:?}");
    // One byte of the large layer flips: the engine gets no image, and the store knows.
    let blobs = do_now(Command::new("find").arg(store.root().join("blobs")).args(["-type", "f"]));
    let blob = blobs.lines().next().unwrap();
    let mut bytes = fs::read(blob).unwrap();
    bytes[1 << 20] ^= 1;
    do_now(Command::new("chmod").args(["644", blob]));
    fs::write(blob, bytes).unwrap();
    drop(images);
    let error = watched(|watch| load(&session, &store, tree, watch)).0.unwrap_err();
    assert!(matches!(error, KeepError::Store(_)), "{error:?}");
    assert!(!is_there(&session, &id));
}

#[test]
fn an_image_goes_to_a_registry_and_comes_back_by_digest() {
    let session = session(&[]);
    let engine = session.engine();
    let registry = registry(false);
    let mut images = Images(Vec::new());
    let name = format!("{}/osgraph-test-registry/pushed:1", registry.host);
    let id = images.build(&name, &["one", &"z".repeat(2 << 20)]);
    let auth = Auth::default();
    assert_eq!(session.wait(engine.distribution(&reference(&name), &auth)).unwrap(), None);
    let (digest, seen) = watched(|watch| session.wait(engine.push(&reference(&name), &auth, watch)));
    let digest = digest.unwrap();
    assert!(seen.done > 2 << 20 && seen.done == seen.total, "{seen:?}");

    let remote = session.wait(engine.distribution(&reference(&name), &auth)).unwrap().unwrap();
    assert_eq!(remote.digest, digest);
    let platform = session.wait(engine.facts()).map(|facts| format!("{}/{}", facts.os, facts.arch)).unwrap();
    assert!(remote.has(&platform) && !remote.has("windows/arm64"), "{remote:?}");

    drop(images);
    assert!(!is_there(&session, &id));
    let pinned = reference(&name).at(&digest).unwrap();
    let _images = Images(vec![pinned.to_string()]);
    let (pulled, _) = watched(|watch| session.wait(engine.pull(&pinned, Some(&platform), &auth, watch)));
    assert_eq!(pulled.unwrap(), id);
    let created = session.wait(engine.created(&pinned.to_string())).unwrap().unwrap();
    assert!(created.starts_with("20"), "{created}");

    // What is not there.
    let gone = reference(&name).at(&format!("sha256:{}", "0".repeat(64))).unwrap();
    let error = watched(|watch| session.wait(engine.pull(&gone, None, &auth, watch))).0.unwrap_err();
    assert!(matches!(error, RegistryError::NotFound { .. }), "{error:?}");
    let error =
        push(&session, &format!("{}/osgraph-test-registry/none:1", registry.host), &auth).unwrap_err();
    assert!(matches!(error, RegistryError::NothingToPush { .. }), "{error:?}");
    let error = push(&session, &pinned.to_string(), &auth).unwrap_err();
    assert!(matches!(error, RegistryError::NoTag { .. }), "{error:?}");
    let nowhere = format!("127.0.0.1:{}/osgraph-test-registry/a:1", free_port());
    let error = session.wait(engine.distribution(&reference(&nowhere), &auth)).unwrap_err();
    assert!(matches!(error, RegistryError::Unreachable { .. }), "{error:?}");
    let stopped = CancelToken::new();
    stopped.cancel();
    let mut watch = Watch { cancel: &stopped, progress: &mut |_| () };
    let error = session.wait(engine.pull(&pinned, None, &auth, &mut watch)).unwrap_err();
    assert!(matches!(error, RegistryError::Cancelled { .. }), "{error:?}");
}

#[test]
fn a_registry_that_asks_who_is_there_is_told() {
    let session = session(&[]);
    let registry = registry(true);
    let mut images = Images(Vec::new());
    let name = format!("{}/osgraph-test-registry/closed:1", registry.host);
    images.import(&name, "closed");
    let auth = |auths: Value| {
        let text = json!({ "auths": auths }).to_string();
        let around = Surroundings {
            variable: &|name| (name == "DOCKER_CONFIG").then(|| "/c".to_owned()),
            read: &|_| Ok(text.clone().into_bytes()),
        };
        Keyring::read(&around).unwrap().of(&registry.host)
    };
    let host = registry.host.as_str();
    let right = auth(json!({ host: { "username": "me", "password": SECRET } }));
    let wrong = auth(json!({ host: { "username": "me", "password": "hush" } }));
    let error = push(&session, &name, &Auth::default()).unwrap_err();
    assert!(error.help().unwrap().contains(&format!("docker login {host}")), "{error:?}");
    for auth in [&Auth::default(), &wrong] {
        let asked = session.wait(session.engine().distribution(&reference(&name), auth)).unwrap_err();
        for error in [push(&session, &name, auth).unwrap_err(), asked] {
            assert!(matches!(error, RegistryError::Unauthorized { .. }), "{error:?}");
            assert!(!format!("{error:?} {error}").contains("hush"));
        }
    }
    let digest = push(&session, &name, &right).unwrap();
    let remote = session.wait(session.engine().distribution(&reference(&name), &right)).unwrap();
    assert_eq!(remote.unwrap().digest, digest);
}

/// A project whose nodes build on images of a registry.
struct Project {
    folder: TempDir,
}

const PIPELINE: &str = r#"pipeline "p" { param "tag" default="1"; }
base-image "base" {
    context "base"
    arg "TAG" "${tag}"
    tag "osgraph-test-registry-own"
}
base-image "next" {
    context "next"
}
command "alone" { run "true"; output "x"; }
"#;

impl Project {
    fn new(host: &str) -> Self {
        let project = Self { folder: tempdir().unwrap() };
        project.write("pipeline.kdl", PIPELINE);
        project.write("base/Dockerfile", &format!("ARG TAG\nFROM {host}/osgraph-test-registry/php:$TAG\n"));
        let pinned = format!("{host}/osgraph-test-registry/pinned@sha256:{}", "1".repeat(64));
        let next = format!(
            "FROM {pinned} AS pinned\nFROM osgraph-test-registry-own\nCOPY --from=pinned / /\n\
             COPY --from={host}/osgraph-test-registry/tool / /\n"
        );
        project.write("next/Dockerfile", &next);
        project.write("docker/config.json", "{}");
        project
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, below: &str, text: &str) {
        write(&self.path().join(below), text);
    }

    fn lock(&self) -> String {
        fs::read_to_string(self.path().join("pipeline.lock")).unwrap()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_osgraph"));
        command.arg("-C").arg(self.path()).args(args).stdin(Stdio::null());
        command.env("DOCKER_CONFIG", self.path().join("docker")).env("NO_COLOR", "1");
        for name in ["OSGRAPH_FILE", "OSGRAPH_STORE", "GITHUB_ACTIONS", "DOCKER_CONTEXT"] {
            command.env_remove(name);
        }
        command
    }

    /// The exit code, the JSON answer, what was said on standard error.
    fn said(&self, args: &[&str]) -> (i32, Value, String) {
        ended(self.command(args).arg("--json"))
    }

    /// `lock`, which must go well: image (without registry and repository), change.
    fn locked(&self, args: &[&str]) -> Vec<(String, String)> {
        let (code, answer, said) = self.said(&[&["lock"], args].concat());
        assert_eq!(code, 0, "{said}");
        let images = answer["images"].as_array().unwrap();
        let last = |image: &Value| image["image"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        images.iter().map(|one| (last(one), one["change"].as_str().unwrap().to_owned())).collect()
    }
}

fn ended(command: &mut Command) -> (i32, Value, String) {
    let output = command.output().unwrap();
    let answer = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    let said = String::from_utf8_lossy(&output.stderr).split_whitespace().collect::<Vec<_>>().join(" ");
    (output.status.code().unwrap(), answer, said)
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(image, change)| ((*image).to_owned(), (*change).to_owned())).collect()
}

#[test]
fn upstream_images_are_locked_and_move_only_when_told_to() {
    let session = session(&[]);
    let registry = registry(false);
    let mut images = Images(Vec::new());
    let put = |images: &mut Images, image: &str, text: &str| {
        let name = format!("{}/osgraph-test-registry/{image}", registry.host);
        images.import(&name, text);
        push(&session, &name, &Auth::default()).unwrap()
    };
    let first = put(&mut images, "php:1", "one");
    let tool = put(&mut images, "tool:latest", "tool");
    let project = Project::new(&registry.host);

    // What would be, and what is.
    let added = pairs(&[("php:1", "added"), ("tool:latest", "added")]);
    assert_eq!(project.locked(&["--dry-run"]), added);
    assert!(!project.path().join("pipeline.lock").exists());
    let (code, _, said) = project.said(&["outdated"]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("there is no lock file") && said.contains("osgraph lock"), "{said}");
    assert_eq!(project.locked(&[]), added);
    let text = project.lock();
    assert!(text.contains(&first) && text.contains(&tool) && !text.contains("pinned"), "{text}");
    assert_eq!(project.locked(&[]), pairs(&[("php:1", "kept"), ("tool:latest", "kept")]));
    assert_eq!(project.lock(), text);
    let (code, answer, said) = project.said(&["outdated"]);
    assert_eq!(code, 0, "{said}");
    assert!(answer["images"].as_array().unwrap().iter().all(|one| one["state"] == "same"), "{answer}");

    // The tag moves on; the lock does not.
    let second = put(&mut images, "php:1", "two");
    assert_ne!(first, second);
    let (code, answer, said) = project.said(&["outdated"]);
    assert_eq!(code, 0, "{said}");
    let php = &answer["images"][0];
    assert_eq!(
        (&php["state"], &php["locked"], &php["present"]),
        (&json!("moved"), &json!(first), &json!(second))
    );
    assert_eq!(php["cost"], json!({ "nodes": ["base"], "expected_ms": 0, "untimed": 1 }));
    assert!(php["age"]["present"].as_str().unwrap().starts_with("20"), "{answer}");
    assert_eq!(answer["images"][1]["state"], "same");
    assert_eq!(project.locked(&[])[0].1, "kept");
    assert_eq!(project.lock(), text);
    let (code, _, said) = ended(&mut project.command(&["outdated"]));
    assert_eq!(code, 0, "{said}");

    // Adopted by name, in any spelling that means it; an unknown one is an error.
    let (code, _, said) =
        project.said(&["lock", "--update", &format!("{}/osgraph-test-registry/phd:1", registry.host)]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("did you mean") && said.contains("php:1"), "{said}");
    let tool_name = format!("{}/osgraph-test-registry/tool", registry.host);
    assert_eq!(
        project.locked(&["--update", &tool_name]),
        pairs(&[("php:1", "kept"), ("tool:latest", "kept")])
    );
    let moved = pairs(&[("php:1", "moved"), ("tool:latest", "kept")]);
    assert_eq!(project.locked(&["--update", "all", "-n"]), moved);
    assert_eq!(project.lock(), text);
    assert_eq!(project.locked(&["--update", "all"]), moved);
    assert_eq!(project.lock(), text.replace(&first, &second));

    // The first is still there by its digest, for another platform's entry as well.
    let line = text.lines().find(|line| line.contains("php:1")).unwrap();
    let other = line.replace("linux/amd64", "linux/s390x").replace("linux/arm64", "linux/s390x");
    project.write("pipeline.lock", &text.replace(line, &format!("{other}\n{line}")));
    assert_eq!(project.locked(&[]).iter().filter(|(_, change)| change == "kept").count(), 3);

    // Another tag by a parameter; the entries of the first are dropped.
    let third = put(&mut images, "php:2", "three");
    let changes = project.locked(&["--set", "tag=2"]);
    assert_eq!(
        changes,
        pairs(&[("php:1", "dropped"), ("php:1", "dropped"), ("php:2", "added"), ("tool:latest", "kept")])
    );
    assert!(project.lock().contains(&third) && !project.lock().contains(&first));

    // A tag that is gone, one that nobody has locked, and a registry that is not there.
    let (code, answer, said) = project.said(&["outdated"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(answer["unlocked"][0]["image"], format!("{}/osgraph-test-registry/php:1", registry.host));
    assert_eq!(answer["images"][0]["cost"]["nodes"], json!([]), "nobody uses it");
    let gone = project.lock().replace("php:2", "php:9");
    project.write("pipeline.lock", &gone);
    let (code, answer, said) = project.said(&["outdated"]);
    assert_eq!((code, &answer["images"][0]["state"]), (0, &json!("gone")), "{said}");
    project.write("pipeline.lock", &gone.replace(&registry.host, &format!("127.0.0.1:{}", free_port())));
    let (code, answer, said) = project.said(&["outdated"]);
    assert_eq!((code, &answer["images"][0]["state"]), (3, &json!("unknown")), "{said}");
    assert!(said.contains("help: check the engine's network"), "{said}");
}

#[test]
fn a_lock_needs_what_it_asks() {
    let registry = registry(false);
    let project = Project::new(&registry.host);
    // Nothing was pushed.
    let (code, _, said) = project.said(&["lock"]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("there is no image") && said.contains("php:1"), "{said}");
    assert!(!project.path().join("pipeline.lock").exists(), "all or nothing");
    // No engine.
    let nowhere = project.path().join("no.sock");
    let mut command = project.command(&["lock"]);
    let (code, _, said) = ended(command.env("DOCKER_HOST", format!("unix://{}", nowhere.display())));
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("the container engine that DOCKER_HOST names cannot be used"), "{said}");
    // Mistakes come with their place.
    project.write("pipeline.lock", "lock version=2 {\n}\n");
    let (code, _, said) = project.said(&["lock"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("version 2 of the lock file is not known"), "{said}");
    fs::remove_file(project.path().join("pipeline.lock")).unwrap();
    project.write("base/Dockerfile", "FROM UPPER\n");
    project.write("next/Dockerfile", "RUN x\n");
    let (code, _, said) = project.said(&["lock"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("base/Dockerfile:1: `UPPER` is no image name") && said.contains("`RUN`"), "{said}");
}

#[test]
fn a_pipeline_without_upstream_images_needs_no_engine_and_no_file() {
    let project = Project { folder: tempdir().unwrap() };
    project.write("pipeline.kdl", "pipeline \"p\"\ncommand \"a\" { run \"true\"; output \"x\"; }\n");
    let mut command = project.command(&["lock"]);
    let (code, _, said) = ended(command.env("DOCKER_HOST", "unix:///nowhere/docker.sock"));
    assert_eq!(code, 0, "{said}");
    assert!(!project.path().join("pipeline.lock").exists());
}

#[test]
fn credentials_come_from_the_helper_that_the_configuration_names() {
    let session = session(&[]);
    let registry = registry(true);
    let host = registry.host.as_str();
    let mut images = Images(Vec::new());
    let name = format!("{host}/osgraph-test-registry/php:1");
    images.import(&name, "helped");
    let text = json!({ "auths": { host: { "username": "me", "password": SECRET } } }).to_string();
    let around = Surroundings { variable: &|_| None, read: &|_| Ok(text.clone().into_bytes()) };
    let digest = push(&session, &name, &Keyring::read(&around).unwrap().of(host)).unwrap();

    let project = Project::new(host);
    project.write("next/Dockerfile", "FROM osgraph-test-registry-own\n");
    project.write("docker/config.json", &json!({ "credHelpers": { host: "osgraph-test" } }).to_string());
    let asks = |project: &Project| {
        let path = std::env::var("PATH").unwrap();
        let mut command = project.command(&["lock", "--json"]);
        ended(command.env("PATH", format!("{}:{path}", project.path().join("bin").display())))
    };
    let (code, _, said) = asks(&project);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("the credential helper `docker-credential-osgraph-test` was not found"), "{said}");
    let helper = |body: &str| {
        write_program(
            &project.path().join("bin/docker-credential-osgraph-test"),
            &format!("#!/bin/sh\n{body}\n"),
        );
    };
    helper("echo 'credentials not found in native keychain'; exit 1");
    let (code, _, said) = asks(&project);
    assert!(code == 3 && said.contains(&format!("docker login {host}")), "{said}");
    helper("echo '{\"Secret\":\"hush\"'; echo locked >&2; exit 1");
    let (code, _, said) = asks(&project);
    assert!(code == 3 && said.contains("failed: locked") && !said.contains("hush"), "{said}");
    helper(&format!(
        "[ \"$1\" = get ] && read server && [ \"$server\" = {host} ] || {{ [ \"$server\" = {host} ] || exit 1; }}\n\
         echo '{{\"ServerURL\":\"\",\"Username\":\"me\",\"Secret\":\"{SECRET}\"}}'"
    ));
    let (code, _, said) = asks(&project);
    assert_eq!(code, 0, "{said}");
    assert!(project.lock().contains(&digest));
}

const BUILT: &str = r#"pipeline "p"
base-image "base" { context "base"; label "osgraph-test-registry" "HOST"; }
binary-extract "binary" { image "base"; path "/folder/file"; output "out"; }
"#;

#[test]
fn a_locked_image_is_built_upon_until_another_is_adopted() {
    let session = session(&[]);
    let registry = registry(false);
    let mut images = Images(Vec::new());
    let name = format!("{}/osgraph-test-registry/upstream:1", registry.host);
    images.import(&name, "one");
    push(&session, &name, &Auth::default()).unwrap();
    let project = Project { folder: tempdir().unwrap() };
    project.write("pipeline.kdl", &BUILT.replace("HOST", &registry.host));
    project.write("base/Dockerfile", &format!("FROM {name}\nCOPY Dockerfile /\n"));
    project.write("docker/config.json", "{}");
    let run = || {
        let (code, _, said) = ended(&mut project.command(&["run"]));
        assert_eq!(code, 0, "{said}");
        fs::read_to_string(project.path().join("out")).unwrap()
    };
    project.locked(&[]);
    assert_eq!(run(), "one");
    let other = images.import(&name, "two");
    push(&session, &name, &Auth::default()).unwrap();
    assert_eq!(run(), "one", "the tag does not count");
    let (_, answer, _) = project.said(&["outdated"]);
    assert_eq!(answer["images"][0]["cost"]["nodes"], json!(["base", "binary"]));
    assert_eq!(answer["images"][0]["cost"]["untimed"], 0);
    let (code, _, said) = project.said(&["run", "--expect-fresh", "base"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(project.locked(&["--update", &name]), pairs(&[("upstream:1", "moved")]));
    assert_eq!(run(), "two");
    let label = format!("--filter=label=osgraph-test-registry={}", registry.host);
    let built = do_now(Command::new("docker").args(["images", "-q", &label]));
    images.0.extend(built.lines().map(str::to_owned));
    assert_eq!(built.lines().count(), 2);
    assert!(is_there(&session, &other));
}

#[test]
fn podman_keeps_and_takes_the_same_trees() {
    let folder = tempdir().unwrap();
    let store = Store::open(&folder.path().join("cache")).unwrap();
    let docker = session(&[]);
    let mut images = Images(Vec::new());
    let id = images.build("osgraph-test-registry-podman", &["one", "two"]);
    let facts = docker.wait(docker.engine().inspect(&id)).unwrap().unwrap();
    let tree = watched(|watch| keep(&docker, &store, &id, watch)).0.unwrap();

    let (_engine, socket) = podman(folder.path());
    let host = format!("unix://{}", socket.display());
    let other = session(&[("DOCKER_HOST", host.as_str())]);
    let there = watched(|watch| load(&other, &store, tree, watch)).0.unwrap();
    let found = other.wait(other.engine().inspect(&there)).unwrap().unwrap();
    assert_eq!((found.digest(), &found.diff_ids), (facts.digest(), &facts.diff_ids));
    assert_eq!(there, id, "its ids are digests of configurations as well");
    assert_eq!(watched(|watch| keep(&other, &store, &there, watch)).0.unwrap(), tree);

    // Registries cannot be asked through it, which is said as it is.
    let registry = registry(false);
    let name = reference(&format!("{}/osgraph-test-registry/php:1", registry.host));
    let error = other.wait(other.engine().distribution(&name, &Auth::default())).unwrap_err();
    assert!(matches!(error, RegistryError::NotAsked), "{error:?}");
}
