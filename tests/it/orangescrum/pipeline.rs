//! The shipped pipeline: what it packs, what it leaves out, and what makes each of its nodes run.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use osgraph::path::RelPath;
use osgraph::pipeline::{Document, Overrides, Pipeline, SourceFile, Work};
use serde_json::Value;

use super::cloud::{Cloud, repository, shipped};
use crate::causes::project::listing;
use crate::docker::engine::docker;

const PACKAGES: [&str; 3] = ["dist-docker", "dist-native", "runtime"];
const BINARY: [&str; 6] = ["binary", "dist-docker", "dist-native", "embed", "licences", "runtime"];
const ALL: [&str; 7] = ["base", "binary", "dist-docker", "dist-native", "embed", "licences", "runtime"];

fn resolved(set: &[(&str, &str)]) -> Pipeline {
    let source = SourceFile { name: "pipeline.kdl".to_owned(), text: shipped().into() };
    let read_file = |path: &RelPath| fs::read(repository().join(path.as_str()));
    let overrides = Overrides {
        set: set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        env: &|_| None,
        read_file: &read_file,
        host_arch: "x86_64",
    };
    let parsed = Document::parse(&source).and_then(|document| document.resolve(&source, &overrides));
    parsed.unwrap_or_else(|mistakes| panic!("{set:?}: {mistakes:?}"))
}

#[test]
fn the_pipeline_is_sound_with_every_choice() {
    for set in [
        ("libc", "glibc"),
        ("arch", "arm64"),
        ("folder", "../plain"),
        ("build", "42"),
        ("push", "registry.example.org/shop:1"),
        ("base-push", "registry.example.org/base:1"),
        ("base-pull", "registry.example.org/base:1"),
        ("extension-libs", "libavif"),
        ("php-image", "registry.example.org/php"),
    ] {
        resolved(&[set]);
    }
    let plain = resolved(&[]);
    let names: Vec<&str> = plain.nodes.iter().map(|node| node.name.0.as_str()).collect();
    assert_eq!(
        names,
        [
            "source",
            "base",
            "embed",
            "binary",
            "licences",
            "dist-docker",
            "dist-native",
            "dist-all",
            "runtime"
        ]
    );
    // Nothing is pushed or pulled that nobody asked for.
    for node in &plain.nodes {
        assert!(node.docker().is_none_or(|docker| docker.push.is_none() && docker.pull.is_none()));
        assert!(node.host().is_none(), "{} falls back on the host", node.name);
    }
}

#[test]
fn extensions_are_the_sorted_list_without_gaps() {
    let pipeline = resolved(&[]);
    let list = &pipeline.params.iter().find(|param| param.name == "extensions").unwrap().value;
    let names: Vec<&str> = list.split(',').collect();
    assert_eq!(names.len(), 43);
    assert!(names.is_sorted() && names.iter().all(|name| !name.is_empty()), "{list}");
}

/// What a first run makes, and that a second makes nothing.
fn built() -> Cloud {
    let cloud = Cloud::new();
    let said = cloud.run(&[]);
    assert_eq!(
        said.ran,
        ["base", "binary", "dist-docker", "dist-native", "embed", "licences", "runtime", "source"]
    );
    cloud
}

