//! Whatever is done to a project, and however often it is run in between, its outputs are those of
//! a clean run of the same state elsewhere.
//!
//! Random sequences of edits go over a pipeline that has one node of each kind. After every step an
//! incremental run must leave what a fresh folder with a fresh store would get, byte for byte, and
//! a run right after it must find nothing to do. `OSGRAPH_TEST_SEQUENCES` asks for more sequences
//! than the default run takes, `OSGRAPH_TEST_SEED` for one that failed.

mod edits;
mod world;

use world::World;

/// Enough for every kind of edit to be seen some dozen times.
const SEQUENCES: u64 = 16;
const STEPS: usize = 8;

/// A small generator (xorshift), so that a sequence is its seed.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        // Neighbouring seeds must not begin alike.
        let mut random = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for _ in 0..8 {
            random.next();
        }
        random
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, most: usize) -> usize {
        (self.next() % most as u64) as usize
    }

    pub fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

fn sequence(seed: u64) {
    let mut random = Random::new(seed);
    let mut world = World::new(&mut random);
    let mut story = Vec::new();
    for step in 0..=STEPS {
        if step > 0 {
            // Now and then several edits come between two runs.
            let edits = 1 + random.below(4) / 3;
            for _ in 0..edits {
                story.push(world.edit(&mut random, edits == 1));
            }
        }
        if let Err(trouble) = world.check() {
            panic!("OSGRAPH_TEST_SEED={seed}, after {story:#?}:\n{trouble}");
        }
        story.push("(run)".to_owned());
    }
}

#[test]
fn incremental_runs_yield_what_a_clean_run_yields() {
    if let Some(seed) = variable("OSGRAPH_TEST_SEED") {
        return sequence(seed);
    }
    let count = variable("OSGRAPH_TEST_SEQUENCES").unwrap_or(SEQUENCES);
    let next = std::sync::atomic::AtomicU64::new(0);
    std::thread::scope(|scope| {
        let work = || {
            loop {
                let seed = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                if seed >= count {
                    return;
                }
                sequence(seed);
            }
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        for thread in threads {
            if let Err(panic) = thread.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
}
