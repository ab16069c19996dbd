//! Manual pages: one for each command, and none that roff complains of.

use std::fs;
use std::process::Command;

use crate::history::world::{World, has};

#[test]
fn every_command_has_a_page_that_roff_takes() {
    let world = World::new("nothing that is read");
    let said = world.ok(&["man", "pages"]);
    let pages: Vec<_> =
        fs::read_dir(world.path("pages")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(said, format!("wrote {} pages to pages\n", pages.len()));
    for page in &pages {
        let output = Command::new("man")
            .args(["--warnings", "-l", "-E", "UTF-8"])
            .arg(page)
            .env("MANWIDTH", "100")
            .env("MANPAGER", "cat")
            .env("LC_ALL", "C.UTF-8")
            .output()
            .unwrap();
        let (text, complaints) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && complaints.is_empty(), "{}: {complaints}", page.display());
        has(&text, &["NAME", "SYNOPSIS", "EXAMPLE"]);
    }
    let help = world.ok(&["--help"]);
    let commands = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let names = commands.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    for name in names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help") {
        assert!(world.path(&format!("pages/osgraph-{name}.1")).is_file(), "no page of `{name}`");
    }
    assert!(world.path("pages/osgraph-cache-verify.1").is_file());
}

#[test]
fn a_page_has_what_the_help_has() {
    let world = World::new("nothing that is read");
    let own = world.ok(&["man"]);
    has(&own, &[".TH OSGRAPH 1", "osgraph\\-run(1)", "GENERAL OPTIONS", ".SH \"EXIT CODES\""]);
    world.ok(&["man", "pages"]);
    let run = world.read("pages/osgraph-run.1");
    has(
        &run,
        &[".TH OSGRAPH-RUN 1", "expect\\-fresh", ".SH EXAMPLES", ".EX", "osgraph run dist\\-docker \\-j 4"],
    );
    assert!(!run.contains("\\-\\-directory"), "general options stand on osgraph's own page");
}
