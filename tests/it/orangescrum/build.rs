//! Both Dockerfiles of `builder/`, as they are but for the name of one tag, built by the shipped pipeline on
//! stand-ins of the images that they name (`standins`): a real Go links a real program, a real Composer
//! installs from a lock, the program serves over HTTP.
//!
//! One story instead of many tests, because its slow step takes a minute and is to run once.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::cloud::shipped;
use super::standins::Standins;
use crate::causes::project::{Project, Said};
use crate::docker::bootstrap::do_now;
use crate::docker::engine::{docker, remove_image};
use crate::docker::world::free_port;

const LABEL: &str = "org.example.test-build";
const BASE: &str = "orangescrum-cloud-base";
/// What the caller's environment holds and no program may.
const PLANTED: [(&str, &str); 3] = [
    ("SECURITY_SALT", "planted-salt-5f1c"),
    ("DB_PASSWORD", "planted-password-77ab"),
    ("GITHUB_TOKEN", "planted-token-c0de"),
];

struct Build {
    project: Project,
    name: String,
}

impl Build {
    fn new() -> Self {
        let standins = Standins::get();
        let name = format!("osgraph-test-build-{}", std::process::id());
        let platform = "platform \"linux/${arch}\"";
        let text = shipped()
            .replace(&format!("tag \"{BASE}\""), &format!("tag \"{name}\""))
            .replace("path \"/LICENSES.txt\"", "path \"/LICENSES.txt\"\n    output \"LICENSES.txt\"")
            .replace(platform, &format!("{platform}\n    label \"{LABEL}\" \"{name}\""));
        let mut project = Project::new(&text);
        project.write("VERSION", "26.1.1\n");
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for (from, into) in
            [("builder", "builder"), ("common/config", "common/config"), ("tests/orangescrum/app", "app")]
        {
            let into = project.path(into);
            fs::create_dir_all(into.parent().unwrap()).unwrap();
            do_now(Command::new("cp").arg("--recursive").arg(root.join(from)).arg(&into));
        }
        let file = project.read("builder/app-embed.Dockerfile");
        assert!(file.contains(&format!("FROM {BASE} AS ")), "the base is named by its tag");
        project.write("builder/app-embed.Dockerfile", &file.replace(BASE, &name));
        for (parameter, value) in [
            ("FOLDER", "app"),
            ("BUILDER_MUSL", &standins.builder),
            ("PHP_IMAGE", &standins.php),
            ("COMPOSER_IMAGE", &standins.composer),
            ("PHP", &standins.php_version),
        ] {
            project.env.insert(format!("OSGRAPH_PARAM_{parameter}"), value.to_owned());
        }
        for (variable, value) in PLANTED {
            project.env.insert(variable.to_owned(), value.to_owned());
        }
        Self { project, name }
    }

    fn run(&self) -> Said {
        self.project.run_with(&["binary", "licences"])
    }

    /// A run that must fail in `node`; everything that it said.
    fn fails(&self, node: &str) -> String {
        let said = self.project.try_run(&["binary", "licences"]);
        assert_eq!(said.failed, [node], "{}", said.text);
        said.text
    }

    fn binary(&self) -> PathBuf {
        self.project.path("common/orangescrum-app/osv4-prod")
    }

    /// Runs the program without anything of this machine's environment.
    fn ask(&self, args: &[&str], env: &[(&str, &str)]) -> String {
        let tmp = tempfile::tempdir().unwrap();
        let mut command = Command::new(self.binary());
        command.env_clear().env("PATH", "/usr/bin:/bin").env("TMPDIR", tmp.path()).envs(env.iter().copied());
        let output = command.args(args).current_dir(tmp.path()).stdin(Stdio::null()).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {errors}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }
}

impl Drop for Build {
    fn drop(&mut self) {
        let label = format!("label={LABEL}={}", self.name);
        let ids = docker(&["image", "ls", "--all", "--quiet", "--no-trunc", "--filter", &label]);
        ids.lines().for_each(remove_image);
    }
}

