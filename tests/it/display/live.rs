//! The live display on terminals of several sizes, and where there is none to redraw on.

use std::process::{Command, Output};

use super::terminal::{Screen, Terminal};
use crate::causes::project::Project;

/// Nodes that run until a file is there, so that what is shown meanwhile can be looked at.
const PIPELINE: &str = r#"
pipeline "shown"
command "quick" { run "sh" "-c" "echo one > quick"; output "quick"; }
command "a-node-with-quite-a-long-name" isolate=#false {
    input "in"
    run "sh" "-c" "echo waiting for a file that comes when it comes; while ! test -e go; do sleep 0.05; done; cat in > slow"
    output "slow"
}
command "beside" isolate=#false {
    input "in"
    run "sh" "-c" "echo waiting, too; while ! test -e go; do sleep 0.05; done; cat in > beside"
    output "beside"
}
"#;

fn project() -> Project {
    let mut project = Project::new(PIPELINE);
    project.write("in", "1\n");
    project.env.insert("TERM".into(), "xterm-256color".into());
    project
}

/// Without what the machine that runs the tests may have set.
fn command(project: &Project, args: &[&str]) -> Command {
    let mut command = project.command(args);
    for name in ["CI", "GITHUB_ACTIONS", "GITLAB_CI", "NO_COLOR", "CLICOLOR_FORCE", "GITHUB_STEP_SUMMARY"] {
        if !project.env.contains_key(name) {
            command.env_remove(name);
        }
    }
    command
}

/// A row of a node that runs begins with a spinner.
fn is_row(line: &str) -> bool {
    line.starts_with(|char| ('\u{2801}'..='\u{28ff}').contains(&char))
}

/// A frame of both nodes, with their output and the count.
fn has_frame(text: &str) -> bool {
    text.contains("beside") && text.matches("1 of 3 done").count() > 2
}

/// Runs it on a terminal; what was written.
fn on_a_terminal(project: &Project, columns: u16, rows: u16, look: impl Fn(&Terminal)) -> String {
    let terminal = Terminal::start(&mut command(project, &["run", "-j3"]), columns, rows);
    terminal.until(has_frame);
    look(&terminal);
    project.write("go", "");
    let (status, text) = terminal.end();
    assert!(status.success(), "{text}");
    text
}

#[test]
fn frames_fit_terminals_of_every_width_and_leave_nothing_behind() {
    for columns in [40, 80, 200] {
        let project = project();
        let text = on_a_terminal(&project, columns, 24, |_| ());
        let screen = Screen::of(&text, columns.into());
        let frames = screen.seen.iter().filter(|line| is_row(line) || line.contains(" done, "));
        for line in frames.clone() {
            assert!(line.chars().count() < columns.into(), "{columns}: {line:?}");
        }
        assert!(frames.clone().any(|line| line.contains("a-node-with-q")), "{columns}: {:?}", screen.seen);
        let is_whole = frames.into_iter().any(|line| line.contains("a file that comes when it comes"));
        assert_eq!(is_whole, columns > 80, "{columns}: {:?}", screen.seen);
        let shown = screen.shown();
        assert!(!shown.lines().any(is_row) && !shown.contains(" of 3 done"), "{columns}: {shown}");
        assert_eq!(shown.matches("ran       ").count(), 3, "{columns}: {shown}");
        assert!(shown.lines().last().unwrap().starts_with("done      3 ran"), "{columns}: {shown}");
    }
}

#[test]
fn resized_windows_are_drawn_in_their_new_size() {
    let project = project();
    let text = on_a_terminal(&project, 120, 24, |terminal| {
        terminal.resize(50, 10);
        let before = terminal.text().len();
        terminal.until(|text| text.get(before..).is_some_and(has_frame));
    });
    let since = text.find("waiting for a file that comes when it comes").unwrap();
    let narrow = Screen::of(&text[since..], 1_000).seen;
    let frame: Vec<&String> =
        narrow.iter().rev().filter(|line| is_row(line) && line[3..].starts_with(" beside")).take(1).collect();
    assert!(frame[0].chars().count() < 50, "{frame:?}");
    // A terminal that becomes lower than the frame shows as much of it as there is room for.
    let other = self::project();
    let text = on_a_terminal(&other, 120, 24, |terminal| {
        terminal.resize(120, 4);
        let before = terminal.text().len();
        terminal.until(|text| text.get(before..).is_some_and(|text| text.contains("  and 1 more")));
    });
    assert!(Screen::of(&text, 120).shown().contains("done      3 ran"), "{text}");
}

