//! The shipped pipeline in a folder of its own, with builders that take a second.
//!
//! Only names are changed in it: of images, so that tests can run beside one another, and a label by
//! which these are found again. What stands in for the real builders has their arguments and their
//! places, and makes a program that the machine runs, with the application behind it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::causes::project::{Project, Said};
use crate::docker::engine::{docker, image, remove_image, try_docker};
use crate::docker::fixture::Fixture;

/// Begins the names of everything that these tests make in the engine.
const PREFIX: &str = "osgraph-test-cloud";

/// Carried by every image that a test builds.
const LABEL: &str = "org.example.test";

const BASE: &str = r#"ARG LIBC=musl
ARG BUILDER_MUSL
ARG BUILDER_GLIBC
FROM ${BUILDER_MUSL} AS builder-musl
FROM ${BUILDER_GLIBC} AS builder-glibc
FROM builder-${LIBC}
ARG FRANKENPHP_VERSION
ARG PHP_VERSION
ARG PHP_EXTENSIONS
ARG PHP_EXTENSION_LIBS
ARG LIBC
COPY stub-${LIBC} /stub
RUN echo "$FRANKENPHP_VERSION $PHP_VERSION $PHP_EXTENSIONS $PHP_EXTENSION_LIBS" | cat /stub /id - > /base
"#;

const EMBED: &str = r#"ARG PHP_IMAGE
ARG COMPOSER_IMAGE
FROM ${COMPOSER_IMAGE} AS composer
FROM ${PHP_IMAGE} AS app
COPY --from=composer /id /composer
COPY package /app
RUN cd /app && find . | sort | while read -r f; do echo "$f"; [ ! -f "$f" ] || cat "$f"; done > /tree
FROM NAME-base AS link
ARG LIBC
ARG PHP_VERSION
ARG PHP_EXTENSIONS
COPY --from=app /id /composer /tree /parts/
RUN cat /base /parts/id /parts/composer /parts/tree > /osv4-prod && chmod 755 /osv4-prod && echo MIT > /LICENSES.txt
FROM scratch
COPY --from=link /osv4-prod /LICENSES.txt /
"#;

const RUNTIME: &str = r#"ARG LIBC=musl
ARG RUNTIME_MUSL
ARG RUNTIME_GLIBC
FROM ${RUNTIME_MUSL} AS runtime-musl
FROM ${RUNTIME_GLIBC} AS runtime-glibc
FROM runtime-${LIBC}
COPY . /opt/orangescrum
"#;

pub struct Cloud {
    pub project: Project,
    /// Begins the names of its images.
    pub name: String,
}

/// The pipeline at the root of the repository.
pub fn shipped() -> String {
    fs::read_to_string(repository().join("pipeline.kdl")).unwrap()
}

pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

