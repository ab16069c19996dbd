//! Rows of records and their manifests.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::digest::Digest;
use crate::key::{Key, Manifest};
use crate::pipeline::NodeName;
use crate::record::{Artifact, Record, RunId};
use crate::store::db::contents::digest;
use crate::store::db::{Db, Write};
use crate::store::error::StoreError;

/// A record without its manifest: all that a cache look-up needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    pub key: Key,
    pub own: Digest,
    pub node: NodeName,
    pub artifact: Artifact,
    pub run: RunId,
    /// Wall milliseconds of the work itself.
    pub duration_ms: u64,
    pub log: Option<Digest>,
}

/// A record as the collector sees it.
pub(in crate::store) struct Held {
    pub(in crate::store) id: i64,
    pub(in crate::store) hit: Hit,
    /// Seconds since 1970 at which it was last of use: the start of the newest of its own run,
    /// the run that last had it, and, while a project's node stands on it, that project's last run.
    pub(in crate::store) used: i64,
    /// Whether some node of some project stands on it.
    pub(in crate::store) latest: bool,
}

const HIT: &str = "r.key, r.own, r.node, r.artifact, r.run, r.duration, r.log, r.id";

/// From this share of all records on, reading every one is quicker than asking for each.
const SCAN_SHARE: usize = 8;

impl Db {
    pub(in crate::store) fn record(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        self.read(|connection| {
            let sql = format!(
                "SELECT {HIT}, m.bytes FROM records r JOIN manifests m ON m.record = r.id WHERE r.key = ?1"
            );
            let found = connection.prepare_cached(&sql)?.query_row([bytes(&key.0)], record).optional()?;
            Ok(found.flatten())
        })
    }

    pub(in crate::store) fn hits(&self, keys: &[Key]) -> Result<HashMap<Key, Hit>, StoreError> {
        self.read(|connection| {
            let mut found = HashMap::with_capacity(keys.len());
            if is_scan(connection, keys.len())? {
                let wanted: HashSet<Key> = keys.iter().copied().collect();
                let mut statement = connection.prepare_cached(&format!("SELECT {HIT} FROM records r"))?;
                let mut rows = statement.query([])?;
                while let Some(row) = rows.next()? {
                    // The key first: the rest is decoded only for records that are asked for.
                    let Some(key) = digest(row, 0)?.map(Key) else { continue };
                    if wanted.contains(&key)
                        && let Some(hit) = hit(row)?
                    {
                        found.insert(key, hit);
                    }
                }
            } else {
                let mut statement =
                    connection.prepare_cached(&format!("SELECT {HIT} FROM records r WHERE r.key = ?1"))?;
                for key in keys {
                    if let Some(Some(hit)) = statement.query_row([bytes(&key.0)], hit).optional()? {
                        found.insert(*key, hit);
                    }
                }
            }
            Ok(found)
        })
    }

    pub(in crate::store) fn known_owns(&self, owns: &[Digest]) -> Result<HashSet<Digest>, StoreError> {
        self.read(|connection| {
            let mut found = HashSet::with_capacity(owns.len());
            if is_scan(connection, owns.len())? {
                let wanted: HashSet<Digest> = owns.iter().copied().collect();
                let mut statement = connection.prepare_cached("SELECT own FROM records")?;
                let mut rows = statement.query([])?;
                while let Some(row) = rows.next()? {
                    found.extend(digest(row, 0)?.filter(|own| wanted.contains(own)));
                }
            } else {
                let mut statement =
                    connection.prepare_cached("SELECT 1 FROM records WHERE own = ?1 LIMIT 1")?;
                for own in owns {
                    if statement.exists([bytes(own)])? {
                        found.insert(*own);
                    }
                }
            }
            Ok(found)
        })
    }

    /// The record that the node last had in this project, by running or by being put back.
    pub(in crate::store) fn latest(
        &self,
        project: &str,
        node: &NodeName,
    ) -> Result<Option<Record>, StoreError> {
        self.read(|connection| {
            let Some(project) = self.project(connection, project)? else { return Ok(None) };
            let sql = format!(
                "SELECT {HIT}, m.bytes FROM latest l JOIN records r ON r.key = l.key
                 JOIN manifests m ON m.record = r.id WHERE l.project = ?1 AND l.node = ?2"
            );
            let found =
                connection.prepare_cached(&sql)?.query_row(params![project, node.0], record).optional()?;
            Ok(found.flatten())
        })
    }

    /// What [`Self::latest`] has for every node of the project, without the records.
    pub(in crate::store) fn stands(&self, project: &str) -> Result<HashMap<NodeName, Key>, StoreError> {
        self.read(|connection| {
            let Some(project) = self.project(connection, project)? else { return Ok(HashMap::new()) };
            let mut statement =
                connection.prepare_cached("SELECT node, key FROM latest WHERE project = ?1")?;
            let mut rows = statement.query([project])?;
            let mut found = HashMap::new();
            while let Some(row) = rows.next()? {
                if let Some(key) = digest(row, 1)? {
                    found.insert(NodeName(row.get(0)?), Key(key));
                }
            }
            Ok(found)
        })
    }

