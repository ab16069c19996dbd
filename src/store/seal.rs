//! What says that a blob is still the bytes that were hashed: the stat under which they were.
//!
//! A blob is believed by the rule by which inputs are: whoever writes to a file moves its ctime, also
//! where the mtime is put back. A seal stands for one start of the machine: after the next one the
//! bytes come from the disk again, and are hashed once more before they are believed.

use std::fs::File;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{Timespec, Timestamps};

use crate::digest::Digest;
use crate::inputs::stat::Stat;

/// A stat's ctime is at least so old, in nanoseconds, before its content is believed: a write in
/// the same tick of the clock would not move it.
const SETTLED: i64 = 1_000_000_000;

/// The first half of the BLAKE3 of a start of the machine and a stat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seal([u8; 16]);

impl Seal {
    pub(super) fn of(boot: &str, stat: &Stat) -> Self {
        let mut bytes = boot.as_bytes().to_vec();
        bytes.push(0);
        bytes.extend_from_slice(bytemuck::bytes_of(stat));
        let mut half = [0; 16];
        half.copy_from_slice(&Digest::of(&bytes).as_bytes()[..16]);
        Self(half)
    }

    /// The seal of an open file whose bytes were hashed between `before` and now; none when it was
    /// written to meanwhile, or so lately that nobody could tell.
    pub(super) fn of_hashed(boot: &str, before: &Stat, file: &File) -> Option<Self> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_nanos() as i64;
        let stood = Stat::of_open(file).is_ok_and(|after| after == *before);
        (stood && before.ctime < now - SETTLED).then(|| Self::of(boot, before))
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

pub(super) fn nanoseconds(time: Timespec) -> i64 {
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// Puts a file's mtime a second back and returns it, so that no write from now on, however soon, can
/// leave it as it is.
pub(super) fn age(file: &File) -> std::io::Result<Timespec> {
    let a_second_ago = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .saturating_sub(Duration::from_secs(1));
    let time =
        Timespec { tv_sec: a_second_ago.as_secs() as i64, tv_nsec: a_second_ago.subsec_nanos().into() };
    rustix::fs::futimens(file, &Timestamps { last_access: time, last_modification: time })?;
    Ok(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_is_of_one_stat_and_one_start_of_the_machine() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let stat = Stat::of(file.path()).unwrap();
        let seal = Seal::of("boot", &stat);
        assert_eq!(Seal::from_bytes(seal.as_bytes()), Some(seal));
        assert_ne!(Seal::of("later boot", &stat), seal);
        for changed in [|stat: &mut Stat| stat.ctime += 1, |stat: &mut Stat| stat.inode += 1] {
            let mut other = stat;
            changed(&mut other);
            assert_ne!(Seal::of("boot", &other), seal);
        }
    }

    #[test]
    fn what_was_just_written_is_not_sealed() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let stat = Stat::of(file.path()).unwrap();
        assert_eq!(Seal::of_hashed("boot", &stat, file.as_file()), None);
    }
}
