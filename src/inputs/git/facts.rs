//! What a committed tree is identified by: everything that can change its archive.
//!
//! Finding a reference's commit costs one process. What a tree's attributes ask for and which
//! submodules it has costs a walk over all its folders, but is a function of the tree id alone:
//! [`Traits`] can be kept by that id.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::process::Stdio;

use serde::{Deserialize, Serialize};

use super::error::GitError;
use super::program::failed;
use super::source::GitSource;
use crate::digest::Digest;
use crate::path::RelPath;

/// A reference, looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The full id of the commit.
    pub commit: String,
    /// The full id of the tree: the commit's, or that of the source's own folder in it.
    pub tree: String,
}

/// What a tree says about its own archive. A function of the tree id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traits {
    /// Some attribute sets `export-subst`, so file contents depend on the commit.
    pub export_subst: bool,
    /// The recorded commit of each submodule.
    pub submodules: BTreeMap<RelPath, String>,
}

/// What identifies an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitFacts {
    pub commit: String,
    pub tree: String,
    /// Labels and values that decide what the archive holds, sorted by label.
    pub counts: Vec<(String, String)>,
}

impl GitSource {
    /// Looks up `reference` and everything that counts, in two processes; one more with
    /// `submodules`, and that many again for each submodule that is checked out.
    pub fn facts(&self, reference: &str, submodules: bool) -> Result<GitFacts, GitError> {
        let resolved = self.resolve(reference)?;
        let traits = self.traits(&resolved, submodules)?;
        self.facts_of(resolved, &traits, submodules)
    }

    /// What counts, from traits that may have been kept from an earlier time. Starts a process
    /// only for submodules.
    pub fn facts_of(
        &self,
        resolved: Resolved,
        traits: &Traits,
        submodules: bool,
    ) -> Result<GitFacts, GitError> {
        let mut counts = vec![("git tree".to_owned(), resolved.tree.clone())];
        let own = self.own_attributes()?;
        if traits.export_subst || own.as_ref().is_some_and(|text| sets_export_subst(text)) {
            counts.push(("git commit".to_owned(), resolved.commit.clone()));
        }
        if let Some(text) = own {
            counts.push(("git info/attributes".to_owned(), Digest::of(&text).hex()));
        }
        if submodules {
            for (path, commit) in &traits.submodules {
                counts.push((format!("git submodule {path}"), commit.clone()));
                // One that is not there is refused when it is archived; for freshness its
                // commit says it all.
                let Some(below) = self.submodule(&resolved, path)? else { continue };
                let Ok(facts) = below.facts(commit, true) else { continue };
                // Its tree and commit follow from the recorded commit.
                let own = facts.counts.into_iter().filter(|(label, _)| {
                    label == "git info/attributes" || label.starts_with("git submodule ")
                });
                counts.extend(own.map(|(label, value)| (format!("git submodule {path}: {label}"), value)));
            }
        }
        counts.sort();
        Ok(GitFacts { commit: resolved.commit, tree: resolved.tree, counts })
    }

