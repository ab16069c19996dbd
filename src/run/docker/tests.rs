//! Against the engine of this machine, at the place that the environment names.

use std::io::Read;
use std::path::Path;

use bollard::query_parameters::CreateImageOptions;
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

/// The engine that the docker CLI would take. Tests without one fail.
pub(super) fn service() -> Service {
    Service::new(|| {
        endpoint::choose(&Surroundings {
            variable: &|name| std::env::var(name).ok(),
            read: &|path| std::fs::read(path),
        })
    })
}

#[test]
fn the_engine_says_what_it_is() {
    let (session, tried) = service().search().unwrap();
    assert_eq!(tried.last().unwrap().outcome, TryOutcome::Answered);
    let facts = session.wait(session.engine().facts()).unwrap();
    assert!(facts.api >= ApiVersion::OLDEST, "{facts:?}");
    assert_eq!(facts.kind, Kind::Docker, "{facts:?}");
    assert!(facts.buildkit && facts.require_buildkit().is_ok(), "{facts:?}");
    assert_eq!(facts.os, "linux");
    assert!(!facts.root.is_empty() && !facts.version.is_empty() && !facts.arch.is_empty(), "{facts:?}");
    if Path::new(&facts.root).exists() {
        assert!(facts.free_disk.unwrap() > 0);
    }
}

#[test]
fn a_stream_is_switched_to_http_2() {
    let session = service().session().unwrap();
    session.wait(async {
        let mut stream = upgrade(session.engine().dialer(), "/grpc", &[]).await.unwrap();
        // The preface and empty settings; whoever speaks HTTP/2 answers with settings: frame type 4.
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
        let mut frame = [0; 9];
        stream.read_exact(&mut frame).await.unwrap();
        assert_eq!(frame[3], 4);
    });
}

#[test]
fn a_refused_upgrade_says_why() {
    let session = service().session().unwrap();
    let refused = session.wait(upgrade(session.engine().dialer(), "/nowhere", &[("X-A", "b".to_owned())]));
    let Err(EngineError::Refused { status: 404, message, .. }) = refused.map(|_| ()) else {
        panic!("not refused");
    };
    assert_eq!(message, "page not found");
}

/// An image that is removed, with all its names, when a test ends.
struct TestImage {
    session: Session,
    name: String,
    id: String,
}

impl TestImage {
    /// An image of one layer with one file, `changes` being lines of a Dockerfile.
    fn new(session: &Session, name: &str, text: &str, changes: &[&str]) -> Self {
        let mut layer = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Directory);
        header.set_mode(0o755);
        header.set_size(0);
        layer.append_data(&mut header, "folder/", std::io::empty()).unwrap();
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o755);
        header.set_size(text.len() as u64);
        layer.append_data(&mut header, "folder/file", text.as_bytes()).unwrap();
        let name = format!("osgraph-test-engine-{name}-{}", std::process::id());
        let options = CreateImageOptions {
            from_src: Some("-".to_owned()),
            repo: Some(name.clone()),
            tag: Some("latest".to_owned()),
            changes: changes.iter().map(|line| (*line).to_owned()).collect(),
            ..Default::default()
        };
        let body = bollard::body_full(Bytes::from(layer.into_inner().unwrap()));
        session.wait(async {
            let mut said = session.engine().docker().create_image(Some(options), Some(body), None);
            while let Some(line) = said.next().await {
                line.unwrap();
            }
        });
        let id = session.wait(session.engine().inspect(&name)).unwrap().unwrap().id;
        Self { session: session.clone(), name, id }
    }

    fn facts(&self) -> ImageFacts {
        self.session.wait(self.session.engine().inspect(&self.id)).unwrap().unwrap()
    }
}

impl Drop for TestImage {
    fn drop(&mut self) {
        let _ = self.session.wait(self.session.engine().remove(&self.id));
    }
}

/// The entries of a tar archive: path, mode, content.
fn entries(archive: impl Read) -> Vec<(String, u32, String)> {
    let mut archive = tar::Archive::new(archive);
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_str().unwrap().to_owned();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        (path, entry.header().mode().unwrap() & 0o777, text)
    });
    entries.collect()
}