#[test]
fn a_change_of_one_parameter_runs_what_depends_on_it_and_nothing_else() {
    let cloud = built();
    for image in [
        "builder-musl:one-1.12.8",
        "builder-musl:two-1.12.7",
        "builder-glibc:two-1.12.7",
        "php:8.3.30-cli",
        "php2:8.3.29-cli",
        "composer:two",
        "runtime-musl:two",
        "runtime-glibc:two",
    ] {
        cloud.make_image(image);
    }
    let plain = cloud.beside("plain");
    fs::create_dir(&plain).unwrap();
    fs::write(plain.join("index.php"), "<?php echo 2;\n").unwrap();
    let copy = |to: &str| {
        let status = Command::new("cp").arg("-a").arg(cloud.beside("app")).arg(cloud.beside(to)).status();
        assert!(status.unwrap().success());
    };
    copy("same");
    let with_source = || [&BINARY[..], &["source"]].concat();
    let named = |image: &str| format!("{}-{image}", cloud.name);
    // Which parameter, its other value, what runs, and what is only published again.
    let packages = ["dist-docker", "dist-native"];
    let table: Vec<(&str, String, Vec<&str>, Vec<&str>)> = vec![
        ("version", "26.2.0".into(), PACKAGES.to_vec(), vec![]),
        ("build", "42".into(), vec![], packages.to_vec()),
        ("libc", "glibc".into(), ALL.to_vec(), vec![]),
        ("php", "8.3.30".into(), ALL.to_vec(), vec![]),
        ("frankenphp", "1.12.8".into(), ALL.to_vec(), vec![]),
        ("extensions", "bcmath,curl".into(), ALL.to_vec(), vec![]),
        ("extension-libs", "libavif".into(), ALL.to_vec(), vec![]),
        ("builder-musl", named("builder-musl:two"), ALL.to_vec(), vec![]),
        ("builder-glibc", named("builder-glibc:two"), vec![], vec![]),
        ("php-image", named("php2"), BINARY.to_vec(), vec![]),
        ("composer-image", named("composer:two"), BINARY.to_vec(), vec![]),
        ("runtime-musl", named("runtime-musl:two"), vec!["runtime"], vec![]),
        ("runtime-glibc", named("runtime-glibc:two"), vec![], vec![]),
        ("source", "../same".into(), vec![], vec![]),
        ("folder", "../plain".into(), with_source(), vec![]),
        // Of the same content, and of no commit.
        ("folder", "../same".into(), [&PACKAGES[..], &["source"]].concat(), vec![]),
        ("image", named("cloud2"), vec![], vec!["runtime"]),
        ("min-size", "2KiB".into(), vec![], vec!["binary"]),
        ("base-pull", "registry.example.org/base:1".into(), vec![], vec![]),
    ];
    for (parameter, value, mut ran, restored) in table {
        let set = format!("{parameter}={value}");
        let said = cloud.run(&["--set", &set]);
        ran.sort_unstable();
        assert_eq!(said.ran, ran, "{set}: {}", said.text);
        if ran.is_empty() {
            assert_eq!(said.restored, restored, "{set}: {}", said.text);
        }
        // The way back is known.
        let said = cloud.run(&[]);
        assert!(said.ran.is_empty(), "back from {set}: {}", said.text);
    }
    // What this machine cannot run: only what would be is told.
    let (runs, may) = cloud.would_run(&["--set", "arch=arm64"]);
    assert_eq!(runs, ["base", "dist-docker", "dist-native", "embed", "runtime"]);
    assert_eq!(may, ["binary", "licences"]);
    // Every parameter is in the table, but those of a registry.
    let known = resolved(&[]).params.len();
    assert_eq!(known, 18 + ["arch", "push", "base-push"].len());
}

#[test]
fn an_archive_is_called_by_its_content_and_the_newest_are_kept() {
    let cloud = built();
    let first = cloud.archives();
    assert_eq!(first.len(), 2);
    let name = first[0].file_name().unwrap().to_str().unwrap().to_owned();
    let build = name.strip_prefix("orangescrum-docker-26.1.1-").unwrap();
    let (build, arch) = build.split_once('-').unwrap();
    assert!(build.len() == 12 && build.bytes().all(|byte| byte.is_ascii_hexdigit()), "{name}");
    assert!(["amd64.tar.gz", "arm64.tar.gz"].contains(&arch), "{name}");
    let mut sum = Command::new("sha256sum");
    sum.arg("-c").arg(format!("{name}.sha256")).current_dir(cloud.project.path("dist"));
    let said = sum.output().unwrap();
    assert!(said.status.success(), "{said:?}");
    let mut names = vec![first];
    let commit = cloud.git("rev-parse HEAD");
    for change in 2..=5 {
        cloud.app("index.php", &format!("<?php echo {change};\n"));
        cloud.commit();
        cloud.run(&[]);
        let all = cloud.archives();
        assert_eq!(all.len(), 2 * 3.min(change), "{all:?}");
        names.push(all);
    }
    // What went is not missed, and what is there is not made again.
    let said = cloud.run(&[]);
    assert!(said.ran.is_empty() && said.restored.is_empty(), "{}", said.text);
    assert!(!names[0][0].exists() && names[4].iter().all(|path| path.exists()));
    // An older content has its old name.
    cloud.git(&format!("reset -q --hard {commit}"));
    let said = cloud.run(&[]);
    assert!(said.ran.is_empty(), "{}", said.text);
    assert!(names[0].iter().all(|path| path.exists()));
    // A build system's own number counts among the three.
    cloud.run(&["--set", "build=42"]);
    assert!(cloud.project.exists(&format!("dist/orangescrum-docker-26.1.1-42-{arch}")));
    assert_eq!(cloud.archives().len(), 6);
}