    /// The commit and tree that `reference` names now.
    pub fn resolve(&self, reference: &str) -> Result<Resolved, GitError> {
        // A line break would be a second question.
        if reference.contains(['\n', '\0']) || reference.is_empty() {
            return Err(self.unknown(reference));
        }
        let commit = format!("{reference}^{{commit}}");
        let tree = format!("{commit}:{}", self.location.prefix);
        // Batch mode takes its questions from standard input, so that no reference is an option.
        let mut command = self.neutral();
        command.args(["cat-file", "--batch-check=%(objectname) %(objecttype)"]).stdin(Stdio::piped());
        let mut child = command.spawn().map_err(|source| self.git.not_started(source))?;
        let question = format!("{commit}\n{tree}\n");
        // Far below a pipe's capacity, so nobody waits for anybody; a git that stopped early
        // says so in its exit code.
        match child.stdin.take().map(|mut stdin| stdin.write_all(question.as_bytes())) {
            Some(Err(error)) if error.kind() != io::ErrorKind::BrokenPipe => {
                return Err(self.git.not_started(error));
            }
            _ => {}
        }
        let output = child.wait_with_output().map_err(|source| self.git.not_started(source))?;
        if !output.status.success() {
            return Err(failed(&command, &self.location.here, &output.stderr));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let mut lines = text.lines();
        let Some(commit) = object(lines.next(), "commit") else { return Err(self.unknown(reference)) };
        let Some(tree) = object(lines.next(), "tree") else {
            return Err(GitError::NotInCommit {
                folder: self.location.prefix.clone(),
                reference: reference.to_owned(),
            });
        };
        Ok(Resolved { commit, tree })
    }

    /// Reads a tree's attributes, and its submodules where they are asked for.
    pub fn traits(&self, resolved: &Resolved, submodules: bool) -> Result<Traits, GitError> {
        let folder = &self.location.here;
        let mut command = self.neutral();
        command.args(["grep", "-h", "-a", "-F", "--no-color", "--threads=1", "-e", "export-subst"]);
        command.args([resolved.tree.as_str(), "--", ":(top,glob)**/.gitattributes"]);
        let output = self.git.output(&mut command)?;
        let export_subst = match output.status.code() {
            Some(0) => sets_export_subst(&output.stdout),
            Some(1) if output.stderr.is_empty() => false,
            _ => return Err(failed(&command, folder, &output.stderr)),
        };
        let submodules = if submodules { self.recorded_submodules(resolved)? } else { BTreeMap::new() };
        Ok(Traits { export_subst, submodules })
    }

    /// The submodules of a tree, by their place in it.
    pub(super) fn recorded_submodules(
        &self,
        resolved: &Resolved,
    ) -> Result<BTreeMap<RelPath, String>, GitError> {
        let mut command = self.neutral();
        command.args(["ls-tree", "-r", "-z", "--full-tree", &resolved.tree]);
        let listing = self.git.answer(&mut command, &self.location.here)?;
        let mut found = BTreeMap::new();
        for line in listing.split(|byte| *byte == 0) {
            // `160000 commit <id>\t<path>`
            let Some(rest) = line.strip_prefix(b"160000 commit ") else { continue };
            let text = std::str::from_utf8(rest)
                .map_err(|_| GitError::NotUtf8(String::from_utf8_lossy(rest).into_owned()))?;
            let Some((commit, path)) = text.split_once('\t') else { continue };
            let path = RelPath::parse(path).map_err(|_| GitError::UnsafeName(path.to_owned()))?;
            found.insert(path, commit.to_owned());
        }
        Ok(found)
    }

    /// The repository's own attributes; none when there are none that say anything.
    fn own_attributes(&self) -> Result<Option<Vec<u8>>, GitError> {
        let path = self.location.info_attributes();
        match fs::read(&path) {
            Ok(text) if statements(&text).next().is_none() => Ok(None),
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(GitError::Read { path, source }),
        }
    }

    fn unknown(&self, reference: &str) -> GitError {
        const MOST: usize = 8;
        let mut command = self.neutral();
        command.args(["for-each-ref", "--sort=-creatordate", "--format=%(refname:short)"]);
        command.args(["refs/heads", "refs/tags", "refs/remotes"]);
        let listing = self.git.answer(&mut command, &self.location.here).unwrap_or_default();
        let listing = String::from_utf8_lossy(&listing);
        let mut known: Vec<String> = listing.lines().map(str::to_owned).collect();
        let path = self.location.here.clone();
        if known.is_empty() && reference == "HEAD" {
            return GitError::NoCommit(path);
        }
        // Stable, so among equally unlike names the newest stay first.
        known.sort_by_key(|name| unlikeness(name, reference));
        known.truncate(MOST);
        GitError::UnknownReference { path, reference: reference.to_owned(), known }
    }
}

/// The id in a line of `cat-file --batch-check`, if it is that of a `kind`.
fn object(line: Option<&str>, kind: &str) -> Option<String> {
    let (id, found) = line?.split_once(' ')?;
    let is_id = matches!(id.len(), 40 | 64) && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    (found == kind && is_id).then(|| id.to_owned())
}

/// The lines of an attributes file that are not blank or a comment.
fn statements(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty() && !line.starts_with(b"#"))
}

/// Whether attributes set `export-subst`, also inside a macro. Taking one for set that a later
/// line unsets again only makes the commit count where it need not.
fn sets_export_subst(text: &[u8]) -> bool {
    statements(text).any(|line| {
        line.split(u8::is_ascii_whitespace)
            .skip(1)
            .any(|word| word == b"export-subst" || word.starts_with(b"export-subst="))
    })
}

/// How far two names are apart: edit distance, where containing one another counts as near.
fn unlikeness(a: &str, b: &str) -> usize {
    if a.contains(b) || b.contains(a) {
        return 1;
    }
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let next = (diagonal + usize::from(x != *y)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], next);
        }
    }
    row[b.len()]
}
