//! What git knows about the files of a project, as its user sees them: uncommitted changes,
//! tracked files, the current revision.
//!
//! Everything here is for notes and ignore rules. Where there is no repository the answers are
//! empty: a project needs none.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::error::GitError;
use super::location::Location;
use super::program::GitProgram;
use crate::path::RelPath;

/// Paths given to one git process; far below what a command line takes.
const PATHS_AT_ONCE: usize = 500;

/// Whether `path` lies in a repository. Starts no process.
pub fn is_repository(path: &Path) -> bool {
    Location::find(path).is_ok()
}

/// Whether `path` is the top of a repository: checked out, bare, a linked worktree or a submodule.
/// Starts no process.
pub fn is_top(path: &Path) -> bool {
    Location::find(path).is_ok_and(|location| location.prefix.is_empty())
}

/// At most `most` paths below the folder `path`, relative to it, that differ from the last commit
/// or are not in it. A new folder is one path, with a slash.
pub fn uncommitted(path: &Path, most: usize, git: &GitProgram) -> Result<Vec<String>, GitError> {
    let Ok(location) = Location::find(path) else { return Ok(Vec::new()) };
    if location.here == location.git_dir {
        return Ok(Vec::new());
    }
    let mut command = git.personal(&location.here);
    command.args(["status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=normal"]);
    command.args(["--ignore-submodules=none", "--", "."]).stderr(std::process::Stdio::null());
    let mut child = command.spawn().map_err(|source| git.not_started(source))?;
    let mut found = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        let below = if location.prefix.is_empty() { String::new() } else { format!("{}/", location.prefix) };
        for line in BufReader::new(stdout).split(0).take(most) {
            let line = line.map_err(|source| git.not_started(source))?;
            // Two letters of state, a blank, and the path from the top of the repository.
            let shown = String::from_utf8_lossy(line.get(3..).unwrap_or_default()).into_owned();
            found.push(shown.strip_prefix(&below).map_or(shown.clone(), str::to_owned));
        }
    }
    // Its output is closed now: a git with more to tell ends on its own.
    child.wait().map_err(|source| git.not_started(source))?;
    Ok(found)
}

/// Paths below the folder `path`, relative to it, that commits after `since` touched, each with the newest
/// that did. Empty where git knows no such commit.
pub fn committed(path: &Path, since: &str, git: &GitProgram) -> Result<HashMap<String, String>, GitError> {
    /// More than that nobody reads.
    const COMMITS: &str = "--max-count=500";
    let is_commit = since.len() >= 7 && since.bytes().all(|byte| byte.is_ascii_hexdigit());
    let Some(location) =
        Location::find(path).ok().filter(|location| is_commit && location.here != location.git_dir)
    else {
        return Ok(HashMap::new());
    };
    let mut command = git.neutral(&location.here);
    command.args(["log", COMMITS, "--format=%x00%h", "--name-only", "--no-renames", "--relative"]);
    command.args([&format!("{since}..HEAD"), "--", "."]);
    let output = git.output(&mut command)?;
    let (mut found, mut commit) = (HashMap::new(), String::new());
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        match line.strip_prefix('\0') {
            Some(id) => id.clone_into(&mut commit),
            None if line.is_empty() => {}
            None => drop(found.entry(line.to_owned()).or_insert_with(|| commit.clone())),
        }
    }
    Ok(found)
}

/// `branch@commit` of the repository that holds `path`, the commit shortened to 9 digits; `@commit`
/// where no branch is checked out. Starts a process only for storage that plain files do not show.
pub fn revision(path: &Path, git: &GitProgram) -> Option<String> {
    let location = Location::find(path).ok()?;
    let head = fs::read_to_string(location.git_dir.join("HEAD")).ok()?;
    let head = head.trim_end();
    let Some(name) = head.strip_prefix("ref: ") else { return Some(format!("@{}", head.get(..9)?)) };
    if name == "refs/heads/.invalid" {
        return asked_revision(&location, git);
    }
    let commit = fs::read_to_string(location.git_dir.join(name))
        .or_else(|_| fs::read_to_string(location.common_dir.join(name)))
        .ok()
        .or_else(|| packed(&location.common_dir, name))?;
    let branch = name.strip_prefix("refs/heads/").unwrap_or(name);
    Some(format!("{branch}@{}", commit.get(..9)?))
}