/// The program at work, asked with `curl`.
struct Serving {
    process: Child,
    port: u16,
    tmp: tempfile::TempDir,
}

impl Serving {
    fn start(binary: &Path, env: &[(&str, &str)]) -> Self {
        let tmp = tempfile::tempdir().unwrap();
        let port = free_port();
        let mut command = Command::new(binary);
        command.arg("php-server").env_clear().env("PATH", "/usr/bin:/bin").env("TMPDIR", tmp.path());
        command.env("HOME", tmp.path()).env("APP_PORT", port.to_string()).env("APP_BIND_IP", "127.0.0.1");
        let log = fs::File::create(tmp.path().join("log")).unwrap();
        command.envs(env.iter().copied()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let serving = Self { process: command.spawn().unwrap(), port, tmp };
        let start = Instant::now();
        while serving.curl("/healthz", &[]).is_none() {
            let log = fs::read_to_string(serving.tmp.path().join("log")).unwrap();
            assert!(start.elapsed() < Duration::from_secs(60), "nobody listens: {log}");
            std::thread::sleep(Duration::from_millis(100));
        }
        serving
    }

    fn curl(&self, target: &str, args: &[&str]) -> Option<String> {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--include", "--path-as-is", "--max-time", "20"]).args(args);
        let output = curl.arg(format!("http://127.0.0.1:{}{target}", self.port)).output();
        let output = output.expect("Debian: curl");
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Status, head in lower case, body.
    #[track_caller]
    fn get(&self, target: &str, args: &[&str]) -> (u16, String, String) {
        let answer = self.curl(target, args).unwrap_or_else(|| {
            let log = fs::read_to_string(self.tmp.path().join("log")).unwrap();
            panic!("{target}: no answer: {log}")
        });
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_lowercase(), body.to_owned())
    }

    fn config(&self) -> Value {
        let (status, _, body) = self.get("/config", &[]);
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    /// Ends it as a service manager does, and what is left of the application.
    fn end(mut self) -> Vec<PathBuf> {
        do_now(Command::new("kill").arg(self.process.id().to_string()));
        let start = Instant::now();
        while self.process.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < Duration::from_secs(30), "it does not end");
            std::thread::sleep(Duration::from_millis(50));
        }
        let inside = fs::read_dir(self.tmp.path()).unwrap().map(|one| one.unwrap().path());
        inside.filter(|path| path.to_string_lossy().contains("frankenphp_")).collect()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Go packages that a run compiled, as `go build -v` named them.
fn compiled(said: &Said) -> BTreeSet<String> {
    let events = said.text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let printed = events.filter(|event| event["event"] == "node_printed");
    let lines = printed.map(|event| event["line"].as_str().unwrap().to_owned());
    lines.filter(|line| line.starts_with("github.com/") || line.starts_with("golang.org/")).collect()
}

#[test]
fn the_application_is_embedded_and_served() {
    let build = Build::new();
    let said = build.run();
    assert_eq!(said.ran, ["base", "binary", "embed", "licences", "source"], "{}", said.text);
    said_by_the_program(&build);
    nothing_of_the_builder_is_inside(&build);
    served_as_it_is_set(&build);
    served_as_the_environment_says(&build);
    the_caddyfile_is_valid(&build);
    a_change_of_code_links_and_compiles_little(&build);
    gates_and_locks_say_no(&build);
}

fn said_by_the_program(build: &Build) {
    let php = &Standins::get().php_version;
    assert!(build.ask(&["version"], &[]).starts_with(&format!("FrankenPHP v1.12.7 PHP {php} ")));
    // The lock says 1.0.0, and the repository has 1.1.0 as well.
    let code = "chdir(glob(sys_get_temp_dir() . '/frankenphp_*')[0]); require 'vendor/autoload.php'; \
                echo Osv4Test\\Slug\\Slug::VERSION, ' ', filetype('vendor/bin/tick');";
    assert_eq!(build.ask(&["php-cli", "-r", code], &[]), "1.0.0 file");
    // php-cli does not read the application's php.ini.
    assert_ne!(build.ask(&["php-cli", "-r", "echo ini_get('memory_limit');"], &[]), "512M");
    let licences = build.project.read("LICENSES.txt");
    for work in ["osv4-test/slug", "PHP and its libraries", "Go and its modules", "The Caddy Authors"] {
        assert!(licences.contains(work), "{work} is not in LICENSES.txt");
    }
}

fn nothing_of_the_builder_is_inside(build: &Build) {
    let bytes = fs::read(build.binary()).unwrap();
    for (variable, value) in PLANTED {
        let found = bytes.windows(value.len()).any(|window| window == value.as_bytes());
        assert!(!found, "{variable} is inside the program");
    }
}

fn served_as_it_is_set(build: &Build) {
    let serving = Serving::start(&build.binary(), &[]);
    let (status, head, body) = serving.get("/healthz", &[]);
    assert_eq!((status, body.as_str()), (200, "OK"));
    assert!(head.contains("cache-control: no-store"), "{head}");

    let config = serving.config();
    for (setting, value) in [
        ("memory_limit", "512M"),
        ("post_max_size", "110M"),
        ("upload_max_filesize", "100M"),
        ("expose_php", ""),
        ("opcache.validate_timestamps", "0"),
    ] {
        let is = config["ini"][setting].as_str().unwrap_or_default();
        assert_eq!(is.trim_start_matches('0'), value.trim_start_matches('0'), "{setting}: {config}");
    }
    let files: Vec<&str> =
        config["files"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    for live in
        ["config/smtp.php", "config/storage.php", "config/queue.php", "plugins/Notes/config/notes.php"]
    {
        assert!(files.contains(&live), "{live} is not live: {files:?}");
    }
    assert!(!files.contains(&"config/app_local.php"), "{files:?}");

    let (_, head, _) = serving.get("/config", &["--header", "Accept-Encoding: gzip"]);
    assert!(head.contains("content-encoding: gzip"), "{head}");
    for header in ["x-content-type-options: nosniff", "x-frame-options: sameorigin", "referrer-policy: "] {
        assert!(head.contains(header), "{header}: {head}");
    }
    for header in ["\r\nserver:", "x-powered-by", "strict-transport-security"] {
        assert!(!head.contains(header), "{header}: {head}");
    }
    let (_, head, _) = serving.get("/config", &["--header", "Accept-Encoding: gzip, br, zstd"]);
    assert!(head.contains("content-encoding: zstd"), "{head}");
    let forwarded = ["--header", "X-Forwarded-Proto: https"];
    let (_, head, _) = serving.get("/config", &forwarded);
    assert!(!head.contains("strict-transport-security"), "nobody is trusted: {head}");

    let (status, head, _) = serving.get("/css/style.css", &[]);
    assert!(status == 200 && head.contains("cache-control: public, max-age=3600"), "{head}");
    let (status, head, _) = serving.get("/img/board%20view%20(2024%20edition).svg", &[]);
    assert!(status == 200 && head.contains("cache-control: public, max-age=604800"), "{head}");
    // What is not there is the application's to answer, and nobody keeps that.
    let (status, head, _) = serving.get("/css/none.css", &[]);
    assert!(status == 404 && !head.contains("max-age"), "{head}");

    for denied in [
        "/.htaccess",
        "/.env",
        "/img/../.git/config",
        "/files/x.php",
        "/img/a.phtml",
        "/x.php/y",
        "/composer.lock",
    ] {
        let (status, _, body) = serving.get(denied, &[]);
        assert_eq!((status, body.as_str()), (404, "404 Not Found"), "{denied}");
    }
    assert_eq!(serving.end(), Vec::<PathBuf>::new(), "the server takes the application away");
}

fn served_as_the_environment_says(build: &Build) {
    let env = [
        ("PHP_MEMORY_LIMIT", "123M"),
        ("PHP_POST_MAX_SIZE", "7M"),
        ("CADDY_TRUSTED_PROXIES", "127.0.0.1 10.0.0.0/8"),
        ("CADDY_GLOBAL_OPTIONS", "grace_period 3s"),
        ("APP_NAME", "Of the environment"),
    ];
    let serving = Serving::start(&build.binary(), &env);
    let config = serving.config();
    assert_eq!(config["ini"]["memory_limit"], "123M");
    assert_eq!(config["ini"]["post_max_size"], "7M");
    let (_, _, body) = serving.get("/echo-env?name=APP_NAME", &[]);
    assert!(body.contains("Of the environment"), "{body}");
    let (_, head, _) = serving.get("/config", &["--header", "X-Forwarded-Proto: https"]);
    assert!(head.contains("strict-transport-security: max-age="), "{head}");
    let (_, head, _) = serving.get("/config", &[]);
    assert!(!head.contains("strict-transport-security"), "plain http: {head}");
}

fn the_caddyfile_is_valid(build: &Build) {
    let file = build.project.path("builder/Caddyfile");
    let validate = ["validate", "--adapter", "caddyfile", "--config", file.to_str().unwrap()];
    build.ask(&validate, &[]);
    build.ask(
        &validate,
        &[
            ("APP_PORT", "8099"),
            ("APP_BIND_IP", "127.0.0.1"),
            ("SERVER_NAME", "http://:8099"),
            ("CADDY_ADMIN", "localhost:2019"),
            ("CADDY_TRUSTED_PROXIES", "10.0.0.0/8 ::1"),
        ],
    );
}

fn a_change_of_code_links_and_compiles_little(build: &Build) {
    let file = build.project.read("app/VERSION.txt");
    build.project.write("app/VERSION.txt", "changed\n");
    let begun = Instant::now();
    let said = build.run();
    let took = begun.elapsed();
    assert!(!said.ran.contains(&"base".to_owned()), "{}", said.text);
    assert!(said.ran.contains(&"embed".to_owned()), "{}", said.text);
    let compiled = compiled(&said);
    let expected = ["github.com/dunglas/frankenphp", "github.com/dunglas/frankenphp/caddy"];
    assert!(compiled.iter().all(|package| expected.contains(&package.as_str())), "{compiled:?}");
    assert!(compiled.contains(expected[0]), "the application's package was not compiled: {}", said.text);
    assert!(!said.text.contains("Installing osv4-test/slug"), "packages were installed again");
    assert!(took < Duration::from_secs(300), "{took:?}");
    build.project.write("app/VERSION.txt", &file);
    assert_eq!(build.run().ran, [""; 0], "back to what was there before");
}

fn gates_and_locks_say_no(build: &Build) {
    // Of the embed alone: the base was built without it.
    build.project.edit_pipeline(
        "arg \"PHP_EXTENSIONS\" \"${extensions}\"\n    secret",
        "arg \"PHP_EXTENSIONS\" \"${extensions},imagick\"\n    secret",
    );
    let said = build.fails("embed");
    assert!(said.contains("gate: failed: extensions are missing: imagick"), "{said}");
    build.project.edit_pipeline("${extensions},imagick", "${extensions}");

    let lock = build.project.read("app/composer.lock");
    build.project.remove("app/composer.lock");
    let said = build.fails("embed");
    assert!(said.contains("the application has no composer.lock"), "{said}");
    build.project.write("app/composer.lock", &lock);

    build.project.link("nowhere", "app/src/dangling");
    let said = build.fails("embed");
    assert!(said.contains("src/dangling -> nowhere (leads nowhere)"), "{said}");
    build.project.remove("app/src/dangling");
}
