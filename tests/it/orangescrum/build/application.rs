//! What is inside the program, and how it is served.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::process::Command;

use super::serving::Serving;
use super::world::{World, printed};
use crate::causes::project::Said;
use crate::docker::engine::docker;
use crate::orangescrum::standins::Standins;

/// Runs PHP in the application's folder.
fn php(world: &World, code: &str) -> String {
    let code = format!("chdir(glob(sys_get_temp_dir() . '/frankenphp_*')[0]); {code}");
    world.ask(&["php-cli", "-r", &code], &[])
}

pub fn is_what_was_locked(world: &World, first: &Said) {
    let standins = Standins::get();
    let begins = format!("FrankenPHP v1.12.7 PHP {} ", standins.php_version);
    assert!(world.ask(&["version"], &[]).starts_with(&begins));
    assert!(world.ask(&["build-info"], &[]).contains("github.com/dunglas/frankenphp"));
    // The lock says 1.0.0, and the application would take 1.1.0 as well.
    let image = format!("{}:{}-cli", standins.php, standins.php_version);
    let offered = docker(&["run", "--rm", "--network=none", &image, "cat", "/srv/composer/packages.json"]);
    assert!(offered.contains("slug-1.1.0.zip") && offered.contains("slug-1.0.0.zip"), "{offered}");
    assert!(
        printed(first).iter().any(|line| line.contains("Installing osv4-test/slug (1.0.0)")),
        "{}",
        first.text
    );
    assert_eq!(php(world, "require 'vendor/autoload.php'; echo Osv4Test\\Slug\\Slug::VERSION;"), "1.0.0");
    // Programs of packages still find their neighbours.
    assert_eq!(php(world, "echo filetype('vendor/bin/tick');"), "file");
    // php-cli does not read the application's php.ini.
    assert_ne!(php(world, "echo ini_get('memory_limit');"), "512M");
    let licences = world.project.read("dist-native/LICENSES.txt");
    for work in
        ["osv4-test/slug", "PHP and its libraries", "github.com/caddyserver/caddy/v2", "Apache License"]
    {
        assert!(licences.contains(work), "{work} is not in LICENSES.txt");
    }
}

pub fn is_served_as_it_is_set(world: &World) {
    let serving = Serving::start(Command::new(world.binary()).arg("php-server"), "APP_PORT", &[]);
    let site = &serving.site;
    let (status, head, body) = site.get("/healthz", &[]);
    assert_eq!((status, body.as_str()), (200, "OK"));
    assert!(head.contains("cache-control: no-store"), "{head}");
    // It was told 127.0.0.1, and listens nowhere else.
    assert!(serving.listens_at(Ipv4Addr::LOCALHOST) && !serving.listens_at(Ipv4Addr::new(127, 0, 0, 2)));

    let config = site.config();
    for (setting, value) in [
        ("memory_limit", "512M"),
        ("post_max_size", "110M"),
        ("upload_max_filesize", "100M"),
        ("expose_php", ""),
        ("opcache.enable", "1"),
        ("opcache.validate_timestamps", "0"),
    ] {
        let is = config["ini"][setting].as_str().unwrap_or_default();
        assert_eq!(is.trim_start_matches('0'), value.trim_start_matches('0'), "{setting}: {config}");
    }
    let files: BTreeSet<&str> =
        config["files"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    for live in
        ["config/smtp.php", "config/storage.php", "config/queue.php", "plugins/Notes/config/notes.php"]
    {
        assert!(files.contains(live), "{live} is not live: {files:?}");
    }
    assert!(!files.contains("config/app_local.php"), "{files:?}");

    for (accepted, encoding) in [("gzip", "gzip"), ("gzip, br", "br"), ("gzip, br, zstd", "zstd")] {
        let (_, head, _) = site.get("/config", &["--header", &format!("Accept-Encoding: {accepted}")]);
        assert!(head.contains(&format!("content-encoding: {encoding}")), "{accepted}: {head}");
    }
    let (_, head, _) = site.get("/config", &[]);
    for header in ["x-content-type-options: nosniff", "x-frame-options: sameorigin", "referrer-policy: "] {
        assert!(head.contains(header), "{header}: {head}");
    }
    for header in ["\r\nserver:", "x-powered-by", "strict-transport-security"] {
        assert!(!head.contains(header), "{header}: {head}");
    }
    let (_, head, _) = site.get("/config", &["--header", "X-Forwarded-Proto: https"]);
    assert!(!head.contains("strict-transport-security"), "nobody is trusted: {head}");

    for (path, age) in [
        ("/css/style.css", 3600),
        ("/latest.css", 3600),
        ("/img/board%20view%20(2024%20edition).svg", 604_800),
    ] {
        let (status, head, body) = site.get(path, &[]);
        assert!(
            status == 200 && head.contains(&format!("cache-control: public, max-age={age}")),
            "{path}: {head}"
        );
        assert!(head.contains("etag: ") && !body.is_empty(), "{path}: {head}");
    }
    // What is not there is the application's to answer, and nobody keeps that.
    let (status, head, _) = site.get("/css/none.css", &[]);
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
        let (status, _, body) = site.get(denied, &[]);
        assert_eq!((status, body.as_str()), (404, "404 Not Found"), "{denied}");
    }
    assert_eq!(serving.end(), [""; 0].map(std::path::PathBuf::from), "the server takes the application away");
}

