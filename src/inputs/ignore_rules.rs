//! Which untracked files a walk leaves out: gitignore rules, read the way git reads them.
//!
//! `.gitignore` files count from the top of the repository (or of the project, where there is no
//! repository) down to each folder, then `info/exclude` and the user's excludes file. The rules
//! hold outside a repository too, so that a clone and a copy of it are walked alike. Every file
//! consulted, and every one that would be consulted if it existed, is reported: it is an input.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder, Glob, gitconfig_excludes_path};
use rustix::fs::FileType;

use crate::inputs::stat::Stat;

/// The rules in force in one folder: its own, then those above, each hiding the next.
#[derive(Clone)]
pub struct Rules {
    link: Option<Arc<Link>>,
}

struct Link {
    matcher: Gitignore,
    above: Option<Arc<Link>>,
}

/// Something that had a say in what a walk counts, as it was right before it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consulted {
    /// Absolute.
    pub path: PathBuf,
    /// None where nothing was.
    pub stat: Option<Stat>,
}

/// The line that decided about a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// False where it lets the path in (`!`).
    pub ignores: bool,
    /// None for a pattern that stands in no file.
    pub file: Option<PathBuf>,
    /// As written.
    pub pattern: String,
}

impl Decision {
    /// The number of its line in the file, from 1: of several that say the same the last, which is
    /// the one that counts.
    pub fn line(&self) -> Option<u32> {
        let text = fs::read(self.file.as_ref()?).ok()?;
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.trim_start_matches('\u{feff}').lines().collect();
        let at = lines.iter().rposition(|line| line.trim_end() == self.pattern.trim_end())?;
        Some(at as u32 + 1)
    }
}

impl Consulted {
    fn now(path: &Path) -> Self {
        Self { path: path.to_path_buf(), stat: Stat::of(path).ok() }
    }
}

/// An ignore file with a line that is no pattern.
#[derive(Debug, thiserror::Error)]
#[error("`{path}` cannot be read as ignore rules: {message}")]
pub struct RulesError {
    pub path: String,
    pub message: String,
}

impl Rules {
    /// No rules: everything counts.
    pub const fn none() -> Self {
        Self { link: None }
    }

    /// The rules that reach `root` from above. `consulted` gets every ignore file looked for, and
    /// every place where a repository would begin.
    pub fn above(root: &Path, project: &Path, consulted: &mut Vec<Consulted>) -> Result<Self, RulesError> {
        let top = repository_top(root);
        let last = top.as_deref().unwrap_or(Path::new("/"));
        for folder in root.ancestors().take_while(|folder| folder.starts_with(last)) {
            consulted.push(Consulted::now(&folder.join(".git")));
        }
        let stop = match &top {
            Some(top) => top.clone(),
            None if root.starts_with(project) => project.to_path_buf(),
            None => root.to_path_buf(),
        };
        let mut rules = Self::none();
        if let Some(user) = gitconfig_excludes_path() {
            rules = rules.read_linked(&user, &stop, consulted)?;
        }
        if let Some(git) = top.as_deref().and_then(git_dir) {
            rules = rules.read_linked(&git.join("info/exclude"), &stop, consulted)?;
        }
        let mut folders: Vec<&Path> = root.ancestors().skip(1).take_while(|f| f.starts_with(&stop)).collect();
        folders.reverse();
        for folder in folders {
            rules = rules.read(&folder.join(".gitignore"), folder, consulted)?;
        }
        Ok(rules)
    }

    /// These rules with `patterns`, relative to `root`, before them.
    pub fn patterns(&self, patterns: &[String], root: &Path) -> Result<Self, RulesError> {
        if patterns.is_empty() {
            return Ok(self.clone());
        }
        let mut builder = GitignoreBuilder::new(root);
        let wrong = |pattern: &str, error: ignore::Error| RulesError {
            path: pattern.to_owned(),
            message: error.to_string(),
        };
        for pattern in patterns {
            builder.add_line(None, pattern).map_err(|error| wrong(pattern, error))?;
        }
        let matcher = builder.build().map_err(|error| wrong(&patterns.join(" "), error))?;
        Ok(Self { link: Some(Arc::new(Link { matcher, above: self.link.clone() })) })
    }