    /// Every record made in this project, newest first.
    pub(in crate::store) fn all_hits(&self, project: &str) -> Result<Vec<Hit>, StoreError> {
        self.read(|connection| {
            let Some(project) = self.project(connection, project)? else { return Ok(Vec::new()) };
            let sql =
                format!("SELECT {HIT} FROM records r WHERE r.project = ?1 ORDER BY r.run DESC, r.id DESC");
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query_map([project], hit)?;
            rows.filter_map(Result::transpose).collect()
        })
    }

    /// Records made for the node in this project, newest run first.
    pub(in crate::store) fn recent(
        &self,
        project: &str,
        node: &NodeName,
        limit: usize,
    ) -> Result<Vec<Record>, StoreError> {
        self.read(|connection| {
            let Some(project) = self.project(connection, project)? else { return Ok(Vec::new()) };
            let sql = format!(
                "SELECT {HIT}, m.bytes FROM records r JOIN manifests m ON m.record = r.id
                 WHERE r.node = ?1 AND r.project = ?2 ORDER BY r.run DESC, r.id DESC LIMIT ?3"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query_map(params![node.0, project, limit], record)?;
            rows.filter_map(Result::transpose).collect()
        })
    }

    /// Records of nodes of this name in other projects, newest run first.
    pub(in crate::store) fn elsewhere(
        &self,
        project: &str,
        node: &NodeName,
        limit: usize,
    ) -> Result<Vec<Record>, StoreError> {
        self.read(|connection| {
            let project = self.project(connection, project)?.unwrap_or(0);
            let sql = format!(
                "SELECT {HIT}, m.bytes FROM records r JOIN manifests m ON m.record = r.id
                 WHERE r.node = ?1 AND r.project <> ?2 ORDER BY r.run DESC, r.id DESC LIMIT ?3"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query_map(params![node.0, project, limit], record)?;
            rows.filter_map(Result::transpose).collect()
        })
    }

    /// The digests of all images that records name.
    pub(in crate::store) fn images(&self) -> Result<HashSet<Digest>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare("SELECT artifact FROM records")?;
            let mut rows = statement.query([])?;
            let mut found = HashSet::new();
            while let Some(row) = rows.next()? {
                let Ok(bytes) = row.get_ref(0)?.as_blob() else { continue };
                if let Ok(Artifact::Image(image)) = postcard::from_bytes(bytes) {
                    found.insert(image.digest);
                }
            }
            Ok(found)
        })
    }

    pub(in crate::store) fn record_count(&self) -> Result<u64, StoreError> {
        self.read(|connection| connection.query_row("SELECT count(*) FROM records", [], |row| row.get(0)))
    }

    /// Every readable record, and the ids of those that are not.
    pub(in crate::store) fn held(&self) -> Result<(Vec<Held>, Vec<i64>), StoreError> {
        self.read(|connection| {
            let sql = format!(
                "WITH active AS (SELECT project, max(started) AS started FROM runs GROUP BY project),
                      stands AS (SELECT l.key AS key, max(max(coalesce(a.started, 0)), max(coalesce(u.started, 0))) AS used
                                 FROM latest l LEFT JOIN active a ON a.project = l.project
                                 LEFT JOIN runs u ON u.id = l.run GROUP BY l.key)
                 SELECT {HIT}, max(coalesce(s.used, 0), coalesce(o.started, 0)), s.key IS NOT NULL
                 FROM records r LEFT JOIN stands s ON s.key = r.key LEFT JOIN runs o ON o.id = r.run"
            );
            let mut statement = connection.prepare(&sql)?;
            let mut rows = statement.query([])?;
            let (mut held, mut unreadable) = (Vec::new(), Vec::new());
            while let Some(row) = rows.next()? {
                let id = row.get(7)?;
                match hit(row)? {
                    Some(hit) => held.push(Held { id, hit, used: row.get(8)?, latest: row.get(9)? }),
                    None => unreadable.push(id),
                }
            }
            Ok((held, unreadable))
        })
    }

    /// Calls `each` with every record's id and manifest; none for a manifest that does not have
    /// its key as digest or cannot be read.
    pub(in crate::store) fn manifests(
        &self,
        mut each: impl FnMut(i64, Option<Manifest>),
    ) -> Result<(), StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare(
                "SELECT r.id, r.key, m.bytes FROM records r LEFT JOIN manifests m ON m.record = r.id",
            )?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let key = digest(row, 1)?;
                let manifest = match row.get_ref(2)?.as_blob_or_null() {
                    Ok(Some(bytes)) if key == Some(Digest::of(bytes)) => Manifest::decode(bytes).ok(),
                    _ => None,
                };
                each(row.get(0)?, manifest);
            }
            Ok(())
        })
    }
}