#[test]
fn expected_times_come_from_earlier_runs() {
    let project = project();
    let first = on_a_terminal(&project, 120, 24, |_| ());
    assert!(first.contains("3 to run  no history yet"), "{first}");
    project.remove("go");
    project.write("in", "2\n");
    let terminal = Terminal::start(&mut command(&project, &["run", "-j3"]), 120, 24);
    terminal.until(|text| text.contains("beside") && text.contains(" of "));
    project.write("go", "");
    let (_, text) = terminal.end();
    assert!(!text.contains("no history yet"), "{text}");
    let frames = Screen::of(&text, 120).seen;
    let is_expected =
        |line: &String| is_row(line) && line[3..].starts_with(" beside") && line.contains("s of ");
    assert!(frames.iter().any(is_expected), "{frames:?}");
}

fn piped(project: &Project, args: &[&str]) -> String {
    project.write("go", "");
    let Output { status, stderr, .. } = command(project, args).output().unwrap();
    let text = String::from_utf8(stderr).unwrap();
    assert!(status.success(), "{text}");
    text
}

#[test]
fn where_nothing_can_be_redrawn_each_event_is_a_line() {
    // A terminal that cannot.
    let mut dumb = project();
    dumb.env.insert("TERM".into(), "dumb".into());
    // A CI machine that offers one.
    let mut ci = project();
    ci.env.insert("CI".into(), "true".into());
    ci.env.insert("NO_COLOR".into(), "1".into());
    for project in [dumb, ci] {
        project.write("go", "");
        let terminal = Terminal::start(&mut command(&project, &["run"]), 80, 24);
        let (status, text) = terminal.end();
        assert!(status.success() && !text.contains('\x1b'), "{text:?}");
        assert!(text.contains("started   beside") && text.contains("done      3 ran"), "{text:?}");
    }
    let text = piped(&project(), &["run"]);
    assert!(!text.contains('\x1b') && text.contains("started   beside"), "{text:?}");
}

#[test]
fn no_colour_leaves_the_display_and_takes_the_colours() {
    let mut project = project();
    project.env.insert("NO_COLOR".into(), "1".into());
    let text = on_a_terminal(&project, 80, 24, |_| ());
    assert!(text.contains("\x1b[J"), "{text:?}");
    let is_colour =
        |rest: &str| rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').starts_with('m');
    assert!(!text.split("\x1b[").skip(1).any(is_colour), "{text:?}");
}

#[test]
fn a_failure_shows_its_line_its_log_and_what_to_ask_next() {
    let project = Project::new(
        "pipeline \"p\"\n\ncommand \"bad\" {\n    run \"true\"\n    run \"sh\" \"-c\" \"echo the last words; exit 3\"\n    output \"o\"\n}\n",
    );
    let Output { status, stderr, .. } = command(&project, &["run"]).output().unwrap();
    let text = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(1), "{text}");
    for part in [
        "at        pipeline.kdl:5\n",
        "            4 |     run \"true\"\n          > 5 |     run \"sh\" \"-c\" \"echo the last words; exit 3\"\n",
        "          | the last words\nlog       ",
        "\nnext      osgraph log bad, osgraph explain bad\n",
    ] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
    // What it names is there.
    let log = text.lines().find_map(|line| line.strip_prefix("log       ")).unwrap();
    assert_eq!(std::fs::read_to_string(log).unwrap(), "the last words\n");
    for args in [["log", "bad"], ["explain", "bad"]] {
        assert!(project.osgraph(&args).status.success(), "{args:?}");
    }
}
