use super::*;
use crate::digest::Digest;
use crate::key::Facet;
use crate::path::RelPath;
use crate::pipeline::NodeName;
use crate::tree::TreeDigest;

/// Every code with the word it has in JSON and its cause line. The `match` keeps it complete.
#[test]
fn every_code_has_words() {
    let all = [
        Code::NeverBuilt,
        Code::InputChanged,
        Code::OptionChanged,
        Code::EnvironmentChanged,
        Code::DockerfileChanged,
        Code::FromMoved,
        Code::PlatformChanged,
        Code::UpstreamChanged,
        Code::ComponentAdded,
        Code::ComponentRemoved,
        Code::ArtifactMissing,
        Code::ImageMissing,
        Code::TagMissing,
        Code::TagMoved,
        Code::Forced,
        Code::Rebuild,
        Code::OutputMissing,
        Code::OutputAltered,
        Code::PublishingChanged,
        Code::GateChanged,
        Code::UpstreamStale,
    ];
    for code in all {
        let (word, words) = match code {
            Code::NeverBuilt => ("never-built", "never built"),
            Code::InputChanged => ("input-changed", "`x` changed"),
            Code::OptionChanged => ("option-changed", "`x` changed"),
            Code::EnvironmentChanged => ("environment-changed", "`x` changed"),
            Code::DockerfileChanged => ("dockerfile-changed", "`x` changed"),
            Code::FromMoved => ("from-moved", "`x` means another image"),
            Code::PlatformChanged => ("platform-changed", "`x` changed"),
            Code::UpstreamChanged => ("upstream-changed", "upstream `x` changed"),
            Code::ComponentAdded => ("component-added", "`x` is new"),
            Code::ComponentRemoved => ("component-removed", "`x` is gone"),
            Code::ArtifactMissing => ("artifact-missing", "its artifact is no longer in the store"),
            Code::ImageMissing => ("image-missing", "its image is no longer in the engine"),
            Code::TagMissing => ("tag-missing", "tag `x` is missing"),
            Code::TagMoved => ("tag-moved", "tag `x` was moved to another image"),
            Code::Forced => ("forced", "asked for with `--force`"),
            Code::Rebuild => ("rebuild", "asked for with `--rebuild`"),
            Code::OutputMissing => ("output-missing", "output `x` is missing"),
            Code::OutputAltered => ("output-altered", "output `x` was altered"),
            Code::PublishingChanged => ("publishing-changed", "output `x` is not published yet"),
            Code::GateChanged => ("gate-changed", "`x` is not verified yet"),
            Code::UpstreamStale => ("upstream-stale", "upstream `x` must run first"),
        };
        assert_eq!(cause(&Reason::new(code, Facet::Own, "x")), words);
        assert_eq!(serde_json::to_value(code).unwrap(), word);
    }
}

fn text(old: &str, new: &str) -> String {
    let mut reason = Reason::new(Code::OptionChanged, Facet::Own, "run 0");
    reason.old = Some(Value::Text(old.into()));
    reason.new = Some(Value::Text(new.into()));
    cause(&reason)
}