impl Write<'_> {
    /// Whether the record replaced one of the same key with another artifact.
    pub(in crate::store) fn insert_record(
        &mut self,
        project: &str,
        record: &Record,
    ) -> rusqlite::Result<bool> {
        let project = self.project(project)?;
        // Postcard of a plain enum cannot fail; an empty artifact would read back as unreadable.
        let artifact = postcard::to_allocvec(&record.artifact).unwrap_or_default();
        let key = bytes(&record.key.0);
        let old: Option<(i64, Vec<u8>)> = self
            .transaction
            .prepare_cached("SELECT id, artifact FROM records WHERE key = ?1")?
            .query_row([key], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        if let Some((id, _)) = &old {
            self.remove_record(*id)?;
        }
        self.transaction
            .prepare_cached(
                "INSERT INTO records(key, own, project, node, artifact, run, duration, log)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                key,
                bytes(&record.own),
                project,
                record.node.0,
                artifact,
                record.run.0,
                record.duration_ms,
                record.log.as_ref().map(bytes),
            ])?;
        let id = self.transaction.last_insert_rowid();
        self.transaction
            .prepare_cached("INSERT OR REPLACE INTO manifests(record, bytes) VALUES (?1, ?2)")?
            .execute(params![id, record.manifest.encode()])?;
        self.stand_on(project, &record.node, &record.key, record.run)?;
        Ok(old.is_some_and(|(_, old)| old != artifact))
    }

    /// Notes that a node of this project now has the record of `key`.
    pub(in crate::store) fn note_used(
        &mut self,
        project: &str,
        node: &NodeName,
        key: &Key,
        run: RunId,
    ) -> rusqlite::Result<()> {
        let project = self.project(project)?;
        self.stand_on(project, node, key, run)
    }

    fn stand_on(&self, project: i64, node: &NodeName, key: &Key, run: RunId) -> rusqlite::Result<()> {
        self.transaction
            .prepare_cached(
                "INSERT INTO latest(project, node, key, run) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT(project, node) DO UPDATE SET key = excluded.key, run = excluded.run
                 WHERE excluded.run >= latest.run",
            )?
            .execute(params![project, node.0, bytes(&key.0), run.0])
            .map(drop)
    }

    pub(in crate::store) fn remove_record(&self, id: i64) -> rusqlite::Result<()> {
        self.transaction.prepare_cached("DELETE FROM manifests WHERE record = ?1")?.execute([id])?;
        self.transaction.prepare_cached("DELETE FROM records WHERE id = ?1")?.execute([id]).map(drop)
    }

    /// Lets every node whose record is gone stand on the newest one that it still has.
    pub(in crate::store) fn mend_latest(&self) -> rusqlite::Result<()> {
        let lost = "(SELECT 1 FROM records r WHERE r.key = latest.key)";
        let newest = "SELECT r.key FROM records r WHERE r.node = latest.node AND r.project = latest.project
                      ORDER BY r.run DESC, r.id DESC LIMIT 1";
        self.transaction.execute(
            &format!("UPDATE latest SET key = ({newest}) WHERE NOT EXISTS {lost} AND EXISTS ({newest})"),
            [],
        )?;
        self.transaction.execute(&format!("DELETE FROM latest WHERE NOT EXISTS {lost}"), []).map(drop)
    }
}

fn bytes(digest: &Digest) -> &[u8] {
    digest.as_bytes()
}

fn is_scan(connection: &Connection, asked: usize) -> rusqlite::Result<bool> {
    if asked < 256 {
        return Ok(false);
    }
    let all: Option<usize> = connection.query_row("SELECT max(id) FROM records", [], |row| row.get(0))?;
    Ok(asked >= all.unwrap_or(0) / SCAN_SHARE)
}

/// None for a row that no record can have.
fn hit(row: &Row<'_>) -> rusqlite::Result<Option<Hit>> {
    let (Some(key), Some(own)) = (digest(row, 0)?, digest(row, 1)?) else { return Ok(None) };
    let Ok(artifact) = row.get_ref(3)?.as_blob() else { return Ok(None) };
    let (Ok(node), Ok(duration_ms)) = (row.get(2), row.get(5)) else { return Ok(None) };
    let Ok(artifact) = postcard::from_bytes::<Artifact>(artifact) else { return Ok(None) };
    let (run, log) = (RunId(row.get(4)?), digest(row, 6)?);
    Ok(Some(Hit { key: Key(key), own, node: NodeName(node), artifact, run, duration_ms, log }))
}

/// A hit and, in the column behind it, its manifest, which must have the key as its digest.
fn record(row: &Row<'_>) -> rusqlite::Result<Option<Record>> {
    let Some(Hit { key, own, node, artifact, run, duration_ms, log }) = hit(row)? else { return Ok(None) };
    let Ok(bytes) = row.get_ref(8)?.as_blob() else { return Ok(None) };
    if Digest::of(bytes) != key.0 {
        return Ok(None);
    }
    let Ok(manifest) = Manifest::decode(bytes) else { return Ok(None) };
    Ok(Some(Record { key, own, node, manifest, artifact, run, duration_ms, log }))
}
