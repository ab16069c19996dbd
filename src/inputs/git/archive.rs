//! A committed tree as a stream of members: what `git archive` gives, with every name checked.
//!
//! Nothing is unpacked here; what becomes of a member is up to its taker.

use std::collections::BTreeSet;
use std::io::{self, BufReader, Read};
use std::process::Command;

use super::error::GitError;
use super::facts::Resolved;
use super::lfs::{Content, LARGEST_POINTER, Pointer};
use super::location::Location;
use super::program::failed;
use super::source::GitSource;
use crate::path::RelPath;
use crate::tree::link_stays_inside;

/// One member of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveEntry {
    pub path: RelPath,
    pub kind: EntryKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// `size` in bytes: that of the content, also where git holds a pointer to it.
    File {
        executable: bool,
        size: u64,
    },
    Symlink {
        target: String,
    },
    /// Also those that have something in them, before what they have.
    Directory,
}

/// Takes members; the reader gives a file's content and is empty for everything else. Content is
/// only known to be sound once [`GitSource::archive`] has returned.
pub type Sink<'a> = dyn FnMut(ArchiveEntry, &mut dyn Read) -> io::Result<()> + 'a;

/// Tells which files and links an archive is to go without.
pub type LeftOut<'a> = dyn Fn(&RelPath) -> bool + 'a;

impl GitSource {
    /// Streams the archive of a commit. Submodules are empty folders, or with `submodules` their
    /// recorded commits, all the way down. Files and links that are `left_out` are neither given
    /// nor complained of.
    pub fn archive(
        &self,
        at: &Resolved,
        submodules: bool,
        left_out: &LeftOut,
        sink: &mut Sink,
    ) -> Result<(), GitError> {
        self.archive_into(at, submodules, &RelPath::root(), left_out, sink)
    }

    fn archive_into(
        &self,
        at: &Resolved,
        submodules: bool,
        place: &RelPath,
        left_out: &LeftOut,
        sink: &mut Sink,
    ) -> Result<(), GitError> {
        let folders = self.stream(at, place, left_out, sink)?;
        if !submodules {
            return Ok(());
        }
        for (path, commit) in self.recorded_submodules(at)? {
            let inside = place.join(&path);
            // One that `export-ignore` left out has no folder.
            if !folders.contains(&inside) {
                continue;
            }
            let missing = || GitError::SubmoduleMissing {
                path: path.to_string(),
                commit: commit.clone(),
                repository: self.location.here.clone(),
            };
            let source = self.submodule(at, &path)?.ok_or_else(missing)?;
            let resolved = source.resolve(&commit).map_err(|error| match error {
                GitError::UnknownReference { .. } => missing(),
                other => other,
            })?;
            source.archive_into(&resolved, true, &inside, left_out, sink)?;
        }
        Ok(())
    }

    /// The repository of a submodule: where it is checked out, else where git keeps it.
    pub(super) fn submodule(&self, at: &Resolved, path: &RelPath) -> Result<Option<Self>, GitError> {
        let checked_out = path.under(&self.location.here);
        if let Ok(location) = Location::find(&checked_out)
            && location.prefix.is_empty()
            && location.common_dir != self.location.common_dir
        {
            return Ok(Some(Self { git: self.git.clone(), location }));
        }
        let Some(name) = self.submodule_name(at, path)? else { return Ok(None) };
        let kept = self.location.common_dir.join("modules").join(name);
        Ok(Location::find(&kept)
            .ok()
            .filter(|location| location.here == location.git_dir)
            .map(|location| Self { git: self.git.clone(), location }))
    }

