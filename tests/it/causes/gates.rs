//! What an extracted binary must be: how it is linked, what its checks leave behind, and what
//! becomes of them where this machine cannot run it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::project::{Project, Said};

/// A project that extracts `app`, with gates in the place of a marked line.
fn project(app: &[u8]) -> Project {
    let project = Project::new(
        r#"
pipeline "gates" { param "libc" default="musl" }
command "build" {
    input "app"
    run "cp" "app" "built"
    output "built"
}
binary-extract "binary" {
    from "build"
    path "built"
    output "bin/app"
    expect max-size="100MiB"
    // gates
}
"#,
    );
    fs::write(project.path("app"), app).unwrap();
    project.runs(&["binary", "build"]);
    project.is_fresh();
    project
}

/// A program of one page, which ends with 0: `code` for `machine`, in ELF's numbers. With `wants`,
/// it names an interpreter that is nowhere.
fn elf(machine: u16, code: &[u8], wants: Option<&str>) -> Vec<u8> {
    const BASE: u64 = 0x40_0000;
    let count = 1 + u64::from(wants.is_some());
    let begin = 64 + 56 * count;
    let interpreter = wants.map(|path| [path.as_bytes(), b"\0"].concat()).unwrap_or_default();
    let end = begin + (code.len() + interpreter.len()) as u64;
    let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    let mut put = |value: u64, width: usize| bytes.extend_from_slice(&value.to_le_bytes()[..width]);
    for (value, width) in [(2, 2), (machine.into(), 2), (1, 4), (BASE + begin, 8), (64, 8), (0, 8), (0, 4)] {
        put(value, width);
    }
    for value in [64, 56, count, 0, 0, 0] {
        put(value, 2);
    }
    let at = begin + code.len() as u64;
    let mut segment = |kind: u64, offset: u64, size: u64| {
        for (value, width) in [(kind, 4), (5, 4)] {
            put(value, width);
        }
        for value in [offset, BASE + offset, BASE + offset, size, size, 0x1000] {
            put(value, 8);
        }
    };
    if wants.is_some() {
        segment(3, at, interpreter.len() as u64);
    }
    segment(1, 0, end);
    bytes.extend_from_slice(code);
    bytes.extend(interpreter);
    bytes
}

const AMD64: (u16, &str, &[u8]) = (62, "amd64", b"\xb8\x3c\0\0\0\x31\xff\x0f\x05");
const ARM64: (u16, &str, &[u8]) = (183, "arm64", b"\0\0\x80\xd2\xa8\x0b\x80\xd2\x01\0\0\xd4");

/// This machine and another.
fn machines() -> [(u16, &'static str, &'static [u8]); 2] {
    match std::env::consts::ARCH {
        "x86_64" => [AMD64, ARM64],
        "aarch64" => [ARM64, AMD64],
        other => panic!("{other} has no program here"),
    }
}

fn own(wants: Option<&str>) -> Vec<u8> {
    let (machine, _, code) = machines()[0];
    elf(machine, code, wants)
}

fn foreign(wants: Option<&str>) -> Vec<u8> {
    let (machine, _, code) = machines()[1];
    elf(machine, code, wants)
}

impl Project {
    fn gate(&self, gates: &str) {
        let text = self.read("pipeline.kdl");
        let line = text.lines().find(|line| line.ends_with("// gates")).unwrap();
        self.write("pipeline.kdl", &text.replace(line, &format!("    {gates} // gates")));
    }

    /// Runs, which must fail at the gate, with this message.
    #[track_caller]
    fn is_refused(&self, message: &str) {
        let said = self.try_run(&[]);
        assert_eq!((said.code, &*said.failed), (1, &["binary".to_owned()][..]), "{}", said.text);
        assert!(said.text.contains(message), "{}", said.text);
        assert!(said.ran.is_empty(), "{}", said.text);
    }
}

#[test]
fn static_binary_passes_and_a_new_gate_verifies_without_running() {
    let project = project(&own(None));
    for gates in ["expect static=#true", "expect libc=\"${libc}\"", "expect static=#true; check \"x\""] {
        // The old line and the new one would be two.
        let text = project.read("pipeline.kdl").replace("    expect max-size=\"100MiB\"\n", "");
        project.write("pipeline.kdl", &text);
        project.gate(gates);
        let said = project.try_run(&[]);
        assert_eq!((said.code, said.ran.len()), (0, 0), "{}", said.text);
        project.is_fresh();
    }
}

