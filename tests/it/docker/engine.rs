//! The engine of this machine, through its own command line. A test that needs it fails without.

use std::ffi::OsStr;
use std::fmt::Debug;
use std::process::{Command, Output, Stdio};

/// `docker …`, whatever comes of it.
pub fn try_docker<A: AsRef<OsStr> + Debug>(args: &[A]) -> Output {
    // The builder that needs no further program beside the engine.
    let output = Command::new("docker").args(args).env("DOCKER_BUILDKIT", "0").stdin(Stdio::null()).output();
    output.unwrap_or_else(|error| panic!("docker (Debian: docker.io) is needed: {error}"))
}

/// `docker …`, which must succeed; what it printed.
#[track_caller]
pub fn docker<A: AsRef<OsStr> + Debug>(args: &[A]) -> String {
    let output = try_docker(args);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "docker {args:?}: {said}");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// The id behind a name, if the engine has such an image.
pub fn image(name: &str) -> Option<String> {
    let ids = docker(&["image", "ls", "--quiet", "--no-trunc", name]);
    ids.lines().next().map(str::to_owned)
}

/// Removes a name, and the image with its last one. It may be gone already.
pub fn remove_image(name: &str) {
    let _ = try_docker(&["image", "rm", "--force", name]);
}

/// Ids of the containers with a label, which they have from their image, also of those that ended.
pub fn containers_with(label: &str) -> String {
    docker(&["container", "ls", "--all", "--quiet", "--filter", &format!("label={label}")])
}
