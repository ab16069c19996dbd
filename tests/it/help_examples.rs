//! The examples below each `--help`: each is a command line that osgraph takes, and what can run does.

use std::fs;
use std::path::Path;
use std::process::{Command as Process, Stdio};

use clap::{Command, CommandFactory, Parser};
use osgraph::commands::args::Cli;

use crate::history::world::World;

/// Examples that need what a test has not got, by a part of them.
const CANNOT: &[(&str, &str)] = &[
    ("41", "a run of a long history"),
    ("osgraph watch", "it does not end"),
    ("watch -n1", "it does not end"),
    ("sudo", "it writes where only root may"),
    ("/opt/", "a package that was deployed"),
    ("/srv/", "a package that was deployed"),
    ("doctor", "a machine without an engine answers with 3"),
    ("php:8.3-cli", "it asks a registry"),
];

const PIPELINE: &str = r#"pipeline "shop" {
    param "version" default="1.4"
    param "arch" default="host"
}
source-archive "source" { dir "src"; archive "dist/shop-${version}.tar.gz"; }
command "base" { run "sh" "-c" "echo base ${arch}; echo base > base.txt"; output "base.txt"; }
command "app-embed" { from "base"; run "sh" "-c" "echo embedding; cp base.txt embed.txt"; output "embed.txt"; }
dist-docker { output "dist-docker"; copy "src"; binary "app-embed" into="app"; }
dist-native { output "dist-native"; copy "src"; archive "dist/shop-native-${version}.tar.gz"; }
"#;

/// Every example: what stands before two blanks in lines that begin with a command.
fn examples() -> Vec<String> {
    fn collect(command: &Command, out: &mut Vec<String>) {
        let said = command.get_after_long_help().or(command.get_after_help());
        let said = said.map(ToString::to_string).unwrap_or_default();
        let section = said.split("\n\n").next().unwrap_or_default();
        let lines = section.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        out.extend(lines.map(|line| line.trim().split("  ").next().unwrap().to_owned()));
        command
            .get_subcommands()
            .filter(|below| below.get_name() != "help")
            .for_each(|below| collect(below, out));
    }
    let mut command = Cli::command();
    command.build();
    let mut out = Vec::new();
    collect(&command, &mut out);
    out
}

/// The words of each osgraph that a line calls, as a shell would split them.
fn calls(line: &str) -> Vec<Vec<String>> {
    let (mut all, mut words, mut word, mut quote) = (Vec::new(), Vec::new(), None::<String>, None);
    let chars = line.chars();
    let mut done = false;
    for c in chars {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            (None, '|' | '&' | ';') => {
                words.extend(word.take());
                all.push(std::mem::take(&mut words));
                done = false;
                continue;
            }
            // What follows is a file of the shell's.
            (None, '>') => done = true,
            (None, c) => word.get_or_insert_default().push(c),
        }
        if done {
            word = None;
        }
    }
    words.extend(word);
    all.push(words);
    let from_osgraph = |words: Vec<String>| {
        let at = words.iter().position(|word| word == "osgraph")?;
        Some(words[at..].to_vec())
    };
    all.into_iter().filter_map(from_osgraph).collect()
}

#[test]
fn every_example_is_taken() {
    let examples = examples();
    assert!(examples.len() > 50, "{examples:?}");
    for example in &examples {
        let calls = calls(example);
        assert!(!calls.is_empty(), "`{example}` calls no osgraph");
        for words in calls {
            if let Err(error) = Cli::try_parse_from(&words) {
                panic!("`{example}` is not taken: {error}");
            }
        }
    }
}

#[test]
fn what_can_run_runs() {
    let world = World::new(PIPELINE);
    world.write("src/a", "a\n");
    world.write("other.kdl", "pipeline \"other\" { param \"arch\" default=\"host\"; }\n");
    world.ok(&["-q", "run", "--receipt", "ci.json"]);
    world.write("pipeline.lock", "lock version=1\n");
    let bare = tempfile::tempdir_in("/var/tmp").unwrap();
    fs::create_dir(bare.path().join("other")).unwrap();
    let home = tempfile::tempdir_in("/var/tmp").unwrap();
    for below in [".local/share/bash-completion/completions", ".zfunc", ".config/fish/completions"] {
        fs::create_dir_all(home.path().join(below)).unwrap();
    }
    let programs = Path::new(env!("CARGO_BIN_EXE_osgraph")).parent().unwrap();
    let mut ran = 0;
    for (at, example) in examples().iter().enumerate() {
        if CANNOT.iter().any(|(part, _)| example.contains(part)) {
            continue;
        }
        // A pipeline is begun where there is none.
        let folder = match example.contains("osgraph init") {
            true => bare.path().join(at.to_string()),
            false => world.root().to_owned(),
        };
        fs::create_dir_all(&folder).unwrap();
        // Not every machine has jq.
        let line = example.split(" | jq").next().unwrap();
        let output = Process::new("sh")
            .args(["-ec", line])
            .current_dir(&folder)
            .env("PATH", format!("{}:{}", programs.display(), std::env::var("PATH").unwrap()))
            .env("HOME", home.path())
            .env("MANPAGER", "cat")
            .env_remove("OSGRAPH_FILE")
            .env_remove("OSGRAPH_STORE")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "`{example}` ended with {:?}: {said}", output.status.code());
        ran += 1;
    }
    assert!(ran > 40, "{ran}");
    // A reason that no example needs any more is no reason.
    for (part, why) in CANNOT {
        assert!(examples().iter().any(|example| example.contains(part)), "`{part}` ({why}) is in no example");
    }
}
