//! Rows of contents, packs and epochs.

use rusqlite::types::FromSqlError;
use rusqlite::{OptionalExtension, Row, params};

use crate::digest::Digest;
use crate::store::db::{Db, Write};
use crate::store::error::StoreError;
use crate::store::index::{Index, Location, Place};
use crate::store::seal::Seal;

/// The epoch of contents that were found again on disk, without a row: nobody knows when they
/// were written, so they are hashed before use.
const FOUND: &str = "found again";

impl Db {
    /// All contents, and the version of the data that they stand for.
    pub(in crate::store) fn load_contents(&self, boot: &str) -> Result<(Index, u64), StoreError> {
        self.read(|connection| {
            let version = data_version(connection)?;
            let safe = safe_epochs(connection, boot)?;
            let count: usize = connection.query_row("SELECT count(*) FROM contents", [], |row| row.get(0))?;
            let mut index = Index::with_capacity(count + count / 4 + 64);
            let mut statement =
                connection.prepare_cached("SELECT digest, size, pack, start, epoch, seal FROM contents")?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                if let Some((digest, location)) = content(row, &safe)? {
                    index.insert(digest, location);
                }
            }
            Ok((index, version))
        })
    }

    /// A number that changes when another process (or thread's connection) wrote.
    pub(in crate::store) fn data_version(&self) -> Result<u64, StoreError> {
        self.read(data_version)
    }

    pub(in crate::store) fn content(
        &self,
        digest: &Digest,
        boot: &str,
    ) -> Result<Option<Location>, StoreError> {
        self.read(|connection| {
            let safe = safe_epochs(connection, boot)?;
            let found = connection
                .prepare_cached(
                    "SELECT digest, size, pack, start, epoch, seal FROM contents WHERE digest = ?1",
                )?
                .query_row([digest.as_bytes().as_slice()], |row| content(row, &safe))
                .optional()?;
            Ok(found.flatten().map(|(_, location)| location))
        })
    }

    /// The largest packs' numbers, newest first.
    pub(in crate::store) fn newest_packs(&self, limit: u32) -> Result<Vec<u32>, StoreError> {
        self.read(|connection| {
            connection
                .prepare_cached("SELECT id FROM packs ORDER BY id DESC LIMIT ?1")?
                .query_map([limit], |row| row.get(0))?
                .collect()
        })
    }

    /// Where the last recorded content of a pack ends; none when it has none.
    pub(in crate::store) fn pack_end(&self, id: u32) -> Result<Option<u64>, StoreError> {
        self.read(|connection| {
            connection
                .prepare_cached("SELECT max(start + size) FROM contents WHERE pack = ?1")?
                .query_row([id], |row| row.get(0))
        })
    }

    /// Whether something was written since the machine started that no barrier has covered.
    pub(in crate::store) fn unflushed(&self, boot: &str) -> Result<bool, StoreError> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT EXISTS (SELECT 1 FROM contents
                     WHERE epoch <> 0 AND epoch IN (SELECT id FROM epochs WHERE boot = ?1))",
                )?
                .query_row([boot], |row| row.get(0))
        })
    }

    /// Moves everything recorded since this start of the machine into an epoch of its own and
    /// returns that: [`Db::end_barrier`] trusts exactly these once the disk has them.
    pub(in crate::store) fn begin_barrier(&self, boot: &str) -> Result<i64, StoreError> {
        self.write(|write| {
            // The oldest epoch of a start is the one that contents are recorded under.
            write.epoch(boot)?;
            let barrier: i64 = write.transaction.query_row(
                "INSERT INTO epochs(boot) VALUES (?1) RETURNING id",
                [boot],
                |row| row.get(0),
            )?;
            write.transaction.execute(
                "UPDATE contents SET epoch = ?1
                 WHERE epoch <> 0 AND epoch IN (SELECT id FROM epochs WHERE boot = ?2 AND id <> ?1)",
                params![barrier, boot],
            )?;
            Ok(barrier)
        })
    }

    pub(in crate::store) fn end_barrier(&self, barrier: i64) -> Result<(), StoreError> {
        self.write(|write| {
            let transaction = &write.transaction;
            transaction
                .execute("UPDATE contents SET epoch = 0 WHERE epoch <> 0 AND epoch = ?1", [barrier])?;
            transaction.execute("DELETE FROM epochs WHERE id = ?1", [barrier])?;
            Ok(())
        })
    }
}

