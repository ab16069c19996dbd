//! A small Debian as an archive, made with this machine's own mirror and settings: what a container
//! needs to run `apt-get` here is never in the repository.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const SUITE: &str = "bookworm";
/// Raised when what is made below changes.
const VERSION: u32 = 1;

/// What the archive depends on, for its name.
pub fn identity() -> String {
    format!("{VERSION} {SUITE} {} {}", mirror(), transport())
}

/// Makes `archive`, which takes a minute. `scratch` is a folder on a disk that may hold devices.
pub fn make(archive: &Path, scratch: &Path) {
    let root = scratch.join("root");
    assert!(rustix::process::geteuid().is_root(), "debootstrap makes devices and owners: be root");
    let mut command = Command::new("debootstrap");
    do_now(command.arg("--variant=minbase").arg(SUITE).arg(&root).arg(mirror()));
    for empty in ["var/cache/apt", "var/lib/apt/lists"] {
        fs::remove_dir_all(root.join(empty)).unwrap();
        fs::create_dir_all(root.join(empty).join("partial")).unwrap();
    }
    fs::write(root.join("etc/apt/apt.conf.d/90transport"), transport()).unwrap();
    for certificate in certificates() {
        let into = root.join("usr/local/share/ca-certificates");
        fs::create_dir_all(&into).unwrap();
        fs::copy(&certificate, into.join(certificate.file_name().unwrap())).unwrap();
    }
    let mut command = Command::new("tar");
    command.args(["--create", "--sort=name", "--numeric-owner", "--mtime=@0", "--one-file-system"]);
    do_now(command.arg("--file").arg(archive).arg("--directory").arg(&root).arg("."));
}

/// Where this machine has its packages from.
fn mirror() -> String {
    let format = "$(CREATED_BY) $(LABEL) $(CODENAME) $(REPO_URI)";
    let known = Command::new("apt-get").args(["indextargets", "--format", format]).output();
    let known = known.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let prefix = format!("Packages Debian {SUITE} ");
    let own = known.lines().find_map(|line| line.strip_prefix(&prefix));
    own.unwrap_or("http://deb.debian.org/debian").to_owned()
}

/// How this machine reaches its mirror: proxies, time limits, as lines of a settings file.
fn transport() -> String {
    let known = Command::new("apt-config").args(["dump", "Acquire::http", "Acquire::https"]).output();
    let known = known.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    known.lines().filter(|line| !line.ends_with(" \"\";")).map(|line| format!("{line}\n")).collect()
}

/// Authorities that were added to this machine, which stand between it and a mirror with TLS.
fn certificates() -> Vec<PathBuf> {
    let Ok(folder) = fs::read_dir("/usr/local/share/ca-certificates") else { return Vec::new() };
    let mut files: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "crt"));
    files.sort();
    files
}

/// Runs a program, which must succeed. Its name is also its Debian package's.
pub fn do_now(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("{command:?} is needed: {error}"));
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&said));
}
