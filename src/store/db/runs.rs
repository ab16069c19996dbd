//! Rows of runs and their steps.

use rusqlite::{OptionalExtension, Row, params};

use crate::digest::Digest;
use crate::key::Key;
use crate::pipeline::NodeName;
use crate::record::{Outcome, Run, RunId, Step, Why};
use crate::store::db::contents::digest;
use crate::store::db::{Db, Write};
use crate::store::error::StoreError;

const RUN: &str = "r.id, r.started, r.duration, r.outcome, r.targets, r.revision";
const STEP: &str =
    "s.run, s.node, s.outcome, s.began, s.duration, s.cause, s.reasons, s.baseline, s.key, s.same, s.log";

impl Db {
    /// Newest first; of every project when none is named.
    pub(in crate::store) fn runs(&self, project: Option<&str>, limit: usize) -> Result<Vec<Run>, StoreError> {
        self.read(|connection| {
            let sql = format!(
                "SELECT {RUN} FROM runs r JOIN projects p ON p.id = r.project
                 WHERE ?1 IS NULL OR p.path = ?1 ORDER BY r.id DESC LIMIT ?2"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query_map(params![project, limit], run)?;
            rows.filter_map(Result::transpose).collect()
        })
    }

    pub(in crate::store) fn run(&self, id: RunId) -> Result<Option<Run>, StoreError> {
        self.read(|connection| {
            let sql = format!("SELECT {RUN} FROM runs r WHERE r.id = ?1");
            Ok(connection.prepare_cached(&sql)?.query_row([id.0], run).optional()?.flatten())
        })
    }

    /// In the order in which they were recorded.
    pub(in crate::store) fn steps(&self, id: RunId) -> Result<Vec<Step>, StoreError> {
        self.read(|connection| {
            let sql = format!("SELECT {STEP} FROM steps s WHERE s.run = ?1 ORDER BY s.id");
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query_map([id.0], step)?;
            rows.filter_map(Result::transpose).collect()
        })
    }

    /// Of each node of the project the last step in which it was worked on, in the order of the work.
    pub(in crate::store) fn last_worked(&self, project: &str) -> Result<Vec<Step>, StoreError> {
        self.read(|connection| {
            let Some(project) = self.project(connection, project)? else { return Ok(Vec::new()) };
            let sql = format!(
                "SELECT {STEP} FROM steps s WHERE s.id IN (
                     SELECT max(id) FROM steps WHERE project = ?1 AND outcome IN (?2, ?3, ?4) GROUP BY node
                 ) ORDER BY s.id"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let worked = [Outcome::Ran, Outcome::Failed, Outcome::Interrupted].map(word);
            let rows = statement.query_map(params![project, worked[0], worked[1], worked[2]], step)?;
            rows.filter_map(Result::transpose).collect()
        })
    }

    /// The record that each node of the project had when run `at` was through, in the order in which
    /// they came to it.
    pub(in crate::store) fn keys_at(
        &self,
        project: &str,
        at: RunId,
    ) -> Result<Vec<(NodeName, Key)>, StoreError> {
        self.read(|connection| {
            let Some(project) = self.project(connection, project)? else { return Ok(Vec::new()) };
            let mut statement = connection.prepare_cached(
                "SELECT node, key FROM steps WHERE id IN (
                     SELECT max(id) FROM steps WHERE project = ?1 AND run <= ?2 AND key IS NOT NULL GROUP BY node
                 ) ORDER BY id",
            )?;
            let mut rows = statement.query(params![project, at.0])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                if let Some(key) = digest(row, 1)? {
                    found.push((NodeName(row.get(0)?), Key(key)));
                }
            }
            Ok(found)
        })
    }

    /// What nodes of the project did in its latest runs, oldest first, at most `limit` steps.
    pub(in crate::store) fn work(&self, project: &str, limit: usize) -> Result<Vec<Step>, StoreError> {
        self.read(|connection| {
            let Some(project) = self.project(connection, project)? else { return Ok(Vec::new()) };
            let sql = format!(
                "SELECT {STEP} FROM steps s WHERE s.project = ?1 AND s.outcome = ?2 ORDER BY s.id DESC LIMIT ?3"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query_map(params![project, word(Outcome::Ran), limit], step)?;
            let mut steps: Vec<Step> = rows.filter_map(Result::transpose).collect::<Result<_, _>>()?;
            steps.reverse();
            Ok(steps)
        })
    }

    /// Of a node's last runs that had something before them, the newest first: whether each gave that.
    pub(in crate::store) fn sames(
        &self,
        project: &str,
        node: &NodeName,
        limit: usize,
    ) -> Result<Vec<bool>, StoreError> {
        self.read(|connection| {
            let Some(project) = self.project(connection, project)? else { return Ok(Vec::new()) };
            let mut statement = connection.prepare_cached(
                "SELECT same FROM steps WHERE node = ?1 AND project = ?2 AND outcome = ?3 AND same IS NOT NULL
                 ORDER BY run DESC, id DESC LIMIT ?4",
            )?;
            statement
                .query_map(params![node.0, project, word(Outcome::Ran), limit], |row| row.get(0))?
                .collect()
        })
    }

    pub(in crate::store) fn durations(
        &self,
        project: &str,
        node: &NodeName,
        limit: usize,
    ) -> Result<Vec<u64>, StoreError> {
        self.read(|connection| {
            let Some(project) = self.project(connection, project)? else { return Ok(Vec::new()) };
            let mut statement = connection.prepare_cached(
                "SELECT duration FROM steps WHERE node = ?1 AND project = ?2 AND outcome = ?3
                 ORDER BY run DESC, id DESC LIMIT ?4",
            )?;
            statement
                .query_map(params![node.0, project, word(Outcome::Ran), limit], |row| row.get(0))?
                .collect()
        })
    }

    pub(in crate::store) fn run_count(&self) -> Result<u64, StoreError> {
        self.read(|connection| connection.query_row("SELECT count(*) FROM runs", [], |row| row.get(0)))
    }

    pub(in crate::store) fn project_count(&self) -> Result<u64, StoreError> {
        self.read(|connection| connection.query_row("SELECT count(*) FROM projects", [], |row| row.get(0)))
    }

    /// Logs of the steps of runs that started at or after `since` (seconds since 1970).
    pub(in crate::store) fn step_logs(&self, since: i64) -> Result<Vec<Digest>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare(
                "SELECT s.log FROM steps s JOIN runs r ON r.id = s.run WHERE s.log IS NOT NULL AND r.started >= ?1",
            )?;
            let mut rows = statement.query([since])?;
            let mut logs = Vec::new();
            while let Some(row) = rows.next()? {
                logs.extend(digest(row, 0)?);
            }
            Ok(logs)
        })
    }
}

