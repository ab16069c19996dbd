//! Rows of how long the instructions of an image took, by the name that they keep from run to run.

use std::collections::HashMap;

use rusqlite::params;

use crate::pipeline::NodeName;
use crate::record::RunId;
use crate::store::db::{Db, Write};
use crate::store::error::StoreError;

/// So many times are kept of each. Counted by instruction and not by run: what the engine's cache had
/// in a hundred runs still has its time from before.
const KEPT: i64 = 20;

impl Db {
    /// Milliseconds by name, newest first.
    pub(in crate::store) fn instruction_times(
        &self,
        project: &str,
        node: &NodeName,
    ) -> Result<HashMap<String, Vec<u64>>, StoreError> {
        self.read(|connection| {
            let mut found: HashMap<String, Vec<u64>> = HashMap::new();
            let Some(project) = self.project(connection, project)? else { return Ok(found) };
            let mut statement = connection.prepare_cached(
                "SELECT name, duration FROM instructions WHERE project = ?1 AND node = ?2
                 ORDER BY name, run DESC",
            )?;
            let mut rows = statement.query(params![project, node.0])?;
            while let Some(row) = rows.next()? {
                found.entry(row.get(0)?).or_default().push(row.get(1)?);
            }
            Ok(found)
        })
    }
}

impl Write<'_> {
    pub(in crate::store) fn note_instructions(
        &mut self,
        project: &str,
        node: &NodeName,
        run: RunId,
        times: &[(String, u64)],
    ) -> rusqlite::Result<()> {
        let project = self.project(project)?;
        let mut insert = self.transaction.prepare_cached(
            "INSERT OR REPLACE INTO instructions(project, node, name, run, duration)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        let mut forget = self.transaction.prepare_cached(
            "DELETE FROM instructions WHERE project = ?1 AND node = ?2 AND name = ?3 AND run <= (
                 SELECT run FROM instructions WHERE project = ?1 AND node = ?2 AND name = ?3
                 ORDER BY run DESC LIMIT 1 OFFSET ?4
             )",
        )?;
        for (name, duration) in times {
            insert.execute(params![project, node.0, name, run.0, duration])?;
            forget.execute(params![project, node.0, name, KEPT])?;
        }
        Ok(())
    }
}
