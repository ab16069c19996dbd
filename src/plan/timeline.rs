//! A run as a picture of time: which bars stand beside each other, and which chain of nodes it
//! waited for. Pure.

/// One node's work, in milliseconds of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    pub began_ms: u64,
    pub duration_ms: u64,
}

impl Bar {
    pub const fn end(&self) -> u64 {
        self.began_ms + self.duration_ms
    }
}

/// A lane for each bar, so that no two in a lane overlap; as few as can be.
pub fn lanes(bars: &[Bar]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..bars.len()).collect();
    order.sort_by_key(|at| (bars[*at].began_ms, *at));
    let mut lanes = vec![0; bars.len()];
    // When each lane is free again.
    let mut free: Vec<u64> = Vec::new();
    for at in order {
        let bar = bars[at];
        let lane = free.iter().position(|end| *end <= bar.began_ms).unwrap_or(free.len());
        if lane == free.len() {
            free.push(0);
        }
        // Work too short to be timed takes a moment all the same.
        free[lane] = bar.end().max(bar.began_ms + 1);
        lanes[at] = lane;
    }
    lanes
}

/// The chain that the run's end hung on, first to last: from the bar that ended last, each time the
/// one among what it needed that ended last. `upstreams` are positions.
pub fn critical_path(bars: &[Bar], upstreams: &[Vec<usize>]) -> Vec<usize> {
    let latest = |among: &mut dyn Iterator<Item = usize>| among.max_by_key(|at| (bars[*at].end(), *at));
    let mut path = Vec::new();
    let mut at = latest(&mut (0..bars.len()));
    while let Some(node) = at {
        // What is told of a run may be anything; a circle would not end.
        if path.contains(&node) {
            break;
        }
        path.push(node);
        at = latest(&mut upstreams[node].iter().copied().filter(|up| *up < bars.len()));
    }
    path.reverse();
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(began_ms: u64, duration_ms: u64) -> Bar {
        Bar { began_ms, duration_ms }
    }

    #[test]
    fn bars_that_overlap_stand_in_lanes_of_their_own() {
        let bars = [bar(0, 10), bar(5, 10), bar(10, 5), bar(20, 0), bar(20, 0)];
        assert_eq!(lanes(&bars), [0, 1, 0, 0, 1]);
        assert!(lanes(&[]).is_empty());
    }

    #[test]
    fn the_critical_path_is_the_chain_that_the_end_waited_for() {
        // 0 quick and 1 slow are needed by 2; 3 stands alone and ends earlier.
        let bars = [bar(0, 5), bar(0, 50), bar(50, 10), bar(0, 30)];
        let upstreams = [vec![], vec![], vec![0, 1], vec![]];
        assert_eq!(critical_path(&bars, &upstreams), [1, 2]);
        assert!(critical_path(&[], &[]).is_empty());
        assert_eq!(critical_path(&bars[..1], &[vec![0]]), [0]);
    }
}