/// A reference that git moved from its own file into the common one.
fn packed(common_dir: &Path, name: &str) -> Option<String> {
    let text = fs::read_to_string(common_dir.join("packed-refs")).ok()?;
    text.lines().find_map(|line| {
        let (id, packed) = line.split_once(' ')?;
        (packed == name).then(|| id.to_owned())
    })
}

fn asked_revision(location: &Location, git: &GitProgram) -> Option<String> {
    let ask = |words: [&str; 3]| {
        let mut command = git.neutral(&location.here);
        let answer = git.answer(command.args(words), &location.here).ok()?;
        Some(String::from_utf8_lossy(&answer).trim().to_owned())
    };
    let commit = ask(["rev-parse", "--verify", "HEAD"])?;
    let branch = ask(["symbolic-ref", "--quiet", "HEAD"]).unwrap_or_default();
    Some(format!("{}@{}", branch.trim_start_matches("refs/heads/"), commit.get(..9)?))
}

/// Which of `paths`, relative to the folder `root`, are tracked. A folder is when something
/// below it is.
pub fn tracked(root: &Path, paths: &[RelPath], git: &GitProgram) -> Result<BTreeSet<RelPath>, GitError> {
    let mut found = BTreeSet::new();
    let Ok(location) = Location::find(root) else { return Ok(found) };
    for paths in paths.chunks(PATHS_AT_ONCE) {
        let mut command = git.personal(&location.here);
        command.env("GIT_LITERAL_PATHSPECS", "1").args(["ls-files", "-z", "--"]);
        command.args(paths.iter().map(ToString::to_string));
        let listing = git.answer(&mut command, &location.here)?;
        let listed: BTreeSet<&[u8]> =
            listing.split(|byte| *byte == 0).filter(|name| !name.is_empty()).collect();
        for path in paths {
            let below = format!("{path}/");
            let is_tracked = path.is_root() && !listed.is_empty()
                || listed.contains(path.as_str().as_bytes())
                || listed
                    .range(below.as_bytes()..)
                    .next()
                    .is_some_and(|name| name.starts_with(below.as_bytes()));
            if is_tracked {
                found.insert(path.clone());
            }
        }
    }
    Ok(found)
}

/// Tracked files below the folder `root`, relative to it, that an ignore rule names all the same:
/// they count, although a walk that follows the rules passes them by.
pub fn tracked_but_ignored(root: &Path, git: &GitProgram) -> Result<Vec<String>, GitError> {
    let Ok(location) = Location::find(root) else { return Ok(Vec::new()) };
    if location.here == location.git_dir {
        return Ok(Vec::new());
    }
    let mut command = git.personal(&location.here);
    command.args(["ls-files", "--cached", "--ignored", "--exclude-standard", "-z"]);
    let listing = git.answer(&mut command, &location.here)?;
    listing
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
        .map(|name| {
            String::from_utf8(name.to_vec())
                .map_err(|error| GitError::NotUtf8(String::from_utf8_lossy(error.as_bytes()).into_owned()))
        })
        .collect()
}

/// The files outside the working tree that decide what is tracked and what is ignored below
/// `root`, whether they exist or not: the index, the repository's and the user's excludes files,
/// and the configurations that name the latter. Ignore files inside the tree are the walk's.
pub fn influences(root: &Path, git: &GitProgram) -> Result<Vec<PathBuf>, GitError> {
    let Ok(location) = Location::find(root) else { return Ok(Vec::new()) };
    let mut command = git.personal(&location.here);
    command.args(["config", "-z", "--type=path", "--get", "core.excludesFile"]);
    let configured = git.output(&mut command)?.stdout;
    let configured = String::from_utf8_lossy(&configured).trim_end_matches('\0').to_owned();
    let home = git.user.home.as_deref();
    let config_home = git
        .user
        .config_home
        .clone()
        .or_else(|| home.map(|home| home.join(".config")))
        .map(|dir| dir.join("git"));
    let excludes = if configured.is_empty() {
        config_home.as_ref().map(|dir| dir.join("ignore"))
    } else {
        Some(location.top.join(configured))
    };
    let mut files = vec![
        location.git_dir.join("index"),
        location.common_dir.join("info/exclude"),
        location.common_dir.join("config"),
        location.git_dir.join("config.worktree"),
        PathBuf::from("/etc/gitconfig"),
    ];
    files.extend(home.map(|home| home.join(".gitconfig")));
    files.extend(config_home.map(|dir| dir.join("config")));
    files.extend(excludes);
    Ok(files)
}