    /// What `.gitmodules` calls the submodule at `path`. It must be a plain relative name, because
    /// it becomes part of a path.
    fn submodule_name(&self, at: &Resolved, path: &RelPath) -> Result<Option<String>, GitError> {
        let mut command = self.neutral();
        let blob = format!("--blob={}:.gitmodules", at.commit);
        command.args(["config", "-z", &blob, "--get-regexp", r"^submodule\..*\.path$"]);
        // No `.gitmodules` at all is an ordinary failure here.
        let listing = self.git.output(&mut command)?.stdout;
        let listing = String::from_utf8_lossy(&listing);
        let prefix = &self.location.prefix;
        let wanted = if prefix.is_empty() { path.to_string() } else { format!("{prefix}/{path}") };
        Ok(listing.split('\0').find_map(|pair| {
            let (key, value) = pair.split_once('\n')?;
            let name = key.strip_prefix("submodule.")?.strip_suffix(".path")?;
            let plain = name.split('/').all(|part| !matches!(part, "" | "." | ".."));
            (value == wanted && plain).then(|| name.to_owned())
        }))
    }

    /// Settings that keep the repository's own filter drivers from running. Git has no switch
    /// for all of them, so each is emptied by name.
    fn without_filters(&self, command: &mut Command) -> Result<(), GitError> {
        let mut ask = self.neutral();
        ask.args(["config", "-z", "--name-only", "--get-regexp", r"^filter\."]);
        let listing = self.git.output(&mut ask)?.stdout;
        let listing = String::from_utf8_lossy(&listing);
        let names: BTreeSet<&str> = listing
            .split('\0')
            .filter_map(|key| key.strip_prefix("filter.")?.rsplit_once('.').map(|(name, _)| name))
            .collect();
        for name in names {
            for setting in ["smudge=", "process=", "required=false"] {
                command.args(["-c", &format!("filter.{name}.{setting}")]);
            }
        }
        Ok(())
    }

    /// Streams one repository's members to `place` and yields the folders among them.
    fn stream(
        &self,
        at: &Resolved,
        place: &RelPath,
        left_out: &LeftOut,
        sink: &mut Sink,
    ) -> Result<BTreeSet<RelPath>, GitError> {
        let folder = &self.location.here;
        let mut command = self.neutral();
        self.without_filters(&mut command)?;
        command.args(["archive", "--format=tar", &at.commit]);
        let mut child = command.spawn().map_err(|source| self.git.not_started(source))?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let (taken, words) = std::thread::scope(|scope| {
            // Read beside the archive: a git that has much to say must not wait for us.
            let words = scope.spawn(move || {
                let mut words = Vec::new();
                if let Some(stderr) = stderr {
                    // What it could not say is only a poorer message.
                    let _ = stderr.take(64 * 1024).read_to_end(&mut words);
                }
                words
            });
            let taken = match stdout {
                Some(stdout) => {
                    self.members(BufReader::with_capacity(256 * 1024, stdout), place, left_out, sink)
                }
                None => Err(self.git.not_started(io::ErrorKind::BrokenPipe.into())),
            };
            // `stdout` is closed by now: a git that is still writing ends on its own.
            (taken, words.join().unwrap_or_default())
        });
        let status = child.wait().map_err(|source| self.git.not_started(source))?;
        match taken {
            // A torn stream is git's failure, when git says so.
            Err(GitError::Stream { .. }) if !status.success() => Err(failed(&command, folder, &words)),
            Err(error) => Err(error),
            Ok(_) if !status.success() => Err(failed(&command, folder, &words)),
            Ok(folders) => Ok(folders),
        }
    }