pub fn is_served_as_the_environment_says(world: &World) {
    let env = [
        ("PHP_MEMORY_LIMIT", "123M"),
        ("PHP_POST_MAX_SIZE", "7M"),
        ("CADDY_TRUSTED_PROXIES", "127.0.0.1 10.0.0.0/8"),
        ("CADDY_GLOBAL_OPTIONS", "grace_period 3s"),
        ("APP_NAME", "Of the environment"),
    ];
    let serving = Serving::start(Command::new(world.binary()).arg("php-server"), "APP_PORT", &env);
    let site = &serving.site;
    let config = site.config();
    assert_eq!(config["ini"]["memory_limit"], "123M");
    assert_eq!(config["ini"]["post_max_size"], "7M");
    let (_, _, body) = site.get("/echo-env?name=APP_NAME", &[]);
    assert!(body.contains("Of the environment"), "{body}");
    let (_, head, _) = site.get("/config", &["--header", "X-Forwarded-Proto: https"]);
    assert!(head.contains("strict-transport-security: max-age="), "{head}");
    let (_, head, _) = site.get("/config", &[]);
    assert!(!head.contains("strict-transport-security"), "plain http: {head}");
    drop(serving);

    // The package's own start: PORT goes before what .env says of APP_PORT.
    let state = tempfile::tempdir().unwrap();
    let state = state.path().to_str().unwrap();
    let env = [
        ("OSV4_STATE", state),
        ("SECURITY_SALT", "a-salt-of-more-than-thirty-two-characters"),
        ("DB_PASSWORD", "nobody-is-asked"),
    ];
    let run = world.project.path("dist-native/run.sh");
    let serving = Serving::start(Command::new(run).arg("serve"), "PORT", &env);
    assert_eq!(serving.site.get("/css/style.css", &[]).0, 200);
    serving.end();
}

/// With the program itself: a Caddy of others knows none of FrankenPHP's directives.
pub fn has_a_valid_caddyfile(world: &World) {
    let file = world.project.path("builder/Caddyfile");
    let file = file.to_str().unwrap();
    let validate = ["validate", "--adapter", "caddyfile", "--config", file];
    world.ask(&validate, &[]);
    let set = [
        ("APP_PORT", "8099"),
        ("APP_BIND_IP", "127.0.0.1"),
        ("SERVER_NAME", "http://:8099"),
        ("CADDY_ADMIN", "localhost:2019"),
        ("CADDY_TRUSTED_PROXIES", "10.0.0.0/8 ::1"),
    ];
    world.ask(&validate, &set);
    let adapted = world.ask(&["adapt", "--adapter", "caddyfile", "--config", file], &set);
    let adapted: serde_json::Value = serde_json::from_str(&adapted).unwrap();
    assert_eq!(adapted["apps"]["http"]["servers"]["srv0"]["listen"][0], "127.0.0.1:8099", "{adapted}");
    let (good, _, errors) = world.asked(&validate, &[("CADDY_GLOBAL_OPTIONS", "no_such_option")]);
    assert!(!good && errors.contains("no_such_option"), "{errors}");
}
