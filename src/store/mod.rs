//! The store: content by digest, and the records of what made it.
//!
//! Content is small and packed, or large and a file of its own; the database says where. It is
//! written in the order content, then one record transaction: a killed process leaves garbage,
//! never a lie. Everything read back is hashed or decoded strictly, so a flipped bit means
//! "absent", never wrong content. Several processes may use a store at once; kernel locks, which
//! death releases, keep them apart.
//!
//! Knows nothing of pipelines, plans or what a record means for freshness.
//!
//! | module | what it is |
//! |---|---|
//! | `layout`, `session` | names on disk; this process's own temporary folder |
//! | `copy`, `parallel` | read once, hash, write to many; on all cores |
//! | `pack`, `index`, `db` | packed contents; where contents lie, in memory and in SQLite |
//! | `open`, `content`, `ingest`, `batch` | opening; reading; taking files and streams in |
//! | `place`, `reuse` | putting contents where they are wanted, over files that may go |
//! | `trees` | directories and unpacked trees |
//! | `lease` | kernel locks on keys, paths and the whole store |
//! | `records`, `idle` | what runs leave behind; the log of runs that did nothing |
//! | `barrier`, `trash` | work beside the run: flushing, unlinking |
//! | `gc`, `repack`, `verify` | care |

mod announce;
mod barrier;
mod batch;
mod content;
mod db;
mod error;
mod gc;
mod idle;
mod index;
mod ingest;
mod layout;
mod lease;
mod open;
mod pack;
mod parallel;
mod place;
mod records;
mod repack;
mod reuse;
mod seal;
mod session;
mod trash;
mod trees;
mod verify;

#[cfg(test)]
mod tests;

pub use announce::{Announced, Announcement, Work};
pub use batch::Batch;
pub use db::publications::{Publication, Published};
pub use db::records::Hit;
pub use error::{PlaceError, StoreError};
pub use gc::{GcOptions, GcReport};
pub use idle::{IdleRun, append_idle_run};
pub use ingest::{Ingest, Ingested};
pub use lease::{ExclusiveLease, Lease, SharedLease};
pub use open::{Store, StoreInfo};
pub use place::{Placement, Target, bytes_of};
pub use records::{Finish, NewRun};
pub use reuse::WORTHWHILE;
pub use verify::{Damage, DamageKind, VerifyReport};
