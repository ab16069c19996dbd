//! What a newcomer meets: help, version, completions, the first question, the two expectations,
//! pipes that close.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const TWO_NODES: &str = r#"pipeline "two" { param "word" default="hello"; }
command "slow" {
    input "in.txt"
    run "sh" "-c" "sleep 1.1; cat in.txt > slow.txt"
    output "slow.txt"
}
command "quick" {
    run "sh" "-c" "echo ${word} > quick.txt"
    output "quick.txt"
}
"#;

struct Project {
    folder: tempfile::TempDir,
}

impl Project {
    fn new(pipeline: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("pipeline.kdl"), pipeline).unwrap();
        fs::write(folder.path().join("in.txt"), "one\n").unwrap();
        Self { folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_osgraph"));
        command.current_dir(self.path()).args(args).stdin(Stdio::null());
        for name in ["OSGRAPH_FILE", "OSGRAPH_STORE", "GITHUB_ACTIONS", "GITLAB_CI", "CLICOLOR_FORCE"] {
            command.env_remove(name);
        }
        command
    }

    /// Exit code, standard output, standard error.
    fn say(&self, args: &[&str]) -> (i32, String, String) {
        let Output { status, stdout, stderr } = self.command(args).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (status.code().expect("not ended by a signal"), text(stdout), text(stderr))
    }

    fn ok(&self, args: &[&str]) -> (String, String) {
        let (code, out, err) = self.say(args);
        assert_eq!(code, 0, "{args:?}: {out}{err}");
        (out, err)
    }
}

#[test]
fn questions_before_the_first_run_are_answered_and_leave_nothing_behind() {
    let project = Project::new(TWO_NODES);
    let (explained, _) = project.ok(&["explain"]);
    assert!(explained.contains("never built"), "{explained}");
    assert_eq!(project.ok(&["run", "-n"]).0, explained);
    assert_eq!(project.ok(&["runs"]).0, "no runs yet\n");
    assert!(project.ok(&["cache", "info"]).0.contains("not there yet"));
    for args in [&["cache", "verify"][..], &["gc", "-n"], &["clean", "-n"], &["check"], &["graph"]] {
        project.ok(args);
    }
    assert_eq!(project.say(&["log", "slow"]).0, 2);
    let names = fs::read_dir(project.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(names.count(), 2, "only the pipeline and its input are there");
}

#[test]
fn where_no_image_is_built_on_no_lock_file_is_missing() {
    let project = Project::new("pipeline \"bare\" {}\ncommand \"a\" { run \"touch\" \"a\"; output \"a\" }\n");
    project.ok(&["lock"]);
    assert_eq!(project.ok(&["outdated"]).0, "`pipeline.lock` locks no image\n");
}

#[test]
fn an_unknown_run_is_an_error_that_says_where_they_are() {
    let project = Project::new("pipeline \"bare\" {}\ncommand \"a\" { run \"touch\" \"a\"; output \"a\" }\n");
    project.ok(&["run"]);
    for question in [&["runs", "99"][..], &["log", "99"], &["report", "99"], &["diff", "1", "99"]] {
        let (code, answer, told) = project.say(question);
        assert_eq!((code, &*answer), (2, ""), "{question:?}");
        assert!(told.contains("there is no run 99") && told.contains("`osgraph runs` lists those"), "{told}");
    }
}

#[test]
fn expectations_fail_before_anything_runs() {
    let project = Project::new(TWO_NODES);
    let (code, _, said) = project.say(&["run", "--expect-fresh", "quick"]);
    assert_eq!(code, 4, "{said}");
    assert!(said.contains("`quick` is expected to be fresh and is not: never built"), "{said}");
    assert!(!project.path().join("quick.txt").exists());
    // Nothing is known of its time yet, so no budget is exceeded.
    project.ok(&["run", "--budget", "1ms"]);
    project.ok(&["run", "--expect-fresh", "quick", "--expect-fresh", "slow", "--budget", "1ms"]);

    fs::write(project.path().join("in.txt"), "two\n").unwrap();
    let (code, _, said) = project.say(&["run", "--budget", "500ms"]);
    assert_eq!(code, 4, "{said}");
    assert!(said.contains("more than the budget of 500 ms"), "{said}");
    let (code, _, said) = project.say(&["run", "-n", "--expect-fresh", "slow"]);
    assert_eq!(code, 4, "{said}");
    assert!(said.contains("`input in.txt` changed"), "{said}");
    assert_eq!(fs::read_to_string(project.path().join("slow.txt")).unwrap(), "one\n", "nothing ran");
    project.ok(&["run", "--expect-fresh", "quick", "--budget", "10m"]);

    for nonsense in ["nobody", "slow,nobody"] {
        assert_eq!(
            project.say(&["run", "--expect-fresh", nonsense]).0,
            2,
            "a misspelt name passes for nothing"
        );
    }
    assert_eq!(project.say(&["run", "quick", "--expect-fresh", "slow"]).0, 2, "not part of this run");
    assert_eq!(project.say(&["run", "--budget", "long"]).0, 2);
}

#[test]
fn a_run_that_does_nothing_says_so_where_other_runs_end() {
    let project = Project::new(TWO_NODES);
    let (out, err) = project.ok(&["run"]);
    assert!(out.is_empty() && err.contains("done      2 ran"), "{out}{err}");
    let (out, err) = project.ok(&["run"]);
    assert!(out.is_empty() && err.starts_with("fresh  2 nodes  ("), "{out}{err}");
    let (_, verbose) = project.ok(&["run", "-v"]);
    assert!(verbose.contains("fresh     slow\n"), "{verbose}");
    assert_eq!(project.ok(&["run", "-q"]), (String::new(), String::new()));
}

#[test]
fn explain_and_its_json_tell_the_same() {
    let project = Project::new(TWO_NODES);
    project.ok(&["run"]);
    fs::write(project.path().join("in.txt"), "two more\n").unwrap();
    let args = ["explain", "--set", "word=bye"];
    let (text, _) = project.ok(&args);
    for part in [
        "`input in.txt` changed: 4 → 9 B",
        "└ pipeline.kdl:3",
        "`run 0` changed",
        "└ pipeline.kdl:8",
        "compared with run 1",
        "word  bye  from --set",
    ] {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
    let (json, _) = project.ok(&[&args[..], &["--json"]].concat());
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["v"], &json["file"]), (&1.into(), &"pipeline.kdl".into()));
    assert_eq!(json["params"][0]["origin"], "command-line");
    let reason = &json["nodes"][0]["verdict"]["stale"][0];
    assert_eq!((&reason["code"], &reason["line"]), (&"input-changed".into(), &3.into()), "{json}");
    assert_eq!(reason["new"]["entry"]["file"]["size"], 9, "{json}");
    assert_eq!(json["nodes"][0]["baseline"]["run"], 1);
}

