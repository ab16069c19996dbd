//! A walked folder and its tree.
//!
//! Where a folder is as the index of the run before says, its rows are the answer already; the
//! walk and its directories are spelled out only when somebody asks for them.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use crate::digest::Digest;
use crate::inputs::hash;
use crate::inputs::index::Index;
use crate::inputs::stat::Stat;
use crate::inputs::walk::{self, Request, Walked};
use crate::tree::{Directory, Tree, TreeDigest};

/// See the module.
#[derive(Debug)]
pub struct Observation {
    /// Absolute.
    pub root: PathBuf,
    /// Of the whole tree.
    pub digest: TreeDigest,
    /// Whether the folder on disk holds exactly what counts, so that it can stand for the tree.
    pub is_whole: bool,
    pub(super) request: Request,
    pub(super) question: Digest,
    /// Where the index says the same.
    pub(super) rows: Option<Rows>,
    spelled: OnceLock<Spelled>,
}

/// A walk of an index in which every digest stands.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) index: Arc<Index>,
    pub(super) walk: usize,
    /// Files that were looked at again and found the same, with their stats and whether these are
    /// racy, by row.
    pub(super) restated: HashMap<usize, (Stat, bool)>,
}

/// A walk in full.
#[derive(Debug)]
pub(super) struct Spelled {
    pub(super) walked: Walked,
    /// By folder and file position, with whether it is racy; links have the digest of their target.
    pub(super) digests: Vec<Vec<(Digest, bool)>>,
    pub(super) tree: Tree,
}

/// A file that was looked at again: its digest, its stat and whether that is racy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Again {
    pub(super) digest: Digest,
    pub(super) stat: Stat,
    pub(super) racy: bool,
}

impl Spelled {
    pub(super) fn new(walked: Walked, digests: Vec<Vec<(Digest, bool)>>) -> Self {
        let tree = walk::tree(&walked, &|folder, file| digests[folder][file].0);
        Self { walked, digests, tree }
    }

    /// A walk of an index in which some files were looked at `again`, by row.
    pub(super) fn of(index: &Index, walk: usize, again: &HashMap<usize, Again>) -> Self {
        let mut walked = index.walked(walk);
        let mut digests = Vec::with_capacity(walked.folders.len());
        for (row, folder) in index.folders()[index.walk_range(walk)].iter().zip(&mut walked.folders) {
            let rows = index.files_of(row).zip(&mut folder.files);
            digests.push(
                rows.map(|(row, file)| match again.get(&row) {
                    Some(Again { digest, stat, racy }) => {
                        file.stat = *stat;
                        (*digest, *racy)
                    }
                    None => (index.digest(row), index.file(row).is_racy()),
                })
                .collect(),
            );
        }
        Self::new(walked, digests)
    }
}

impl Observation {
    /// What was found anew.
    pub(super) fn anew(request: Request, question: Digest, spelled: Spelled) -> Self {
        // A hollow folder may get an output while its reader runs.
        let is_whole = spelled.walked.folders.iter().all(|folder| !folder.left_out && !folder.hollow);
        Self {
            root: request.root.clone(),
            digest: spelled.tree.root,
            is_whole,
            request,
            question,
            rows: None,
            spelled: OnceLock::from(spelled),
        }
    }

    /// What nobody looked at: it says what is asked, and of what is there nothing.
    pub(super) fn unseen(request: Request, question: Digest) -> Self {
        Self::anew(request, question, Spelled::new(Walked::default(), Vec::new()))
    }

    /// What a walk is told.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// What is as it was.
    pub(super) fn same(request: Request, question: Digest, rows: Rows) -> Self {
        let Rows { index, walk, .. } = &rows;
        let is_whole = index.folders()[index.walk_range(*walk)].iter().all(|row| row.is_whole());
        Self {
            root: request.root.clone(),
            digest: index.walk_tree(*walk),
            is_whole,
            request,
            question,
            rows: Some(rows),
            spelled: OnceLock::new(),
        }
    }

    /// The whole tree.
    pub fn tree(&self) -> &Tree {
        &self.spelled().tree
    }

    /// A directory of the tree. Without asking for the tree or its root first, one that nobody
    /// spelled out may not be found.
    pub fn directory(&self, digest: TreeDigest) -> Option<Arc<Directory>> {
        let spelled = if digest == self.digest { Some(self.spelled()) } else { self.spelled.get() };
        spelled?.tree.directories.get(&digest).cloned()
    }

    pub(super) fn spelled(&self) -> &Spelled {
        self.spelled.get_or_init(|| match &self.rows {
            Some(Rows { index, walk, restated }) => {
                let again = restated.iter().map(|(row, (stat, racy))| {
                    (*row, Again { digest: index.digest(*row), stat: *stat, racy: *racy })
                });
                Spelled::of(index, *walk, &again.collect())
            }
            // What was found anew is spelled out from the start.
            None => Spelled::new(Walked::default(), Vec::new()),
        })
    }

    /// Hollow folders and the stats they had.
    pub(super) fn hollow(&self) -> Vec<(PathBuf, Stat)> {
        match &self.rows {
            Some(Rows { index, walk, .. }) => {
                let rows = index.folders()[index.walk_range(*walk)].iter().filter(|row| row.is_hollow());
                rows.map(|row| (PathBuf::from(index.folder_path(row)), row.stat)).collect()
            }
            None => {
                let folders = self.spelled().walked.folders.iter().filter(|folder| folder.hollow);
                folders.map(|folder| (folder.path.under(&self.root), folder.stat)).collect()
            }
        }
    }

    /// Whether another walk found the same, judged by stats: hollow folders may come and go.
    pub(super) fn counts_the_same(&self, now: &Walked) -> bool {
        let tree = |walked: &Walked| {
            let stat = |folder: usize, file: usize| {
                Digest::of(bytemuck::bytes_of(&walked.folders[folder].files[file].stat))
            };
            walk::tree(walked, &stat).root
        };
        tree(now) == tree(&self.spelled().walked)
    }

    /// Whether everything that was seen is still as it was, by stats alone: asked after a node
    /// ran, because inputs that moved meanwhile make its result unfit for a record. A folder may
    /// move for what does not count, such as outputs; it is walked again to tell.
    pub fn still_stands(&self) -> bool {
        let folders = &self.spelled().walked.folders;
        let all = hash::each(folders, |folder, _| {
            let path = folder.path.under(&self.root);
            let same = |path: &std::path::Path, stat: &Stat| Stat::of(path).is_ok_and(|found| found == *stat);
            let files = folder.files.iter().all(|file| same(&path.join(&file.name), &file.stat));
            (files, same(&path, &folder.stat))
        });
        all.iter().all(|(files, _)| *files)
            && (all.iter().all(|(_, folder)| *folder)
                || walk::walk(&self.request).is_ok_and(|now| self.counts_the_same(&now)))
    }
}
