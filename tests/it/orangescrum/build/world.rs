//! The shipped pipeline with the shipped builder in a folder of its own, on stand-ins.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::causes::project::{Project, Said};
use crate::docker::bootstrap::do_now;
use crate::docker::engine::{docker, image, remove_image};
use crate::docker::fixture::Fixture;
use crate::orangescrum::cloud::{repository, shipped};
use crate::orangescrum::standins::Standins;

/// Carried by every image that a test builds.
const LABEL: &str = "org.example.test-build";
/// The base's tag, and so its name in the Dockerfile.
const BASE: &str = "orangescrum-cloud-base";
const DOCKERFILES: [&str; 3] =
    ["builder/base-build.Dockerfile", "builder/app-embed.Dockerfile", "targets/docker/Dockerfile"];
/// All that the pipeline makes.
const TARGETS: [&str; 2] = ["dist-all", "runtime"];

/// What the caller's environment and the working tree hold, and nothing that is made may.
pub const PLANTED: [(&str, &str); 7] = [
    ("GITHUB_TOKEN", "planted-token-c0de"),
    ("SECURITY_SALT", "planted-salt-5f1c"),
    ("DB_PASSWORD", "planted-password-77ab"),
    (".env", "planted-env-9b1e"),
    ("config/app_local.php", "planted-local-salt-02fa"),
    ("config/jwt/private.key", "planted-key-e4d5"),
    ("auth.json", "planted-auth-71c6"),
];

pub struct World {
    pub project: Project,
    pub libc: &'static str,
    /// Begins the names of its images.
    pub name: String,
}

impl World {
    pub fn new(libc: &'static str) -> Self {
        let standins = Standins::get();
        let name = format!("osgraph-test-build-{libc}-{}", std::process::id());
        // Two names are a test's own, so that it can run beside others: the base's tag, and a label.
        let base = format!("{name}-base");
        let platform = "platform \"linux/${arch}\"";
        let text = shipped()
            .replace(&format!("tag \"{BASE}\""), &format!("tag \"{base}\""))
            .replace(platform, &format!("{platform}\n    label \"{LABEL}\" \"{name}\""));
        let mut project = Project::new(&text);
        for from in ["builder", "common", "targets", "VERSION", "tests/orangescrum/app"] {
            let into = project.path(from.rsplit('/').next().unwrap());
            let mut copy = Command::new("cp");
            do_now(copy.args(["--recursive", "--no-dereference"]).arg(repository().join(from)).arg(into));
        }
        for file in DOCKERFILES {
            let text = project.read(file);
            let named = format!("FROM {BASE} AS ");
            let found = text.matches(&named).count();
            assert_eq!(found, usize::from(file.contains("embed")), "{file}: the base is named by its tag");
            project.write(file, &text.replace(&named, &format!("FROM {base} AS ")));
        }
        // An engine carries out a step that two builds have in common once, and only one of them hears of it.
        project.write("builder/embed/of-this-test", &name);
        let debian = Fixture::debian().to_owned();
        for (parameter, value) in [
            ("FOLDER", "app"),
            ("LIBC", libc),
            ("BUILDER_MUSL", &standins.builder_musl),
            ("BUILDER_GLIBC", &standins.builder_glibc),
            ("PHP_IMAGE", &standins.php),
            ("COMPOSER_IMAGE", &standins.composer),
            ("PHP", &standins.php_version),
            // There is no Alpine here: both want what Debian has.
            ("RUNTIME_MUSL", &debian),
            ("RUNTIME_GLIBC", &debian),
            ("IMAGE", &format!("{name}-cloud")),
        ] {
            project.env.insert(format!("OSGRAPH_PARAM_{parameter}"), value.to_owned());
        }
        for (place, value) in PLANTED {
            if place.contains('.') {
                project.write(&format!("app/{place}"), value);
            } else {
                project.env.insert(place.to_owned(), value.to_owned());
            }
        }
        Self { project, libc, name }
    }

    #[track_caller]
    pub fn run(&self, args: &[&str]) -> Said {
        self.project.run_with(&[args, &TARGETS].concat())
    }

    /// A run that must fail in `node`; everything that it said.
    #[track_caller]
    pub fn fails(&self, node: &str) -> String {
        let said = self.project.try_run(&TARGETS);
        assert_eq!(said.failed, [node], "{}", said.text);
        said.text
    }

    pub fn binary(&self) -> PathBuf {
        self.project.path("common/orangescrum-app/osv4-prod")
    }

    pub fn base(&self) -> String {
        format!("{}-base", self.name)
    }

    pub fn runtime(&self) -> String {
        format!("{}-cloud:{}", self.name, self.project.read("VERSION").trim())
    }

    /// The ids of all images that were built here.
    pub fn images(&self) -> Vec<String> {
        let label = format!("label={LABEL}={}", self.name);
        let ids = docker(&["image", "ls", "--quiet", "--no-trunc", "--filter", &label]);
        ids.lines().map(str::to_owned).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Runs the program without anything of this machine's environment; what it prints.
    #[track_caller]
    pub fn ask(&self, args: &[&str], env: &[(&str, &str)]) -> String {
        let (good, out, errors) = self.asked(args, env);
        assert!(good, "{args:?}: {errors}");
        out
    }

    /// As [`Self::ask`], with whether it ended well and what it complained of.
    pub fn asked(&self, args: &[&str], env: &[(&str, &str)]) -> (bool, String, String) {
        let tmp = tempfile::tempdir().unwrap();
        let mut command = Command::new(self.binary());
        command.env_clear().env("PATH", "/usr/bin:/bin").env("TMPDIR", tmp.path()).envs(env.iter().copied());
        let output = command.args(args).current_dir(tmp.path()).stdin(Stdio::null()).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
        (output.status.success(), text(&output.stdout), text(&output.stderr))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.images().iter().for_each(|id| remove_image(id));
        for name in [self.base(), self.runtime()] {
            if image(&name).is_some() {
                remove_image(&name);
            }
        }
    }
}

/// The lines that recipes printed.
pub fn printed(said: &Said) -> Vec<String> {
    let events = said.text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let printed = events.filter(|event| event["event"] == "node_printed");
    printed.map(|event| event["line"].as_str().unwrap().to_owned()).collect()
}

/// Go packages that a run compiled, as `go build -v` names them.
pub fn compiled(said: &Said) -> BTreeSet<String> {
    let is_package =
        |line: &String| line.contains('/') && !line.contains([' ', ':']) && !line.starts_with(['/', '.']);
    printed(said).into_iter().filter(is_package).collect()
}

/// Which of the texts occur in what a shell command writes.
pub fn found(script: &str, args: &[&str], texts: &[&str]) -> BTreeSet<String> {
    let tmp = tempfile::tempdir().unwrap();
    let patterns = tmp.path().join("patterns");
    fs::write(&patterns, texts.join("\n")).unwrap();
    let grep = "grep --text --only-matching --fixed-strings --file=\"$0\" || [ $? = 1 ]";
    let script = format!("set -o pipefail; {{ {script}; }} | {{ {grep}; }} | sort -u");
    let mut bash = Command::new("bash");
    bash.arg("-euc").arg(script).arg(&patterns).args(args).env("LC_ALL", "C").stdin(Stdio::null());
    let output = bash.output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}