#[test]
fn a_package_names_the_commit_that_is_inside() {
    let cloud = built();
    let told = |archives: &[PathBuf]| -> Vec<Value> {
        archives.iter().map(|path| Cloud::manifest(path)["provenance"]["source"]["commit"].clone()).collect()
    };
    let first = cloud.archives();
    let head = cloud.git("rev-parse HEAD");
    assert_eq!(told(&first), [head.as_str(); 2]);
    for archive in &first {
        let facts = &Cloud::manifest(archive)["facts"];
        let names: Vec<&String> = facts.as_object().unwrap().keys().collect();
        assert_eq!(names, ["arch", "extensions", "frankenphp", "libc", "php", "version"]);
        assert_eq!((&facts["version"], &facts["php"]), (&"26.1.1".into(), &"8.3.29".into()));
    }
    // What is not committed is neither inside nor told.
    cloud.app("index.php", "<?php echo 2;\n");
    assert!(cloud.run(&[]).ran.is_empty());
    // Of the same tree: nothing but the packages, which name it.
    cloud.git("commit -q --allow-empty -m another");
    assert_eq!(cloud.run(&[]).ran, PACKAGES);
    let newer: Vec<PathBuf> = cloud.archives().into_iter().filter(|path| !first.contains(path)).collect();
    assert_eq!(told(&newer), [cloud.git("rev-parse HEAD").as_str(); 2]);
    assert_ne!(cloud.git("rev-parse HEAD"), head);
}

#[test]
fn without_an_engine_nothing_is_done() {
    let mut cloud = Cloud::new();
    cloud.project.env.insert("DOCKER_HOST".into(), "unix:///nonexistent/docker.sock".into());
    for target in ["dist-docker", "dist-native", "dist-all", "runtime", "binary"] {
        let said = cloud.project.try_run(&[target]);
        assert_eq!((said.code, said.ran.len()), (3, 0), "{target}: {}", said.text);
    }
    assert!(!cloud.project.exists("common/orangescrum-app") && !cloud.project.exists("dist"));
    // What needs none still works.
    assert_eq!(cloud.project.run_with(&["source"]).ran, ["source"]);
}

#[test]
fn a_repository_that_cannot_be_read_is_not_replaced_by_a_folder() {
    let cloud = Cloud::new();
    fs::remove_dir_all(cloud.beside("app").join(".git")).unwrap();
    let said = cloud.project.try_run(&["source"]);
    assert_ne!(said.code, 0, "{}", said.text);
    assert!(said.ran.is_empty() && said.text.contains("app"), "{}", said.text);
    // A folder is taken when it is named.
    assert_eq!(cloud.project.run_with(&["source", "--set", "folder=../app"]).ran, ["source"]);
    // One that is named and not there is not replaced by the repository.
    cloud.commit();
    let said = cloud.project.try_run(&["source", "--set", "folder=../typo"]);
    assert_ne!(said.code, 0, "{}", said.text);
}

/// Whether any file below a folder holds the text.
fn holds(folder: &Path, text: &str) -> bool {
    let found = Command::new("grep").args(["-rqaF", text]).arg(folder).status().unwrap();
    found.code() == Some(0)
}

