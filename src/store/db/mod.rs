//! The database: the only module of osgraph that contains SQL.
//!
//! One connection behind a mutex; statements are prepared once. Everything read back is checked
//! for its shape, and a row that has none is treated as not being there. Knows nothing of what
//! lies on disk beside it.
//!
//! `user_version` is the format's number. A database of a newer format is refused; older ones
//! are brought up step by step in [`schema`].

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Transaction, TransactionBehavior};

use crate::store::error::StoreError;

/// What the rest of the store calls this crate's failures.
pub(in crate::store) use rusqlite::{Error as SqlError, Result as SqlResult};

pub(super) mod contents;
pub(super) mod instructions;
pub(super) mod memos;
pub(super) mod publications;
pub(super) mod records;
pub(super) mod runs;
mod schema;

/// How long a writer waits for another process's transaction.
const BUSY: Duration = Duration::from_secs(30);

/// In bytes: the first to open the database reads the whole log. A log that is begun anew is cut to
/// this size (see `schema::tune`), so its length tells how much is in it.
const LONG_LOG: u64 = 256 << 10;

/// The file beside the database that says: damage was met while in use, start anew.
pub(super) fn damage_mark(database: &Path) -> PathBuf {
    database.with_extension("db.damage-met")
}

pub(super) struct Db {
    path: PathBuf,
    root: PathBuf,
    read_only: bool,
    inner: Mutex<Inner>,
}

struct Inner {
    connection: Connection,
    /// Ids of projects, by path.
    projects: HashMap<String, i64>,
}

impl Db {
    /// Opens or creates the database. [`StoreError::DatabaseDamaged`] when it is no database, is
    /// cut short, or was marked by an earlier process that met damage.
    pub(super) fn open(root: &Path, path: &Path, read_only: bool) -> Result<Self, StoreError> {
        let connection = patiently(|| connect(path, read_only)).map_err(|e| fault(root, path, e))?;
        let mut db = Self {
            path: path.to_owned(),
            root: root.to_owned(),
            read_only,
            inner: Mutex::new(Inner { connection, projects: HashMap::new() }),
        };
        if damage_mark(path).exists() && !read_only {
            return Err(StoreError::DatabaseDamaged(path.to_owned()));
        }
        db.prepare()?;
        Ok(db)
    }

    /// An empty database in memory: for a read-only store that has none.
    pub(super) fn nothing(root: &Path, path: &Path) -> Result<Self, StoreError> {
        let connection = Connection::open_in_memory().map_err(|e| fault(root, path, e))?;
        let mut db = Self {
            path: path.to_owned(),
            root: root.to_owned(),
            read_only: true,
            inner: Mutex::new(Inner { connection, projects: HashMap::new() }),
        };
        let inner = db.inner.get_mut().unwrap_or_else(PoisonError::into_inner);
        schema::create(&mut inner.connection).map_err(|e| fault(root, path, e))?;
        Ok(db)
    }

    fn prepare(&mut self) -> Result<(), StoreError> {
        let (root, path, read_only) = (self.root.clone(), self.path.clone(), self.read_only);
        let inner = self.inner.get_mut().unwrap_or_else(PoisonError::into_inner);
        let connection = &mut inner.connection;
        let known = schema::FORMAT;
        let found = schema::format(connection).map_err(|e| fault(&root, &path, e))?;
        if found > known {
            return Err(StoreError::Newer { root, found, known });
        }
        if found < known {
            if read_only {
                return Err(StoreError::ReadOnly(root));
            }
            schema::create(connection).map_err(|e| fault(&root, &path, e))?;
        }
        if schema::looks_cut(connection, &path).map_err(|e| fault(&root, &path, e))? {
            return Err(StoreError::DatabaseDamaged(path));
        }
        Ok(())
    }

    /// Reads; no transaction around it.
    fn read<T>(&self, f: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        f(&inner.connection).map_err(|e| self.fault(e))
    }

    /// Everything that `f` does is one transaction, taken for writing from its start: one that
    /// reads first and then wants to write would fail beside another writer instead of waiting.
    pub(super) fn write<T>(
        &self,
        f: impl FnOnce(&mut Write<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        if self.read_only {
            return Err(StoreError::ReadOnly(self.root.clone()));
        }
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let Inner { connection, projects } = &mut *inner;
        let result =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).and_then(|transaction| {
                let mut write = Write { transaction, projects, new: Vec::new() };
                let value = f(&mut write)?;
                let Write { transaction, projects, new } = write;
                transaction.commit()?;
                projects.extend(new);
                Ok(value)
            });
        result.map_err(|e| self.fault(e))
    }

