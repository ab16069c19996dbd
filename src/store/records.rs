//! What runs leave behind: records, steps, publications, memos. A thin front of the database
//! that adds what is pending to every transaction.
//!
//! A project is named by the canonical absolute path of its folder and pipeline file: several
//! may share a store.

use std::collections::{HashMap, HashSet};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::digest::Digest;
use crate::key::Key;
use crate::path::RelPath;
use crate::pipeline::NodeName;
use crate::record::{Outcome, Record, Run, RunId, Step};
use crate::store::db::publications::Publication;
use crate::store::db::records::Hit;
use crate::store::error::StoreError;
use crate::store::open::Store;

/// A run that begins.
#[derive(Clone, Debug)]
pub struct NewRun<'a> {
    pub project: &'a str,
    /// Seconds since 1970.
    pub started: i64,
    pub targets: &'a [String],
    pub revision: Option<&'a str>,
}

/// What one node leaves behind, written all or nothing.
#[derive(Clone, Debug)]
pub struct Finish<'a> {
    pub project: &'a str,
    /// A new record: the node ran.
    pub record: Option<&'a Record>,
    /// An existing record that the node now has: it was put back, or found in a shared store.
    pub used: Option<(&'a NodeName, Key, RunId)>,
    pub step: Option<&'a Step>,
    /// All that the node has published now; none leaves what is recorded as it is.
    pub publications: Option<(&'a NodeName, &'a [Publication])>,
}

impl<'a> Finish<'a> {
    /// Nothing yet.
    pub fn of(project: &'a str) -> Self {
        Self { project, record: None, used: None, step: None, publications: None }
    }
}

impl Store {
    /// Until it is finished, a run counts as interrupted.
    pub fn begin_run(&self, run: &NewRun<'_>) -> Result<RunId, StoreError> {
        let NewRun { project, started, targets, revision } = *run;
        self.commit_with(|write| {
            write.insert_run(project, started, 0, Outcome::Interrupted, targets, revision)
        })
    }

    pub fn finish_run(&self, run: RunId, outcome: Outcome, duration_ms: u64) -> Result<(), StoreError> {
        self.commit_with(|write| write.finish_run(run, outcome, duration_ms))
    }

