//! The scripts that the Dockerfiles of `builder/` run, one rule each, on trees of a test's own.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

struct Tree(tempfile::TempDir);

impl Tree {
    fn new(files: &[(&str, &str)]) -> Self {
        let tree = Self(tempfile::tempdir().unwrap());
        files.iter().for_each(|(path, text)| tree.write(path, text));
        tree
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("app")
    }

    fn write(&self, below: &str, text: &str) {
        let path = self.path().join(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn link(&self, target: &str, below: &str) {
        let path = self.path().join(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
    }

    fn read(&self, below: &str) -> String {
        fs::read_to_string(self.path().join(below)).unwrap_or_else(|error| panic!("{below}: {error}"))
    }
}

fn run(script: &str, args: &[&Path]) -> (bool, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("builder").join(script);
    said(Command::new("sh").arg(script).args(args))
}

fn said(command: &mut Command) -> (bool, String) {
    let Output { status, stdout, stderr } = command.stdin(Stdio::null()).output().unwrap();
    (status.success(), String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned())
}

#[test]
fn templates_become_live_where_nothing_of_their_name_is() {
    let tree = Tree::new(&[
        ("config/smtp.example.php", "template"),
        ("config/queue.example.php", "template"),
        ("config/queue.php", "written by a person"),
        ("config/app_local.example.php", "template"),
        ("config/plugins/GitSync/gitsync.example.php", "ours"),
        ("config/plugins/Nobody/nobody.example.php", "ours"),
        ("plugins/GitSync/src/Plugin.php", ""),
        ("plugins/Notes/config/notes.example.php", "its own"),
    ]);
    let (good, said) = run("embed/live-templates", &[&tree.path()]);
    assert!(good, "{said}");
    assert_eq!(tree.read("config/smtp.php"), "template");
    assert_eq!(tree.read("config/queue.php"), "written by a person");
    assert_eq!(tree.read("plugins/GitSync/config/gitsync.php"), "ours");
    assert_eq!(tree.read("plugins/GitSync/config/gitsync.example.php"), "ours");
    assert_eq!(tree.read("plugins/Notes/config/notes.php"), "its own");
    for absent in ["config/app_local.php", "plugins/Nobody", "config/plugins/GitSync/gitsync.php"] {
        assert!(!tree.path().join(absent).exists(), "{absent}");
    }
}

#[test]
fn links_of_an_application_become_what_they_lead_to() {
    let tree = Tree::new(&[
        ("config/app.php", "settings"),
        ("vendor/x/y/bin/tool", "#!/bin/sh\ncat \"$(dirname \"$0\")/../data\"\n"),
        ("vendor/x/y/data", "found"),
    ]);
    tree.link("../x/y/bin/tool", "vendor/bin/tool");
    tree.link("config/app.php", "app.php");
    tree.link("vendor/x", "library");
    said(Command::new("chmod").arg("+x").arg(tree.path().join("vendor/x/y/bin/tool")));
    let (good, told) = run("embed/resolve-links", &[&tree.path()]);
    assert!(good, "{told}");
    assert_eq!(tree.read("app.php"), "settings");
    assert_eq!(tree.read("library/y/data"), "found");
    // A copy would look for its data beside vendor/bin.
    assert_eq!(said(&mut Command::new(tree.path().join("vendor/bin/tool"))), (true, "found".to_owned()));
    let (_, left) = said(Command::new("find").arg(tree.path()).args(["-type", "l"]));
    assert_eq!(left, "");
}

#[test]
fn links_that_cannot_be_embedded_are_all_named() {
    let tree = Tree::new(&[("src/a.php", "")]);
    tree.link("nowhere", "src/dangling");
    tree.link("/etc", "outside");
    tree.link("../..", "src/above");
    tree.link("..", "src/around");
    tree.link("itself", "itself");
    let (good, told) = run("embed/resolve-links", &[&tree.path()]);
    assert!(!good, "{told}");
    for line in [
        "src/dangling -> nowhere (leads nowhere)",
        "outside -> /etc (leads out of the application)",
        "src/above -> ../.. (leads out of the application)",
        "src/around -> .. (leads to a folder it lies in)",
        "itself -> itself (leads nowhere)",
    ] {
        assert!(told.contains(line), "{line} is not in: {told}");
    }
}

/// An ELF file of this machine or, if asked for, with another one's number in it.
fn program(folder: &Path, machine: Option<u8>) -> PathBuf {
    let path = folder.join("program");
    let mut bytes = fs::read("/bin/busybox").expect("Debian: busybox-static");
    bytes[18] = machine.unwrap_or(bytes[18]);
    fs::write(&path, bytes).unwrap();
    said(Command::new("chmod").arg("+x").arg(&path));
    path
}

fn gate(file: &Path, libc: &str, arch: &str) -> (bool, String) {
    run("embed/check-binary", &[file, libc.as_ref(), arch.as_ref(), "json".as_ref(), "0".as_ref()])
}

const FOREIGN: (u8, &str, &str) =
    if cfg!(target_arch = "x86_64") { (0xb7, "arm64", "amd64") } else { (0x3e, "amd64", "arm64") };

#[test]
fn a_binary_for_another_machine_than_wanted_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (number, foreign, own) = FOREIGN;
    let (good, told) = gate(&program(folder.path(), Some(number)), "musl", own);
    assert!(!good && told.contains(&format!("is for {foreign}, wanted is {own}")), "{told}");
}

#[test]
fn gates_that_cannot_run_are_reported_as_not_run() {
    let folder = tempfile::tempdir().unwrap();
    let (number, foreign, _) = FOREIGN;
    let (good, told) = gate(&program(folder.path(), Some(number)), "musl", foreign);
    assert!(good, "{told}");
    assert!(told.contains("gate: not run: version, application, build-info, extensions"), "{told}");
    assert!(!told.contains("passed: version"), "{told}");
}

#[test]
fn a_binary_that_wants_libraries_is_not_for_musl() {
    let (_, _, own) = FOREIGN;
    let (good, told) = gate(Path::new("/bin/sh"), "musl", own);
    assert!(!good && told.contains("is not linked statically"), "{told}");
}

#[test]
fn what_is_no_program_is_refused() {
    let tree = Tree::new(&[("text", "#!/bin/sh\necho FrankenPHP\n")]);
    let (good, told) = gate(&tree.path().join("text"), "musl", "amd64");
    assert!(!good && told.contains("is no ELF file"), "{told}");
}

#[test]
fn an_extension_that_a_package_requires_has_to_be_compiled_in() {
    let lock = r#"{"packages": [
        {"name": "a/images", "require": {"php": ">=8", "ext-gd": "*", "ext-Imagick": "*"}},
        {"name": "a/polyfill", "require": {}, "provide": {"ext-apcu": "*"}},
        {"name": "a/cache", "require": {"ext-apcu": "*", "ext-zend-opcache": "*", "ext-json": "*"}}
    ]}"#;
    let tree =
        Tree::new(&[("composer.json", r#"{"require": {"ext-pdo_pgsql": "*"}}"#), ("composer.lock", lock)]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("builder/embed/check-requirements.php");
    let check = |extensions: &str| said(Command::new("php").arg(&script).arg(tree.path()).arg(extensions));
    let (good, told) = check("gd,opcache,pdo_pgsql");
    assert!(!good && told.contains("`imagick` is required by a/images") && !told.contains("apcu"), "{told}");
    assert_eq!(check("gd,imagick,opcache,pdo_pgsql"), (true, String::new()));
}
