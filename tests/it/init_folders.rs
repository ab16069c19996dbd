//! `osgraph init` in folders of every kind: what it writes is sound, and runs where it can.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

/// A folder's files, and what its draft has.
struct Case {
    name: &'static str,
    files: &'static [(&'static str, &'static str)],
    git: bool,
    nodes: &'static [&'static str],
    /// Results of a run; none where a run needs more than every machine has.
    makes: Option<&'static [&'static str]>,
}

const CASES: &[Case] = &[
    Case {
        name: "nothing",
        files: &[("notes.txt", "hello\n")],
        git: false,
        nodes: &["source", "checksums"],
        makes: Some(&["dist/checksums.txt"]),
    },
    Case {
        name: "My Repository!",
        files: &[("notes.txt", "hello\n"), ("VERSION", "1.4\n")],
        git: true,
        nodes: &["source"],
        makes: Some(&["dist/my-repository-1.4.tar.gz"]),
    },
    Case {
        name: "rust",
        files: &[
            ("Cargo.toml", "[package]\nname = \"greet\"\nversion = \"0.3.0\"\nedition = \"2021\"\n"),
            ("Cargo.lock", "version = 3\n\n[[package]]\nname = \"greet\"\nversion = \"0.3.0\"\n"),
            ("src/main.rs", "fn main() { println!(\"hello\") }\n"),
        ],
        git: true,
        nodes: &["source", "cargo"],
        makes: Some(&["dist/rust-0.3.0.tar.gz", "dist/cargo/greet"]),
    },
    Case {
        name: "rust library",
        files: &[
            ("Cargo.toml", "[package]\nname = \"greet\"\nversion = \"0.3.0\"\nedition = \"2021\"\n"),
            ("src/lib.rs", "#[test]\nfn holds() {}\n"),
        ],
        git: false,
        nodes: &["source", "cargo-test"],
        makes: Some(&["dist/rust-library-0.3.0.tar.gz"]),
    },
    Case {
        name: "make",
        files: &[("Makefile", "all: a.txt\na.txt:\n\techo a > $@\ncheck: a.txt\n\tgrep -q a a.txt\n")],
        git: true,
        nodes: &["source", "make"],
        makes: Some(&["dist/make-0.1.0.tar.gz"]),
    },
    Case {
        name: "web",
        files: &[(
            "package.json",
            r#"{"name":"web","version":"2.1.0","scripts":{"build":"vite build"},"devDependencies":{"vite":"7"}}"#,
        )],
        git: false,
        nodes: &["source", "web"],
        makes: None,
    },
    Case {
        name: "go",
        files: &[("go.mod", "module x\n\ngo 1.19\n"), ("main.go", "package main\n\nfunc main() {}\n")],
        git: true,
        nodes: &["source", "go"],
        makes: None,
    },
    Case {
        name: "php",
        files: &[
            ("composer.json", r#"{"name":"a/b","require":{"php":">=8.1"}}"#),
            ("docker/web/Dockerfile", "ARG PHP=8.3\nFROM php:${PHP}\nARG UNSET\nCOPY . /app\n"),
            ("docker/worker.Dockerfile", "FROM scratch\nCOPY composer.json /\n"),
            (".dockerignore", "dist\n"),
        ],
        git: true,
        nodes: &["source", "image-docker-web", "image-docker-worker", "vendor"],
        makes: None,
    },
    Case {
        name: "all at once",
        files: &[
            ("Dockerfile", "FROM scratch\nCOPY dist /\n"),
            ("Cargo.toml", "[workspace]\nmembers = [\"crates/a\"]\n"),
            ("crates/a/src/main.rs", "fn main() {}\n"),
            ("go.mod", "module x\n"),
            ("package.json", r#"{"scripts":{"build":"make"}}"#),
            ("composer.json", "{}"),
            ("Makefile", "all:\n"),
            ("dist/index.html", "<p>"),
            ("cache/mine", ""),
        ],
        git: false,
        nodes: &["source", "image", "cargo", "go-test", "web", "vendor"],
        makes: None,
    },
    Case {
        name: "damaged",
        files: &[("Dockerfile", "FRMO scratch\n"), ("package.json", "{"), ("Cargo.toml", "\u{0}")],
        git: true,
        nodes: &["source", "cargo-test"],
        makes: None,
    },
];

struct Project {
    // Isolated recipes do not see what lies below /tmp.
    above: tempfile::TempDir,
    name: &'static str,
}

impl Project {
    fn new(case: &Case) -> Self {
        let project = Self { above: tempfile::tempdir_in("/var/tmp").unwrap(), name: case.name };
        fs::create_dir(project.root()).unwrap();
        for (path, text) in case.files {
            let path = project.root().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        if case.git {
            for words in [&["init", "-q"][..], &["add", "-A"], &["commit", "-qm", "one"]] {
                let mut git = Command::new("git");
                git.current_dir(project.root())
                    .args(["-c", "user.name=n", "-c", "user.email=n@x"])
                    .args(words);
                assert!(git.status().unwrap().success(), "{words:?}");
            }
        }
        project
    }

    fn root(&self) -> PathBuf {
        self.above.path().join(self.name)
    }

    /// Exit code, standard output, standard error.
    fn say(&self, args: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_osgraph"));
        command.current_dir(self.root()).args(args).stdin(Stdio::null());
        for name in ["OSGRAPH_FILE", "OSGRAPH_STORE", "GITHUB_ACTIONS", "GITLAB_CI"] {
            command.env_remove(name);
        }
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    fn ok(&self, args: &[&str]) -> (String, String) {
        let (code, out, err) = self.say(args);
        assert_eq!(code, 0, "{}: {args:?}: {out}{err}", self.name);
        (out, err)
    }
}

#[test]
fn what_is_written_is_sound_whatever_the_folder_holds() {
    for case in CASES {
        let project = Project::new(case);
        let (printed, said) = project.ok(&["init", "-n"]);
        assert!(said.starts_with("would write pipeline.kdl: "), "{said}");
        assert!(!project.root().join("pipeline.kdl").exists());
        let (out, said) = project.ok(&["init"]);
        assert!(out.is_empty() && said.starts_with("wrote pipeline.kdl: "), "{out}{said}");
        assert_eq!(fs::read_to_string(project.root().join("pipeline.kdl")).unwrap(), printed);
        project.ok(&["check"]);
        let (graph, _) = project.ok(&["graph", "--json"]);
        let graph: Value = serde_json::from_str(&graph).unwrap();
        let mut nodes: Vec<&str> =
            graph["nodes"].as_array().unwrap().iter().map(|node| node["node"].as_str().unwrap()).collect();
        let mut wanted = case.nodes.to_vec();
        nodes.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(nodes, wanted, "{}", case.name);
    }
}

#[test]
fn what_is_written_runs_where_it_can_and_its_second_run_is_fresh() {
    for case in CASES {
        let Some(makes) = case.makes else { continue };
        let project = Project::new(case);
        project.ok(&["init"]);
        project.ok(&["run"]);
        for path in makes {
            assert!(project.root().join(path).is_file(), "{}: no {path}", case.name);
        }
        let (_, said) = project.ok(&["run"]);
        assert!(said.starts_with("fresh  "), "{}: {said}", case.name);
    }
}

#[test]
fn what_was_found_and_what_is_open_is_told() {
    let case = CASES.iter().find(|case| case.name == "php").unwrap();
    let project = Project::new(case);
    let (_, said) = project.ok(&["init"]);
    for part in [
        "found  a git repository, `docker/web/Dockerfile`, `docker/worker.Dockerfile`, `composer.json`\n",
        "open   argument `UNSET` of `docker/web/Dockerfile` has no default",
        "open   there is no `composer.lock`",
        "read it, then `osgraph run`\n",
    ] {
        assert!(said.contains(part), "no {part:?} in\n{said}");
    }
    assert_eq!(project.ok(&["-q", "init", "--force"]), (String::new(), String::new()));
    let (json, _) = project.ok(&["init", "-n", "--json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&json["v"], &json["file"], &json["dry_run"]),
        (&1.into(), &"pipeline.kdl".into(), &true.into())
    );
    assert_eq!(json["nodes"].as_array().unwrap().len(), case.nodes.len());
    assert!(json["text"].as_str().unwrap().contains("base-image"), "{json}");
}

#[test]
fn nothing_is_overwritten_unless_asked_for() {
    let project = Project::new(&CASES[0]);
    fs::write(project.root().join("pipeline.kdl"), "mine").unwrap();
    let (code, _, said) = project.say(&["init"]);
    assert!(code == 2 && said.contains("`--force`"), "{said}");
    assert_eq!(fs::read_to_string(project.root().join("pipeline.kdl")).unwrap(), "mine");
    // Another name is another file.
    project.ok(&["init", "-f", "other.kdl"]);
    project.ok(&["check", "-f", "other.kdl"]);
    project.ok(&["init", "--force"]);
    project.ok(&["check"]);
}

#[test]
fn the_example_is_there_for_the_asking() {
    let project = Project::new(CASES.iter().find(|case| case.git).unwrap());
    project.ok(&["init", "--example"]);
    assert_eq!(
        fs::read_to_string(project.root().join("pipeline.kdl")).unwrap(),
        osgraph::report::init::TEMPLATE
    );
}

#[test]
fn a_folder_of_a_repository_that_is_not_committed_is_taken_as_it_lies() {
    let project = Project::new(CASES.iter().find(|case| case.git).unwrap());
    let below = project.root().join("below");
    fs::create_dir(&below).unwrap();
    fs::write(below.join("Makefile"), "all:\n\ttrue\n").unwrap();
    project.ok(&["-C", "below", "init"]);
    assert!(fs::read_to_string(below.join("pipeline.kdl")).unwrap().contains("dir \".\""));
    project.ok(&["-C", "below", "run"]);
}
