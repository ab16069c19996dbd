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
    pub builder_musl: String,
    pub builder_glibc: String,
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
            let composer = built("composer", "musl");
            let php = built("php", "musl");
            let version = ["run", "--rm", "--network=none", &php, "php", "-r", "echo PHP_VERSION;"];
            let php_version = docker(&version);
            let repository = format!("{PREFIX}-os-php");
            docker(&["tag", &php, &format!("{repository}:{php_version}-cli")]);
            let builder = |libc| {
                let name = built("builder", libc);
                docker(&["tag", &name, &format!("{name}-{FRANKENPHP}")]);
                name
            };
            Self {
                builder_musl: builder("musl"),
                builder_glibc: builder("glibc"),
                php: repository,
                composer,
                php_version,
            }
        })
    }
}

/// The image of a target of the stand-ins' Dockerfile. What targets share, the engine makes once.
fn built(target: &str, libc: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/orangescrum");
    let folders = [root.join("standins"), root.join("packages")];
    let mut recipe = format!("1 {} {target} {libc}", Fixture::debian());
    for folder in &folders {
        files(folder, &mut |path| {
            let below = path.strip_prefix(&root).unwrap();
            recipe.push_str(&format!("\n{} {}", below.display(), Digest::of(&fs::read(path).unwrap())));
        });
    }
    let kind = if target == "builder" { format!("os-builder-{libc}") } else { format!("os-{target}") };
    made(&kind, &recipe, |name| {
        let context = tempfile::tempdir().unwrap();
        do_now(Command::new("cp").arg("--recursive").arg(folders[0].join(".")).arg(context.path()));
        do_now(Command::new("cp").arg("--recursive").arg(&folders[1]).arg(context.path()));
        let args = [format!("DEBIAN={}", Fixture::debian()), format!("LIBC={libc}")];
        let mut command = vec!["build", "--quiet", "--target", target, "--tag", name];
        command.extend(args.iter().flat_map(|arg| ["--build-arg", arg]));
        command.push(context.path().to_str().unwrap());
        docker(&command);
    })
}

fn files(folder: &Path, each: &mut impl FnMut(&Path)) {
    let mut inside: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|one| one.unwrap().path()).collect();
    inside.sort();
    for path in inside {
        if path.is_dir() { files(&path, each) } else { each(&path) }
    }
}
