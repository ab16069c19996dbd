//! Work spread over scoped threads, each with its own state.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// How many threads are worth having: the cores this process may use. Asked once, because the
/// answer takes reading control groups, which costs more than taking in a small file.
pub(super) fn cores() -> usize {
    static CORES: OnceLock<usize> = OnceLock::new();
    *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get))
}

/// Calls `each` for every item, in any order, on up to `threads` threads that each take
/// `grain` items at a time, and hands every thread's state to `close` at its end. The first
/// error stops all of them. Few items stay on the calling thread: starting one costs as much as
/// moving some small files.
pub(super) fn for_each<T, S, E>(
    items: &[T],
    threads: usize,
    grain: usize,
    open: impl Fn() -> S + Sync,
    each: impl Fn(&mut S, usize, &T) -> Result<(), E> + Sync,
    close: impl Fn(S) -> Result<(), E> + Sync,
) -> Result<(), E>
where
    T: Sync,
    E: Send,
{
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let work = || -> Result<(), E> {
        let mut state = open();
        while !failed.load(Ordering::Relaxed) {
            let start = next.fetch_add(grain, Ordering::Relaxed);
            if start >= items.len() {
                break;
            }
            let end = items.len().min(start + grain);
            for (index, item) in items[start..end].iter().enumerate() {
                each(&mut state, start + index, item)
                    .inspect_err(|_| failed.store(true, Ordering::Relaxed))?;
            }
        }
        if failed.load(Ordering::Relaxed) { Ok(()) } else { close(state) }
    };
    let threads = threads.min(items.len().div_ceil(grain.max(1)));
    if threads <= 1 {
        return work();
    }
    std::thread::scope(|scope| {
        let helpers: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut result = work();
        for helper in helpers {
            let other = helper.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            result = result.and(other);
        }
        result
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn every_item_is_seen_once_and_every_state_closed() {
        let items: Vec<usize> = (0..1000).collect();
        let seen = Mutex::new(Vec::new());
        for_each(
            &items,
            3,
            7,
            Vec::new,
            |state: &mut Vec<usize>, index, item| {
                assert_eq!(index, *item);
                state.push(*item);
                Ok::<(), ()>(())
            },
            |state| {
                seen.lock().unwrap().extend(state);
                Ok(())
            },
        )
        .unwrap();
        let mut seen = seen.into_inner().unwrap();
        seen.sort_unstable();
        assert_eq!(seen, items);
    }

    #[test]
    fn the_first_error_comes_out() {
        let items: Vec<usize> = (0..1000).collect();
        let result =
            for_each(&items, 2, 1, || (), |(), _, i| if *i == 500 { Err(*i) } else { Ok(()) }, |()| Ok(()));
        assert_eq!(result, Err(500));
    }
}
