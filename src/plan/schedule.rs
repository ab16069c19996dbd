//! How long nodes take that may run side by side. Pure.

use crate::plan::Estimate;

/// One node that may run: its own expected time, and the positions of those it waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    pub estimate: Option<Estimate>,
    pub after: Vec<usize>,
}

/// The expected wall time of `jobs`, upstreams first, at most `slots` of them at a time, and how
/// many of them no past run timed. Those count as nothing: the sum is what is known.
pub fn expected(jobs: &[Job], slots: usize) -> (Option<Estimate>, usize) {
    let known = jobs.iter().filter_map(|job| job.estimate);
    let untimed = jobs.iter().filter(|job| job.estimate.is_none()).count();
    let Some(samples) = known.map(|estimate| estimate.samples).min() else { return (None, untimed) };
    let wall = |of: fn(&Estimate) -> u64| wall(jobs, slots, of);
    let estimate = Estimate {
        median_ms: wall(|one| one.median_ms),
        low_ms: wall(|one| one.low_ms),
        high_ms: wall(|one| one.high_ms),
        samples,
    };
    (Some(estimate), untimed)
}

fn wall(jobs: &[Job], slots: usize, of: fn(&Estimate) -> u64) -> u64 {
    let mut slots = vec![0_u64; slots.clamp(1, jobs.len().max(1))];
    let mut ends: Vec<u64> = Vec::with_capacity(jobs.len());
    for job in jobs {
        let ready = job.after.iter().filter_map(|up| ends.get(*up)).max().copied().unwrap_or(0);
        let took = job.estimate.as_ref().map_or(0, of);
        let free = slots.iter_mut().min();
        let end = ready.max(free.as_ref().map_or(0, |free| **free)) + took;
        if let Some(free) = free.filter(|_| took > 0) {
            *free = end;
        }
        ends.push(end);
    }
    ends.into_iter().max().unwrap_or(0)
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
        expected(jobs, slots).0.unwrap().median_ms / 60_000
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
        let (estimate, untimed) = expected(&[job(0, &[]), job(2, &[0])], 2);
        assert_eq!((estimate.unwrap().median_ms, untimed), (120_000, 1));
        assert_eq!(expected(&[job(0, &[])], 2), (None, 1));
        assert_eq!(expected(&[], 0), (None, 0));
    }
}
