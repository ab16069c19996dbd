//! Images that tests build upon, since nothing can be pulled: made once, and found again by a name
//! that carries the digest of their recipe. They stay with the engine between runs.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use osgraph::digest::Digest;

use super::bootstrap::{self, do_now};
use super::engine::{docker, image, remove_image};

/// Begins the names of everything here.
pub const PREFIX: &str = "osgraph-test-fixture";

pub struct Fixture;

impl Fixture {
    /// An image with `busybox` and nothing else, 2 MB. Its name.
    pub fn busybox() -> &'static str {
        static NAME: OnceLock<String> = OnceLock::new();
        NAME.get_or_init(|| {
            let program = fs::read("/bin/busybox").expect("Debian: busybox-static");
            let recipe = format!("1 {}", Digest::of(&program));
            made("busybox", &recipe, |name| {
                let archive = folder().join("busybox.tar");
                fs::write(&archive, busybox_archive(&program)).unwrap();
                docker(&["import", "--change", "CMD [\"/bin/sh\"]", path(&archive), name]);
                fs::remove_file(&archive).unwrap();
                // A program that needs libraries would fail here rather than in some test.
                docker(&["run", "--rm", "--network=none", name, "true"]);
            })
        })
    }

    /// A Debian in which `apt-get` reaches this machine's mirror, and `pip` has what
    /// `examples/docker` wants of it, 210 MB: stands in for `debian:bookworm-slim`. Its name.
    pub fn debian() -> &'static str {
        static NAME: OnceLock<String> = OnceLock::new();
        NAME.get_or_init(|| {
            let parts = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/docker/builder/parts.txt");
            let pinned = Digest::of(&fs::read(&parts).unwrap());
            let recipe = format!("1 {} {pinned}", bootstrap::identity());
            made("debian", &recipe, |name| {
                let plain = debian_archive();
                let scratch = tempfile::tempdir_in(folder()).unwrap();
                let wheels = scratch.path().join("opt/wheels");
                fs::create_dir_all(&wheels).unwrap();
                let mut pip = Command::new("python3");
                pip.args([
                    "-m",
                    "pip",
                    "download",
                    "--quiet",
                    "--no-deps",
                    "--require-hashes",
                    "--requirement",
                ]);
                do_now(pip.arg(&parts).arg("--dest").arg(&wheels));
                let whole = scratch.path().join("whole.tar");
                fs::copy(&plain, &whole).unwrap();
                let mut tar = Command::new("tar");
                tar.args(["--append", "--sort=name", "--owner=0", "--group=0", "--mtime=@0"]);
                do_now(
                    tar.arg("--file").arg(&whole).arg("--directory").arg(scratch.path()).arg("./opt/wheels"),
                );
                let mut changes = vec!["ENV PIP_NO_INDEX=1 PIP_FIND_LINKS=/opt/wheels".to_owned()];
                changes.extend(proxies().map(|(name, value)| format!("ENV {name}={value:?}")));
                let changes = changes.iter().flat_map(|change| ["--change", change]);
                let args: Vec<&str> =
                    ["import"].into_iter().chain(changes).chain([path(&whole), name]).collect();
                docker(&args);
            })
        })
    }
}

/// Makes the image unless the engine has it, one test process at a time; older ones of its kind go.
pub fn made(kind: &str, recipe: &str, make: impl FnOnce(&str)) -> String {
    let name = format!("{PREFIX}-{kind}:{}", &Digest::of(recipe.as_bytes()).to_string()[..16]);
    let lock = File::create(folder().join("lock")).unwrap();
    lock.lock().unwrap();
    if image(&name).is_none() {
        let reference = format!("{PREFIX}-{kind}");
        let older = docker(&["image", "ls", "--format", "{{.Repository}}:{{.Tag}}", &reference]);
        make(&name);
        older.lines().for_each(remove_image);
    }
    name
}

/// The plain Debian, kept below `target` because it takes a minute.
fn debian_archive() -> PathBuf {
    let name = &Digest::of(bootstrap::identity().as_bytes()).to_string()[..16];
    let archive = folder().join(format!("debian-{name}.tar"));
    if !archive.exists() {
        let scratch = tempfile::tempdir_in(folder()).unwrap();
        let unfinished = scratch.path().join("root.tar");
        bootstrap::make(&unfinished, scratch.path());
        fs::rename(&unfinished, &archive).unwrap();
    }
    archive
}

fn busybox_archive(program: &[u8]) -> Vec<u8> {
    let listed = Command::new("/bin/busybox").arg("--list").stdin(Stdio::null()).output().unwrap();
    let mut archive = tar::Builder::new(Vec::new());
    let mut add = |kind, path: &str, mode, bytes: &[u8], link: &str| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(bytes.len() as u64);
        match link {
            "" => archive.append_data(&mut header, path, bytes).unwrap(),
            link => archive.append_link(&mut header, path, link).unwrap(),
        }
    };
    for (folder, mode) in [("bin/", 0o755), ("etc/", 0o755), ("root/", 0o700), ("tmp/", 0o1777)] {
        add(tar::EntryType::Directory, folder, mode, &[], "");
    }
    add(tar::EntryType::Regular, "etc/passwd", 0o644, b"root:x:0:0::/root:/bin/sh\n", "");
    add(tar::EntryType::Regular, "bin/busybox", 0o755, program, "");
    for name in String::from_utf8(listed.stdout).unwrap().lines().filter(|name| *name != "busybox") {
        add(tar::EntryType::Symlink, &format!("bin/{name}"), 0o777, &[], "busybox");
    }
    archive.into_inner().unwrap()
}

/// Proxies of this machine, which a container does not know by itself.
fn proxies() -> impl Iterator<Item = (String, String)> {
    let names = ["http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"];
    names.into_iter().filter_map(|name| std::env::var(name).ok().map(|value| (name.to_owned(), value)))
}

/// What is slow to make and worth keeping, below `target`.
fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fixtures");
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn test_images_are_made_once_and_work() {
    let made = [Fixture::busybox(), Fixture::debian()];
    let ids = made.map(|name| image(name).unwrap());
    assert_eq!(docker(&["run", "--rm", "--network=none", made[0], "sh", "-c", "echo $((6 * 7))"]), "42");
    let said = docker(&[
        "run",
        "--rm",
        "--network=none",
        made[1],
        "sh",
        "-c",
        "apt-get --version; ls $PIP_FIND_LINKS",
    ]);
    assert!(said.starts_with("apt ") && said.contains(".whl"), "{said}");
    assert_eq!(made.map(|name| image(name).unwrap()), ids);
}