#[test]
fn no_secret_of_a_working_tree_gets_into_a_package() {
    let cloud = Cloud::new();
    let secret = "s3cr3t-that-was-planted";
    let planted = [
        ".env",
        ".env.production",
        "config/.env",
        ".envrc",
        "config/app_local.php",
        "config/install.ini",
        "vendor/lib/a.php",
        "plugins/Payments/vendor/b.php",
        "node_modules/c/index.js",
        "frontend/node_modules/d.js",
        "tmp/sessions/sess_1",
        "logs/error.log",
        "webroot/files/company/contract.pdf",
        "webroot/files/case_files/thumb/1/drawing",
        "server.pem",
        "config/jwt/private.key",
        "id_rsa",
        "deploy/id_ed25519.bak",
        "auth.json",
        ".npmrc",
        ".git/leak",
        "backup.dump",
        "config/app.php~",
    ];
    let kept = [
        ".env.example",
        "config/app_local.example.php",
        "composer.lock",
        "webroot/js/vendor/jquery.js",
        "src/Log/logs.php",
        "config/key.php",
        "config/cacert.pem",
        "logs/empty",
        "tmp/.gitkeep",
        "webroot/files/company/empty",
        "webroot/files/profile/thumb/empty",
        "webroot/files/photos/user.png",
        "webroot/files/.htaccess",
        "webroot/keys/index.keys.js",
        "name (with) blanks.php",
    ];
    for path in planted {
        cloud.app(path, secret);
    }
    for path in kept {
        cloud.app(path, &format!("kept {path}\n"));
    }
    cloud.write("dist-docker/.env", secret);
    cloud.write("dist-docker/notes.txt", secret);
    cloud.write("targets/docker/.env", secret);
    let said = cloud.run(&["--set", "folder=../app"]);
    assert_eq!(said.code, 0);
    let there = docker(&["run", "--rm", &format!("{}-cloud:26.1.1", cloud.name), "find", "/opt/orangescrum"]);
    assert!(there.contains("/opt/orangescrum/.env.example") && !there.contains("/opt/orangescrum/.env\n"));
    assert!(!there.contains("notes.txt") && there.contains("build-manifest.json"), "{there}");
    let found = docker(&[
        "run",
        "--rm",
        &format!("{}-cloud:26.1.1", cloud.name),
        "sh",
        "-c",
        &format!("grep -rlF {secret} /opt || echo none"),
    ]);
    assert_eq!(found, "none");
    let unpacked = cloud.beside("unpacked");
    fs::create_dir(&unpacked).unwrap();
    for archive in cloud.archives() {
        let status = Command::new("tar").arg("-xf").arg(archive).arg("-C").arg(&unpacked).status();
        assert!(status.unwrap().success());
    }
    assert!(!holds(&unpacked, secret));
    // All of the application that is no secret is in the binary.
    let binary = cloud.project.path("common/orangescrum-app/osv4-prod");
    for path in kept {
        assert!(holds(&binary, &format!("kept {path}")), "{path} was lost");
    }
    // A person's own files are where they were.
    assert_eq!(cloud.project.read("dist-docker/.env"), secret);
    assert_eq!(cloud.project.read("dist-docker/notes.txt"), secret);
}

#[test]
fn a_users_files_in_a_package_are_the_users() {
    let cloud = built();
    let project = &cloud.project;
    assert_eq!(project.read("dist-docker/.env"), "APP_PORT=8080\n");
    project.write("dist-docker/.env", "APP_PORT=9000\n");
    project.write("dist-docker/config/mine.php", "<?php\n");
    cloud.app("index.php", "<?php echo 2;\n");
    cloud.commit();
    let said = cloud.run(&[]);
    assert!(said.ran.contains(&"dist-docker".to_owned()));
    let reported = |said: &crate::causes::project::Said| {
        said.warnings.iter().any(|warning| warning.contains("config/mine.php"))
    };
    assert!(reported(&said), "{:?}", said.warnings);
    project.remove("dist-docker/CONFIGS.md");
    assert_eq!(cloud.run(&[]).restored, ["dist-docker"]);
    cloud.run(&["--force", "dist-docker"]);
    let output = project.osgraph(&["clean"]);
    assert!(output.status.success());
    assert!(!project.exists("dist-docker/CONFIGS.md") && cloud.archives().len() < 4);
    assert_eq!(project.read("dist-docker/.env"), "APP_PORT=9000\n");
    assert_eq!(project.read("dist-docker/config/mine.php"), "<?php\n");
    assert!(cloud.run(&[]).ran.is_empty());
    assert_eq!(project.read("dist-docker/.env"), "APP_PORT=9000\n");
    assert!(project.exists("dist-docker/CONFIGS.md"));
}