impl Write<'_> {
    pub(in crate::store) fn insert_run(
        &mut self,
        project: &str,
        started: i64,
        duration_ms: u64,
        outcome: Outcome,
        targets: &[String],
        revision: Option<&str>,
    ) -> rusqlite::Result<RunId> {
        let project = self.project(project)?;
        self.transaction
            .prepare_cached(
                "INSERT INTO runs(project, started, duration, outcome, targets, revision)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![project, started, duration_ms, word(outcome), targets.join("\n"), revision])?;
        Ok(RunId(self.transaction.last_insert_rowid()))
    }

    pub(in crate::store) fn finish_run(
        &self,
        id: RunId,
        outcome: Outcome,
        duration_ms: u64,
    ) -> rusqlite::Result<()> {
        self.transaction
            .prepare_cached("UPDATE runs SET outcome = ?2, duration = ?3 WHERE id = ?1")?
            .execute(params![id.0, word(outcome), duration_ms])
            .map(drop)
    }

    pub(in crate::store) fn insert_step(&mut self, project: &str, step: &Step) -> rusqlite::Result<()> {
        let project = self.project(project)?;
        let Step { run, node, outcome, began_ms, duration_ms, why, key, same, log } = step;
        let Why { cause, reasons, baseline } = why;
        self.transaction
            .prepare_cached(
                "INSERT INTO steps
                     (run, project, node, outcome, began, duration, cause, reasons, baseline, key, same, log)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            )?
            .execute(params![
                run.0,
                project,
                node.0,
                word(*outcome),
                began_ms,
                duration_ms,
                cause,
                reasons,
                baseline.map(|run| run.0),
                key.as_ref().map(|key| key.0.as_bytes().as_slice()),
                same,
                log.as_ref().map(|log| log.as_bytes().as_slice()),
            ])
            .map(drop)
    }

    /// Forgets the logs of the steps of runs that started before `since`.
    pub(in crate::store) fn drop_step_logs(&self, since: i64) -> rusqlite::Result<()> {
        self.transaction
            .execute(
                "UPDATE steps SET log = NULL WHERE log IS NOT NULL
                 AND run IN (SELECT id FROM runs WHERE started < ?1)",
                [since],
            )
            .map(drop)
    }
}

/// The stored word of an outcome.
const fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Fresh => "fresh",
        Outcome::Restored => "restored",
        Outcome::Ran => "ran",
        Outcome::Failed => "failed",
        Outcome::Skipped => "skipped",
        Outcome::Interrupted => "interrupted",
    }
}

fn outcome(word: &str) -> Option<Outcome> {
    Some(match word {
        "fresh" => Outcome::Fresh,
        "restored" => Outcome::Restored,
        "ran" => Outcome::Ran,
        "failed" => Outcome::Failed,
        "skipped" => Outcome::Skipped,
        "interrupted" => Outcome::Interrupted,
        _ => return None,
    })
}

fn run(row: &Row<'_>) -> rusqlite::Result<Option<Run>> {
    let Some(outcome) = outcome(&row.get::<_, String>(3)?) else { return Ok(None) };
    let targets: String = row.get(4)?;
    Ok(Some(Run {
        id: RunId(row.get(0)?),
        started: row.get(1)?,
        duration_ms: row.get(2)?,
        outcome,
        targets: targets.lines().map(str::to_owned).collect(),
        revision: row.get(5)?,
    }))
}

fn step(row: &Row<'_>) -> rusqlite::Result<Option<Step>> {
    let Some(outcome) = outcome(&row.get::<_, String>(2)?) else { return Ok(None) };
    Ok(Some(Step {
        run: RunId(row.get(0)?),
        node: NodeName(row.get(1)?),
        outcome,
        began_ms: row.get(3)?,
        duration_ms: row.get(4)?,
        why: Why {
            cause: row.get(5)?,
            reasons: row.get(6)?,
            baseline: row.get::<_, Option<i64>>(7)?.map(RunId),
        },
        key: digest(row, 8)?.map(Key),
        same: row.get(9)?,
        log: digest(row, 10)?,
    }))
}
