//! Images that stand for those of others that the builder's Dockerfiles build upon, since nothing can be
//! pulled. Made once, from Debian's packages, and kept between runs; see `builder/README.md` for what they
//! prove.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use osgraph::digest::Digest;

use crate::docker::bootstrap::do_now;
use crate::docker::engine::docker;
use crate::docker::fixture::{Fixture, PREFIX, made};

/// Which FrankenPHP the stand-in says it builds: any, as long as it is said everywhere.
pub const FRANKENPHP: &str = "1.12.7";

/// Names of images, as parameters of a pipeline take them.
pub struct Standins {
    /// Without `-VERSION` of FrankenPHP, which is behind it.
    pub builder: String,
    /// Without `:VERSION-cli`, which is behind it.
    pub php: String,
    pub composer: String,
    /// Of the PHP that Debian has.
    pub php_version: String,
}

impl Standins {
    pub fn get() -> &'static Self {
        static ALL: OnceLock<Standins> = OnceLock::new();
        ALL.get_or_init(|| {
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/orangescrum");
            let folder = root.join("standins");
            let builder = built("os-builder", &[folder.join("builder")]);
            let versioned = format!("{builder}-{FRANKENPHP}");
            docker(&["tag", &builder, &versioned]);
            let php = built("os-php", &[folder.join("php"), root.join("packages")]);
            let version = ["run", "--rm", "--network=none", &php, "php", "-r", "echo PHP_VERSION;"];
            let php_version = docker(&version);
            let name = format!("{PREFIX}-os-php");
            docker(&["tag", &php, &format!("{name}:{php_version}-cli")]);
            let composer = built("os-composer", &[folder.join("composer")]);
            Self { builder, php: name, composer, php_version }
        })
    }
}

/// The image of a folder's Dockerfile; further folders stand in its context by their names.
fn built(kind: &str, folders: &[PathBuf]) -> String {
    let mut recipe = format!("1 {}", Fixture::trixie());
    for folder in folders {
        files(folder, &mut |path| {
            let below = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap();
            recipe.push_str(&format!("\n{} {}", below.display(), Digest::of(&fs::read(path).unwrap())));
        });
    }
    made(kind, &recipe, |name| {
        let context = tempfile::tempdir().unwrap();
        do_now(Command::new("cp").arg("--recursive").arg(folders[0].join(".")).arg(context.path()));
        for more in &folders[1..] {
            do_now(Command::new("cp").arg("--recursive").arg(more).arg(context.path()));
        }
        let base = format!("DEBIAN={}", Fixture::trixie());
        docker(&["build", "--quiet", "--build-arg", &base, "--tag", name, context.path().to_str().unwrap()]);
    })
}

fn files(folder: &Path, each: &mut impl FnMut(&Path)) {
    let mut inside: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|one| one.unwrap().path()).collect();
    inside.sort();
    for path in inside {
        if path.is_dir() { files(&path, each) } else { each(&path) }
    }
}
