//! The log of runs that did nothing: one line each in `state/idle.log`, appended without opening
//! the database and taken over by the next run that does.
//!
//! ```text
//! 1 <tab> seconds since 1970 <tab> milliseconds <tab> project <tab> targets, joined by spaces
//! ```

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::record::Outcome;
use crate::store::error::StoreError;
use crate::store::open::Store;

/// A run that found everything fresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdleRun {
    /// Seconds since 1970.
    pub started: i64,
    pub duration_ms: u64,
    pub project: String,
    pub targets: Vec<String>,
}

impl IdleRun {
    fn line(&self) -> String {
        // A separator inside a name would make another line; such a name only looks odd in `runs`.
        let clean = |text: &str| text.replace(['\t', '\n', '\r'], "?");
        let targets = clean(&self.targets.join(" "));
        format!("1\t{}\t{}\t{}\t{targets}\n", self.started, self.duration_ms, clean(&self.project))
    }

    /// None for a line that is torn or of another version.
    fn parse(line: &str) -> Option<Self> {
        let mut parts = line.split('\t');
        let ("1", started, duration, project, targets, None) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next())
        else {
            return None;
        };
        Some(Self {
            started: started.parse().ok()?,
            duration_ms: duration.parse().ok()?,
            project: project.to_owned(),
            targets: targets.split_whitespace().map(str::to_owned).collect(),
        })
    }
}

fn path(root: &Path) -> PathBuf {
    root.join("state/idle.log")
}

/// Appends one line to the log of the store at `root`.
pub fn append_idle_run(root: &Path, run: &IdleRun) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).open(path(root))?;
    // Shared among appenders, whose single writes do not mix; it keeps the importer out.
    file.lock_shared()?;
    file.write_all(run.line().as_bytes())
}

impl Store {
    /// Takes the log over into the list of runs, oldest first, and empties it. Returns how many
    /// runs there were.
    pub fn import_idle_runs(&self) -> Result<usize, StoreError> {
        self.check_writable()?;
        let path = path(self.root());
        let mut file = match OpenOptions::new().read(true).write(true).open(&path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(0),
            other => other.map_err(|e| self.layout.error("open", &path, e))?,
        };
        let lines = read_locked(&mut file).map_err(|e| self.layout.error("read", &path, e))?;
        let runs: Vec<IdleRun> = lines.lines().filter_map(IdleRun::parse).collect();
        if lines.is_empty() {
            return Ok(0);
        }
        self.db.write(|write| {
            for IdleRun { started, duration_ms, project, targets } in &runs {
                write.insert_run(project, *started, *duration_ms, Outcome::Fresh, targets, None)?;
            }
            Ok(())
        })?;
        file.set_len(0).map_err(|e| self.layout.error("empty", &path, e))?;
        Ok(runs.len())
    }
}

fn read_locked(file: &mut File) -> io::Result<String> {
    file.lock()?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_round_trip_and_torn_ones_are_refused() {
        let run = IdleRun {
            started: 1_700_000_000,
            duration_ms: 12,
            project: "/home/me/a project".into(),
            targets: vec!["dist-docker".into(), "dist-native".into()],
        };
        assert_eq!(IdleRun::parse(run.line().trim_end_matches('\n')), Some(run));
        for bad in ["", "1\t5", "2\t1\t2\tp\tt", "1\tx\t2\tp\tt", "1\t1\t2\tp\tt\tmore"] {
            assert_eq!(IdleRun::parse(bad), None, "{bad}");
        }
    }
}