#[test]
fn an_engine_that_lost_everything_gets_the_base_from_the_store() {
    let cloud = built();
    cloud.prune("base");
    cloud.prune("builder-musl:one-1.12.7");
    cloud.app("index.php", "<?php echo 2;\n");
    cloud.commit();
    let said = cloud.run(&[]);
    assert!(!said.ran.contains(&"base".to_owned()), "{}", said.text);
    assert!(said.ran.contains(&"embed".to_owned()), "{}", said.text);
}

#[test]
fn two_machines_make_the_same_archives() {
    let first = built();
    let second = Cloud::new();
    // The same images under the other's names, and nothing of the engine's cache.
    for name in ["builder-musl:one-1.12.7", "php:8.3.29-cli", "composer:one", "runtime-musl:one"] {
        docker(&["tag", &format!("{}-{name}", first.name), &format!("{}-{name}", second.name)]);
    }
    // The same commit, in a repository of its own.
    let origin = first.beside("app");
    fs::remove_dir_all(second.beside("app")).unwrap();
    first.git(&format!("clone -q {} {}", origin.display(), second.beside("app").display()));
    second.run(&["--rebuild", "base", "--rebuild", "embed"]);
    let bytes = |cloud: &Cloud| -> HashMap<String, Vec<u8>> {
        let files = fs::read_dir(cloud.project.path("dist")).unwrap().map(|entry| entry.unwrap().path());
        files
            .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(path).unwrap()))
            .collect()
    };
    let (one, other) = (bytes(&first), bytes(&second));
    assert_eq!(one.len(), 4);
    assert!(one == other, "{:?} and {:?}", one.keys(), other.keys());
    let package = |cloud: &Cloud| listing(&cloud.project.path("dist-native"), false);
    assert_eq!(package(&first), package(&second));
}

#[test]
fn a_package_holds_what_it_should() {
    let cloud = built();
    let files = |folder: &str| -> Vec<String> {
        let listing = listing(&cloud.project.path(folder), false);
        listing.into_iter().filter(|(_, what)| what != "folder").map(|(path, _)| path).collect()
    };
    let both = [
        ".env",
        ".env.example",
        ".env.full.example",
        "CONFIGS.md",
        "LICENSES.txt",
        "README.md",
        "build-manifest.json",
        "config/smtp.example.php",
        "docs/DEPLOYMENT.md",
        "helpers/cake.sh",
        "orangescrum-app/osv4-prod",
    ];
    let sorted = |more: &[&str]| {
        let mut all: Vec<String> = both.iter().chain(more).map(|path| (*path).to_owned()).collect();
        all.sort();
        all
    };
    assert_eq!(files("dist-docker"), sorted(&[".env.docker", "Dockerfile"]));
    assert_eq!(files("dist-native"), sorted(&["run.sh"]));
    // What a target says goes before what both have.
    assert_eq!(cloud.project.read("dist-native/README.md"), "native\n");
}

#[test]
fn all_that_the_pipeline_names_is_there() {
    let pipeline = resolved(&[]);
    let mut named: Vec<String> = Vec::new();
    for node in &pipeline.nodes {
        match &node.work {
            Work::SourceArchive(source) => {
                named.extend(source.overlays.iter().map(|one| one.from.value.to_string()));
            }
            Work::Dist(dist) => {
                named.extend(dist.copies.iter().map(|one| one.from.value.to_string()));
                for seed in &dist.seeds {
                    let from = seed.from.value.as_str();
                    let places = dist.copies.iter().map(|copy| copy.from.value.as_str());
                    let found = places.into_iter().any(|place| {
                        let place = repository().join(place);
                        place.ends_with(from) || place.join(from).exists()
                    });
                    assert!(found, "{}: no {from}", node.name);
                }
            }
            _ => {}
        }
        if let Some(docker) = node.docker() {
            named.push(docker.dockerfile.value.to_string());
            named.extend(docker.context.iter().map(|context| context.value.to_string()));
        }
    }
    let missing: Vec<&String> = named.iter().filter(|path| !repository().join(path).exists()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
