//! `osgraph watch`: builds on change, rests otherwise, and ends when it is told to.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// A watched project whose one node copies `src/a` to `out`, and fails on `bad`.
struct Watched {
    folder: tempfile::TempDir,
    watch: Child,
}

impl Watched {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("src")).unwrap();
        fs::write(folder.path().join("src/a"), "1").unwrap();
        let pipeline = "pipeline \"p\"\ncommand \"c\" {\n    input \"src\"\n    \
                        run \"sh\" \"-c\" \"! grep -q bad src/a && cp src/a out\"\n    output \"out\"\n}\n";
        fs::write(folder.path().join("pipeline.kdl"), pipeline).unwrap();
        let said = fs::File::create(folder.path().join("said")).unwrap();
        let watch = Command::new(env!("CARGO_BIN_EXE_osgraph"))
            .arg("-C")
            .arg(folder.path())
            .arg("watch")
            .stdin(Stdio::null())
            .stderr(said)
            .spawn()
            .unwrap();
        Self { folder, watch }
    }

    fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    fn write(&self, text: &str) {
        fs::write(self.path("src/a"), text).unwrap();
    }

    fn said(&self) -> String {
        fs::read_to_string(self.path("said")).unwrap()
    }

    fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let started = Instant::now();
        while !holds() {
            assert!(started.elapsed() < Duration::from_secs(60), "{what} did not happen: {}", self.said());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn until_built(&self, text: &str) {
        self.until(text, || fs::read_to_string(self.path("out")).is_ok_and(|out| out == text));
        // The run has to be over, too.
        let builds = || self.said().matches("\nchanged").count();
        let ends = || self.said().lines().filter(|line| line.contains(" (") && line.contains("1 r")).count();
        self.until("the end of the build", || ends() + self.failures() >= builds());
    }

    fn failures(&self) -> usize {
        self.said().matches("1 failed").count()
    }

    fn end(mut self, signal: Signal) -> i32 {
        kill_process(Pid::from_child(&self.watch), signal).unwrap();
        let started = Instant::now();
        loop {
            if let Some(status) = self.watch.try_wait().unwrap() {
                return status.code().unwrap();
            }
            assert!(started.elapsed() < Duration::from_secs(30), "it goes on: {}", self.said());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let _ = self.watch.kill();
        let _ = self.watch.wait();
    }
}

#[test]
fn a_change_is_built_and_what_it_built_is_none() {
    let watched = Watched::new();
    watched.until_built("1");
    watched.write("2");
    watched.until_built("2");
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(watched.said().matches("\nchanged").count(), 2, "{}", watched.said());
}

#[test]
fn a_removed_output_is_put_back() {
    let watched = Watched::new();
    watched.until_built("1");
    fs::remove_file(watched.path("out")).unwrap();
    watched.until_built("1");
    watched.until("restoring", || watched.said().contains("restored"));
}

#[test]
fn what_failed_is_tried_again_only_with_something_else() {
    let watched = Watched::new();
    watched.until_built("1");
    watched.write("bad");
    watched.until("the failure", || watched.failures() == 1);
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(watched.failures(), 1, "{}", watched.said());
    watched.write("3");
    watched.until_built("3");
}

#[test]
fn it_ends_when_told_to_before_and_after_a_build() {
    // A run of its own listens to signals, and what it leaves behind must not swallow them.
    let watched = Watched::new();
    watched.until_built("1");
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(watched.end(Signal::INT), 130);
    let watched = Watched::new();
    watched.until_built("1");
    assert_eq!(watched.end(Signal::TERM), 143);
    let watched = Watched::new();
    watched.until("the start", || watched.said().contains("watching"));
    assert_eq!(watched.end(Signal::TERM), 143);
}
