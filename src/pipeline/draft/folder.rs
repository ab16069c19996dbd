//! What is known of a folder.

use std::collections::{BTreeMap, BTreeSet};

use crate::pipeline::draft::images::is_dockerfile;

/// The facts that a draft is made from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folder {
    /// The folder's own name.
    pub name: String,
    /// Whether the last commit of a git repository has it.
    pub committed: bool,
    /// Files, and folders with a `/` at their end, from this folder; not all of a large one.
    pub paths: BTreeSet<String>,
    /// What is written in the files that matter here.
    pub texts: BTreeMap<String, String>,
    /// Programs that are there to be run, of those asked for.
    pub programs: BTreeSet<String>,
    /// Whether a container engine answers.
    pub has_engine: bool,
}

/// Where results may go; the first that is free.
const OUTPUTS: [&str; 4] = ["dist", "out", "artifacts", "osgraph-out"];

impl Folder {
    pub fn has(&self, path: &str) -> bool {
        self.paths.contains(path)
    }

    pub fn text(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    pub fn wants_engine(&self) -> bool {
        self.texts.keys().any(|path| is_dockerfile(path))
    }

    pub fn can_run(&self, program: &str) -> bool {
        self.programs.contains(program)
    }

    /// The folder's name as far as names of pipelines, images and files allow it.
    pub fn slug(&self) -> String {
        let slug = slug(&self.name);
        if slug.is_empty() { "project".to_owned() } else { slug }
    }

    /// The folder that results are put into: one that nothing else has to do with.
    pub fn output(&self) -> &'static str {
        let is_free = |name: &&&str| !self.has(name) && !self.has(&format!("{name}/"));
        OUTPUTS.iter().find(is_free).copied().unwrap_or("osgraph-results")
    }
}

/// Files at the top that say something.
const TOLD: [&str; 9] = [
    ".gitignore",
    "VERSION",
    "Cargo.toml",
    "go.mod",
    "package.json",
    "composer.json",
    "Makefile",
    "makefile",
    "GNUmakefile",
];

/// Whether what is written in a file matters.
pub fn is_told(path: &str) -> bool {
    TOLD.contains(&path) || is_dockerfile(path) || path.ends_with(".go")
}

/// Small letters, digits and single `-`.
pub fn slug(text: &str) -> String {
    let mut out = String::new();
    for c in text.to_ascii_lowercase().chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    out.trim_end_matches('-').to_owned()
}
