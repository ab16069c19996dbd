//! How far something long has come: bytes that are done, of a total where it is known.
//!
//! Whoever moves bytes adds to it, one atomic addition a piece; whoever shows it looks when it
//! likes. So being shown costs the work next to nothing, however often it is looked at.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug, Default)]
pub struct Tally {
    done: AtomicU64,
    /// 0: nobody knows.
    total: AtomicU64,
}

impl Tally {
    /// `total` of 0: nobody knows.
    pub fn of(total: u64) -> Self {
        Self { done: AtomicU64::new(0), total: AtomicU64::new(total) }
    }

    pub fn add(&self, bytes: u64) {
        self.done.fetch_add(bytes, Ordering::Relaxed);
    }

    /// For work that is told of from elsewhere, in sums.
    pub fn set(&self, done: u64, total: u64) {
        self.done.store(done, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
    }

    /// Done, and the total where it is known. Work that turns out to be more than was thought (a file
    /// that is read twice, or grew) is never beyond its total.
    pub fn look(&self) -> (u64, Option<u64>) {
        let (done, total) = (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed));
        if total == 0 { (done, None) } else { (done.min(total), Some(total)) }
    }
}

/// Counts what is read through it.
pub struct Counted<R> {
    inner: R,
    tally: Arc<Tally>,
}

impl<R: Read> Counted<R> {
    pub fn new(inner: R, tally: Arc<Tally>) -> Self {
        Self { inner, tally }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.tally.add(count as u64);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_counted_and_never_more_than_all() {
        let tally = Arc::new(Tally::of(5));
        let mut out = Vec::new();
        Counted::new(&b"abc"[..], tally.clone()).read_to_end(&mut out).unwrap();
        assert_eq!(tally.look(), (3, Some(5)));
        tally.add(9);
        assert_eq!(tally.look(), (5, Some(5)));
        tally.set(7, 0);
        assert_eq!(tally.look(), (7, None));
    }
}
