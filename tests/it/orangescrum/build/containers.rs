//! Images that are built, and what they do as containers.

use super::serving::Contained;
use super::world::{PLANTED, World, found};
use crate::causes::project::Said;
use crate::docker::engine::docker;
use crate::docker::fixture::Fixture;

/// Looks through all that was made. In each place something that is there is looked for as well, so that a look
/// that sees nothing is no success.
pub fn hold_no_secret(world: &World, first: &Said) {
    assert!(!first.text.contains("no github-token"), "the secret was not mounted: {}", first.text);
    let planted = PLANTED.map(|(_, value)| value);
    let look = |what: &str, script: &str, args: &[&str], there: &str| {
        let found = found(script, args, &[&planted[..], &[there]].concat());
        assert_eq!(found.into_iter().collect::<Vec<_>>(), [there], "{what}");
    };
    look("the program", "cat \"$1\"", &[world.binary().to_str().unwrap()], "FrankenPHP v1.12.7");
    let images = world.images();
    assert!(images.len() >= 3, "base, embed, runtime: {images:?}");
    for image in &images {
        look("an image", "docker save \"$1\"", &[image], "org.example.test-build");
        look("its history", "docker history --no-trunc \"$1\"", &[image], "IMAGE");
    }
    let root = world.project.root.to_str().unwrap();
    look(
        "archives",
        "for each in \"$1\"/dist/*.gz; do gzip -dc \"$each\"; done",
        &[root],
        "FrankenPHP v1.12.7",
    );
    let script = "find \"$1\" -path \"$1/app\" -prune -o -type f -print0 | xargs -0 cat";
    look("packages, store, logs", script, &[root], "FrankenPHP v1.12.7");
    let said = planted.iter().find(|value| first.text.contains(**value));
    assert_eq!(said, None, "{}", first.text);
}

/// The runtime image, with no more rights than compose gives it, and without a database.
pub fn serve_it(world: &World) {
    let image = world.runtime();
    let program = "/opt/orangescrum/orangescrum-app/osv4-prod";
    let label = format!("{}-serving", world.name);
    let container = Contained::start(&[
        "--name",
        &label,
        "--read-only",
        "--cap-drop=ALL",
        "--security-opt=no-new-privileges",
        "--tmpfs=/tmp:exec",
        "--env=TMPDIR=/tmp",
        &image,
        program,
        "php-server",
    ]);
    assert_eq!(container.exec(&["id", "-u"]), "10001");
    container.exec(&["/opt/orangescrum/healthcheck.sh"]);
    assert_eq!(container.site.config()["ini"]["memory_limit"], "512M");
    assert!(container.exec(&[program, "version"]).starts_with("FrankenPHP v1.12.7 PHP "));
    assert_eq!(
        container.exec(&["cat", "/opt/orangescrum/LICENSES.txt"]),
        world.project.read("dist-docker/LICENSES.txt").trim_end()
    );
    // Only `.env` of the one who starts it knows secrets, and the first command refuses to go without.
    let said = crate::docker::engine::try_docker(&["run", "--rm", "--network=none", &image, "validate"]);
    assert!(!said.status.success());
    assert_eq!(docker(&["image", "inspect", "--format", "{{.Config.User}}", &image]), "10001:10001");
}

/// One file for every Linux: also for one that has no libc at all.
pub fn serve_it_without_a_libc(world: &World) {
    let label = format!("{}-bare", world.name);
    let mount = format!("--volume={}:/osv4-prod:ro", world.binary().display());
    let args =
        ["--name", &label, "--user=10001", "--env=HOME=/tmp", &mount, Fixture::busybox(), "/osv4-prod"];
    let container = Contained::start(&[&args[..], &["php-server"]].concat());
    assert_eq!(container.site.config()["ini"]["memory_limit"], "512M");
}