    fn members(
        &self,
        stream: impl Read,
        place: &RelPath,
        left_out: &LeftOut,
        sink: &mut Sink,
    ) -> Result<BTreeSet<RelPath>, GitError> {
        let torn = |source| GitError::Stream { path: self.location.here.clone(), source };
        let mut folders = BTreeSet::new();
        let mut archive = tar::Archive::new(stream);
        for entry in archive.entries().map_err(torn)? {
            let mut entry = entry.map_err(torn)?;
            let kind = entry.header().entry_type();
            if kind.is_pax_global_extensions() {
                continue;
            }
            let path = match name(&entry.path_bytes()) {
                Ok(path) => place.join(&path),
                // Not to be taken, but perhaps to be left out.
                Err(GitError::NotUtf8(shown))
                    if RelPath::parse(&shown).is_ok_and(|path| left_out(&place.join(&path))) =>
                {
                    continue;
                }
                Err(error) => return Err(error),
            };
            let take = |sink: &mut Sink, kind, content: &mut dyn Read| {
                let entry = ArchiveEntry { path: path.clone(), kind };
                sink(entry, content).map_err(|source| GitError::Taken { path: path.to_string(), source })
            };
            if kind.is_dir() {
                if !path.is_root() {
                    folders.insert(path.clone());
                    take(sink, EntryKind::Directory, &mut io::empty())?;
                }
            } else if left_out(&path) {
                continue;
            } else if kind.is_symlink() {
                let target = entry.link_name_bytes().unwrap_or_default();
                let target = std::str::from_utf8(&target)
                    .map_err(|_| GitError::NotUtf8(String::from_utf8_lossy(&target).into_owned()))?;
                if !link_stays_inside(&path, target) {
                    return Err(GitError::EscapingLink { path: path.to_string(), target: target.to_owned() });
                }
                take(sink, EntryKind::Symlink { target: target.to_owned() }, &mut io::empty())?;
            } else if kind.is_file() {
                let executable = entry.header().mode().map_err(torn)? & 0o100 != 0;
                let size = entry.size();
                if size > LARGEST_POINTER {
                    take(sink, EntryKind::File { executable, size }, &mut entry)?;
                    continue;
                }
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes).map_err(torn)?;
                let Some(pointer) = Pointer::parse(&bytes) else {
                    take(sink, EntryKind::File { executable, size }, &mut bytes.as_slice())?;
                    continue;
                };
                let mut content = self.large_file(&path, &pointer)?;
                take(sink, EntryKind::File { executable, size: pointer.size }, &mut content.1)?;
                let (object, content) = content;
                match content.holds(&pointer) {
                    Ok(true) => {}
                    Ok(false) => {
                        return Err(GitError::LargeFileDamaged { path: path.to_string(), object });
                    }
                    Err(source) => return Err(GitError::Read { path: object, source }),
                }
            } else {
                return Err(GitError::UnknownKind { path: path.to_string() });
            }
        }
        // Git pads its archive; one that is left unread would end it with a broken pipe.
        io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(torn)?;
        Ok(folders)
    }

    fn large_file(
        &self,
        path: &RelPath,
        pointer: &Pointer,
    ) -> Result<(std::path::PathBuf, Content), GitError> {
        if pointer.extended {
            return Err(GitError::LargeFileExtension { path: path.to_string() });
        }
        let Some(object) = pointer.object(&self.location.common_dir) else {
            return Err(GitError::LargeFileMissing {
                path: path.to_string(),
                oid: pointer.oid.clone(),
                repository: self.location.here.clone(),
            });
        };
        // A wrong size shows before anyone stores anything.
        let size = std::fs::metadata(&object).map(|metadata| metadata.len());
        match size.and_then(|size| Content::open(&object).map(|content| (size, content))) {
            Ok((size, content)) if size == pointer.size => Ok((object, content)),
            Ok(_) => Err(GitError::LargeFileDamaged { path: path.to_string(), object }),
            Err(source) => Err(GitError::Read { path: object, source }),
        }
    }
}

/// A member's name as a path, refused where it is not plainly below the root.
fn name(bytes: &[u8]) -> Result<RelPath, GitError> {
    let shown = || String::from_utf8_lossy(bytes).into_owned();
    let text = std::str::from_utf8(bytes).map_err(|_| GitError::NotUtf8(shown()))?;
    let plain = text.strip_suffix('/').unwrap_or(text);
    if plain.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(GitError::UnsafeName(shown()));
    }
    RelPath::parse(plain).map_err(|_| GitError::UnsafeName(shown()))
}
