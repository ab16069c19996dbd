//! Finding engines and talking to them, over each transport and with each kind of engine.

use std::path::Path;
use std::process::Command;

use osgraph::run::docker::{CacheRecord, EngineError, Kind, Swept, temporary_name};
use serde_json::json;
use tempfile::tempdir;

use crate::docker::world::{
    certificates, do_now, doctor, engine_with_tls, entries, free_port, layer, podman, session, ssh_server,
    write,
};

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// Imports an image into the engine that `variables` name.
fn import(variables: &[(&str, &str)], folder: &Path, name: &str, changes: &[&str]) {
    let archive = folder.join("layer.tar");
    std::fs::write(&archive, layer("hello")).unwrap();
    let mut command = Command::new("docker");
    command.envs(variables.iter().copied()).arg("import");
    for change in changes {
        command.args(["--change", change]);
    }
    do_now(command.arg(&archive).arg(name));
}

#[test]
fn an_engine_is_reached_with_tls() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    certificates(folder);
    let (_engine, _bridge, host) = engine_with_tls(folder);
    let path = text(folder);
    let tls = [("DOCKER_HOST", &*host), ("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", &*path)];

    let (code, said) = doctor(&tls);
    assert_eq!(code, 0, "{said}");
    assert_eq!(said["tried"], json!([{"what": "DOCKER_HOST", "address": host, "outcome": "answered"}]));
    assert_eq!(
        (&said["engine"]["store"], &said["engine"]["buildkit"]),
        (&json!("classic (vfs)"), &json!(true))
    );
    assert_eq!(said["engine"].get("free_disk"), None, "who knows on which machine");

    // Images go through it, too.
    import(&tls, folder, "osgraph-test-engines-tls", &["ENV A=1"]);
    let far = session(&tls);
    let found = far.wait(far.engine().inspect("osgraph-test-engines-tls")).unwrap().unwrap();
    assert_eq!(found.config.env, ["A=1"]);
    let mut archive = far.archive(&found.id, "/folder/file", "test").unwrap();
    assert_eq!(entries(&mut archive), [("file".to_owned(), 0o751, "hello".to_owned())]);
    archive.close().unwrap();

    // What a build leaves in the engine's cache, by the only builder that needs no client of BuildKit.
    write(&folder.join("Dockerfile"), "FROM scratch\nCOPY Dockerfile /a\nCOPY Dockerfile /b\n");
    do_now(Command::new("tar").args(["-cf", "context.tar", "Dockerfile"]).current_dir(folder));
    let url = format!("{}/build?version=2&buildid=one", host.replace("tcp", "https"));
    let mut build = Command::new("curl");
    build.args(["--silent", "--show-error", "--fail", "--cacert", "ca.pem", "--cert", "cert.pem"]);
    build.args(["--key", "key.pem", "--header", "Content-Type: application/x-tar"]);
    do_now(build.args(["--data-binary", "@context.tar", &url]).current_dir(folder));
    // A builder may hold on to its records for a moment.
    let is_idle = |one: &&CacheRecord| one.description == "fileop target" && !one.shared && !one.in_use;
    let mut cache = far.wait(far.engine().build_cache()).unwrap();
    for _ in 0..100 {
        if cache.iter().any(|one| is_idle(&one)) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
        cache = far.wait(far.engine().build_cache()).unwrap();
    }
    let one = cache.iter().find(is_idle).unwrap_or_else(|| panic!("{cache:?}"));
    let planned = far.wait(far.engine().prune_build_cache(&[&one.id, "none"], true)).unwrap();
    assert_eq!((&planned.ids, planned.bytes), (&vec![one.id.clone()], one.bytes));
    assert_eq!(far.wait(far.engine().build_cache()).unwrap().len(), cache.len());
    let pruned = far.wait(far.engine().prune_build_cache(&[&one.id, "none"], false)).unwrap();
    assert_eq!(pruned, planned);
    let left = far.wait(far.engine().build_cache()).unwrap();
    assert_eq!(left.len(), cache.len() - 1);
    assert!(left.iter().all(|left| left.id != one.id));

    // A context, as the docker CLI itself writes it.
    let config = text(&folder.join("config"));
    let endpoint = format!("host={host},ca={path}/ca.pem,cert={path}/cert.pem,key={path}/key.pem");
    let mut create = Command::new("docker");
    create.env("DOCKER_CONFIG", &config).env_remove("DOCKER_HOST").env_remove("DOCKER_CONTEXT");
    do_now(create.args(["context", "create", "far", "--docker", &endpoint]));
    let by_variable = [("DOCKER_CONFIG", &*config), ("DOCKER_CONTEXT", "far")];
    let (code, said) = doctor(&by_variable);
    assert_eq!((code, &said["tried"][0]["what"]), (0, &json!("context `far` from DOCKER_CONTEXT")), "{said}");
    do_now(Command::new("docker").env("DOCKER_CONFIG", &config).args(["context", "use", "far"]));
    let (code, said) = doctor(&[("DOCKER_CONFIG", &*config)]);
    let what = format!("context `far` from `{config}/config.json`");
    assert_eq!((code, &said["tried"][0]["what"]), (0, &json!(what)), "{said}");
    assert_eq!(said["tried"][0]["address"], json!(host));
    do_now(Command::new("docker").env("DOCKER_CONFIG", &config).args(["context", "use", "default"]));
    assert_eq!(doctor(&[("DOCKER_CONFIG", &*config)]).1["tried"][0]["what"], json!("Docker"));

    // Nobody gets in without a certificate, and no stranger is taken for the engine.
    let fault = |variables: &[(&str, &str)]| {
        let (code, said) = doctor(variables);
        assert_eq!((code, &said["engine"]), (3, &json!(null)), "{said}");
        said["tried"][0]["message"].as_str().unwrap().to_owned()
    };
    let nobody = folder.join("nobody");
    write(&nobody.join("ca.pem"), &std::fs::read_to_string(folder.join("ca.pem")).unwrap());
    let without = text(&nobody);
    let said = fault(&[tls[0], tls[1], ("DOCKER_CERT_PATH", &without)]);
    assert!(said.contains("received fatal alert"), "{said}");
    let strange = folder.join("strange");
    std::fs::create_dir(&strange).unwrap();
    certificates(&strange);
    for name in ["cert.pem", "key.pem"] {
        std::fs::copy(folder.join(name), strange.join(name)).unwrap();
    }
    let strange = text(&strange);
    let careless = [tls[0], ("DOCKER_TLS", "1"), ("DOCKER_CERT_PATH", &*strange)];
    assert_eq!(doctor(&careless).0, 0, "whoever it may be");
    let said = fault(&[tls[0], tls[1], ("DOCKER_CERT_PATH", &strange)]);
    assert!(said.contains("invalid peer certificate"), "{said}");
    let said = fault(&[tls[0]]);
    assert!(said.contains("HTTP"), "{said}");
}