impl Write<'_> {
    /// The epoch that contents written now belong to.
    fn epoch(&self, boot: &str) -> rusqlite::Result<i64> {
        let known = self
            .transaction
            .prepare_cached("SELECT min(id) FROM epochs WHERE boot = ?1")?
            .query_row([boot], |row| row.get::<_, Option<i64>>(0))?;
        match known {
            Some(id) => Ok(id),
            None => self.transaction.query_row(
                "INSERT INTO epochs(boot) VALUES (?1) RETURNING id",
                [boot],
                |row| row.get(0),
            ),
        }
    }

    /// The number of a new pack.
    pub(in crate::store) fn new_pack(&self) -> rusqlite::Result<u32> {
        self.transaction
            .prepare_cached("INSERT INTO packs DEFAULT VALUES RETURNING id")?
            .query_row([], |row| row.get(0))
    }

    pub(in crate::store) fn add_pack(&self, id: u32) -> rusqlite::Result<()> {
        self.transaction.execute("INSERT OR IGNORE INTO packs(id) VALUES (?1)", [id]).map(drop)
    }

    /// Keeps the pack's contents, but nobody goes on writing to it.
    pub(in crate::store) fn forget_pack(&self, id: u32) -> rusqlite::Result<()> {
        self.transaction.execute("DELETE FROM packs WHERE id = ?1", [id]).map(drop)
    }

    pub(in crate::store) fn remove_pack(&self, id: u32) -> rusqlite::Result<()> {
        self.transaction.execute("DELETE FROM contents WHERE pack = ?1 AND pack <> 0", [id])?;
        self.transaction.execute("DELETE FROM packs WHERE id = ?1", [id]).map(drop)
    }

    /// Records where contents lie. A suspect one is recorded as found again.
    pub(in crate::store) fn add_contents(
        &self,
        contents: &[(Digest, Location)],
        boot: &str,
    ) -> rusqlite::Result<()> {
        if contents.is_empty() {
            return Ok(());
        }
        let now = self.epoch(boot)?;
        let found = if contents.iter().any(|(_, l)| l.suspect) { self.epoch(FOUND)? } else { now };
        let mut statement = self.transaction.prepare_cached(
            "INSERT OR REPLACE INTO contents(digest, size, pack, start, epoch, seal)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        for (digest, location) in contents {
            let (pack, start) = match location.place {
                Place::Blob => (0, 0),
                Place::Pack { id, start } => (id, start),
            };
            let epoch = if location.suspect { found } else { now };
            let seal = location.seal.as_ref().map(Seal::as_bytes);
            statement.execute(params![
                digest.as_bytes().as_slice(),
                location.size,
                pack,
                start,
                epoch,
                seal
            ])?;
        }
        Ok(())
    }

    /// These were hashed and are sound. What an earlier start of the machine wrote is on the disk
    /// then; what this one wrote may still be in memory alone.
    pub(in crate::store) fn trust_contents(
        &self,
        contents: &[(Digest, Option<Seal>)],
        boot: &str,
    ) -> rusqlite::Result<()> {
        let mut statement = self.transaction.prepare_cached(
            "UPDATE contents SET seal = ?2, epoch = CASE
                 WHEN epoch IN (SELECT id FROM epochs WHERE boot = ?3) THEN epoch ELSE 0 END
             WHERE digest = ?1",
        )?;
        contents.iter().try_for_each(|(digest, seal)| {
            let seal = seal.as_ref().map(Seal::as_bytes);
            statement.execute(params![digest.as_bytes().as_slice(), seal, boot]).map(drop)
        })
    }

    /// Forgets `digest` if it is still recorded at `place`.
    pub(in crate::store) fn remove_content(&self, digest: &Digest, place: Place) -> rusqlite::Result<()> {
        let (pack, start) = match place {
            Place::Blob => (0, 0),
            Place::Pack { id, start } => (id, start),
        };
        self.transaction
            .prepare_cached("DELETE FROM contents WHERE digest = ?1 AND pack = ?2 AND start = ?3")?
            .execute(params![digest.as_bytes().as_slice(), pack, start])
            .map(drop)
    }
}

fn data_version(connection: &rusqlite::Connection) -> rusqlite::Result<u64> {
    connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
}

/// Epochs of this start of the machine: what was written in them is in memory or on disk.
fn safe_epochs(connection: &rusqlite::Connection, boot: &str) -> rusqlite::Result<Vec<i64>> {
    connection
        .prepare_cached("SELECT id FROM epochs WHERE boot = ?1")?
        .query_map([boot], |row| row.get(0))?
        .collect()
}

/// None for a row that no content can have.
fn content(row: &Row<'_>, safe: &[i64]) -> rusqlite::Result<Option<(Digest, Location)>> {
    let Some(digest) = digest(row, 0)? else { return Ok(None) };
    let (Ok(size), Ok(pack), Ok(start)) = (row.get::<_, u64>(1), row.get::<_, u32>(2), row.get::<_, u64>(3))
    else {
        return Ok(None);
    };
    let epoch: i64 = row.get(4)?;
    let place = if pack == 0 { Place::Blob } else { Place::Pack { id: pack, start } };
    let seal = row.get_ref(5)?.as_blob_or_null().ok().flatten().and_then(Seal::from_bytes);
    Ok(Some((digest, Location { size, place, suspect: epoch != 0 && !safe.contains(&epoch), seal })))
}

/// The digest in a column; none when it is no digest.
pub(super) fn digest(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Digest>> {
    match row.get_ref(column)?.as_blob_or_null() {
        Ok(Some(bytes)) => Ok(bytes.try_into().ok().map(Digest::from_bytes)),
        Ok(None) | Err(FromSqlError::InvalidType) => Ok(None),
        Err(e) => Err(e.into()),
    }
}