#[test]
fn an_image_is_known_by_its_content() {
    let session = service().session().unwrap();
    let engine = session.engine();
    let changes = ["ENV A=1", "LABEL k=v", "WORKDIR /folder", "EXPOSE 80", "CMD [\"x\"]"];
    let one = TestImage::new(&session, "content-one", "hello", &changes);
    let relabelled = TestImage::new(
        &session,
        "content-two",
        "hello",
        &[&changes[..], &["LABEL org.osgraph.node=x"]].concat(),
    );
    let other = TestImage::new(&session, "content-three", "hullo", &changes);
    let facts = one.facts();
    assert_eq!(facts.diff_ids.len(), 1);
    assert_eq!(facts.config.env, ["A=1"]);
    assert_eq!(facts.config.workdir, "/folder");
    assert!(facts.config.ports.contains("80/tcp") && facts.config.labels["k"] == "v");
    assert_eq!(facts.platform.os, "linux");
    assert!(facts.bytes >= 5 && facts.tags == [format!("{}:latest", one.name)], "{facts:?}");
    assert_ne!(one.id, relabelled.id);
    assert_eq!(facts.digest(), relabelled.facts().digest(), "our labels do not count");
    assert_ne!(facts.digest(), other.facts().digest());

    let store = &session.wait(engine.facts()).unwrap().store;
    let recorded = facts.image(store);
    assert_eq!((&recorded.id, &recorded.diff_ids), (&one.id, &facts.diff_ids));
    assert_eq!(recorded.config.is_some(), store.id_is_configuration());

    let nowhere = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
    let asked = [&*other.id, nowhere, "osgraph-test-engine-none:1", &*one.name];
    let found = session.wait(engine.inspect_all(&asked)).unwrap();
    let ids: Vec<_> = found.iter().map(|one| one.as_ref().map(|facts| &facts.id)).collect();
    assert_eq!(ids, [Some(&other.id), None, None, Some(&one.id)]);
}

#[test]
fn images_are_named_listed_and_removed() {
    let session = service().session().unwrap();
    let engine = session.engine();
    let label = format!("org.osgraph.test-{}", std::process::id());
    let image = TestImage::new(&session, "names", "names", &[&format!("LABEL {label}=a")]);
    let name = format!("{}:further", image.name);
    session.wait(engine.tag(&image.id, &name)).unwrap();
    let listed = session.wait(engine.list_labelled(&label)).unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].id, image.id);
    assert_eq!((listed[0].tags.len(), &*listed[0].labels[&label]), (2, "a"));
    assert!(session.wait(engine.list_labelled(&format!("{label}=b"))).unwrap().is_empty());

    assert!(session.wait(engine.untag(&name)).unwrap());
    assert!(!session.wait(engine.untag(&name)).unwrap(), "it is gone");
    assert_eq!(image.facts().tags, [format!("{}:latest", image.name)]);
    session.wait(engine.tag(&image.id, &name)).unwrap();
    assert!(session.wait(engine.remove(&image.id)).unwrap(), "with two names");
    assert!(!session.wait(engine.remove(&image.id)).unwrap());
    assert_eq!(session.wait(engine.inspect(&image.id)).unwrap(), None);
    let error = session.wait(engine.tag(&image.id, &name)).unwrap_err();
    assert!(matches!(error, EngineError::Refused { status: 404, .. }), "{error:?}");
}