/// Whether a process ends within seconds. Its parent may be slow to bury it.
fn ends(process: &str) -> bool {
    let stat = Path::new("/proc").join(process).join("stat");
    let is_dead = || !std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z "));
    (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        is_dead()
    })
}

#[test]
fn an_engine_is_reached_over_ssh() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    let (_server, port) = ssh_server(folder);
    let search = format!("{}/bin:{}", text(folder), std::env::var("PATH").unwrap());
    let user = do_now(Command::new("id").arg("-un"));
    let host = format!("ssh://{}@127.0.0.1:{port}", user.trim());
    let (code, said) = doctor(&[("DOCKER_HOST", &host), ("PATH", &search)]);
    assert_eq!(code, 0, "{said}");
    assert_eq!((&said["engine"]["kind"], &said["engine"]["buildkit"]), (&json!("Docker"), &json!(true)));
    assert_eq!(said["engine"].get("free_disk"), None);
    let started = std::fs::read_to_string(folder.join("pid")).unwrap();
    assert!(started.lines().count() >= 2, "one for requests, one for BuildKit");
    for process in started.lines() {
        assert!(ends(process), "ssh outlives osgraph");
    }

    let (code, said) = doctor(&[("DOCKER_HOST", &format!("{host}/none.sock")), ("PATH", &search)]);
    assert_eq!(code, 3, "{said}");
    let why = said["tried"][0]["message"].as_str().unwrap();
    assert!(why.contains("none.sock"), "{why}");

    let nobody = format!("ssh://nobody-at-all@127.0.0.1:{port}");
    let (code, said) = doctor(&[("DOCKER_HOST", &nobody), ("PATH", &search)]);
    assert_eq!(code, 3, "{said}");
    let why = said["tried"][0]["message"].as_str().unwrap();
    assert!(why.contains("Permission denied"), "{why}");
    assert!(said["help"].as_str().unwrap().contains("without a password"), "{said}");

    let (code, said) = doctor(&[("DOCKER_HOST", &host), ("PATH", "/nowhere")]);
    assert_eq!(code, 3, "{said}");
    assert!(
        said["tried"][0]["message"].as_str().unwrap().contains("the program `ssh` was not found"),
        "{said}"
    );
}

