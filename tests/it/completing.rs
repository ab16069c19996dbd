//! Completion in real shells: words of the command line, and names that only the pipeline knows.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::history::world::World;

const SHELLS: [&str; 5] = ["bash", "zsh", "fish", "elvish", "powershell"];

const PIPELINE: &str = r#"pipeline "p" { param "version" default="1"; param "verbose-name"; }
source-archive "source" { dir "src"; }
dist-docker { output "dist-docker"; copy "src"; }
dist-native { output "dist-native"; copy "src"; }
command "use" { from "source"; run "true" "${version}" "${verbose-name}"; }
"#;

/// A project, and the scripts of shells beside it.
struct Typing {
    world: World,
    scripts: tempfile::TempDir,
}

impl Typing {
    fn new(pipeline: &str) -> Self {
        let typing = Self { world: World::new(pipeline), scripts: tempfile::tempdir_in("/var/tmp").unwrap() };
        for shell in SHELLS {
            fs::write(typing.script(shell), typing.world.ok(&["completions", shell])).unwrap();
        }
        typing
    }

    fn script(&self, shell: &str) -> PathBuf {
        self.scripts.path().join(shell)
    }

    /// What a shell that runs `line` prints, sorted; it must not complain. The scripts call `osgraph`.
    fn shell(&self, program: &str, args: &[&str], line: &str) -> Vec<String> {
        let folder = Path::new(env!("CARGO_BIN_EXE_osgraph")).parent().unwrap();
        let mut command = Command::new(program);
        // What the caller has set would lead the asked osgraph elsewhere.
        for name in ["OSGRAPH_FILE", "OSGRAPH_STORE", "OSGRAPH_PARAM_VERBOSE_NAME"] {
            command.env_remove(name);
        }
        let Output { status, stdout, stderr } = command
            .args(args)
            .arg(line)
            .current_dir(self.world.root())
            .env("PATH", format!("{}:{}", folder.display(), std::env::var("PATH").unwrap()))
            .env("HOME", self.scripts.path())
            .output()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        let errors = String::from_utf8_lossy(&stderr);
        assert!(status.success() && errors.is_empty(), "{program}: {line}: {errors}");
        let mut found: Vec<String> = String::from_utf8(stdout)
            .unwrap()
            .lines()
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect();
        found.sort();
        found
    }

    /// What bash proposes for the last of the words.
    fn bash(&self, words: &[&str]) -> Vec<String> {
        let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
        let line = format!(
            "set -u; source '{}'; COMP_TYPE=9; COMP_WORDS=({}); COMP_CWORD={}; \
             f=$(complete -p osgraph | sed 's/.*-F \\([^ ]*\\).*/\\1/'); \
             \"$f\" osgraph {} {}; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            self.script("bash").display(),
            quoted.join(" "),
            words.len() - 1,
            quoted[words.len() - 1],
            quoted[words.len() - 2],
        );
        self.shell("bash", &["--norc", "-c"], &line)
    }

    /// Values alone: behind a tab stands what they are.
    fn fish(&self, line: &str) -> Vec<String> {
        let line = format!("source '{}'; complete -C '{line}'", self.script("fish").display());
        let found = self.shell("fish", &["--no-config", "-c"], &line);
        found.iter().map(|one| one.split('\t').next().unwrap().to_owned()).collect()
    }

    /// What the script's function hands on to be shown, in a zsh without a terminal.
    fn zsh(&self, words: &[&str]) -> Vec<String> {
        let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
        let line = format!(
            "compdef() {{ asked=$1 }}; _describe() {{ print -l -- ${{(P)3}} }}; source '{}'; \
             words=({}); CURRENT={}; $asked",
            self.script("zsh").display(),
            quoted.join(" "),
            words.len(),
        );
        let found = self.shell("zsh", &["-f", "-c"], &line);
        found.iter().map(|one| one.split(':').next().unwrap().to_owned()).collect()
    }
}

#[test]
fn words_of_the_command_line_are_completed() {
    let typing = Typing::new(PIPELINE);
    assert_eq!(typing.bash(&["osgraph", "ex"]), ["explain"]);
    assert_eq!(typing.bash(&["osgraph", "run", "--exp"]), ["--expect-fresh"]);
    assert_eq!(typing.bash(&["osgraph", "cache", "v"]), ["verify"]);
    assert_eq!(typing.bash(&["osgraph", "graph", "--as", "d"]), ["dot"]);
    assert_eq!(typing.fish("osgraph cache v"), ["verify"]);
    assert_eq!(typing.zsh(&["osgraph", "ex"]), ["explain"]);
}