    /// As [`Self::read`], through links: people keep their own rules among their dotfiles.
    fn read_linked(
        &self,
        file: &Path,
        root: &Path,
        consulted: &mut Vec<Consulted>,
    ) -> Result<Self, RulesError> {
        let mut file = file.to_path_buf();
        // As many links as the kernel follows.
        for _ in 0..40 {
            let Ok(target) = fs::read_link(&file) else { break };
            consulted.push(Consulted::now(&file));
            file = file.parent().unwrap_or(Path::new("/")).join(target);
        }
        self.read(&file, root, consulted)
    }

    /// These rules with those of `file` before them; one that is not there adds nothing, nor does
    /// what is no regular file: git follows no link to a `.gitignore`.
    pub fn read(&self, file: &Path, root: &Path, consulted: &mut Vec<Consulted>) -> Result<Self, RulesError> {
        let now = Consulted::now(file);
        let is_file = now.stat.is_some_and(|stat| stat.kind() == FileType::RegularFile);
        consulted.push(now);
        if !is_file {
            return Ok(self.clone());
        }
        let wrong = |message: String| RulesError { path: file.display().to_string(), message };
        let text = match fs::read(file) {
            // In whatever encoding: what is no UTF-8 matches no name that counts.
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(self.clone()),
            Err(error) => return Err(wrong(error.to_string())),
        };
        let mut builder = GitignoreBuilder::new(root);
        // Some editors begin a file with a byte order mark.
        for line in text.trim_start_matches('\u{feff}').lines() {
            // git passes over a line that is no pattern; so do we.
            let _ = builder.add_line(Some(file.to_path_buf()), line);
        }
        let matcher = builder.build().map_err(|error| wrong(error.to_string()))?;
        Ok(Self { link: Some(Arc::new(Link { matcher, above: self.link.clone() })) })
    }

    pub fn ignores(&self, path: &Path, is_folder: bool) -> bool {
        matches!(self.matched(path, is_folder), Match::Ignore(_))
    }

    /// The line that decides about a path; none where no line speaks of it.
    pub fn decision(&self, path: &Path, is_folder: bool) -> Option<Decision> {
        let (ignores, glob) = match self.matched(path, is_folder) {
            Match::Ignore(glob) => (true, glob),
            Match::Whitelist(glob) => (false, glob),
            Match::None => return None,
        };
        let file = glob.from().map(Path::to_path_buf);
        Some(Decision { ignores, file, pattern: glob.original().to_owned() })
    }

    fn matched(&self, path: &Path, is_folder: bool) -> Match<&Glob> {
        let mut at = self.link.as_deref();
        while let Some(link) = at {
            match link.matcher.matched(path, is_folder) {
                Match::None => at = link.above.as_deref(),
                decided => return decided,
            }
        }
        Match::None
    }
}

/// The nearest folder at or above `folder` that holds a `.git`.
pub fn repository_top(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().find(|at| at.join(".git").exists()).map(Path::to_path_buf)
}

/// The git directory of a work tree: `.git`, or where a `.git` file points. Of a linked work tree it
/// is the repository's own, which holds what all of them share.
pub fn git_dir(top: &Path) -> Option<PathBuf> {
    let dot = top.join(".git");
    if dot.is_dir() {
        return Some(dot);
    }
    let text = fs::read_to_string(&dot).ok()?;
    let own = top.join(text.strip_prefix("gitdir:")?.trim());
    match fs::read_to_string(own.join("commondir")) {
        Ok(common) => Some(own.join(common.trim())),
        Err(_) => Some(own),
    }
}
