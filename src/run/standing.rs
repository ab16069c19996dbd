//! Compares what stands published with what should stand.

use std::path::Path;

use rustix::fs::FileType;

use crate::digest::Digest;
use crate::inputs::hash;
use crate::inputs::stat::Stat;
use crate::path::RelPath;
use crate::run::task::Standing;
use crate::tree::Leaf;

/// What was found at a path where a leaf should stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// As it should be.
    Right(Standing),
    /// A folder, where an empty one should be.
    Folder(Stat),
    Missing,
    /// Something else: another content, mode or kind.
    Altered,
}

/// Looks at `path`. Only a file whose size and mode are right and whose digest is not known by its
/// stat is read.
pub fn look(
    project: &Path,
    path: &RelPath,
    leaf: &Leaf,
    known: &dyn Fn(&Path, &Stat) -> Option<Digest>,
) -> Found {
    let absolute = path.under(project);
    let Ok(stat) = Stat::of(&absolute) else { return Found::Missing };
    let right = |digest, is_link| Found::Right(Standing { path: path.clone(), stat, digest, is_link });
    match (leaf, stat.kind()) {
        (Leaf::EmptyDirectory, FileType::Directory) => Found::Folder(stat),
        (Leaf::Symlink { target }, FileType::Symlink) => match std::fs::read_link(&absolute) {
            Ok(found) if found.as_os_str() == target.as_str() => right(Digest::of(target.as_bytes()), true),
            _ => Found::Altered,
        },
        (Leaf::File { digest, size, executable }, FileType::RegularFile) => {
            // All of a mode is published, so all of it is held: whatever the umask at the time.
            let mode = if *executable { 0o755 } else { 0o644 };
            if stat.size != *size || stat.mode & 0o7777 != mode {
                return Found::Altered;
            }
            if let Some(known) = known(&absolute, &stat) {
                return if known == *digest { right(known, false) } else { Found::Altered };
            }
            match hash::file(&absolute, &stat, &mut Vec::new()) {
                Ok(hashed) if hashed.digest == *digest => Found::Right(Standing {
                    path: path.clone(),
                    stat: hashed.stat,
                    digest: *digest,
                    is_link: false,
                }),
                _ => Found::Altered,
            }
        }
        _ => Found::Altered,
    }
}
