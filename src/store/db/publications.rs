//! Rows of published paths.

use rusqlite::params;
use serde::{Deserialize, Serialize};

use crate::key::Key;
use crate::path::RelPath;
use crate::pipeline::NodeName;
use crate::record::RunId;
use crate::store::db::contents::digest;
use crate::store::db::{Db, Write};
use crate::store::error::StoreError;
use crate::tree::Entry;

/// What a published path is to its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Published {
    /// The declared output.
    Output,
    Archive,
    Checksum,
    /// Made once, then the user's.
    Seed,
    /// What a command left in place.
    Command,
}

/// A path that a node published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publication {
    /// From the project's root.
    pub path: RelPath,
    pub node: NodeName,
    pub what: Published,
    /// What was put there; none where that is not known or no longer osgraph's (a seed).
    pub entry: Option<Entry>,
    pub run: RunId,
}

const WORDS: [(Published, &str); 5] = [
    (Published::Output, "output"),
    (Published::Archive, "archive"),
    (Published::Checksum, "checksum"),
    (Published::Seed, "seed"),
    (Published::Command, "command"),
];

impl Db {
    /// What stands published now, by path.
    pub(in crate::store) fn publications(&self, project: &str) -> Result<Vec<Publication>, StoreError> {
        self.publications_where(project, "current = 1")
    }

    /// Every archive and checksum file that the project ever published, each with the run that
    /// last did and what it was then.
    pub(in crate::store) fn archive_history(&self, project: &str) -> Result<Vec<Publication>, StoreError> {
        self.publications_where(project, "what IN ('archive', 'checksum')")
    }

    fn publications_where(&self, project: &str, condition: &str) -> Result<Vec<Publication>, StoreError> {
        self.read(|connection| {
            let Some(project) = self.project(connection, project)? else { return Ok(Vec::new()) };
            let mut statement = connection.prepare_cached(&format!(
                "SELECT path, node, what, entry, run FROM publications
                 WHERE project = ?1 AND {condition} ORDER BY path"
            ))?;
            let mut rows = statement.query([project])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let (path, what): (String, String) = (row.get(0)?, row.get(2)?);
                let what = WORDS.iter().find(|(_, word)| *word == what).map(|(what, _)| *what);
                let (Ok(path), Some(what)) = (RelPath::try_from(path), what) else { continue };
                let entry = row.get_ref(3)?.as_blob_or_null().ok().flatten();
                let entry = entry.and_then(|bytes| postcard::from_bytes(bytes).ok());
                let (node, run) = (NodeName(row.get(1)?), RunId(row.get(4)?));
                found.push(Publication { path, node, what, entry, run });
            }
            Ok(found)
        })
    }

    /// Every path ever published, sorted.
    pub(in crate::store) fn ever_published(&self, project: &str) -> Result<Vec<RelPath>, StoreError> {
        self.read(|connection| {
            let Some(project) = self.project(connection, project)? else { return Ok(Vec::new()) };
            let mut statement = connection
                .prepare_cached("SELECT path FROM publications WHERE project = ?1 ORDER BY path")?;
            let rows = statement.query_map([project], |row| row.get::<_, String>(0))?;
            rows.filter_map(|path| path.map(|path| RelPath::try_from(path).ok()).transpose()).collect()
        })
    }

    /// What stands published now in all projects, with the key of the record that its node
    /// stands on.
    pub(in crate::store) fn published_entries(&self) -> Result<Vec<(Key, Entry)>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare(
                "SELECT l.key, p.entry FROM publications p
                 JOIN latest l ON l.project = p.project AND l.node = p.node
                 WHERE p.current = 1 AND p.entry IS NOT NULL",
            )?;
            let mut rows = statement.query([])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let entry = row.get_ref(1)?.as_blob().ok().and_then(|bytes| postcard::from_bytes(bytes).ok());
                found.extend(digest(row, 0)?.map(Key).zip(entry));
            }
            Ok(found)
        })
    }
}

impl Write<'_> {
    /// Makes `publications` all that `node` has published. Its other paths are kept as history.
    pub(in crate::store) fn set_publications(
        &mut self,
        project: &str,
        node: &NodeName,
        publications: &[Publication],
    ) -> rusqlite::Result<()> {
        let project = self.project(project)?;
        self.transaction
            .prepare_cached(
                "UPDATE publications SET current = 0 WHERE project = ?1 AND node = ?2 AND current = 1",
            )?
            .execute(params![project, node.0])?;
        let mut statement = self.transaction.prepare_cached(
            "INSERT OR REPLACE INTO publications(project, path, node, what, entry, run, current)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1)",
        )?;
        for Publication { path, node, what, entry, run } in publications {
            let word = WORDS.iter().find(|(known, _)| known == what).map_or("output", |(_, word)| word);
            let entry = entry.as_ref().and_then(|entry| postcard::to_allocvec(entry).ok());
            statement.execute(params![project, path.as_str(), node.0, word, entry, run.0])?;
        }
        Ok(())
    }
}
