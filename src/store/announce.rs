//! What is being made right now: one small file in `running/` for each node that a process works on.
//!
//! Information, never an order: leases alone decide who may work. A file whose process is gone, which
//! a killed one leaves behind, counts for nothing and is removed when somebody looks.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::key::Key;
use crate::pipeline::NodeName;
use crate::record::RunId;
use crate::store::open::Store;
use crate::store::records::now;

/// A node that is being made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    pub node: NodeName,
    /// Canonical path of the project and its pipeline file.
    pub project: String,
    pub run: RunId,
    pub pid: u32,
    /// When the process started, in clock ticks since the machine did: a pid is used again.
    pub born: u64,
    /// Seconds since 1970 at which the work began.
    pub since: i64,
    /// Where its output goes meanwhile.
    pub log: PathBuf,
    pub key: Option<Key>,
}

/// What a process is to say of its own work.
#[derive(Clone, Debug)]
pub struct Work<'a> {
    pub node: &'a NodeName,
    pub project: &'a str,
    pub run: RunId,
    pub log: PathBuf,
    pub key: Option<&'a Key>,
}

/// Takes the announcement back when it is dropped.
#[derive(Debug)]
pub struct Announced {
    path: PathBuf,
}

impl Drop for Announced {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

impl Store {
    /// Says that this process makes `node`. Not being able to costs others a look at it, nothing else.
    pub fn announce(&self, work: Work<'_>) -> Option<Announced> {
        let Work { node, project, run, log, key } = work;
        // Asked once: a run may have thousands of nodes.
        static BORN: OnceLock<Option<u64>> = OnceLock::new();
        let pid = std::process::id();
        let own = *BORN.get_or_init(|| born(pid));
        self.write(&Announcement {
            node: node.clone(),
            project: project.to_owned(),
            run,
            pid,
            born: own?,
            since: now(),
            log,
            key: key.copied(),
        })
    }

    fn write(&self, one: &Announcement) -> Option<Announced> {
        let name = match &one.key {
            Some(key) => key.0.hex(),
            None => format!("{}-{}", one.pid, crate::digest::Digest::of(one.node.0.as_bytes()).short()),
        };
        let folder = self.layout.folder("running");
        let path = folder.join(name);
        let bytes = serde_json::to_vec(one).ok()?;
        // Beside it first: nobody reads half of it.
        let unfinished = path.with_extension(one.pid.to_string());
        fs::write(&unfinished, bytes).and_then(|()| fs::rename(&unfinished, &path)).ok()?;
        Some(Announced { path })
    }

    /// Who is making what has this key.
    pub fn announced(&self, key: &Key) -> Option<Announcement> {
        read(&self.layout.folder("running").join(key.0.hex())).filter(is_alive)
    }

    /// Everything that is being made, the oldest first.
    pub fn running(&self) -> Vec<Announcement> {
        let Ok(entries) = fs::read_dir(self.layout.folder("running")) else { return Vec::new() };
        let mut found = Vec::new();
        for entry in entries.flatten() {
            match read(&entry.path()) {
                Some(one) if is_alive(&one) => found.push(one),
                Some(_) if !self.is_read_only() => drop(fs::remove_file(entry.path())),
                _ => {}
            }
        }
        found.sort_by(|a, b| (a.since, a.run, &a.node).cmp(&(b.since, b.run, &b.node)));
        found
    }
}

fn read(path: &Path) -> Option<Announcement> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

fn is_alive(one: &Announcement) -> bool {
    born(one.pid) == Some(one.born)
}

/// When a process started, in clock ticks since the machine did; none where there is no such process.
fn born(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in parentheses, which may hold anything.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    fn announcement(pid: u32, born: u64, key: Option<Key>) -> Announcement {
        Announcement {
            node: NodeName("embed".into()),
            project: "/p/pipeline.kdl".to_owned(),
            run: RunId(4),
            pid,
            born,
            since: 7,
            log: PathBuf::from("/p/cache/logs/4-embed.log"),
            key,
        }
    }

    #[test]
    fn what_is_announced_is_seen_until_it_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let pid = std::process::id();
        let key = Key(Digest::of(b"key"));
        let one = announcement(pid, born(pid).unwrap(), Some(key));
        let announced = store.write(&one).unwrap();
        assert_eq!(store.announced(&key), Some(one.clone()));
        assert_eq!(store.running(), [one]);
        drop(announced);
        assert_eq!(store.announced(&key), None);
        assert_eq!(store.running(), []);
    }

    #[test]
    fn what_a_killed_process_left_counts_for_nothing_and_goes() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let pid = std::process::id();
        // Another process had this pid before.
        let gone = announcement(pid, born(pid).unwrap() - 1, None);
        std::mem::forget(store.write(&gone));
        assert_eq!(store.running(), []);
        assert_eq!(fs::read_dir(folder.path().join("running")).unwrap().count(), 0);
    }
}