    /// Writes what nodes leave behind, and everything they took in, in one transaction: the more
    /// nodes at once, the cheaper. Says of each whether its record replaced another artifact
    /// under the same key.
    pub fn commit(&self, finishes: &[Finish<'_>]) -> Result<Vec<bool>, StoreError> {
        self.commit_with(|write| {
            let mut replaced = Vec::with_capacity(finishes.len());
            for Finish { project, record, used, step, publications } in finishes {
                replaced.push(match record {
                    Some(record) => write.insert_record(project, record)?,
                    None => false,
                });
                if let Some((node, key, run)) = used {
                    write.note_used(project, node, key, *run)?;
                }
                if let Some(step) = step {
                    write.insert_step(project, step)?;
                }
                if let Some((node, publications)) = publications {
                    write.set_publications(project, node, publications)?;
                }
            }
            Ok(replaced)
        })
    }

    /// [`Store::commit`] of one record.
    pub fn insert_record(&self, project: &str, record: &Record) -> Result<bool, StoreError> {
        let replaced = self.commit(&[Finish { record: Some(record), ..Finish::of(project) }])?;
        Ok(replaced.contains(&true))
    }

    pub fn insert_steps(&self, project: &str, steps: &[Step]) -> Result<(), StoreError> {
        self.commit_with(|write| steps.iter().try_for_each(|step| write.insert_step(project, step)))
    }

    /// Makes `publications` all that `node` has published; see [`Finish::publications`].
    pub fn set_publications(
        &self,
        project: &str,
        node: &NodeName,
        publications: &[Publication],
    ) -> Result<(), StoreError> {
        self.commit_with(|write| write.set_publications(project, node, publications))
    }

    /// Another number when another process has written since this one was told.
    pub fn version(&self) -> Result<u64, StoreError> {
        self.db.data_version()
    }

    pub fn record_by_key(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        self.db.record(key)
    }

    /// Looks many keys up; those without a record are left out.
    pub fn records_by_keys(&self, keys: &[Key]) -> Result<HashMap<Key, Hit>, StoreError> {
        self.db.hits(keys)
    }

    /// The digests of all images that records of any project name.
    pub fn images(&self) -> Result<HashSet<Digest>, StoreError> {
        self.db.images()
    }

    /// Those of `owns` that some record has as [`crate::key::Manifest::own_digest`].
    pub fn known_owns(&self, owns: &[Digest]) -> Result<HashSet<Digest>, StoreError> {
        self.db.known_owns(owns)
    }

    /// The record that the node last had in this project, whether it ran or was put back.
    pub fn latest_record(&self, project: &str, node: &NodeName) -> Result<Option<Record>, StoreError> {
        match self.db.latest(project, node)? {
            Some(record) => Ok(Some(record)),
            None => Ok(self.db.recent(project, node, 1)?.pop()),
        }
    }

    /// The record that each node of the project has, whether it ran, was put back or was fresh.
    pub fn stands(&self, project: &str) -> Result<HashMap<NodeName, Key>, StoreError> {
        self.db.stands(project)
    }

    /// The node's records of this project, newest run first.
    pub fn recent_records(
        &self,
        project: &str,
        node: &NodeName,
        limit: usize,
    ) -> Result<Vec<Record>, StoreError> {
        self.db.recent(project, node, limit)
    }

    /// Records worth comparing a node with that has none of its own: this project's first, then
    /// those of nodes of the same name elsewhere (a second checkout), newest first.
    pub fn nearest_candidates(
        &self,
        project: &str,
        node: &NodeName,
        limit: usize,
    ) -> Result<Vec<Record>, StoreError> {
        let mut found = self.db.recent(project, node, limit)?;
        if found.len() < limit {
            found.extend(self.db.elsewhere(project, node, limit - found.len())?);
        }
        Ok(found)
    }

    /// Of the node's runs in this project that had something before them, newest first: whether each gave
    /// what was there.
    pub fn sames(&self, project: &str, node: &NodeName, limit: usize) -> Result<Vec<bool>, StoreError> {
        self.db.sames(project, node, limit)
    }

    /// Milliseconds of the node's runs in this project, newest first.
    pub fn durations(&self, project: &str, node: &NodeName, limit: usize) -> Result<Vec<u64>, StoreError> {
        self.db.durations(project, node, limit)
    }

    /// Milliseconds that instructions of a node's image took in earlier runs, by name, newest first.
    pub fn instruction_times(
        &self,
        project: &str,
        node: &NodeName,
    ) -> Result<HashMap<String, Vec<u64>>, StoreError> {
        self.db.instruction_times(project, node)
    }

    /// Notes how many milliseconds instructions of a node's image took in a run.
    pub fn note_instructions(
        &self,
        project: &str,
        node: &NodeName,
        run: RunId,
        times: &[(String, u64)],
    ) -> Result<(), StoreError> {
        self.commit_with(|write| write.note_instructions(project, node, run, times))
    }

    /// Newest first; of every project when none is named.
    pub fn runs(&self, project: Option<&str>, limit: usize) -> Result<Vec<Run>, StoreError> {
        self.db.runs(project, limit)
    }

    pub fn run(&self, id: RunId) -> Result<Option<Run>, StoreError> {
        self.db.run(id)
    }

    pub fn steps(&self, run: RunId) -> Result<Vec<Step>, StoreError> {
        self.db.steps(run)
    }

    /// Of each node of the project the last step in which it was worked on, in the order of the work.
    pub fn last_worked(&self, project: &str) -> Result<Vec<Step>, StoreError> {
        self.db.last_worked(project)
    }

    /// The record that each node of the project had when run `at` was through.
    pub fn keys_at(&self, project: &str, at: RunId) -> Result<Vec<(NodeName, Key)>, StoreError> {
        self.db.keys_at(project, at)
    }

    /// Every record made in this project, newest first.
    pub fn all_records(&self, project: &str) -> Result<Vec<Hit>, StoreError> {
        self.db.all_hits(project)
    }

    /// What nodes of the project did in its latest runs, oldest first, at most `limit` steps.
    pub fn work(&self, project: &str, limit: usize) -> Result<Vec<Step>, StoreError> {
        self.db.work(project, limit)
    }

    /// What stands published now, by path.
    pub fn publications(&self, project: &str) -> Result<Vec<Publication>, StoreError> {
        self.db.publications(project)
    }

    /// Every archive and checksum file that the project ever published.
    pub fn archive_history(&self, project: &str) -> Result<Vec<Publication>, StoreError> {
        self.db.archive_history(project)
    }

    /// Every path that was ever published, sorted: none of them counts as an input.
    pub fn ever_published(&self, project: &str) -> Result<Vec<RelPath>, StoreError> {
        self.db.ever_published(project)
    }

    /// A small fact kept under a digest that its owner made up.
    pub fn memo_get(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        self.db.memo(digest)
    }

    pub fn memo_put(&self, digest: &Digest, bytes: &[u8]) -> Result<(), StoreError> {
        self.commit_with(|write| write.set_memo(digest, bytes, now()))
    }
}

/// Seconds since 1970: for ages, never for an order.
pub(super) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs() as i64)
}
