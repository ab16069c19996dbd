//! Which files differ between two committed trees: for explanations, never for keys.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;

use super::GitError;
use super::source::GitSource;
use crate::digest::Digest;
use crate::path::RelPath;
use crate::tree::{Change, ChangeKind, Entry};

/// Digits of an object that is not there.
fn is_nothing(object: &str) -> bool {
    object.bytes().all(|byte| byte == b'0')
}

/// A changed path as git lists it: modes and objects, old and new.
struct Listed {
    path: RelPath,
    old: Option<(String, String)>,
    new: Option<(String, String)>,
}

/// Digest, size and, of short ones, the text.
type Content = (Digest, u64, Option<String>);

impl GitSource {
    /// At most `most` changed files from the tree `old` to the tree `new`, in path order; whether
    /// there are more. Empty where git no longer has one of them.
    pub fn changes(&self, old: &str, new: &str, most: usize) -> Result<(Vec<Change>, bool), GitError> {
        let is_object = |id: &str| id.len() >= 40 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_object(old) || !is_object(new) {
            return Ok((Vec::new(), false));
        }
        let mut command = self.neutral();
        command.args(["diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", old, new]);
        let listing = self.git.answer(&mut command, &self.location.here)?;
        let (listed, more) = list(&listing, most);
        let objects = listed.iter().flat_map(|one| [&one.old, &one.new]).flatten();
        let mut wanted: Vec<&str> = objects.map(|(_, object)| object.as_str()).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let contents = self.contents(&wanted)?;
        let entry = |side: &Option<(String, String)>| {
            let (mode, object) = side.as_ref()?;
            let (digest, size, text) = contents.get(object)?;
            Some(match mode.as_str() {
                "120000" => Entry::Symlink { target: text.clone()? },
                mode => Entry::File { digest: *digest, size: *size, executable: mode == "100755" },
            })
        };
        let changes = listed
            .iter()
            .map(|one| Change {
                path: one.path.clone(),
                kind: match (&one.old, &one.new) {
                    (None, _) => ChangeKind::Added,
                    (_, None) => ChangeKind::Removed,
                    _ => ChangeKind::Modified,
                },
                old: entry(&one.old),
                new: entry(&one.new),
            })
            .collect();
        Ok((changes, more))
    }

    /// What each object holds.
    fn contents(&self, objects: &[&str]) -> Result<HashMap<String, Content>, GitError> {
        let mut found = HashMap::new();
        if objects.is_empty() {
            return Ok(found);
        }
        let mut command = self.neutral();
        command.args(["cat-file", "--batch"]).stdin(Stdio::piped()).stderr(Stdio::null());
        let not_started = |source| self.git.not_started(source);
        let mut child = command.spawn().map_err(not_started)?;
        // A few kilobytes: far below a pipe's capacity.
        let question: String = objects.iter().map(|object| format!("{object}\n")).collect();
        if let Some(mut stdin) = child.stdin.take() {
            // A git that stopped early answers less.
            let _ = stdin.write_all(question.as_bytes());
        }
        if let Some(stdout) = child.stdout.take() {
            let mut stdout = BufReader::new(stdout);
            let mut head = String::new();
            while stdout.read_line(&mut head).map_err(not_started)? > 0 {
                let words: Vec<&str> = head.split_whitespace().collect();
                if let [object, _, size] = words[..]
                    && let Ok(size) = size.parse::<u64>()
                {
                    let mut hasher = blake3::Hasher::new();
                    let mut content = (&mut stdout).take(size);
                    let mut text = None;
                    if size < 4_096 {
                        let mut bytes = Vec::new();
                        content.read_to_end(&mut bytes).map_err(not_started)?;
                        hasher.update(&bytes);
                        text = String::from_utf8(bytes).ok();
                    } else {
                        std::io::copy(&mut content, &mut hasher).map_err(not_started)?;
                    }
                    stdout.read_exact(&mut [0]).map_err(not_started)?;
                    found.insert(object.to_owned(), (hasher.finalize().into(), size, text));
                }
                head.clear();
            }
        }
        child.wait().map_err(not_started)?;
        Ok(found)
    }
}

/// Reads `:100644 100755 <old> <new> M\0path\0…`. Submodules are folders of their own.
fn list(listing: &[u8], most: usize) -> (Vec<Listed>, bool) {
    let mut parts = listing.split(|byte| *byte == 0);
    let mut out = Vec::new();
    while let (Some(head), Some(path)) = (parts.next(), parts.next()) {
        let head = String::from_utf8_lossy(head).into_owned();
        let words: Vec<&str> = head.trim_start_matches(':').split(' ').collect();
        let [old_mode, new_mode, old, new, _] = words[..] else { break };
        let Some(path) = std::str::from_utf8(path).ok().and_then(|path| RelPath::parse(path).ok()) else {
            continue;
        };
        if out.len() == most {
            return (out, true);
        }
        let side =
            |mode: &str, object: &str| (!is_nothing(object)).then(|| (mode.to_owned(), object.to_owned()));
        out.push(Listed { path, old: side(old_mode, old), new: side(new_mode, new) });
    }
    (out, false)
}