#[test]
fn texts_are_quoted() {
    assert_eq!(text("make", "make \"a\"\u{1b}"), r#"`run 0` changed: "make" → "make \"a\"\u{1b}""#);
}

#[test]
fn words_of_a_command_are_quoted_once() {
    let (old, new) = (r#""cp" "a b" "out""#, "\"cp\" \"a\u{1b}\\\"b\" \"out\"");
    assert_eq!(text(old, new), r#"`run 0` changed: "cp" "a b" "out" → "cp" "a\u{1b}\"b" "out""#);
    assert_eq!(text("\"", "\"\""), r#"`run 0` changed: "\"" → """#);
}

#[test]
fn a_tool_shows_its_first_differing_line() {
    let (old, new) = ("rustc 1.95.0\nhost: x\nLLVM 20", "rustc 1.95.0\nhost: x\nLLVM 21");
    assert_eq!(text(old, new), r#"`run 0` changed: line 3, "LLVM 20" → "LLVM 21""#);
    assert_eq!(text("a", "a\nb"), r#"`run 0` changed: line 2, nothing → "b""#);
    assert_eq!(text("a", "a\n"), "`run 0` changed: only line ends differ");
}

#[test]
fn long_texts_are_cut_around_the_difference() {
    let common = "x".repeat(200);
    assert_eq!(
        text(&format!("{common}1{common}"), &format!("{common}2")),
        format!("`run 0` changed: \"…{0}1{1}…\" → \"…{2}2\"", "x".repeat(12), "x".repeat(43), "x".repeat(55))
    );
}

fn file(content: &str, executable: bool) -> Entry {
    Entry::File { digest: Digest::of(content.as_bytes()), size: content.len() as u64, executable }
}

fn change(path: &str, kind: ChangeKind, old: Option<Entry>, new: Option<Entry>) -> Change {
    Change { path: RelPath::parse(path).unwrap(), kind, old, new }
}

#[test]
fn changed_files_show_size_mode_and_digest() {
    let of = |old, new| entry_change(&old, &new);
    assert_eq!(of(file(&"x".repeat(4_200), false), file(&"x".repeat(4_400), false)), "4.1 → 4.3 KiB");
    assert_eq!(of(file("a", false), file("a", true)), "mode 644 → 755");
    assert_eq!(
        of(file("a", false), file("b", false)),
        format!("1 B, {} → {}", Digest::of(b"a").short(), Digest::of(b"b").short())
    );
    assert_eq!(of(file("a", true), Entry::Symlink { target: "b".into() }), "1 B, mode 755 → link to `b`");
}

#[test]
fn a_changed_folder_names_its_paths() {
    let folder =
        |text: &str| Value::Entry(Entry::Directory { digest: TreeDigest(Digest::of(text.as_bytes())) });
    let mut reason = Reason::new(Code::InputChanged, Facet::Own, "input app");
    (reason.old, reason.new) = (Some(folder("a")), Some(folder("b")));
    let digests = format!("{} → {}", Digest::of(b"a").short(), Digest::of(b"b").short());
    assert_eq!(cause(&reason), format!("`input app` changed: folder {digests}"));

    reason.changes.push(change("src/a.php", ChangeKind::Added, None, Some(file("x", false))));
    assert_eq!(cause(&reason), "`input app` changed: `src/a.php` added, 1 B");

    reason.changes.push(change("src/b.php", ChangeKind::Removed, Some(file("x", false)), None));
    assert_eq!(cause(&reason), "`input app` changed: `src/a.php` and 1 more path");
    reason.more = true;
    assert_eq!(cause(&reason), "`input app` changed: `src/a.php` and more than 1 more path");
}

#[test]
fn a_headline_prefers_the_root_cause() {
    let mut upstream = Reason::new(Code::UpstreamChanged, Facet::Upstream, "app");
    upstream.node = Some(NodeName("source".into()));
    upstream.old = Some(Value::Image(Digest::of(b"a")));
    upstream.new = Some(Value::Image(Digest::of(b"b")));
    let images = format!("image {} → {}", Digest::of(b"a").short(), Digest::of(b"b").short());
    assert_eq!(headline(std::slice::from_ref(&upstream)), format!("upstream `source` changed: {images}"));
    let mut added = Reason::new(Code::ComponentAdded, Facet::Environment, "env MODE");
    added.new = Some(Value::Text("fast".into()));
    assert_eq!(headline(&[upstream, added]), r#"`env MODE` is new: "fast" (and 1 more cause)"#);
    assert_eq!(headline(&[]), "");
}

#[test]
fn removed_components_show_what_they_were() {
    let mut reason = Reason::new(Code::ComponentRemoved, Facet::Own, "exclude 0");
    reason.old = Some(Value::Text("tests/\nx".into()));
    assert_eq!(cause(&reason), r#"`exclude 0` is gone: was "tests/" (first of 2 lines)"#);
}

#[test]
fn a_dockerfile_is_told_by_its_lines_and_a_locked_image_by_a_short_digest() {
    let mut reason = Reason::new(Code::DockerfileChanged, Facet::Own, "dockerfile");
    (reason.old, reason.new) = (Some(Value::Text("RUN a".into())), Some(Value::Text("RUN b".into())));
    let one = |line, old: Option<&str>, new: Option<&str>| Instruction {
        file: "b/Dockerfile".into(),
        line,
        old: old.map(str::to_owned),
        new: new.map(str::to_owned),
        changes: Vec::new(),
    };
    reason.instructions = vec![one(Some(4), Some("RUN a"), Some("RUN b"))];
    assert_eq!(cause(&reason), "`dockerfile` changed: line 4, \"RUN a\" → \"RUN b\"");
    reason.instructions.push(one(Some(9), None, Some("CMD x")));
    assert_eq!(cause(&reason), "`dockerfile` changed: line 4, \"RUN a\" → \"RUN b\" and 1 more instruction");
    assert_eq!(instruction(&reason.instructions[1]), "line 9, \"CMD x\" is new");
    assert_eq!(instruction(&one(None, Some("CMD x"), None)), "\"CMD x\" is gone");

    let mut moved = Reason::new(Code::FromMoved, Facet::Environment, "from php:8.3");
    let locked = |digit: &str| Some(Value::Text(format!("sha256:{}", digit.repeat(64))));
    (moved.old, moved.new) = (locked("a"), locked("b"));
    assert_eq!(cause(&moved), "`php:8.3` means another image: sha256:aaaaaaaaaaaa → sha256:bbbbbbbbbbbb");
}
