//! How long nodes take that may run side by side. Pure.

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

/// When something ends, and the job that ends then.
type End = (u64, Option<usize>);

fn wall(jobs: &[Job], slots: usize, of: fn(&Estimate) -> u64) -> (u64, Vec<usize>) {
    let mut slots: Vec<End> = vec![(0, None); slots.clamp(1, jobs.len().max(1))];
    let mut ends: Vec<End> = Vec::with_capacity(jobs.len());
    // Whom each waited for.
    let mut before: Vec<Option<usize>> = Vec::with_capacity(jobs.len());
    for (at, job) in jobs.iter().enumerate() {
        let ready = job.after.iter().filter_map(|up| ends.get(*up)).max().copied().unwrap_or((0, None));
        let took = job.estimate.as_ref().map_or(0, of);
        let free = slots.iter_mut().min();
        let place = free.as_ref().map_or((0, None), |free| **free);
        // What takes no time takes nobody's place.
        let (begin, cause) = if place.0 > ready.0 && took > 0 { place } else { ready };
        let end = begin + took;
        if let Some(free) = free.filter(|_| took > 0) {
            *free = (end, Some(at));
        }
        // What took nothing is no link of a chain: who waits for it waits for those before it.
        ends.push((end, if took > 0 { Some(at) } else { cause }));
        before.push(cause);
    }
    let (end, last) = ends.into_iter().max().unwrap_or((0, None));
    let mut chain: Vec<usize> = std::iter::successors(last, |at| before[*at]).collect();
    chain.reverse();
    (end, chain)
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