#[test]
fn podman_keeps_images_and_does_not_build_them() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    let (_engine, socket) = podman(folder);
    let host = format!("unix://{}", socket.display());
    let here = [("DOCKER_HOST", &*host)];
    let (code, said) = doctor(&here);
    assert_eq!(code, 3, "{said}");
    assert_eq!(said["engine"]["kind"], json!("Podman"));
    assert_eq!(
        (&said["engine"]["store"], &said["engine"]["buildkit"]),
        (&json!("podman (vfs)"), &json!(false))
    );
    assert!(said["fault"].as_str().unwrap().contains("has no BuildKit"), "{said}");

    // The same image in both engines.
    let name = format!("osgraph-test-engines-both-{}", std::process::id());
    let changes = ["ENV A=1", "LABEL k=v", "EXPOSE 80", "CMD [\"x\"]", "VOLUME /data", "USER me"];
    import(&here, folder, &name, &changes);
    import(&[], folder, &name, &changes);
    let (theirs, docker) = (session(&here), session(&[]));
    let engine = theirs.engine();
    assert_eq!((engine.kind(), docker.engine().kind()), (Kind::Podman, Kind::Docker));
    let found = theirs.wait(engine.inspect(&name)).unwrap().unwrap();
    let in_docker = docker.wait(docker.engine().inspect(&name)).unwrap().unwrap();
    docker.wait(docker.engine().remove(&in_docker.id)).unwrap();
    assert!(found.id.starts_with("sha256:"), "{found:?}");
    assert_eq!((&found.diff_ids, &found.platform), (&in_docker.diff_ids, &in_docker.platform));
    assert_eq!(found.config, in_docker.config);
    assert_eq!(found.digest(), in_docker.digest());
    let nowhere = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
    assert_eq!(theirs.wait(engine.inspect(nowhere)).unwrap(), None);

    // What is asked of images otherwise.
    let mut archive = theirs.archive(&found.id, "/folder", "test").unwrap();
    assert_eq!(theirs.wait(engine.list_containers("test")).unwrap().len(), 1);
    let read = entries(&mut archive);
    let read: Vec<_> =
        read.iter().map(|(path, mode, text)| (path.trim_end_matches('/'), *mode, &**text)).collect();
    assert_eq!(read, [("folder", 0o755, ""), ("folder/file", 0o751, "hello")]);
    archive.close().unwrap();
    assert!(theirs.wait(engine.list_containers("test")).unwrap().is_empty());
    let missing = theirs.archive(&found.id, "/none", "test").map(|_| ());
    assert!(matches!(missing, Err(EngineError::Refused { status: 404, .. })), "{missing:?}");

    assert_eq!(theirs.wait(engine.list_labelled("k=v")).unwrap().len(), 1);
    let mine = temporary_name("both");
    let (repository, owner) = mine.split_once(':').unwrap();
    let parts: Vec<_> = owner.split('-').collect();
    // The same process of an earlier boot.
    let dead = format!("{repository}:{}-0-{}-{}-{}", parts[0], parts[2], parts[3], parts[4]);
    for name in [&mine, &dead] {
        theirs.wait(engine.tag(&found.id, name)).unwrap();
    }
    let swept = theirs.wait(engine.sweep("test")).unwrap();
    assert_eq!(swept, Swept { tags: vec![dead], ..Default::default() });
    let left = theirs.wait(engine.inspect(&mine)).unwrap().unwrap();
    assert_eq!(left.tags, [format!("{name}:latest"), mine]);
    assert!(theirs.wait(engine.remove(&found.id)).unwrap());
    assert_eq!(theirs.wait(engine.inspect(&found.id)).unwrap(), None);
}

#[test]
fn a_wrong_choice_is_not_made_good_by_another_engine() {
    let (code, said) = doctor(&[]);
    assert_eq!(code, 0, "{said}");

    let host = format!("tcp://127.0.0.1:{}", free_port());
    let (code, said) = doctor(&[("DOCKER_HOST", &host)]);
    assert_eq!((code, &said["engine"]), (3, &json!(null)), "{said}");
    assert_eq!(said["tried"].as_array().unwrap().len(), 1);
    assert_eq!(said["tried"][0]["outcome"], json!("failed"));
    assert!(said["tried"][0]["message"].as_str().unwrap().contains("refused"), "{said}");
    assert!(said["help"].as_str().unwrap().contains("DOCKER_HOST"), "{said}");

    let (code, said) = doctor(&[("DOCKER_CONTEXT", "no-such-context")]);
    assert_eq!((code, &said["tried"]), (3, &json!([])), "{said}");
    assert_eq!(said["fault"], json!("there is no context `no-such-context` (from DOCKER_CONTEXT)"));
}
