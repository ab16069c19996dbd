//! The private folders of one job, as they lie on disk.
//!
//! ```text
//! scratch/           0700
//!   tmp/             becomes `/tmp` inside
//!     osgraph/work   the work folder
//!     osgraph/home   HOME, empty
//!     osgraph/tmp    TMPDIR, empty
//!   mask/            empty; covers what shall not be seen
//! ```

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::cancel::Cancel;
use super::copy;
use super::error::HostError;
use super::layout::Layout;
use super::process;

/// Where a recipe runs, as it sees it in a namespace.
pub(super) const WORK: &str = "/tmp/osgraph/work";
pub(super) const HOME: &str = "/tmp/osgraph/home";
pub(super) const TMPDIR: &str = "/tmp/osgraph/tmp";

/// The folders of one job, made and filled.
#[derive(Debug)]
pub(super) struct Folders {
    scratch: PathBuf,
    /// Empty folders that a namespace shows others at: place and source, both absolute.
    pub shown: Vec<(PathBuf, PathBuf)>,
}

impl Folders {
    /// Makes everything but the shown folders' content, which a namespace brings or
    /// [`Folders::copy_shown`] copies.
    pub fn make(scratch: &Path, layout: &Layout) -> Result<Self, HostError> {
        let scratch = std::path::absolute(scratch).map_err(making(scratch))?;
        let this = Self { scratch, shown: Vec::new() };
        set_mode(&this.scratch, 0o700)?;
        for folder in
            [this.tmp(), this.tmp().join("osgraph"), this.work(), this.home(), this.tmpdir(), this.mask()]
        {
            create(&folder)?;
        }
        // As on any machine: a recipe that gives up its rights can still use them. Nobody
        // outside comes this far.
        set_mode(&this.tmp(), 0o1777)?;
        set_mode(&this.tmpdir(), 0o1777)?;
        this.fill(layout)
    }

    fn fill(mut self, layout: &Layout) -> Result<Self, HostError> {
        let work = self.work();
        for folder in &layout.folders {
            create(&work.join(folder))?;
        }
        for (at, from) in &layout.shown {
            let step = format!("show the folder `{}`", from.display());
            let from = fs::canonicalize(from).map_err(HostError::setup(step.clone()))?;
            if !from.is_dir() {
                return Err(HostError::setup(step)(std::io::ErrorKind::NotADirectory.into()));
            }
            create(&work.join(at))?;
            self.shown.push((work.join(at), from));
        }
        for file in &layout.files {
            copy::file(&file.from, &work.join(&file.at), file.executable).map_err(copying(&file.from))?;
        }
        for (at, target) in &layout.links {
            symlink(target, work.join(at)).map_err(making(at))?;
        }
        if layout.files.iter().any(|file| file.executable) {
            process::settle();
        }
        Ok(self)
    }

    /// Fills the shown folders with copies, for want of a namespace.
    pub fn copy_shown(&mut self, cancel: &Cancel) -> Result<(), HostError> {
        for (at, from) in std::mem::take(&mut self.shown) {
            copy::folder(&from, &at, cancel).map_err(|error| copying(&error.path)(error.source))?;
        }
        process::settle();
        Ok(())
    }

    /// Removes the empty folders that the namespace showed others at: outputs remain. One that
    /// holds something was not shown by the time it was written, so it stays.
    pub fn hide_shown(&self) {
        for (at, _) in &self.shown {
            let _ = fs::remove_dir(at);
        }
    }

    pub fn tmp(&self) -> PathBuf {
        self.scratch.join("tmp")
    }

    pub fn work(&self) -> PathBuf {
        self.scratch.join("tmp/osgraph/work")
    }

    pub fn home(&self) -> PathBuf {
        self.scratch.join("tmp/osgraph/home")
    }

    pub fn tmpdir(&self) -> PathBuf {
        self.scratch.join("tmp/osgraph/tmp")
    }

    pub fn mask(&self) -> PathBuf {
        self.scratch.join("mask")
    }

    #[cfg(target_os = "linux")] // only a namespace asks
    pub fn scratch(&self) -> &Path {
        &self.scratch
    }
}

fn create(folder: &Path) -> Result<(), HostError> {
    fs::create_dir(folder).map_err(making(folder))
}

fn set_mode(folder: &Path, mode: u32) -> Result<(), HostError> {
    fs::set_permissions(folder, Permissions::from_mode(mode)).map_err(making(folder))
}

fn making(path: &Path) -> impl FnOnce(std::io::Error) -> HostError + use<> {
    HostError::setup(format!("make `{}`", path.display()))
}

fn copying(path: &Path) -> impl FnOnce(std::io::Error) -> HostError + use<> {
    HostError::setup(format!("copy `{}`", path.display()))
}
