//! How long something is expected to take, drawn from what it took. Pure.

use serde::Serialize;

/// Milliseconds. The interval leaves out the odd tenth at each end, where there are so many samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Estimate {
    pub median_ms: u64,
    pub low_ms: u64,
    pub high_ms: u64,
    /// How many runs it is drawn from.
    pub samples: u32,
}

impl Estimate {
    /// From what runs took; none without any.
    pub fn of(mut times: Vec<u64>) -> Option<Self> {
        times.sort_unstable();
        let samples = times.len();
        let median_ms = *times.get(samples / 2)?;
        Some(Self {
            median_ms,
            low_ms: times[samples / 10],
            high_ms: times[(samples * 9 / 10).min(samples - 1)],
            samples: samples as u32,
        })
    }

    /// What is left of it after `spent` milliseconds. Who is later than ever may be through any moment.
    pub fn after(self, spent: u64) -> Self {
        let left = |all: u64| all.saturating_sub(spent);
        let median_ms = match left(self.median_ms) {
            // Longer than usual: what remains is what the longest took.
            0 => left(self.high_ms),
            median => median,
        };
        Self { median_ms, low_ms: left(self.low_ms), high_ms: left(self.high_ms), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_and_the_range() {
        assert_eq!(Estimate::of(vec![]), None);
        let one = Estimate::of(vec![7]).unwrap();
        assert_eq!((one.median_ms, one.low_ms, one.high_ms, one.samples), (7, 7, 7, 1));
        let many = Estimate::of((1..=20).rev().collect()).unwrap();
        assert_eq!((many.median_ms, many.low_ms, many.high_ms, many.samples), (11, 3, 19, 20));
    }

    #[test]
    fn what_is_left_never_goes_below_nothing() {
        let all = Estimate { median_ms: 10, low_ms: 8, high_ms: 15, samples: 3 };
        let of = |spent| {
            let left = all.after(spent);
            (left.low_ms, left.median_ms, left.high_ms)
        };
        assert_eq!((of(4), of(12), of(99)), ((4, 6, 11), (0, 3, 3), (0, 0, 0)));
    }
}
