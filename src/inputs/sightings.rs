//! What one survey saw, on its way to becoming the next index.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::digest::Digest;
use crate::inputs::index::{Answer, Builder, Index, Loose};
use crate::inputs::observation::{Observation, Rows};
use crate::inputs::stat::{self, Clock, Stat};
use crate::inputs::walk::{self, Folder, Walked};
use crate::path::RelPath;

/// How often the clock is looked at until it has moved, a millisecond apart: a tick is 10 at most.
const TICKS: usize = 20;

/// Half of the second by which the mtime of what is published lies back, in nanoseconds.
const SETTLED: i64 = 500_000_000;

/// What a survey saw: the makings of the next index.
pub struct Sightings {
    pub(super) walks: Vec<Arc<Observation>>,
    pub(super) loose: Builder,
    pub(super) clock: Clock,
}

impl Sightings {
    /// Adds a path outside of walks. The later of two additions counts. A file with an mtime well
    /// before its ctime, as what osgraph publishes has, is never racy: no later write can share it.
    pub fn add(&mut self, path: &Path, found: Loose) {
        let found = match found {
            Loose::File { stat, digest, .. } => {
                let is_settled = stat.mtime < stat.ctime - SETTLED;
                Loose::File { stat, digest, racy: !is_settled && self.clock.is_racy(&stat) }
            }
            other => other,
        };
        self.loose.add_loose(path, found);
    }

    /// Lays out the index. Folders that hold outputs have moved when these were published; where
    /// nothing that counts came or went meanwhile, they are taken as they are now. `clock` reads
    /// the file system's clock.
    pub fn into_index(self, clock: &dyn Fn() -> Clock) -> Index {
        let Self { walks, mut loose, clock: at_survey } = self;
        let mut local: HashMap<u64, bool> = HashMap::new();
        for seen in &walks {
            let refreshed = seen.refreshed(clock);
            if let (None, Some(Rows { index, walk, restated })) = (&refreshed, &seen.rows) {
                loose.add_walk_of(index, *walk, restated);
                continue;
            }
            let spelled = seen.spelled();
            let (walked, clock) = match &refreshed {
                Some((walked, clock)) => (walked, clock),
                None => (&spelled.walked, &at_survey),
            };
            for folder in &walked.folders {
                let ask = || stat::is_local(&folder.path.under(&seen.root));
                local.entry(folder.stat.device).or_insert_with(ask);
            }
            let doubted = |folder: &Folder| clock.is_racy(&folder.stat) || !local[&folder.stat.device];
            // A folder that came since is hollow and has no files, so nobody asks for their digests.
            let before = positions(&spelled.walked);
            let place: Vec<Option<&usize>> = walked.folders.iter().map(|f| before.get(&f.path)).collect();
            let nothing = (Digest::of(b""), true);
            let digest =
                |folder: usize, file: usize| place[folder].map_or(nothing, |at| spelled.digests[*at][file]);
            let answer = Answer { question: &seen.question, tree: seen.digest };
            loose.add_walk(&seen.root, answer, walked, &digest, &doubted);
        }
        loose.finish()
    }
}

fn positions(walked: &Walked) -> HashMap<&RelPath, usize> {
    walked.folders.iter().enumerate().map(|(at, folder)| (&folder.path, at)).collect()
}

impl Observation {
    /// The same walk with the present stats of its hollow folders, and the clock from before it;
    /// none when nothing moved there, or when something that counts did.
    fn refreshed(&self, clock: &dyn Fn() -> Clock) -> Option<(Walked, Clock)> {
        let now = |(path, stat): (PathBuf, Stat)| Stat::of(&path).ok().filter(|found| *found != stat);
        let moved: Vec<Stat> = self.hollow().into_iter().filter_map(now).collect();
        if moved.is_empty() {
            return None;
        }
        let before = &self.spelled().walked;
        let places = positions(before);
        let stat = |path: &RelPath| places.get(path).map(|at| before.folders[*at].stat);
        // What was published a moment ago is racy for one tick of the clock. Waiting for the next
        // one costs less than a run that looks at everything again.
        let mut now = clock();
        for _ in 0..TICKS {
            if !moved.iter().any(|stat| now.is_racy(stat)) {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
            now = clock();
        }
        let walked = walk::walk(&self.request).ok()?;
        let same = |folder: &Folder| folder.hollow || stat(&folder.path) == Some(folder.stat);
        (self.counts_the_same(&walked) && walked.folders.iter().all(same)).then_some((walked, now))
    }
}
