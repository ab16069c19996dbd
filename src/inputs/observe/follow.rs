//! Where paths lead, link by link.

use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};
use std::sync::PoisonError;

use super::Observer;

/// As many links as the kernel follows.
const HOPS: usize = 40;

impl Observer<'_> {
    /// Where an absolute path leads: every link on the way is watched, because a link that is
    /// turned leaves the files that it led to as they were. What cannot be followed comes back as
    /// far as it could.
    pub fn follow(&self, path: &Path) -> PathBuf {
        let watch = |link: &Path| self.note_present(link);
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return lead_from(PathBuf::from("/"), names(path), watch);
        };
        // Many paths share their folder; it is followed once.
        let mut followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = match followed.get(folder) {
            Some(known) => known.clone(),
            None => {
                let found = lead_from(PathBuf::from("/"), names(folder), watch);
                followed.insert(folder.to_path_buf(), found.clone());
                found
            }
        };
        lead_from(folder, vec![name.to_owned()], watch)
    }
}

/// Where an absolute path leads, and the links on the way.
pub fn lead(path: &Path) -> (PathBuf, Vec<PathBuf>) {
    let mut links = Vec::new();
    let place = lead_from(PathBuf::from("/"), names(path), |link| links.push(link.to_path_buf()));
    (place, links)
}

/// Follows the names `todo`, the last first, from a place without links, and names each link.
fn lead_from(mut at: PathBuf, mut todo: Vec<OsString>, mut link: impl FnMut(&Path)) -> PathBuf {
    let mut hops = 0;
    while let Some(name) = todo.pop() {
        if name == ".." {
            at.pop();
            continue;
        }
        let next = at.join(&name);
        match std::fs::read_link(&next) {
            Ok(target) if hops < HOPS => {
                hops += 1;
                link(&next);
                if target.is_absolute() {
                    at = PathBuf::from("/");
                }
                todo.extend(names(&target));
            }
            _ => at = next,
        }
    }
    at
}

/// A path's components, the last first; none for `/` and `.`.
fn names(path: &Path) -> Vec<OsString> {
    path.components()
        .rev()
        .filter_map(|component| match component {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some("..".into()),
            _ => None,
        })
        .collect()
}