#[test]
fn paths_are_read_out_of_an_image() {
    let session = service().session().unwrap();
    let engine = session.engine();
    // No command, and a volume: each would be in the way if it were not seen to.
    let text = "x".repeat(3 << 20);
    let image = TestImage::new(&session, "paths", &text, &["VOLUME /data"]);
    let project = format!("test-paths-{}", std::process::id());
    let mut archive = session.archive(&image.id, "/folder", &project).unwrap();
    let made = session.wait(engine.list_containers(&project)).unwrap();
    assert_eq!(made.len(), 1);
    assert_eq!(made[0].labels[PROJECT_LABEL], project);
    assert_eq!(made[0].labels[OWNER_LABEL], Owner::this().to_string());
    let found = entries(&mut archive);
    assert_eq!(found.len(), 2);
    assert_eq!(found[0], ("folder/".to_owned(), 0o755, String::new()));
    assert!(found[1] == ("folder/file".to_owned(), 0o755, text));
    archive.close().unwrap();
    assert!(session.wait(engine.list_containers(&project)).unwrap().is_empty());

    // Given up in the middle.
    drop(session.archive(&image.id, "/folder/file", &project).unwrap());
    let Err(EngineError::Refused { status: 404, message, .. }) =
        session.archive(&image.id, "/none", &project).map(|_| ())
    else {
        panic!("there is such a path");
    };
    assert!(message.contains("/none"), "{message}");
    assert!(session.wait(engine.list_containers(&project)).unwrap().is_empty());
}

#[test]
fn only_leftovers_of_dead_processes_are_swept() {
    let session = service().session().unwrap();
    let engine = session.engine();
    let image = TestImage::new(&session, "sweep", "sweep", &[]);
    let project = format!("test-sweep-{}", std::process::id());
    let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    let of_child = Owner::of(child.id());
    let name = |owner: &Owner| format!("osgraph/tmp-test-sweep-{}:{owner}", std::process::id());

    let mine = session.wait(engine.create_container(&image.id, &project)).unwrap();
    let theirs = session.wait(engine.create_container_for(&of_child, &image.id, &project)).unwrap();
    let other = session.wait(engine.create_container_for(&of_child, &image.id, "test-other")).unwrap();
    for owner in [&Owner::this(), &of_child] {
        session.wait(engine.tag(&image.id, &name(owner))).unwrap();
    }
    assert_eq!(session.wait(engine.sweep(&project)).unwrap(), Swept::default(), "all of them live");

    child.kill().unwrap();
    child.wait().unwrap();
    let swept = session.wait(engine.sweep(&project)).unwrap();
    assert_eq!(swept.containers, [theirs]);
    assert_eq!(swept.tags, [name(&of_child)]);
    let left: Vec<_> =
        session.wait(engine.list_containers(&project)).unwrap().into_iter().map(|one| one.id).collect();
    assert_eq!(left, [&*mine]);
    assert_eq!(session.wait(engine.list_containers("test-other")).unwrap().len(), 1);
    assert!(image.facts().tags.contains(&name(&Owner::this())));
    // The last name would take the image with it.
    let image = TestImage::new(&session, "sweep-last", "last", &[]);
    session.wait(engine.tag(&image.id, &name(&of_child))).unwrap();
    session.wait(engine.untag(&image.name)).unwrap();
    let swept = session.wait(engine.sweep(&project)).unwrap();
    assert!(swept.tags.is_empty(), "{swept:?}");
    assert!(swept.orphans.iter().any(|one| one.id == image.id), "{swept:?}");
    assert_eq!(image.facts().tags, [name(&of_child)]);
    for id in [&mine, &other] {
        session.wait(engine.remove_container(id)).unwrap();
    }
}

#[test]
fn the_build_cache_is_listed_and_only_what_is_named_is_pruned() {
    let session = service().session().unwrap();
    let engine = session.engine();
    session.wait(engine.build_cache()).unwrap();
    for dry_run in [true, false] {
        let pruned = session.wait(engine.prune_build_cache(&["no-such-record"], dry_run)).unwrap();
        assert_eq!(pruned, Pruned::default());
    }
}

#[test]
fn a_session_may_be_used_by_many_threads_and_dropped_anywhere() {
    let session = service().session().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..5 {
                    session.wait(session.engine().inspect("osgraph-test-engine-none")).unwrap();
                }
            });
        }
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async move { drop(session) });
}

#[test]
fn the_user_s_choice_is_never_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = folder.path().join("nobody.sock");
    let host = format!("unix://{}", nobody.display());
    let service = Service::new(move || {
        endpoint::choose(&Surroundings {
            variable: &|name| (name == "DOCKER_HOST").then(|| host.clone()),
            read: &|_| Err(std::io::ErrorKind::NotFound.into()),
        })
    });
    let error = service.session().map(|_| ()).unwrap_err();
    assert!(matches!(&error, EngineError::Chosen { tried, .. } if tried.what == "DOCKER_HOST"), "{error:?}");
    assert!(error.is_missing() && error.help().is_some());
    let said = error::chain(&error);
    assert!(said.contains("DOCKER_HOST") && said.contains("No such file"), "{said}");
}

