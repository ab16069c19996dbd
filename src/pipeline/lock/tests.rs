//! What a lock file may say, and what is said of one that may not.

use super::*;
use crate::pipeline::tests::{marked, source};

const A: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const B: &str = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

fn read(text: &str) -> Lock {
    Lock::parse(&source(text)).unwrap()
}

/// Asserts the one mistake of a lock with this body: code, place, a part of the help.
#[track_caller]
fn one(body: &str, code: &str, place: &str, help: &str) {
    let text = format!("lock version=1 {{\n{body}\n}}");
    one_of(&text, code, place, help);
}

#[track_caller]
fn one_of(text: &str, code: &str, place: &str, help: &str) {
    let mistakes = Lock::parse(&source(text)).unwrap_err().list;
    let [mistake] = mistakes.as_slice() else { panic!("{mistakes:#?}") };
    assert_eq!((mistake.code, marked(text, mistake)), (code, place));
    let said = mistake.help.as_deref().unwrap_or_default();
    assert!(said.contains(help), "{said}");
}

fn image(name: &str, platform: &str, digest: &str) -> String {
    format!("image \"{name}\" platform=\"{platform}\" digest=\"{digest}\"")
}

#[test]
fn what_is_rendered_is_read_and_sorted() {
    let mut lock = Lock::default();
    assert!(lock.insert("php:8.3-cli", "linux/arm64/v8", B));
    assert!(lock.insert("php:8.3-cli", "linux/amd64", A));
    assert!(lock.insert("127.0.0.1:5000/tool", "linux/x86_64", B));
    let text = lock.render();
    assert_eq!(
        text,
        format!(
            "{OPENING}lock version=1 {{\n    {}\n    {}\n    {}\n}}\n",
            image("127.0.0.1:5000/tool:latest", "linux/amd64", B),
            image("docker.io/library/php:8.3-cli", "linux/amd64", A),
            image("docker.io/library/php:8.3-cli", "linux/arm64", B),
        )
    );
    assert_eq!(read(&text), lock);
    assert_eq!(read(&Lock::default().render()), Lock::default());
}

#[test]
fn names_are_found_in_every_spelling() {
    let mut lock = Lock::default();
    lock.insert("docker.io/library/php:8", "linux/arm64", A);
    for name in ["php:8", "library/php:8", "docker.io/php:8"] {
        assert_eq!(lock.digest_of(name, "linux/arm64/v8"), Some(A), "{name}");
    }
    assert_eq!(lock.digest_of("php:8", "linux/amd64"), None);
    assert_eq!(lock.digest_of("php", "linux/arm64"), None);
    assert_eq!(lock.digest_of(&format!("php:8@{B}"), "linux/arm64"), None);
}

#[test]
fn a_digest_is_never_invented() {
    let mut lock = Lock::default();
    assert!(!lock.insert("php", "linux/amd64", "sha256:12"));
    assert!(!lock.insert("php", "linux/amd64", ""));
    assert!(!lock.insert(&format!("php@{A}"), "linux/amd64", A));
    assert!(!lock.insert("php", "linux", A));
    assert!(lock.is_empty());
}

#[test]
fn another_version_is_refused_and_nothing_else_is_said() {
    one_of("lock version=2 { other thing=1; }", "unknown-lock-version", "2", "this one knows version 1");
    one_of("lock version=\"1\" {}", "unknown-lock-version", "\"1\"", "this one knows version 1");
    one_of("lock {}", "missing-property", "lock {}", "version=1");
}

#[test]
fn what_does_not_belong_there_is_named() {
    one_of("lok version=1 {}", "unknown-child", "lok", "did you mean `lock`?");
    one_of("", "missing-lock", "", "osgraph lock");
    one_of("lock version=1\nlock version=1", "repeated-lock", "lock", "");
    let line = image("docker.io/library/a:1", "linux/amd64", A);
    one(&line.replace("image", "imge"), "unknown-child", "imge", "did you mean `image`?");
    one(&line.replace("digest", "digset"), "unknown-property", "digset", "`digest`");
}

#[test]
fn each_value_is_checked() {
    let full = "docker.io/library/a:1";
    one(&image("a:1", "linux/amd64", A), "bad-value", "\"a:1\"", full);
    one(&image("a b", "linux/amd64", A), "bad-value", "\"a b\"", "name:tag");
    let pinned = format!("docker.io/library/a@{A}");
    one(&image(&pinned, "linux/amd64", A), "bad-value", &format!("\"{pinned}\""), "remove the line");
    one(&image(full, "linux/aarch64", A), "bad-value", "\"linux/aarch64\"", "\"linux/arm64\"");
    one(&image(full, "linux", A), "bad-value", "\"linux\"", "linux/amd64");
    one(&image(full, "linux/amd64", "sha256:1"), "bad-value", "\"sha256:1\"", "osgraph lock");
    let line = image(full, "linux/amd64", A);
    one(&format!("{line}\n{line}"), "repeated-lock", &line, "keep the one that is meant");
    let (bare, _) = line.split_once(" digest").unwrap();
    one(bare, "missing-property", bare, "digest=");
}

#[test]
fn all_mistakes_come_at_once() {
    let text =
        format!("lock version=1 {{\n{}\n{}\n}}", image("a", "linux", A), image("b", "linux/amd64", "x"));
    assert_eq!(Lock::parse(&source(&text)).unwrap_err().list.len(), 4);
}
