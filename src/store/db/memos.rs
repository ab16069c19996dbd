//! Rows of memos: small facts derived from contents, by a digest that their owner makes up.

use rusqlite::{OptionalExtension, params};

use crate::digest::Digest;
use crate::store::db::{Db, Write};
use crate::store::error::StoreError;

impl Db {
    pub(in crate::store) fn memo(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|connection| {
            connection
                .prepare_cached("SELECT bytes FROM memos WHERE digest = ?1")?
                .query_row([digest.as_bytes().as_slice()], |row| row.get(0))
                .optional()
        })
    }
}

impl Write<'_> {
    /// `now` in seconds since 1970.
    pub(in crate::store) fn set_memo(&self, digest: &Digest, bytes: &[u8], now: i64) -> rusqlite::Result<()> {
        self.transaction
            .prepare_cached("INSERT OR REPLACE INTO memos(digest, made, bytes) VALUES (?1, ?2, ?3)")?
            .execute(params![digest.as_bytes().as_slice(), now, bytes])
            .map(drop)
    }

    pub(in crate::store) fn drop_memos(&self, before: i64) -> rusqlite::Result<()> {
        self.transaction.execute("DELETE FROM memos WHERE made < ?1", [before]).map(drop)
    }
}