impl Cloud {
    /// With an application beside it, under version control. Nothing is built yet.
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        // The engine's cache remembers what was built under a name, and numbers of processes recur.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() % 10_000_000;
        Self::named(format!("{PREFIX}-{now}-{}-{count}", std::process::id()))
    }

    pub fn named(name: String) -> Self {
        let platform = "platform \"linux/${arch}\"";
        let text = shipped();
        assert_eq!(text.matches(platform).count(), 3, "every image is built for the platform");
        let text = text
            .replace("tag \"orangescrum-cloud-base\"", &format!("tag \"{name}-base\""))
            .replace(platform, &format!("{platform}\n    label \"{LABEL}\" \"{name}\""));
        let mut cloud = Self { project: Project::new(&text), name };
        cloud.project.write("VERSION", "26.1.1\n");
        for (file, text) in [
            ("builder/base-build.Dockerfile", BASE),
            ("builder/app-embed.Dockerfile", EMBED),
            ("targets/docker/Dockerfile", RUNTIME),
            ("targets/docker/.env.docker", "APP_PORT=8080\n"),
            ("targets/docker/README.md", "docker\n"),
            ("targets/native/run.sh", "#!/bin/sh\n"),
            ("targets/native/README.md", "native\n"),
            ("common/README.md", "common\n"),
            ("common/CONFIGS.md", "configs\n"),
            ("common/.env.example", "APP_PORT=8080\n"),
            ("common/.env.full.example", "APP_PORT=8080\nDEBUG=false\n"),
            ("common/config/smtp.example.php", "<?php return [];\n"),
            ("common/helpers/cake.sh", "#!/bin/sh\n"),
            ("common/docs/DEPLOYMENT.md", "deployment\n"),
        ] {
            cloud.write(file, text);
        }
        for libc in ["musl", "glibc"] {
            fs::copy(stub(libc), cloud.project.path(&format!("builder/stub-{libc}"))).unwrap();
        }
        for (parameter, image) in [
            ("BUILDER_MUSL", "builder-musl:one"),
            ("BUILDER_GLIBC", "builder-glibc:one"),
            ("PHP_IMAGE", "php"),
            ("COMPOSER_IMAGE", "composer:one"),
            ("RUNTIME_MUSL", "runtime-musl:one"),
            ("RUNTIME_GLIBC", "runtime-glibc:one"),
            ("IMAGE", "cloud"),
        ] {
            let image = format!("{}-{image}", cloud.name);
            cloud.project.env.insert(format!("OSGRAPH_PARAM_{parameter}"), image);
        }
        cloud.project.env.insert("OSGRAPH_PARAM_SOURCE".to_owned(), "../app".to_owned());
        cloud.project.env.insert("OSGRAPH_PARAM_MIN_SIZE".to_owned(), "1KiB".to_owned());
        for image in [
            "builder-musl:one-1.12.7",
            "builder-glibc:one-1.12.7",
            "php:8.3.29-cli",
            "composer:one",
            "runtime-musl:one",
            "runtime-glibc:one",
        ] {
            cloud.make_image(image);
        }
        cloud.app("index.php", "<?php echo 1;\n");
        cloud.app("composer.json", "{}\n");
        cloud.app("composer.lock", "{}\n");
        cloud.app("config/app.php", "<?php return [];\n");
        cloud.commit();
        cloud
    }

    /// An image like those that are built upon, different from all others.
    pub fn make_image(&self, name: &str) {
        let container = format!("{}-make", self.name);
        let full = format!("{}-{name}", self.name);
        let script = format!("echo {name} > /id");
        docker(&["run", "--network=none", "--name", &container, Fixture::busybox(), "sh", "-c", &script]);
        docker(&["commit", &container, &full]);
        docker(&["rm", &container]);
    }

    pub fn write(&self, below: &str, text: &str) {
        self.project.write(below, &text.replace("NAME", &self.name));
    }

    /// A place beside the project.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.project.root.parent().unwrap().join(name)
    }

    /// Writes a file of the application.
    pub fn app(&self, below: &str, text: &str) {
        let path = self.beside("app").join(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Commits all of the application that git does not ignore.
    pub fn commit(&self) {
        for line in ["init -q", "add -A", "commit -q --allow-empty -m all"] {
            self.git(line);
        }
    }

    /// Git in the application; what it prints.
    pub fn git(&self, line: &str) -> String {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=a", "-c", "user.email=a@example.org"]).args(line.split(' '));
        git.current_dir(self.beside("app")).stdin(Stdio::null());
        git.env("HOME", self.beside("home")).env("GIT_CONFIG_NOSYSTEM", "1");
        let output = git.output().unwrap();
        assert!(output.status.success(), "git {line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// The build manifest in an archive.
    pub fn manifest(archive: &Path) -> Value {
        let mut tar = Command::new("tar");
        tar.arg("-xOf").arg(archive).args(["--wildcards", "*/build-manifest.json"]);
        let output = tar.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Builds everything that the pipeline can.
    #[track_caller]
    pub fn run(&self, args: &[&str]) -> Said {
        self.project.run_with(&[args, &["dist-all", "runtime"]].concat())
    }

    /// The nodes that a run of these parameters would run for certain, and those that it may.
    pub fn would_run(&self, args: &[&str]) -> (Vec<String>, Vec<String>) {
        let args = [&["explain", "--format", "json"], args, &["dist-all", "runtime"]].concat();
        let output = self.project.osgraph(&args);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let all: Value = serde_json::from_slice(&output.stdout).unwrap();
        let mut found = (Vec::new(), Vec::new());
        for one in all["nodes"].as_array().unwrap() {
            let name = one["node"].as_str().unwrap().to_owned();
            match &one["verdict"] {
                verdict if verdict.get("stale").is_some() => found.0.push(name),
                verdict if verdict.get("waiting").is_some() => found.1.push(name),
                _ => {}
            }
        }
        found.0.sort();
        found.1.sort();
        found
    }

    /// The archives that stand in `dist/`, sorted.
    pub fn archives(&self) -> Vec<PathBuf> {
        let Ok(folder) = fs::read_dir(self.project.path("dist")) else { return Vec::new() };
        let paths = folder.map(|entry| entry.unwrap().path());
        let mut paths: Vec<PathBuf> =
            paths.filter(|path| path.extension().is_some_and(|ending| ending == "gz")).collect();
        paths.sort();
        paths
    }

    /// Removes the image behind a name, with all its names.
    pub fn prune(&self, name: &str) {
        let name = format!("{}-{name}", self.name);
        let id = image(&name).unwrap_or_else(|| panic!("{name} is not there"));
        docker(&["image", "rm", "--force", &id]);
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        let _ = try_docker(&["rm", "--force", &format!("{}-make", self.name)]);
        let label = format!("label={LABEL}={}", self.name);
        let ids = docker(&["image", "ls", "--all", "--quiet", "--no-trunc", "--filter", &label]);
        ids.lines().for_each(remove_image);
        let pattern = format!("{}-*", self.name);
        let names = docker(&["image", "ls", "--format", "{{.Repository}}:{{.Tag}}", &pattern]);
        for name in names.lines() {
            let _ = try_docker(&["image", "rm", name]);
        }
    }
}

/// A program for this machine that knows the words which a binary is asked. For `musl` it is static, as
/// those are, though it is another libc that is in it.
fn stub(libc: &str) -> &'static Path {
    static PATHS: [OnceLock<PathBuf>; 2] = [const { OnceLock::new() }; 2];
    let (path, linked) = if libc == "musl" { (&PATHS[0], "-static") } else { (&PATHS[1], "-pie") };
    path.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cloud");
        fs::create_dir_all(&folder).unwrap();
        let source = folder.join(format!("stub-{libc}-{}.c", std::process::id()));
        let text = "#include <string.h>\nint main(int n, char **a) {\n    return n < 2 || (strcmp(a[1], \"version\") && strcmp(a[1], \"build-info\"));\n}\n";
        fs::write(&source, text).unwrap();
        let unfinished = folder.join(format!("stub-{libc}-{}", std::process::id()));
        let mut compile = Command::new("cc");
        compile.args([linked, "-Os", "-s", "-o"]).arg(&unfinished).arg(&source).stdin(Stdio::null());
        let output = compile.output().expect("Debian: gcc, libc6-dev");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        fs::remove_file(&source).unwrap();
        // One that another process runs at the time stays what it is.
        let program = folder.join(format!("stub-{libc}"));
        fs::rename(&unfinished, &program).unwrap();
        program
    })
}