#[test]
fn what_a_dynamic_binary_wants_is_named_where_it_must_be_static() {
    let project = project(&own(Some("/lib/loader.so")));
    project.edit_pipeline("expect max-size=\"100MiB\"", "expect static=#true");
    project.is_refused("it is not linked statically, it wants the interpreter `/lib/loader.so`");
    // `musl` is what is linked in.
    project.edit_pipeline("static=#true", "libc=\"${libc}\"");
    project.is_refused("it is not linked statically");
    project.edit_pipeline("libc=\"${libc}\"", "static=#false");
    assert!(project.run().ran.is_empty());
    project.is_fresh();
}

#[test]
fn program_of_this_machine_is_for_glibc_and_not_static() {
    let shell = fs::read("/bin/sh").unwrap();
    let project = project(&shell);
    project.edit_pipeline("expect max-size=\"100MiB\"", "expect libc=\"${libc}\"");
    project.is_refused("library `libc.so.6`");
    let said = project.run_with(&["--set", "libc=glibc"]);
    assert!(said.ran.is_empty(), "{}", said.text);
    // And a static one is not for glibc.
    fs::write(project.path("app"), own(None)).unwrap();
    let said = project.try_run(&["--set", "libc=glibc"]);
    assert_eq!(said.code, 1, "{}", said.text);
    assert!(said.text.contains("it is linked statically, and not against glibc"), "{}", said.text);
}

#[test]
fn checks_leave_nothing_behind_however_they_end() {
    let script = "#!/bin/sh\n\
        echo \"$HOME $TMPDIR $PWD\"\n\
        mkdir \"$TMPDIR/unpacked\" \"$HOME/.cache\"\n\
        for place in \"$TMPDIR/unpacked/a\" \"$HOME/.cache/b\" c; do echo x > \"$place\"; done\n\
        chmod 500 \"$TMPDIR/unpacked\"\n\
        case $1 in bad) exit 3;; slow) sleep 60;; esac\n";
    for (gates, code) in [
        ("check \"good\"; check \"good\" \"again\"", 0),
        ("check \"good\"; check \"bad\"", 1),
        ("check \"slow\" timeout=\"300ms\"", 1),
    ] {
        let project = project(script.as_bytes());
        project.gate(gates);
        let said = project.try_run(&[]);
        assert_eq!(said.code, code, "{}", said.text);
        let printed: Vec<String> = said
            .text
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|event| event["event"] == "node_printed" && event["node"] == "binary")
            .map(|event| event["line"].as_str().unwrap().to_owned())
            .collect();
        assert!(!printed.is_empty());
        let places: Vec<&str> = printed.iter().flat_map(|line| line.split(' ')).collect();
        let store = project.path("cache/tmp");
        for place in &places {
            assert!(place.starts_with(store.to_str().unwrap()), "{place} is not below the store's tmp");
            assert!(!std::path::Path::new(place).exists(), "{place} was left behind");
        }
        let mut distinct = places.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), places.len(), "no two runs share a place: {places:?}");
        // A file there tells the time.
        let is_left = |below: &str| {
            fs::read_dir(project.path(below)).unwrap().any(|one| one.unwrap().file_type().unwrap().is_dir())
        };
        assert!(!is_left("cache/tmp") && !is_left("cache/trash"), "{gates}");
    }
}

