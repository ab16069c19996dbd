//! Builds that are interrupted, killed or asked for twice at once.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::super::engine::{docker, image};
use super::shop::Shop;
use crate::causes::project::Project;

/// Temporary names that the process gave.
fn temporary_names(process: u32) -> Vec<String> {
    let all = docker(&["image", "ls", "--format", "{{.Repository}}:{{.Tag}}", "osgraph/tmp-*"]);
    let own = format!("-{process}-");
    all.lines().filter(|name| name.contains(&own)).map(str::to_owned).collect()
}

/// A time to sleep that no other process sleeps.
fn sleep_of(shop: &Shop) -> String {
    let digits: String = shop.name.chars().filter(char::is_ascii_digit).collect();
    format!("100.{digits}")
}

fn sleeping(time: &str) -> usize {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let of = |line: &[u8]| line.split(|byte| *byte == 0).any(|word| word == time.as_bytes());
    processes.filter(|one| of(&fs::read(one.path().join("cmdline")).unwrap_or_default())).count()
}

fn within(limit: Duration, what: &str, is: impl Fn() -> bool) {
    let deadline = Instant::now() + limit;
    while !is() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Starts a run, and returns when a step has printed `ready`.
#[expect(clippy::zombie_processes, reason = "a test that panics here is over")]
pub fn until_ready(project: &Project) -> Child {
    let mut command = project.command(&["run", "--json"]);
    let mut run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(run.stdout.take().unwrap());
    let mut line = String::new();
    loop {
        line.clear();
        assert!(lines.read_line(&mut line).unwrap() > 0, "the run ended without being ready");
        if line.contains(r#""line":"ready""#) {
            // Whoever writes on must not be stopped by a full or broken pipe.
            std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
            return run;
        }
    }
}

fn slow() -> (Shop, String) {
    let shop = Shop::of("FROM NAME-from\nRUN echo ready; sleep TIME\n", "");
    let time = sleep_of(&shop);
    shop.edit("builder/Dockerfile", "TIME", &time);
    (shop, time)
}

fn stopped(signal: Signal, code: i32) {
    let (shop, time) = slow();
    let mut run = until_ready(&shop.project);
    within(Duration::from_secs(10), "the step does not begin", || sleeping(&time) > 0);
    let began = Instant::now();
    kill_process(Pid::from_child(&run), signal).unwrap();
    assert_eq!(run.wait().unwrap().code(), Some(code));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    within(Duration::from_secs(10), "the engine goes on", || sleeping(&time) == 0);
    assert_eq!(shop.containers(), [] as [&str; 0]);
    assert_eq!(temporary_names(run.id()), [] as [&str; 0]);
    assert_eq!((shop.images(), image(&shop.tag("base"))), (Vec::new(), None));
    let (_, text) = shop.says(&["runs"]);
    assert!(text.contains("stopped"), "{text}");
    shop.edit("builder/Dockerfile", &time, "0");
    shop.project.runs(&["base"]);
    shop.project.is_fresh();
}

#[test]
fn interrupt_ends_the_build_in_the_engine() {
    stopped(Signal::INT, 130);
}

#[test]
fn request_to_end_ends_the_build_in_the_engine() {
    stopped(Signal::TERM, 143);
}

#[test]
fn killed_run_ends_in_the_engine_too_and_the_next_one_succeeds() {
    let (shop, time) = slow();
    let mut run = until_ready(&shop.project);
    within(Duration::from_secs(10), "the step does not begin", || sleeping(&time) > 0);
    run.kill().unwrap();
    run.wait().unwrap();
    within(Duration::from_secs(20), "the engine goes on", || sleeping(&time) == 0);
    shop.edit("builder/Dockerfile", &time, "0");
    shop.project.runs(&["base"]);
    shop.project.is_fresh();
    assert_eq!(temporary_names(run.id()), [] as [&str; 0]);
}

#[test]
fn two_runs_at_once_build_once() {
    let shop = Shop::of("FROM NAME-from\nRUN echo ready; sleep 2.NUMBER\n", "");
    let number = sleep_of(&shop).replace("100.", "");
    shop.edit("builder/Dockerfile", "NUMBER", &number);
    let mut first = until_ready(&shop.project);
    let second = shop.project.run();
    assert!(first.wait().unwrap().success());
    assert_eq!(
        (&*second.ran, &*second.restored),
        (&[] as &[String], &["base".to_owned()][..]),
        "{}",
        second.text
    );
    assert!(second.text.contains("node_waited"), "{}", second.text);
    assert_eq!(shop.images().len(), 1);
    shop.project.is_fresh();
}

/// The engine keeps what was sent, and knows files by what they were said to be.
#[test]
fn file_changed_before_it_is_sent_is_never_taken_for_the_old_one() {
    let shop = Shop::whole();
    let number = sleep_of(&shop).replace("100.", "");
    shop.edit("builder/base.Dockerfile", "ARG WORD", &format!("RUN echo ready; sleep 2.{number}\nARG WORD"));
    shop.edit("builder/embed.Dockerfile", "RUN", "COPY notes.txt /\nRUN cat /notes.txt;");
    shop.edit("builder/embed.Dockerfile", "cat /word", "cat /notes.txt /word");
    let mut run = until_ready(&shop.project);
    shop.write("builder/notes.txt", "other\n");
    assert_eq!(run.wait().unwrap().code(), Some(1));
    shop.write("builder/notes.txt", "notes\n");
    shop.project.runs(&["binary", "embed"]);
    assert_eq!(shop.project.read("build/app"), "notes\none\na\npage\n");
}
