//! Looks at a folder, for a pipeline to be drafted from it.

use std::collections::VecDeque;
use std::fs;
use std::path::Path;

use crate::commands::ground::{Ground, engine_service};
use crate::inputs::git;
use crate::path::RelPath;
use crate::pipeline::draft::{Folder, is_told};

/// Entries that are looked at. What lies at the top comes first.
const MOST: usize = 5_000;

/// Folders in one another.
const DEEPEST: usize = 4;

/// A larger file is nobody's Dockerfile.
const LARGEST: u64 = 1 << 20;

/// What tools fill, and what is osgraph's own.
const PASSED_OVER: [&str; 5] = ["node_modules", "vendor", "target", "cache", "__pycache__"];

/// What recipes may call.
const PROGRAMS: [&str; 10] =
    ["cargo", "rustc", "go", "npm", "yarn", "pnpm", "node", "composer", "php", "make"];

pub fn folder(ground: &Ground) -> Folder {
    let mut folder = Folder {
        name: ground.project.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
        ..Folder::default()
    };
    walk(&ground.project, &mut folder);
    folder.committed = is_committed(ground, &folder);
    for program in PROGRAMS {
        if ground.resolve(program).program.is_some() {
            folder.programs.insert(program.to_owned());
        }
    }
    // An engine is asked for only where somebody wants it: that may take a moment.
    folder.has_engine = folder.wants_engine() && engine_service().search().is_ok();
    folder
}

/// Breadth first, so that a large folder hides nothing beside it.
fn walk(root: &Path, folder: &mut Folder) {
    let mut open = VecDeque::from([(String::new(), 0)]);
    let mut seen = 0;
    while let Some((above, depth)) = open.pop_front() {
        // What cannot be read is not there for a recipe either.
        let Ok(entries) = fs::read_dir(root.join(&above)) else { continue };
        let mut entries: Vec<_> = entries.flatten().collect();
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            seen += 1;
            let (Ok(kind), Some(name)) = (entry.file_type(), entry.file_name().to_str().map(str::to_owned))
            else {
                continue;
            };
            if seen > MOST {
                return;
            }
            let path = format!("{above}{name}");
            if kind.is_dir() {
                folder.paths.insert(format!("{path}/"));
                if depth < DEEPEST && !name.starts_with('.') && !PASSED_OVER.contains(&name.as_str()) {
                    open.push_back((format!("{path}/"), depth + 1));
                }
            } else if kind.is_file() {
                if is_told(&path)
                    && entry.metadata().is_ok_and(|metadata| metadata.len() <= LARGEST)
                    && let Ok(text) = fs::read_to_string(entry.path())
                {
                    folder.texts.insert(path.clone(), text);
                }
                folder.paths.insert(path);
            } else if kind.is_symlink() {
                folder.paths.insert(path);
            }
        }
    }
    if root.join("cache/CACHEDIR.TAG").is_file() {
        folder.paths.insert("cache/CACHEDIR.TAG".to_owned());
    }
}

/// Whether the last commit of a repository has anything of this folder.
fn is_committed(ground: &Ground, folder: &Folder) -> bool {
    if !git::is_repository(&ground.project) || git::revision(&ground.project, &ground.git).is_none() {
        return false;
    }
    let files: Vec<RelPath> = folder.paths.iter().filter_map(|path| RelPath::parse(path).ok()).collect();
    git::tracked(&ground.project, &files, &ground.git).is_ok_and(|tracked| !tracked.is_empty())
}