#[test]
fn usual_places_are_tried_until_one_answers() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &'static str, path: &Path| Endpoint {
        address: Address::Unix(path.to_owned()),
        origin: Origin::Usual(name),
    };
    // A socket that nobody listens at any more.
    let stale = folder.path().join("stale.sock");
    drop(std::os::unix::net::UnixListener::bind(&stale).unwrap());
    let working = service().session().unwrap().engine().endpoint().address.clone();
    let Address::Unix(working) = working else { panic!("needs a local engine") };
    let list = vec![
        place("none", &folder.path().join("none.sock")),
        place("stale", &stale),
        place("working", &working),
        place("unasked", &working),
    ];
    let only_bad = list[..2].to_vec();
    let (_session, tried) = Service::new(move || Ok(Choice::Usual(list.clone()))).search().unwrap();
    let outcomes: Vec<_> = tried.iter().map(|one| (&*one.what, one.outcome.clone())).collect();
    assert_eq!(outcomes.len(), 3);
    assert_eq!(outcomes[0], ("none", TryOutcome::Absent));
    assert!(matches!(&outcomes[1], ("stale", TryOutcome::Failed(why)) if why.contains("refused")));
    assert_eq!(outcomes[2], ("working", TryOutcome::Answered));

    let error = Service::new(move || Ok(Choice::Usual(only_bad.clone()))).session().map(|_| ()).unwrap_err();
    assert_eq!(error.tried().len(), 2);
    assert!(error.to_string().starts_with("no container engine answers; `unix://"), "{error}");
}

/// Takes a connection, answers one request on it and closes it.
fn answer(listener: &std::os::unix::net::UnixListener, status: &str, headers: &str, body: &str) {
    let (mut stream, _) = listener.accept().unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let length = body.len();
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}\r\n{body}");
    std::io::Write::write_all(&mut stream, answer.as_bytes()).unwrap();
}

#[test]
fn a_connection_that_was_closed_meanwhile_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("restarted.sock");
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let server = std::thread::spawn(move || {
        answer(&listener, "200 OK", "", "{\"Version\":\"20.10.1\",\"ApiVersion\":\"1.41\"}");
        for _ in 0..3 {
            answer(&listener, "404 Not Found", "", "{\"message\":\"no such image\"}");
        }
    });
    let endpoint = Endpoint { address: Address::Unix(path), origin: Origin::Variable };
    let session = Service::new(move || Ok(Choice::Chosen(endpoint.clone()))).session().unwrap();
    for _ in 0..3 {
        // Whoever closes, does so while nobody looks.
        std::thread::sleep(std::time::Duration::from_millis(50));
        assert_eq!(session.wait(session.engine().inspect("none")).unwrap(), None);
    }
    server.join().unwrap();
}

#[test]
fn what_answers_and_is_no_engine_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("odd.sock");
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let answers = [
        (
            "404 Not Found",
            "{\"message\":\"page not found\"}",
            "refused to tell its version (404): page not found",
        ),
        ("200 OK", "<html>", "it is no container engine"),
        ("200 OK", "{\"Version\":\"19.03.15\",\"ApiVersion\":\"1.40\"}", "has API 1.40"),
    ];
    let server = std::thread::spawn(move || {
        for (status, body, _) in answers {
            answer(&listener, status, "Connection: close\r\n", body);
        }
    });
    for (_, _, expected) in answers {
        let address = Address::Unix(path.clone());
        let endpoint = Endpoint { address, origin: Origin::Variable };
        let service = Service::new(move || Ok(Choice::Chosen(endpoint.clone())));
        let said = error::chain(&service.session().map(|_| ()).unwrap_err());
        assert!(said.contains(expected), "{said}");
    }
    server.join().unwrap();
}
