//! How long nodes take that may run side by side. Pure.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::plan::Estimate;

/// One node that may run: its own expected time, and the positions of those it waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    pub estimate: Option<Estimate>,
    pub after: Vec<usize>,
}

/// What is expected of several jobs together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// Wall time; none where no past run timed any of them.
    pub estimate: Option<Estimate>,
    /// How many of them no past run timed. Those count as nothing: the time is what is known.
    pub untimed: usize,
    /// The chain that the end hangs on, first to last: each waits for the one before, for its artifact
    /// or for its place. Whoever makes one of these shorter makes the whole shorter.
    pub critical: Vec<usize>,
}

/// What is expected of `jobs`, upstreams first, at most `slots` of them at a time.
pub fn expected(jobs: &[Job], slots: usize) -> Expected {
    let known = jobs.iter().filter_map(|job| job.estimate);
    let untimed = jobs.iter().filter(|job| job.estimate.is_none()).count();
    let Some(samples) = known.map(|estimate| estimate.samples).min() else {
        return Expected { untimed, ..Expected::default() };
    };
    let (median_ms, critical) = wall(jobs, slots, |one| one.median_ms);
    let estimate = Estimate {
        median_ms,
        low_ms: wall(jobs, slots, |one| one.low_ms).0,
        high_ms: wall(jobs, slots, |one| one.high_ms).0,
        samples,
    };
    Expected { estimate: Some(estimate), untimed, critical }
}

fn wall(jobs: &[Job], slots: usize, of: fn(&Estimate) -> u64) -> (u64, Vec<usize>) {
    let took = jobs.iter().map(|job| job.estimate.as_ref().map_or(0, of)).collect();
    let mut below = vec![Vec::new(); jobs.len()];
    for (at, job) in jobs.iter().enumerate() {
        job.after.iter().for_each(|up| below[*up].push(at));
    }
    let mut course = Course {
        took,
        below,
        missing: jobs.iter().map(|job| job.after.len()).collect(),
        ready: vec![(0, None); jobs.len()],
        waiting: BinaryHeap::new(),
        now: 0,
    };
    for at in (0..jobs.len()).filter(|at| jobs[*at].after.is_empty()) {
        course.let_go(at, None);
    }
    let mut free = slots.max(1);
    let mut running = BinaryHeap::new();
    // Whom each waited for, and who ended last.
    let mut before: Vec<Option<usize>> = vec![None; jobs.len()];
    let mut last = None;
    loop {
        while free > 0
            && let Some(Reverse(at)) = course.waiting.pop()
        {
            let (ready, by) = course.ready[at];
            before[at] = if ready == course.now { by } else { last };
            running.push(Reverse((course.now + course.took[at], at)));
            free -= 1;
        }
        let Some(Reverse((end, at))) = running.pop() else { break };
        (course.now, last) = (end, Some(at));
        free += 1;
        course.ended(at, Some(at));
    }
    let mut chain: Vec<usize> = std::iter::successors(last, |at| before[*at]).collect();
    chain.reverse();
    (course.now, chain)
}

/// Jobs as they would come: whoever is ready begins when there is a place, the first of them first.
struct Course {
    took: Vec<u64>,
    /// Who needs each.
    below: Vec<Vec<usize>>,
    /// How many of those that each needs have not ended.
    missing: Vec<usize>,
    /// Since when each could begin, and who let it go.
    ready: Vec<(u64, Option<usize>)>,
    waiting: BinaryHeap<Reverse<usize>>,
    now: u64,
}

impl Course {
    fn let_go(&mut self, at: usize, by: Option<usize>) {
        if self.took[at] > 0 {
            self.ready[at] = (self.now, by);
            self.waiting.push(Reverse(at));
        } else {
            // What takes no time takes nobody's place and is no link of a chain.
            self.ended(at, by);
        }
    }

    fn ended(&mut self, at: usize, by: Option<usize>) {
        let mut over = vec![at];
        while let Some(at) = over.pop() {
            for down in std::mem::take(&mut self.below[at]) {
                self.missing[down] -= 1;
                match (self.missing[down], self.took[down]) {
                    (0, 0) => over.push(down),
                    (0, _) => self.let_go(down, by),
                    _ => {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(minutes: u64, after: &[usize]) -> Job {
        let ms = minutes * 60_000;
        let estimate = Estimate { median_ms: ms, low_ms: ms / 2, high_ms: ms * 2, samples: 3 };
        Job { estimate: (minutes > 0).then_some(estimate), after: after.to_vec() }
    }

    fn minutes(jobs: &[Job], slots: usize) -> u64 {
        expected(jobs, slots).estimate.unwrap().median_ms / 60_000
    }

    #[test]
    fn side_by_side_takes_as_long_as_the_longest() {
        let jobs = [job(10, &[]), job(4, &[]), job(3, &[])];
        assert_eq!((minutes(&jobs, 8), minutes(&jobs, 2), minutes(&jobs, 1)), (10, 10, 17));
    }

    #[test]
    fn a_chain_takes_its_sum() {
        assert_eq!(minutes(&[job(10, &[]), job(4, &[0]), job(3, &[1])], 8), 17);
    }

    #[test]
    fn a_place_is_not_kept_for_who_cannot_begin() {
        // 3 waits for nobody and goes beside 0.
        let jobs = [job(6, &[]), job(3, &[0]), job(2, &[1]), job(2, &[])];
        assert_eq!(minutes(&jobs, 2), 11);
        assert_eq!(expected(&jobs, 2).critical, [0, 1, 2]);
    }

    #[test]
    fn ten_thousand_in_a_chain_are_no_trouble() {
        let chain: Vec<Job> =
            (0..10_000).map(|at: usize| job(1, &at.checked_sub(1).map_or(vec![], |up| vec![up]))).collect();
        assert_eq!(minutes(&chain, 4), 10_000);
        let unknown: Vec<Job> = (0..10_000)
            .map(|at: usize| job(u64::from(at == 9_999), &at.checked_sub(1).map_or(vec![], |up| vec![up])))
            .collect();
        assert_eq!(expected(&unknown, 4).critical, [9_999]);
    }

    #[test]
    fn what_was_never_timed_is_counted_apart() {
        let all = expected(&[job(0, &[]), job(2, &[0])], 2);
        assert_eq!((all.estimate.unwrap().median_ms, all.untimed), (120_000, 1));
        assert_eq!(expected(&[job(0, &[])], 2), Expected { untimed: 1, ..Expected::default() });
        assert_eq!(expected(&[], 0), Expected::default());
    }

    #[test]
    fn the_critical_path_is_what_the_end_hangs_on() {
        let critical = |jobs: &[Job], slots| expected(jobs, slots).critical;
        // 0 and 1 are needed by 2; 3 stands alone.
        let jobs = [job(4, &[]), job(10, &[]), job(3, &[0, 1]), job(2, &[])];
        assert_eq!(critical(&jobs, 4), [1, 2]);
        // With one place each waits for the one before it.
        assert_eq!(critical(&jobs, 1), [0, 1, 2, 3]);
        // What was never timed is passed over, and what it waits for is not.
        assert_eq!(critical(&[job(4, &[]), job(0, &[0]), job(3, &[1])], 4), [0, 2]);
    }
}