#[test]
fn changed_files_of_a_folder_are_listed_with_sizes_and_what_is_uncommitted() {
    let project = Project::new(
        "pipeline \"x\"\ncommand \"a\" {\n  input \"src\"\n  run \"sh\" \"-c\" \"ls src > o.txt\"\n  output \"o.txt\"\n}\n",
    );
    let git = |words: &[&str]| {
        let mut git = Command::new("git");
        git.current_dir(project.path()).args(["-c", "user.name=n", "-c", "user.email=n@x"]).args(words);
        assert!(git.output().unwrap().status.success(), "{words:?}");
    };
    let src = project.path().join("src/below");
    fs::create_dir_all(&src).unwrap();
    for name in ["edited", "committed", "gone"] {
        fs::write(src.join(name), "1234").unwrap();
    }
    fs::write(project.path().join(".gitignore"), "cache/\no.txt\n").unwrap();
    git(&["init", "-q"]);
    git(&["add", "-A"]);
    git(&["commit", "-qm", "one"]);
    project.ok(&["run"]);
    fs::write(src.join("committed"), "123456").unwrap();
    git(&["commit", "-qam", "two"]);
    fs::write(src.join("edited"), "12345").unwrap();
    fs::remove_file(src.join("gone")).unwrap();
    fs::write(src.join("new"), "1").unwrap();

    let (text, _) = project.ok(&["explain"]);
    for line in [
        "M  below/committed   4 → 6 B   in ",
        "M  below/edited   4 → 5 B   uncommitted\n",
        "D  below/gone   4 B   uncommitted\n",
        "A  below/new   1 B   uncommitted\n",
        "└ pipeline.kdl:3\n",
    ] {
        assert!(text.contains(line), "no {line:?} in\n{text}");
    }
    let (json, _) = project.ok(&["explain", "--json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        json["nodes"][0]["verdict"]["stale"][0]["uncommitted"],
        serde_json::json!([1, 2, 3]),
        "{json}"
    );
}

#[test]
fn a_new_commit_is_explained_by_its_files() {
    let project =
        Project::new("pipeline \"x\"\nsource-archive \"s\" {\n  git \"app\"\n  archive \"s.tar.gz\"\n}\n");
    let app = project.path().join("app");
    fs::create_dir(&app).unwrap();
    let git = |words: &[&str]| {
        let mut git = Command::new("git");
        git.current_dir(&app).args(["-c", "user.name=n", "-c", "user.email=n@x"]).args(words);
        assert!(git.output().unwrap().status.success(), "{words:?}");
    };
    fs::write(app.join("a.php"), "1234").unwrap();
    git(&["init", "-q"]);
    git(&["add", "-A"]);
    git(&["commit", "-qm", "one"]);
    project.ok(&["run"]);
    fs::write(app.join("a.php"), "12345").unwrap();
    let (text, _) = project.ok(&["explain"]);
    assert!(
        text.starts_with("1 node is fresh") && text.contains("uncommitted changes do not count (`a.php`)"),
        "{text}"
    );
    git(&["commit", "-qam", "two"]);
    let (text, _) = project.ok(&["explain"]);
    assert!(text.contains("M  a.php   4 → 5 B\n") && text.contains("└ pipeline.kdl:3\n"), "{text}");
}

#[test]
fn a_lost_package_is_one_cause() {
    let project = Project::new(
        "pipeline \"x\"\ncommand \"a\" {\n  run \"sh\" \"-c\" \"mkdir o; for i in 1 2 3 4 5; do echo $i > o/$i; done\"\n  output \"o\"\n}\n",
    );
    project.ok(&["run"]);
    fs::remove_dir_all(project.path().join("o")).unwrap();
    let (text, _) = project.ok(&["explain"]);
    assert!(text.contains("output `o` is missing\n               └ pipeline.kdl:4\n"), "{text}");
    assert!(!text.contains("o/1"), "{text}");
    let (_, said) = project.ok(&["run"]);
    assert!(said.contains("restored  a"), "{said}");
    let (steps, _) = project.ok(&["runs", "2"]);
    assert!(steps.contains("output `o` is missing"), "{steps}");
}

#[test]
fn help_fits_eighty_columns_and_version_is_one_line() {
    let project = Project::new(TWO_NODES);
    assert_eq!(project.ok(&["-V"]).0, format!("osgraph {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(project.ok(&["--version"]), project.ok(&["-V"]));
    let alone = project.ok(&[]).0;
    assert!(alone.contains("Usage: osgraph") && alone.contains("Exit codes:"), "{alone}");
    for command in
        ["run", "explain", "check", "graph", "log", "runs", "clean", "gc", "cache", "completions", "init"]
    {
        for help in ["-h", "--help"] {
            // `script` would be needed for a real terminal; clap heeds this for want of one.
            let output = project.command(&[command, help]).env("COLUMNS", "80").output().unwrap();
            assert!(output.status.success());
            let text = String::from_utf8(output.stdout).unwrap();
            assert!(text.contains("Usage: osgraph"), "{text}");
            let wide: Vec<&str> = text.lines().filter(|line| line.chars().count() > 80).collect();
            assert!(
                wide.is_empty(),
                "`osgraph {command} {help}` has lines of more than 80 columns: {wide:?}"
            );
        }
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let many: String = (0..3_000)
        .map(|n| format!("command \"node-{n}\" {{ run \"true\"; output \"out-{n}\"; }}\n"))
        .collect();
    let project = Project::new(&format!("pipeline \"many\"\n{many}"));
    for args in [&["graph"][..], &["graph", "--json"], &["check", "--json"], &["completions", "bash"]] {
        let mut child = project.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = String::new();
        BufReader::with_capacity(64, child.stdout.take().unwrap()).read_line(&mut first).ok();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert!(output.stderr.is_empty(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn a_run_goes_on_when_nobody_reads_it() {
    let project = Project::new(TWO_NODES);
    let mut child = project.command(&["run", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(fs::read_to_string(project.path().join("slow.txt")).unwrap(), "one\n");
}

#[test]
fn colours_are_for_terminals_and_for_those_who_ask() {
    let project = Project::new(TWO_NODES);
    assert!(!project.ok(&["explain"]).0.contains('\x1b'));
    assert!(project.ok(&["explain", "--color", "always"]).0.contains("\x1b[33mREBUILD"));
    let forced = |no_color: &str| {
        let mut command = project.command(&["explain"]);
        command.env("CLICOLOR_FORCE", "1").env("NO_COLOR", no_color);
        command.output().unwrap().stdout.contains(&0x1b)
    };
    assert!(forced("") && !forced("1"));
}

#[test]
fn the_last_log_of_a_node_is_found_and_silence_is_told_from_absence() {
    let project = Project::new(
        "pipeline \"x\"\ncommand \"loud\" { run \"echo\" \"heard\"; run \"touch\" \"o\"; output \"o\"; }\n\
         command \"silent\" { run \"touch\" \"p\"; output \"p\"; }\n",
    );
    project.ok(&["run"]);
    assert_eq!(project.ok(&["log", "loud"]).0, "heard\n");
    assert_eq!(project.ok(&["log", "1"]).0, "== loud\nheard\n");
    let (out, err) = project.ok(&["log", "silent"]);
    assert_eq!((out.as_str(), err.as_str()), ("", "`silent` printed nothing, last in run 1\n"));
    let (code, _, said) = project.say(&["log", "lout"]);
    assert!(code == 2 && said.contains("did you mean `loud`"), "{said}");
    assert_eq!(project.say(&["log", "9"]).0, 2);
}

#[test]
fn standard_input_of_osgraph_is_not_the_recipes() {
    let project = Project::new(
        "pipeline \"x\"\ncommand \"a\" { run \"sh\" \"-c\" \"cat > o\"; output \"o\"; timeout \"20s\"; }\n",
    );
    let mut child = project.command(&["run"]).stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"typed").unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(fs::read(project.path().join("o")).unwrap(), b"");
}
