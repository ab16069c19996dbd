//! Pipeline files that nobody meant to write, through the command: exit 2 and a report, never a
//! crash, a hang or a screen full of megabytes.

use std::fs;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// What a check of such a file may take in a debug build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

struct Said {
    code: Option<i32>,
    text: String,
}

fn check_in(folder: &std::path::Path, file: &[u8], command: &str) -> Said {
    fs::write(folder.join("pipeline.kdl"), file).unwrap();
    let start = Instant::now();
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_osgraph"))
        .arg("-C")
        .arg(folder)
        .arg(command)
        .env_remove("OSGRAPH_FILE")
        .env_remove("OSGRAPH_STORE")
        .env_remove("GITHUB_ACTIONS")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(start.elapsed() < PATIENCE, "took {:?}", start.elapsed());
    let text = String::from_utf8([stdout, stderr].concat()).expect("what is printed is text");
    assert!(!text.contains("panicked"), "{text}");
    Said { code: status.code(), text }
}

fn check(file: impl AsRef<[u8]>) -> Said {
    let folder = tempfile::tempdir().unwrap();
    check_in(folder.path(), file.as_ref(), "check")
}

/// The file is refused, with each of `parts` in the report.
fn refused(file: impl AsRef<[u8]>, parts: &[&str]) -> String {
    let Said { code, text } = check(file);
    assert_eq!(code, Some(2), "{text}");
    for part in parts {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
    assert!(text.len() < 100_000, "{} bytes of report", text.len());
    text
}

#[test]
fn nodes_nested_without_end_are_refused() {
    let nested = |open: &str, levels: usize| {
        format!("pipeline \"x\"\n{}{}\n", open.repeat(levels), "}".repeat(levels))
    };
    refused(nested("a{", 900), &["too-deep", "pipeline.kdl:2:"]);
    refused(nested("a {\n", 900), &["too-deep", "pipeline.kdl:66:"]);
    refused(nested("a{", 100_000), &["too-deep"]);
    refused("pipeline \"x\"\n/-".to_owned() + &"a { /- ".repeat(5_000), &[]);
    refused("/*".repeat(100_000), &[]);
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_read() {
    let mut file =
        b"\xef\xbb\xbfpipeline \"x\"\r\n\r\ncommand \"a\" {\r\n  run \"true\"\r\n  output \"o\"\r\n}\r\n"
            .to_vec();
    let sound = check(&file);
    assert_eq!(sound.code, Some(0), "{}", sound.text);
    file.splice(file.len() - 14..file.len() - 14, b"x".iter().copied());
    refused(&file, &["pipeline.kdl:5:"]);
}

#[test]
fn files_that_are_no_pipeline_are_refused() {
    refused("", &["missing-pipeline", "begin with `pipeline \"name\"`"]);
    refused("\n\n  // nothing\n", &["missing-pipeline"]);
    refused("\u{feff}", &["missing-pipeline"]);
    let noise: Vec<u8> = (0..5_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    refused(noise, &["UTF-8"]);
    refused("pipeline \"x\"\n\0\u{1}\u{1b}[31m\n", &["pipeline.kdl:2:"]);
    refused("}{ ]] \"\" = = / (( \n\n pipeline", &["6 mistakes", "pipeline.kdl:1:1"]);
}

#[test]
fn three_megabytes_of_mistakes_are_reported_in_a_page() {
    let padded = format!("a \"b\" c=1 // {}\n", "-".repeat(150));
    let text = refused("pipeline \"x\"\n".to_owned() + &padded.repeat(18_000), &[" mistakes in `"]);
    assert!(text.contains("of which these are the first 50"), "{text}");
    refused(format!("pipeline \"x\"\n{}", "{".repeat(3_000_000)), &["pipeline.kdl:2:1"]);
}

#[test]
fn mistakes_in_a_line_of_megabytes_are_named_without_the_line() {
    refused(
        format!("pipeline \"x\"\na \"{}\"\n", "y".repeat(1_000_000)),
        &["unknown-kind", "pipeline.kdl:2:1"],
    );
    let line = "a \"b\"; ".repeat(10_000);
    refused(format!("pipeline \"x\"\n{line}"), &["unknown-kind", "pipeline.kdl:2:1", "pipeline.kdl:2:8"]);
}

#[test]
fn a_property_or_a_child_given_twice_is_refused_at_both_places() {
    let text = refused(
        "pipeline \"x\"\nsource-archive \"s\" {\n  dir \".\"\n  archive \"a.tar.gz\" keep=1 keep=2\n}\n",
        &["repeated-property", "`keep` is given twice", "first given here", "given again"],
    );
    assert!(text.contains("pipeline.kdl:4:"), "{text}");
    refused(
        "pipeline \"x\"\ncommand \"s\" {\n  run \"true\"\n  output \"o\"\n  timeout \"1m\"\n  timeout \"2m\"\n}\n",
        &["timeout", "pipeline.kdl:"],
    );
}

#[test]
fn a_circle_is_printed_as_a_path() {
    let node = |name: &str, from: &str| {
        format!("command \"{name}\" {{\n  from \"{from}\"\n  run \"true\"\n  output \"{name}.out\"\n}}\n")
    };
    let file = format!("pipeline \"x\"\n{}{}{}", node("a", "b"), node("b", "c"), node("c", "a"));
    refused(file, &["cycle", "a → b → c → a", "`a` needs `b`", "`c` needs `a`", "pipeline.kdl:3:"]);
    refused(format!("pipeline \"x\"\n{}", node("a", "a")), &["a → a"]);
}

#[test]
fn outputs_in_one_place_are_refused() {
    let node = |name: &str, output: &str| {
        format!("command \"{name}\" {{\n  run \"true\"\n  output \"{output}\"\n}}\n")
    };
    let file = format!("pipeline \"x\"\n{}{}{}", node("a", "o"), node("b", "o/x"), node("c", "./o"));
    refused(file, &["2 mistakes", "same-output", "nested-output", "pipeline.kdl:4:", "pipeline.kdl:12:"]);
    refused(format!("pipeline \"x\"\n{}", node("a", "pipeline.kdl")), &["pipeline.kdl:4:"]);
    refused(format!("pipeline \"x\"\n{}", node("a", "cache/x")), &["cache"]);
    refused(format!("pipeline \"x\"\n{}", node("a", "../x")), &["pipeline.kdl:4:"]);
    refused(format!("pipeline \"x\"\n{}", node("a", "/etc/x")), &["pipeline.kdl:4:"]);
}

#[test]
fn a_tracked_file_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let git = |words: &[&str]| {
        let done = Command::new("git").current_dir(folder.path()).args(words).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    fs::write(folder.path().join("mine.txt"), "by hand").unwrap();
    git(&["init", "-q"]);
    git(&["add", "mine.txt"]);
    let file = b"pipeline \"x\"\ncommand \"a\" {\n  run \"sh\" \"-c\" \"echo made > mine.txt\"\n  output \"mine.txt\"\n}\n";
    for command in ["check", "run", "explain"] {
        let Said { code, text } = check_in(folder.path(), file, command);
        assert_eq!(code, Some(2), "{command}: {text}");
        assert!(text.contains("under version control") && text.contains("pipeline.kdl:4:"), "{text}");
    }
    assert_eq!(fs::read_to_string(folder.path().join("mine.txt")).unwrap(), "by hand");
}

#[test]
fn all_mistakes_of_a_file_are_in_one_report() {
    let file = r#"pipeline "x" {
    param "a-b" default="1"
    param "a_b" default="2"
    default "nobody"
}
comand "a" {
    run "true"
}
command "b" {
    run "echo" "${nothing}"
    outptu "o"
    retries "many"
}
binary-extract "c" {
    image "b2"
    path "/x"
    expect min-size="large"
}
"#;
    let text = refused(
        file,
        &["comand", "did you mean `command`", "outptu", "did you mean `output`", "large", "many", "a_b"],
    );
    let places = text.matches("pipeline.kdl:").count();
    assert!(places >= 6, "{places} places in\n{text}");
}

#[test]
fn run_and_explain_refuse_what_check_refuses() {
    for command in ["run", "explain", "graph", "check"] {
        let folder = tempfile::tempdir().unwrap();
        let Said { code, text } = check_in(folder.path(), b"pipeline \"x\"\nbase \"b\"\n", command);
        assert_eq!(code, Some(2), "{command}: {text}");
        assert!(text.contains("pipeline.kdl:2:1"), "{command}: {text}");
        assert!(!folder.path().join("cache").exists(), "{command} made a store for nothing");
    }
}