#[test]
fn check_that_is_interrupted_leaves_nothing_behind_and_proves_nothing() {
    let project = project(b"#!/bin/sh\necho x > \"$TMPDIR/a\"\necho \"$TMPDIR\" > \"$1\"\nsleep 60\n");
    let marker = project.folder.path().join("marker");
    project.gate(&format!("check {:?}", marker.to_str().unwrap()));
    let mut run = project.command(&["run"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let place = loop {
        match fs::read_to_string(&marker) {
            Ok(place) if place.ends_with('\n') => break place,
            _ => assert!(run.try_wait().unwrap().is_none(), "the run ended before its check began"),
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    };
    assert!(Command::new("kill").args(["-INT", &run.id().to_string()]).status().unwrap().success());
    assert_eq!(run.wait().unwrap().code(), Some(130));
    assert!(!std::path::Path::new(place.trim()).exists());
    let said = project.try_run(&["-n"]);
    assert!(said.text.contains("gate-changed"), "{}", said.text);
}

#[test]
fn what_checks_print_is_in_the_log_and_in_the_last_words() {
    let project = project(b"#!/bin/sh\necho told $1\n[ $1 = good ]\n");
    project.gate("check \"good\"");
    project.restores(&["binary"]);
    let log = |project: &Project| String::from_utf8(project.osgraph(&["log", "binary"]).stdout).unwrap();
    assert_eq!(log(&project), "check `good`\ntold good\n");
    project.gate("check \"good\"; check \"bad\"");
    let said = project.try_run(&[]);
    assert_eq!(said.code, 1);
    let failed = said.text.lines().find(|line| line.contains("node_failed")).unwrap();
    let failed: Value = serde_json::from_str(failed).unwrap();
    assert_eq!(failed["tail"], serde_json::json!(["check `good`", "told good", "check `bad`", "told bad"]));
    assert_eq!(log(&project), "check `good`\ntold good\ncheck `bad`\ntold bad\n");
}

/// The events that say of checks that they were not run.
fn not_run(said: &Said) -> Vec<Value> {
    said.text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|event| event["event"] == "checks_not_run")
        .collect()
}

/// Whether this machine starts the file, for it may have an emulator.
fn starts(bytes: &[u8]) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("program");
    fs::write(&file, bytes).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    Command::new(&file).stdin(Stdio::null()).status().is_ok()
}

#[test]
fn checks_of_a_binary_for_another_machine_are_told_as_not_run() {
    let project = project(&foreign(None));
    let [(_, here, _), (_, there, _)] = machines();
    project.gate("check \"version\"; check \"list\" \"--all\"");
    let first = project.restores(&["binary"]);
    if starts(&foreign(None)) {
        // An emulator: they were run, and passed.
        assert_eq!(not_run(&first), [] as [Value; 0]);
        return project.is_fresh();
    }
    let reason = format!("this machine is {here}, the binary is for {there}");
    let told = |said: &Said| {
        let [one] = &not_run(said)[..] else { panic!("{}", said.text) };
        assert_eq!(one["checks"], serde_json::json!(["version", "list --all"]));
        assert_eq!((&one["node"], &one["reason"]), (&Value::from("binary"), &Value::from(&*reason)));
    };
    told(&first);
    let text = format!("checks `version`, `list --all` were not run: {reason}");
    let said = |args: &[&str]| {
        let output = project.osgraph(args);
        assert!(output.status.success());
        [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat()
    };
    // Surveyed, and by stats alone.
    for _ in 0..3 {
        let again = project.run();
        assert_eq!(again.finished["outcome"], "fresh", "{}", again.text);
        told(&again);
        let run = said(&["run"]);
        assert!(
            run.contains(&format!("warning   binary: {text}\n")) && run.contains("fresh  2 nodes"),
            "{run}"
        );
        let explained = said(&["explain", "binary", "-v"]);
        assert!(explained.contains(&text), "{explained}");
    }
    let explained: Value = serde_json::from_str(&said(&["explain", "--json"])).unwrap();
    assert_eq!(explained["nodes"][1]["notes"], serde_json::json!([text]));
    assert!(said(&["report"]).contains(&text));
    assert_eq!(
        said(&["log", "binary"]),
        format!("check `version`: not run: {reason}\ncheck `list --all`: not run: {reason}\n")
    );
    assert_eq!(fs::read(project.path("bin/app")).unwrap(), foreign(None));
    // Expectations hold or do not hold, whatever machine this is.
    project.gate(&format!("check \"version\"; expect arch=\"{here}\""));
    project.edit_pipeline("    expect max-size=\"100MiB\"\n", "");
    project.is_refused(&format!("it is not for {here}, it is an ELF binary for {there}"));
}

#[test]
fn binary_for_another_machine_is_given_to_no_shell() {
    // With an unusual umask programs are started in another way.
    let project = project(&foreign(None));
    project.gate("check \"version\"");
    let run = project.command(&["run", "--json"]);
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "umask 027; exec \"$0\" \"$@\""]).arg(run.get_program()).args(run.get_args());
    command.env("HOME", project.folder.path().join("home")).stdin(Stdio::null());
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    assert_eq!(text.contains("checks_not_run"), !starts(&foreign(None)), "{text}");
}

#[test]
fn binary_for_another_machine_whose_interpreter_is_not_here_is_not_run() {
    let project = project(&foreign(Some("/nowhere/loader.so")));
    project.gate("check \"version\"");
    let said = project.restores(&["binary"]);
    assert_eq!(not_run(&said).len(), 1, "{}", said.text);
    // One for this machine fails of the same.
    fs::write(project.path("app"), own(Some("/nowhere/loader.so"))).unwrap();
    let said = project.try_run(&[]);
    assert_eq!(said.code, 1);
    assert!(said.text.contains("its check `version` could not be started: its interpreter is not here"));
}

#[test]
fn binary_that_is_forced_is_tried_again() {
    let project = project(&foreign(None));
    project.gate("check \"version\"");
    project.restores(&["binary"]);
    let said = project.run_with(&["--force", "binary"]);
    assert_eq!(
        (&*said.ran, not_run(&said).len()),
        (&["binary".to_owned()][..], usize::from(!starts(&foreign(None))))
    );
    project.is_fresh();
}