    fn project(&self, connection: &Connection, path: &str) -> rusqlite::Result<Option<i64>> {
        connection
            .prepare_cached("SELECT id FROM projects WHERE path = ?1")?
            .query_row([path], |row| row.get(0))
            .optional()
    }

    fn fault(&self, error: rusqlite::Error) -> StoreError {
        let error = fault(&self.root, &self.path, error);
        if matches!(error, StoreError::DatabaseDamaged(_)) && !self.read_only {
            self.mark_damaged();
        }
        error
    }

    /// Has the next process that opens the store set the database aside.
    pub(super) fn mark_damaged(&self) {
        // Should this fail too, that process finds the damage by itself.
        let _ = std::fs::write(damage_mark(&self.path), "");
    }

    /// SQLite's own check of the whole file: what it complains of, nothing when all is well.
    pub(super) fn complaints(&self) -> Result<Vec<String>, StoreError> {
        self.read(schema::complaints)
    }

    /// Moves the write-ahead log into the database; waits for the disk, not for others.
    pub(super) fn checkpoint(&self) -> Result<(), StoreError> {
        self.read(schema::checkpoint)
    }

    /// Whether the write-ahead log is long enough to slow the next start down.
    pub(super) fn has_long_log(&self) -> bool {
        std::fs::metadata(self.path.with_extension("db-wal")).is_ok_and(|log| log.len() > LONG_LOG)
    }

    /// Gives free pages back to the file system and empties the write-ahead log.
    pub(super) fn shrink(&self) -> Result<(), StoreError> {
        self.read(schema::shrink)
    }
}

/// A write transaction.
pub(super) struct Write<'a> {
    transaction: Transaction<'a>,
    projects: &'a mut HashMap<String, i64>,
    /// Projects first seen in this transaction: known for good once it is committed.
    new: Vec<(String, i64)>,
}

impl Write<'_> {
    fn project(&mut self, path: &str) -> rusqlite::Result<i64> {
        if let Some(id) = self.projects.get(path) {
            return Ok(*id);
        }
        let id = self
            .transaction
            .prepare_cached(
                "INSERT INTO projects(path) VALUES (?1)
                 ON CONFLICT(path) DO UPDATE SET path = excluded.path RETURNING id",
            )?
            .query_row([path], |row| row.get(0))?;
        self.new.push((path.to_owned(), id));
        Ok(id)
    }
}

/// Where two processes make a database at once, SQLite tells one of them that it is busy without
/// waiting first.
fn patiently<T>(attempt: impl Fn() -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    let started = Instant::now();
    loop {
        match attempt() {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && started.elapsed() < BUSY =>
            {
                std::thread::sleep(Duration::from_millis(5));
            }
            other => return other,
        }
    }
}

fn connect(path: &Path, read_only: bool) -> rusqlite::Result<Connection> {
    let threads = OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = if read_only {
        match Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | threads)
            .and_then(|connection| schema::format(&connection).map(|_| connection))
        {
            Ok(connection) => connection,
            // Reading a write-ahead log needs a shared-memory file, which nobody can make here:
            // take the file as it is.
            Err(_) => Connection::open_with_flags(
                immutable(path),
                OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | threads,
            )?,
        }
    } else {
        Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | threads,
        )?
    };
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(64);
    if !read_only {
        schema::tune(&connection)?;
    }
    Ok(connection)
}

fn immutable(path: &Path) -> String {
    let mut uri = "file:".to_owned();
    for byte in std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()) {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => {
                uri.push(char::from(*byte))
            }
            other => uri.push_str(&format!("%{other:02x}")),
        }
    }
    uri + "?immutable=1"
}

fn fault(root: &Path, path: &Path, error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreError::DatabaseDamaged(path.to_owned())
        }
        Some(ErrorCode::DiskFull) => StoreError::Full(root.to_owned()),
        Some(ErrorCode::ReadOnly) => StoreError::ReadOnly(root.to_owned()),
        _ => StoreError::Database { path: path.to_owned(), source: error },
    }
}
