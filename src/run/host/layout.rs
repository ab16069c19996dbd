//! From mounts and outputs to what stands where in the work folder.
//!
//! A mounted folder is shown as it is, unless something else must stand inside it; then it is
//! *opened up*: made anew, with each of its entries shown in turn. So mounts may nest, and
//! outputs may lie in mounted folders, without touching the folders of the project. Reads folder
//! listings; makes nothing.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::path::RelPath;

use super::error::HostError;
use super::job::{Mount, MountSource};

/// The work folder's content. Paths are relative to it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    /// New folders, parents first.
    pub folders: Vec<PathBuf>,
    /// Folders to show: place and source. Never below one another.
    pub shown: Vec<(PathBuf, PathBuf)>,
    pub files: Vec<FileCopy>,
    /// Symlinks: place and target.
    pub links: Vec<(PathBuf, PathBuf)>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct FileCopy {
    pub at: PathBuf,
    pub from: PathBuf,
    pub executable: bool,
}

/// What is known of one place before the disk is looked at.
#[derive(Default)]
struct Slot {
    source: Option<MountSource>,
    /// The recipe makes this: what an opened folder holds here is an earlier one.
    output: bool,
    below: BTreeMap<OsString, Slot>,
}

impl Layout {
    /// The work folder itself is always new. Errors: two mounts at one place, a mount below a
    /// file, a folder to open that cannot be listed or that holds a special file.
    pub fn new(mounts: &[Mount], outputs: &[RelPath]) -> Result<Self, HostError> {
        let mut root = Slot::default();
        for mount in mounts {
            let slot = root.at(&mount.at);
            if slot.source.as_ref().is_some_and(|source| *source != mount.from) {
                return Err(HostError::Layout(format!("two different inputs stand at `{}`", mount.at)));
            }
            slot.source = Some(mount.from.clone());
        }
        for output in outputs {
            root.at(output).output = true;
        }
        let mut layout = Self::default();
        layout.open(&root, Path::new(""), None)?;
        Ok(layout)
    }

    fn place(&mut self, slot: &Slot, at: PathBuf, inherited: Option<PathBuf>) -> Result<(), HostError> {
        if !slot.below.is_empty() {
            if !at.as_os_str().is_empty() {
                self.folders.push(at.clone());
            }
            return self.open(slot, &at, inherited);
        }
        match &slot.source {
            Some(MountSource::Folder { path }) => self.shown.push((at, path.clone())),
            Some(MountSource::File { path, executable }) => {
                self.files.push(FileCopy { at, from: path.clone(), executable: *executable });
            }
            Some(MountSource::EmptyFolder) => self.folders.push(at),
            Some(MountSource::Link { target }) => self.links.push((at, target.clone())),
            // An output: its parent is there, which is all it needs.
            None => {}
        }
        Ok(())
    }

    /// Fills a new folder with what its slot says and with the rest of the folder it stands for.
    fn open(&mut self, slot: &Slot, at: &Path, inherited: Option<PathBuf>) -> Result<(), HostError> {
        let source = match &slot.source {
            Some(MountSource::Folder { path }) => Some(path.clone()),
            Some(MountSource::File { .. }) if at.as_os_str().is_empty() => {
                return Err(HostError::Layout("a file cannot stand for the whole work folder".to_owned()));
            }
            Some(MountSource::File { .. } | MountSource::Link { .. }) => {
                let at = at.display();
                return Err(HostError::Layout(format!("something stands below the file `{at}`")));
            }
            Some(MountSource::EmptyFolder) => None,
            None => inherited,
        };
        if let Some(source) = &source {
            self.entries(source, at, &slot.below)?;
        }
        for (name, child) in &slot.below {
            let inherited = match &source {
                Some(source) if !child.below.is_empty() && child.source.is_none() => {
                    let inherited = source.join(name);
                    match fs::symlink_metadata(&inherited) {
                        Ok(found) if found.is_dir() => Some(inherited),
                        Ok(_) => {
                            let inherited = inherited.display();
                            let message = format!("something stands below `{inherited}`, which is no folder");
                            return Err(HostError::Layout(message));
                        }
                        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                        Err(error) => return Err(listing(source)(error)),
                    }
                }
                _ => None,
            };
            self.place(child, at.join(name), inherited)?;
        }
        Ok(())
    }