#[test]
fn names_of_nodes_are_completed_in_each_shell() {
    let typing = Typing::new(PIPELINE);
    let dists = ["dist-docker", "dist-native"];
    assert_eq!(typing.bash(&["osgraph", "run", "di"]), dists);
    assert_eq!(typing.fish("osgraph run di"), dists);
    assert_eq!(typing.zsh(&["osgraph", "run", "di"]), dists);
    for option in ["--force", "--rebuild", "--assume-fresh", "--expect-fresh"] {
        assert_eq!(typing.bash(&["osgraph", "run", option, "so"]), ["source"], "{option}");
    }
    assert_eq!(typing.bash(&["osgraph", "run", "--force", "use,so"]), ["use,source"]);
    for command in ["explain", "graph", "watch", "clean", "log"] {
        assert_eq!(typing.bash(&["osgraph", command, "us"]), ["use"], "{command}");
    }
}

#[test]
fn a_script_that_zsh_loads_by_itself_completes_at_once() {
    let typing = Typing::new(PIPELINE);
    let folder = typing.scripts.path();
    fs::copy(typing.script("zsh"), folder.join("_osgraph")).unwrap();
    let line = format!(
        "compdef() {{ }}; _describe() {{ print -l -- ${{(P)3}} }}; fpath=('{}' $fpath); autoload -U _osgraph; \
         words=(osgraph run use); CURRENT=3; _osgraph; echo then; _osgraph",
        folder.display(),
    );
    let found = typing.shell("zsh", &["-f", "-c"], &line);
    assert_eq!(found, ["then", "use:command", "use:command"]);
}

#[test]
fn parameters_are_completed_also_those_without_a_value() {
    let typing = Typing::new(PIPELINE);
    assert_eq!(typing.bash(&["osgraph", "run", "--set", "ver"]), ["verbose-name=", "version="]);
    assert_eq!(typing.fish("osgraph check --set versi"), ["version="]);
}

#[test]
fn numbers_of_runs_are_completed() {
    let typing = Typing::new("pipeline \"p\"\ncommand \"embed\" { run \"true\"; }\n");
    assert!(typing.bash(&["osgraph", "runs", ""]).iter().all(|word| !word.starts_with('1')));
    typing.world.run();
    typing.world.ok(&["-q", "run", "--force", "embed"]);
    assert_eq!(typing.bash(&["osgraph", "report", "1"]), ["1"]);
    assert_eq!(typing.bash(&["osgraph", "runs", "2"]), ["2"]);
    assert_eq!(typing.bash(&["osgraph", "log", "e"]), ["embed"]);
    assert_eq!(typing.bash(&["osgraph", "diff", "em"]), ["embed@"]);
    assert_eq!(typing.bash(&["osgraph", "diff", "embed@"]), ["embed@1", "embed@2"]);
}

#[test]
fn the_pipeline_is_the_one_that_the_line_names() {
    let typing = Typing::new(PIPELINE);
    typing.world.write("below/pipeline.kdl", "pipeline \"b\"\ncommand \"deep\" { run \"true\"; }\n");
    typing.world.write("other.kdl", "pipeline \"o\"\ncommand \"other\" { run \"true\"; }\n");
    assert_eq!(typing.bash(&["osgraph", "-C", "below", "run", "d"]), ["deep"]);
    assert_eq!(typing.bash(&["osgraph", "run", "-f", "other.kdl", "o"]), ["other"]);
    assert_eq!(typing.bash(&["osgraph", "--file=other.kdl", "run", "o"]), ["other"]);
    assert_eq!(typing.fish("osgraph -C below explain d"), ["deep"]);
}

#[test]
fn a_broken_pipeline_and_none_propose_nothing_and_say_nothing() {
    let typing = Typing::new("pipeline \"p\" {\ncommand nonsense {{{");
    let is_option = |word: &String| word.starts_with('-');
    assert!(typing.bash(&["osgraph", "run", "di"]).is_empty());
    assert!(typing.bash(&["osgraph", "run", "--set", "v"]).is_empty());
    assert!(typing.bash(&["osgraph", "run", ""]).iter().all(is_option));
    assert!(typing.bash(&["osgraph", "-C", "nowhere", "run", "di"]).is_empty());
    fs::remove_file(typing.world.path("pipeline.kdl")).unwrap();
    assert!(typing.bash(&["osgraph", "run", "di"]).is_empty());
    // Nobody typed anything that may be written down.
    assert!(!typing.world.path("cache").exists());
}

#[test]
fn scripts_are_sound_in_their_shells() {
    let typing = Typing::new(PIPELINE);
    for shell in ["bash", "zsh", "fish"] {
        let script = typing.script(shell);
        typing.shell(shell, &["-n"], script.to_str().unwrap());
    }
    for shell in SHELLS {
        assert!(fs::read_to_string(typing.script(shell)).unwrap().contains("OSGRAPH_COMPLETE"), "{shell}");
    }
}
