//! The tables, and the few things that concern the database as a file.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, TransactionBehavior};

/// The number of the format written here. A change that an older osgraph would misread needs the
/// next number and a step from each earlier one.
pub(super) const FORMAT: i64 = 3;

const TABLES: &str = "
CREATE TABLE projects (          -- canonical path of a project and its pipeline file
    id   INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE
);
CREATE TABLE epochs (            -- starts of the machine; a content's epoch 0 means: on disk for sure
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    boot TEXT NOT NULL
);
CREATE TABLE packs (
    id INTEGER PRIMARY KEY AUTOINCREMENT
);
CREATE TABLE contents (          -- pack 0: a blob of its own
    digest BLOB PRIMARY KEY,
    size   INTEGER NOT NULL,
    pack   INTEGER NOT NULL,
    start  INTEGER NOT NULL,
    epoch  INTEGER NOT NULL,
    seal   BLOB                  -- a blob's, see the seal module; null: to be hashed before use
) WITHOUT ROWID;
CREATE INDEX contents_unflushed ON contents(epoch) WHERE epoch <> 0;
CREATE TABLE records (
    id       INTEGER PRIMARY KEY,
    key      BLOB NOT NULL UNIQUE,
    own      BLOB NOT NULL,
    project  INTEGER NOT NULL,
    node     TEXT NOT NULL,
    artifact BLOB NOT NULL,
    run      INTEGER NOT NULL,
    duration INTEGER NOT NULL,
    log      BLOB
);
CREATE INDEX records_own ON records(own);
CREATE INDEX records_node ON records(node, project, run);
CREATE TABLE manifests (         -- apart, so that a scan of the records stays narrow
    record INTEGER PRIMARY KEY,
    bytes  BLOB NOT NULL
);
CREATE TABLE latest (            -- the record that a node last had, whether it ran or was put back
    project INTEGER NOT NULL,
    node    TEXT NOT NULL,
    key     BLOB NOT NULL,
    run     INTEGER NOT NULL,
    PRIMARY KEY (project, node)
) WITHOUT ROWID;
CREATE TABLE runs (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    project  INTEGER NOT NULL,
    started  INTEGER NOT NULL,
    duration INTEGER NOT NULL,
    outcome  TEXT NOT NULL,
    targets  TEXT NOT NULL,
    revision TEXT
);
CREATE INDEX runs_project ON runs(project);
CREATE TABLE steps (
    id       INTEGER PRIMARY KEY,
    run      INTEGER NOT NULL,
    project  INTEGER NOT NULL,
    node     TEXT NOT NULL,
    outcome  TEXT NOT NULL,
    began    INTEGER NOT NULL,
    duration INTEGER NOT NULL,
    cause    TEXT NOT NULL,
    reasons  TEXT NOT NULL,
    baseline INTEGER,
    key      BLOB,
    same     INTEGER,
    log      BLOB
);
CREATE INDEX steps_run ON steps(run);
CREATE INDEX steps_node ON steps(node, project, run);
CREATE TABLE instructions (      -- how long each of an image's took, where the engine's cache had it not
    project  INTEGER NOT NULL,
    node     TEXT NOT NULL,
    name     TEXT NOT NULL,
    run      INTEGER NOT NULL,
    duration INTEGER NOT NULL,
    PRIMARY KEY (project, node, name, run)
) WITHOUT ROWID;
CREATE TABLE publications (      -- a path once published stays: it never counts as an input again
    project INTEGER NOT NULL,
    path    TEXT NOT NULL,
    node    TEXT NOT NULL,
    what    TEXT NOT NULL,
    entry   BLOB,
    run     INTEGER NOT NULL,
    current INTEGER NOT NULL,
    PRIMARY KEY (project, path)
) WITHOUT ROWID;
CREATE INDEX publications_node ON publications(project, node);
CREATE TABLE memos (
    digest BLOB PRIMARY KEY,
    made   INTEGER NOT NULL,
    bytes  BLOB NOT NULL
) WITHOUT ROWID;
";

/// From format 1, whose steps knew their outcome and one line of why.
const FROM_1: &str = "
ALTER TABLE steps ADD COLUMN began INTEGER NOT NULL DEFAULT 0;
ALTER TABLE steps ADD COLUMN reasons TEXT NOT NULL DEFAULT '';
ALTER TABLE steps ADD COLUMN baseline INTEGER;
ALTER TABLE steps ADD COLUMN key BLOB;
ALTER TABLE steps ADD COLUMN same INTEGER;
";

/// From format 2, which timed nodes and not the instructions of their images.
const FROM_2: &str = "
CREATE TABLE instructions (      -- how long each of an image's took, where the engine's cache had it not
    project  INTEGER NOT NULL,
    node     TEXT NOT NULL,
    name     TEXT NOT NULL,
    run      INTEGER NOT NULL,
    duration INTEGER NOT NULL,
    PRIMARY KEY (project, node, name, run)
) WITHOUT ROWID;
";

/// What leads from each earlier format to the next, from the first on.
const UPGRADES: [&str; FORMAT as usize - 1] = [FROM_1, FROM_2];

pub(super) fn tune(connection: &Connection) -> rusqlite::Result<()> {
    // Must come before the first table; without effect on an existing database.
    connection.execute_batch("PRAGMA auto_vacuum = INCREMENTAL")?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.execute_batch(
        "PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8192;
         PRAGMA wal_autocheckpoint = 4096; PRAGMA journal_size_limit = 262144;",
    )?;
    // A plan that hangs on the values asked for would be made anew for each of them.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // Moving the log into the database waits for the disk, which may be busy with a gigabyte of
    // outputs. That is the barrier's work, beside the run, and not the last thing a run waits for.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map(drop)
}

/// Moves as much of the log into the database as can be without waiting for anybody.
pub(super) fn checkpoint(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
}

pub(super) fn format(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Makes the tables of a new database, or brings those of an older format up. Two processes may
/// both try: the second finds them.
pub(super) fn create(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    match usize::try_from(format(&transaction)?) {
        Ok(0) => transaction.execute_batch(TABLES)?,
        Ok(old) if old <= UPGRADES.len() => {
            UPGRADES[old - 1..].iter().try_for_each(|step| transaction.execute_batch(step))?;
        }
        _ => return transaction.commit(),
    }
    transaction.pragma_update(None, "user_version", FORMAT)?;
    transaction.commit()
}

/// Whether the file is shorter than its own page count says. SQLite itself would find out only
/// when it needs one of the missing pages.
pub(super) fn looks_cut(connection: &Connection, path: &Path) -> rusqlite::Result<bool> {
    let length = |path: &Path| std::fs::metadata(path).map_or(0, |m| m.len());
    // Before a checkpoint the newest pages are in the log alone, and being short means nothing.
    if length(&path.with_extension("db-wal")) > 0 {
        return Ok(false);
    }
    let pages: u64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
    let size: u64 = connection.query_row("PRAGMA page_size", [], |row| row.get(0))?;
    // Only a suspicion still: another process may just be moving its log.
    Ok(length(path) < pages * size && !complaints(connection)?.is_empty())
}

pub(super) fn complaints(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("PRAGMA quick_check(20)")?;
    let lines = statement.query_map([], |row| row.get::<_, String>(0))?;
    lines.filter(|line| !matches!(line, Ok(text) if text == "ok")).collect()
}

pub(super) fn shrink(connection: &Connection) -> rusqlite::Result<()> {
    let mut statement = connection.prepare("PRAGMA incremental_vacuum")?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    drop(rows);
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}