    fn entries(
        &mut self,
        source: &Path,
        at: &Path,
        replaced: &BTreeMap<OsString, Slot>,
    ) -> Result<(), HostError> {
        for entry in fs::read_dir(source).map_err(listing(source))? {
            let entry = entry.map_err(listing(source))?;
            if replaced.contains_key::<OsStr>(&entry.file_name()) {
                continue;
            }
            let (at, from) = (at.join(entry.file_name()), entry.path());
            let kind = entry.file_type().map_err(listing(source))?;
            if kind.is_dir() {
                self.shown.push((at, from));
            } else if kind.is_file() {
                let mode = entry.metadata().map_err(listing(source))?.permissions().mode();
                self.files.push(FileCopy { at, from, executable: mode & 0o100 != 0 });
            } else if kind.is_symlink() {
                self.links.push((at, fs::read_link(&from).map_err(listing(source))?));
            } else {
                return Err(HostError::Layout(format!("`{}` is a special file", from.display())));
            }
        }
        Ok(())
    }
}

impl Slot {
    fn at(&mut self, path: &RelPath) -> &mut Self {
        path.names().fold(self, |slot, name| slot.below.entry(name.into()).or_default())
    }
}

fn listing(folder: &Path) -> impl FnOnce(io::Error) -> HostError + use<> {
    HostError::setup(format!("list the folder `{}`", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rel(text: &str) -> RelPath {
        RelPath::parse(text).unwrap()
    }

    fn folder(at: &str, path: &Path) -> Mount {
        Mount { at: rel(at), from: MountSource::Folder { path: path.to_path_buf() } }
    }

    fn file(at: &str, path: &Path) -> Mount {
        Mount { at: rel(at), from: MountSource::File { path: path.to_path_buf(), executable: false } }
    }

    /// `d/sub/x`, `d/top`, `d/link` → `top`.
    fn sample() -> (tempfile::TempDir, PathBuf) {
        let temp = tempfile::tempdir().unwrap();
        let d = temp.path().join("d");
        fs::create_dir_all(d.join("sub")).unwrap();
        fs::write(d.join("sub/x"), "x").unwrap();
        fs::write(d.join("top"), "top").unwrap();
        std::os::unix::fs::symlink("top", d.join("link")).unwrap();
        (temp, d)
    }

    #[test]
    fn a_folder_alone_is_shown_whole() {
        let (_temp, d) = sample();
        let layout = Layout::new(&[folder("a/b", &d)], &[]).unwrap();
        assert_eq!(layout.folders, [PathBuf::from("a")]);
        assert_eq!(layout.shown, [(PathBuf::from("a/b"), d)]);
    }

    #[test]
    fn the_root_is_always_opened() {
        let (_temp, d) = sample();
        let layout = Layout::new(&[folder(".", &d)], &[]).unwrap();
        assert_eq!(layout.shown, [(PathBuf::from("sub"), d.join("sub"))]);
        assert_eq!(layout.files.len(), 1);
        assert_eq!(layout.links, [(PathBuf::from("link"), PathBuf::from("top"))]);
    }

    #[test]
    fn a_mount_inside_another_replaces_its_content() {
        let (_temp, d) = sample();
        let layout = Layout::new(&[folder("a", &d), file("a/top", &d.join("sub/x"))], &[]).unwrap();
        assert_eq!(layout.folders, [PathBuf::from("a")]);
        assert_eq!(layout.shown, [(PathBuf::from("a/sub"), d.join("sub"))]);
        assert_eq!(layout.files.len(), 1);
        assert_eq!(layout.files[0].from, d.join("sub/x"));
    }

    #[test]
    fn an_output_opens_the_folders_it_lies_in_and_hides_its_earlier_self() {
        let (_temp, d) = sample();
        let layout = Layout::new(&[folder("a", &d)], &[rel("a/sub/x"), rel("a/new/y")]).unwrap();
        assert_eq!(layout.folders, [PathBuf::from("a"), "a/new".into(), "a/sub".into()]);
        assert!(layout.shown.is_empty());
        assert_eq!(layout.files.iter().map(|file| &file.at).collect::<Vec<_>>(), [Path::new("a/top")]);
    }

    #[test]
    fn impossible_places_are_errors() {
        let (_temp, d) = sample();
        let message = |mounts: &[Mount]| Layout::new(mounts, &[]).unwrap_err().to_string();
        assert_eq!(
            message(&[folder("a", &d), folder("a", &d.join("sub"))]),
            "two different inputs stand at `a`"
        );
        assert_eq!(message(&[file("a", &d), folder("a/b", &d)]), "something stands below the file `a`");
        assert!(message(&[folder("a", &d), file("a/link/x", &d)]).ends_with("link`, which is no folder"));
        assert!(Layout::new(&[folder("a", &d), folder("a", &d)], &[]).is_ok());
    }
}
